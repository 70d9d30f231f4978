import Logging
import NIOSSL
import Synchronization

/// The TLS context for new connections, made from files and remade on request. *Lives on*: any thread.
package final class TLSContextStore: Sendable {
    /// Where the server's proof of identity lies.
    package struct Files: Hashable, Sendable {
        /// PEM: the server's certificate first, then the intermediate ones.
        package var certificates: String
        /// PEM.
        package var key: String

        package init(certificates: String, key: String) {
            self.certificates = certificates
            self.key = key
        }
    }

    /// Why files were not accepted.
    package struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
        /// One line, with the file's name.
        package let description: String
    }

    /// A context that was made and is not in use yet.
    package struct Prepared: Sendable {
        fileprivate let context: NIOSSLContext
        fileprivate let files: Files
    }

    private let inForce: Mutex<Prepared>

    /// - Throws: when the files cannot be read, or do not belong together.
    package init(_ files: Files) throws(Failure) {
        inForce = Mutex(Prepared(context: try Self.load(files), files: files))
    }

    /// For connections that come now.
    package var current: NIOSSLContext { inForce.withLock { $0.context } }

    /// Reads the files again (or others), for the connections to come; those that are open keep what they have.
    /// - Throws: when they are no good; then the old context stays.
    package func reload(_ files: Files? = nil) throws(Failure) {
        adopt(try prepare(files))
    }

    /// The part of `reload` that may fail.
    package func prepare(_ files: Files? = nil) throws(Failure) -> Prepared {
        let files = files ?? inForce.withLock { $0.files }
        return Prepared(context: try Self.load(files), files: files)
    }

    /// The part of `reload` that does not.
    package func adopt(_ prepared: Prepared) {
        inForce.withLock { $0 = prepared }
    }

    /// TLS 1.2 or newer; HTTP/2 is preferred.
    private static func load(_ files: Files) throws(Failure) -> NIOSSLContext {
        let chain: [NIOSSLCertificate]
        do {
            chain = try NIOSSLCertificate.fromPEMFile(files.certificates)
        } catch {
            throw Failure(description: "\(files.certificates): cannot be read as PEM certificates (\(error))")
        }
        guard !chain.isEmpty else { throw Failure(description: "\(files.certificates): holds no certificate") }
        let key: NIOSSLPrivateKey
        do {
            key = try NIOSSLPrivateKey(file: files.key, format: .pem)
        } catch {
            throw Failure(description: "\(files.key): cannot be read as a PEM private key (\(error))")
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["h2", "http/1.1"]
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw Failure(description: "\(files.certificates) and \(files.key) do not belong together (\(error))")
        }
    }
}

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

    private let context: Mutex<NIOSSLContext>
    private let files: Mutex<Files>

    /// - Throws: when the files cannot be read, or do not belong together.
    package init(_ files: Files) throws(Failure) {
        context = Mutex(try Self.load(files))
        self.files = Mutex(files)
    }

    /// For connections that come now.
    package var current: NIOSSLContext { context.withLock { $0 } }

    /// Reads the files again (or others), for the connections to come; those that are open keep what they have.
    /// - Throws: when they are no good; then the old context stays.
    package func reload(_ files: Files? = nil) throws(Failure) {
        let files = files ?? self.files.withLock { $0 }
        let loaded = try Self.load(files)
        context.withLock { $0 = loaded }
        self.files.withLock { $0 = files }
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

import NIOCore
import NIOPosix
import NIOSSL

/// How much a client wants to know of a server's certificate.
public enum ServerTrust: Sendable, Equatable {
    /// The system's authorities.
    case system
    /// The certificates in a PEM file besides: for a server that made its own.
    case file(String)
    /// Anything. For tests on one machine.
    case anything
}

/// Opens connections to one server.
package struct SocketConnector: Sendable {
    package let address: ServerAddress
    private let tls: NIOSSLContext?
    private let trust: ServerTrust

    package init(address: ServerAddress, trust: ServerTrust) throws(ClientError) {
        self.address = address
        self.trust = trust
        guard case .ip(_, _, true) = address.way else {
            tls = nil
            return
        }
        do {
            tls = try NIOSSLContext(configuration: SocketConnector.configuration(trust))
        } catch {
            throw .invalidAddress("TLS can't be set up: \(error)")
        }
    }

    package static func configuration(_ trust: ServerTrust) throws -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        switch trust {
        case .system: break
        case .file(let path):
            configuration.additionalTrustRoots = [.certificates(try NIOSSLCertificate.fromPEMFile(path))]
        case .anything: configuration.certificateVerification = .none
        }
        return configuration
    }

    /// Starts a connection on an event loop; what becomes of it, a failure included, the observer hears. Call it on
    /// that loop.
    package func connect(
        on eventLoop: any EventLoop, headers: [(name: String, value: String)] = [], offersDeflate: Bool = true,
        observer: any SocketObserver
    ) -> SocketConnection {
        let socket = SocketConnection(
            path: address.prefix + "/v1/socket", authority: address.authority, headers: headers,
            offersDeflate: offersDeflate, observer: observer)
        let box = NIOLoopBound(socket, eventLoop: eventLoop)
        let observerBox = NIOLoopBound(observer, eventLoop: eventLoop)
        let bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(.seconds(10))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { [tls, address] channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls, case .ip(let host, _, _) = address.way {
                        let name = host.contains(":") || host.allSatisfy { $0.isNumber || $0 == "." } ? nil : host
                        try channel.pipeline.syncOperations.addHandler(
                            try NIOSSLClientHandler(context: tls, serverHostname: name))
                    }
                    try channel.pipeline.syncOperations.addHandler(box.value)
                }
            }
        let connected =
            switch address.way {
            case .ip(let host, let port, _): bootstrap.connect(host: host, port: port)
            case .unix(let path): bootstrap.connect(unixDomainSocketPath: path)
            }
        connected.hop(to: eventLoop).whenFailure { error in
            observerBox.value.socketClosed(box.value, code: nil, reason: SocketConnector.reason(error))
        }
        return socket
    }

    /// An error of a connection for people.
    static func reason(_ error: any Error) -> String {
        switch error {
        case let error as NIOConnectionError:
            error.connectionErrors.first.map { "\($0.error)" } ?? "\(error.host) has no address"
        case let error as IOError: "\(error)"
        default: "\(error)"
        }
    }
}

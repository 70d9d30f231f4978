import GatewayKit
import NIOCore
import Synchronization

/// Where the server may connect by itself, as of now: what the configuration says, less the server's own doors, which are
/// known once they are open. *Lives on*: any thread.
final class OutboundGate: Sendable {
    private let configured: OutboundPolicy
    private let listeners = Mutex<[OutboundPolicy.Endpoint]>([])

    init(_ configured: OutboundPolicy) { self.configured = configured }

    /// The doors listen there.
    func opened(at addresses: [SocketAddress]) {
        let found = addresses.compactMap { OutboundGate.endpoint(of: $0, port: $0.port) }
        listeners.withLock { $0 += found }
    }

    var policy: OutboundPolicy {
        let listeners = listeners.withLock { $0 }
        var policy = configured
        policy.ownEndpoints = listeners
        // Interfaces come and go, so they are looked at anew.
        let wildcards = listeners.filter { $0.address.value == 0 }
        if !wildcards.isEmpty {
            let devices = (try? System.enumerateDevices()) ?? []
            let addresses = devices.compactMap(\.address)
            for listener in wildcards {
                policy.ownEndpoints += addresses.compactMap { OutboundGate.endpoint(of: $0, port: listener.port) }
            }
        }
        return policy
    }

    /// Nil for what is no address of the internet.
    private static func endpoint(of address: SocketAddress, port: Int?) -> OutboundPolicy.Endpoint? {
        // The zone behind `%` names an interface.
        guard let port, let text = address.ipAddress?.prefix(while: { $0 != "%" }),
            let address = NetworkAddress(plain: text)
        else { return nil }
        return OutboundPolicy.Endpoint(address: address, port: port)
    }
}

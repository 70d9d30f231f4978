import NIOCore
import Testing

@testable import GatewayKit
@testable import Switchboard

/// The server does not call itself, whatever the operator allows.
@Suite struct OutboundGateTests {
    private let configured = OutboundPolicy(
        allowedRanges: [NetworkRange(parsing: "0.0.0.0/0"), NetworkRange(parsing: "::/0")].compactMap { $0 },
        extraPorts: [8080, 9090])

    private func address(_ text: String) throws -> NetworkAddress { try #require(NetworkAddress(plain: text)) }

    @Test func aListenerIsRefusedOnceItIsOpen() throws {
        let gate = OutboundGate(configured)
        let local = try address("127.0.0.1")
        #expect(gate.policy.refusal(of: local, port: 8080) == nil)
        gate.opened(at: [
            try SocketAddress(ipAddress: "127.0.0.1", port: 8080), try SocketAddress(unixDomainSocketPath: "/tmp/x"),
        ])
        #expect(gate.policy.refusal(of: local, port: 8080) == .ownAddress(local))
        #expect(gate.policy.refusal(of: local, port: 9090) == nil)
        #expect(gate.policy.refusal(of: try address("192.0.2.1"), port: 8080) == nil)
    }

    @Test func aWildcardIsEveryAddressOfTheMachine() throws {
        let gate = OutboundGate(configured)
        gate.opened(at: [try SocketAddress(ipAddress: "0.0.0.0", port: 8080)])
        let policy = gate.policy
        #expect(policy.refusal(of: try address("127.0.0.1"), port: 8080) == .ownAddress(try address("127.0.0.1")))
        #expect(policy.refusal(of: try address("127.9.9.9"), port: 8080) == .ownAddress(try address("127.9.9.9")))
        for device in try System.enumerateDevices() {
            guard let text = device.address?.ipAddress?.prefix(while: { $0 != "%" }) else { continue }
            #expect(policy.refusal(of: try address(String(text)), port: 8080) != nil, "\(text)")
        }
    }
}

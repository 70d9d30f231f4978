import Crypto
import Foundation
import GatewayKit
import Logging
import NIOPosix
import Testing

@testable import Switchboard

/// The keys of a host application, as they are read at the start and at a reload.
@Suite struct HostKeysTests {
    private static let old = Array("0123456789abcdef0123456789abcdef".utf8)
    private static let new = Array("fedcba9876543210fedcba9876543210".utf8)

    private func write(_ secret: [UInt8], to path: String) throws {
        let text = StrictBase64.encode(secret, as: .url)
        try #"{"kty":"oct","k":"\#(text)"}"#.write(toFile: path, atomically: true, encoding: .utf8)
    }

    private func token(_ key: [UInt8]) -> String {
        let expires = SystemClock.now().rawValue / 1_000 + 600
        let parts = [#"{"alg":"HS256"}"#, #"{"sub":"carol","aud":"chat","exp":\#(expires)}"#]
            .map { StrictBase64.encode($0.utf8, as: .url) }
        let signed = parts.joined(separator: ".")
        let code = HMAC<SHA256>.authenticationCode(for: Array(signed.utf8), using: SymmetricKey(data: key))
        return "\(signed).\(StrictBase64.encode(Array(code), as: .url))"
    }

    private func opens(_ key: [UInt8], _ applications: [AccountConfiguration.HostApplication]) async -> Bool {
        for application in applications {
            if (try? await application.verifier.verify(token(key))) != nil { return true }
        }
        return false
    }

    @Test func aFileIsReadAgainAndTheOldKeysStayWhereItCantBe() async throws {
        let path = FileManager.default.temporaryDirectory.path + "/switchboard-keys-\(UUID().uuidString).json"
        defer { try? FileManager.default.removeItem(atPath: path) }
        var configuration = ServerConfiguration()
        configuration.hostTokens.realm = "shop"
        configuration.hostTokens.audience = "chat"
        configuration.hostTokens.keysFile = path
        let outbound = OutboundHTTP(group: MultiThreadedEventLoopGroup.singleton)
        let keys = HostKeys(
            configuration: configuration, outbound: outbound, gate: OutboundGate(configuration.outboundPolicy),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try write(Self.old, to: path)
        let first = try keys.applications()
        let firstTakesOld = await opens(Self.old, first)
        try write(Self.new, to: path)
        let second = try keys.applications(replacing: first)
        let secondTakes = (old: await opens(Self.old, second), new: await opens(Self.new, second))
        try "nonsense".write(toFile: path, atomically: true, encoding: .utf8)
        #expect(throws: Failure.self) { try keys.applications(replacing: second) }
        try await outbound.shutdown()
        #expect(firstTakesOld)
        #expect(!secondTakes.old && secondTakes.new)
    }
}

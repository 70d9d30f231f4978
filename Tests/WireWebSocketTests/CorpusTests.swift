import Foundation
import Testing

@testable import WireWebSocket

/// Replays what the fuzzers start from, and whatever they once found.
@Suite("Corpus of the fuzzers")
struct CorpusTests {
    private static func corpus(_ name: String) throws -> [[UInt8]] {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let folder = root.appending(path: "Fuzz/\(name)/corpus")
        return try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .sorted { $0.path < $1.path }.map { Array(try Data(contentsOf: $0)) }
    }

    @Test("frames give the same however they are cut")
    func frames() throws {
        let inputs = try Self.corpus("WebSocketDecoder")
        #expect(inputs.count >= 15)
        for input in inputs where input.count > 2 {
            let role: WebSocketRole = input[0] & 1 == 0 ? .server : .client
            let limits = WebSocketLimits(
                maxMessageBytes: input[0] & 8 == 0 ? 1 << 20 : 100, maxFragments: input[0] & 16 == 0 ? 128 : 3)
            for deflate in [nil, PermessageDeflate.Agreement(clientTakesContextOver: input[0] & 4 != 0)] {
                #expect(cutsThatMatter(Array(input[2...]), role: role, limits: limits, deflate: deflate) == [])
            }
        }
    }

    @Test("compressed bodies give the same however they are cut", arguments: [8, 9, 12, 15])
    func bodies(_ windowBits: Int) throws {
        let inputs = try Self.corpus("WebSocketDeflate")
        #expect(inputs.count >= 11)
        for input in inputs where input.count > 2 {
            let agreement = PermessageDeflate.Agreement(clientWindowBits: windowBits)
            for first in [UInt8(0xC1), 0xC2] {
                let frame = RawFrame.make(first, Array(input[2...]))
                #expect(cutsThatMatter(frame, deflate: agreement) == [])
            }
        }
    }

    @Test("handshakes are answered or refused")
    func handshakes() throws {
        let inputs = try Self.corpus("WebSocketHandshake")
        #expect(inputs.count >= 7)
        var answered = 0
        for input in inputs {
            let lines = String(decoding: input.dropFirst(), as: UTF8.self).split(separator: "\n")
            let headers = lines.map { line in
                let parts = line.split(separator: ":", maxSplits: 1)
                return (name: String(parts.first ?? ""), value: String(parts.dropFirst().first ?? ""))
            }
            let agreement = try? WebSocketHandshake.acceptUpgrade(
                method: "GET", version: (1, 1), headers: headers, service: .init(subprotocols: ["mqtt"]))
            if agreement != nil { answered += 1 }
        }
        #expect(answered >= 2)
    }
}

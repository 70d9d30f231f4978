import Foundation
import Testing

@testable import GatewayKit

/// Replays Fuzz/Scram/corpus and Fuzz/Address/corpus: the seeds, and every finding that was mended.
@Suite struct FuzzCorpusTests {
    /// Inputs without the first byte, with which the fuzzer's entry chooses a reader.
    private func inputs(_ name: String) throws -> [[UInt8]] {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let folder = root.appending(path: "Fuzz/\(name)/corpus")
        return try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil).map { file in
            Array(try Data(contentsOf: file).dropFirst())
        }
    }

    @Test func scram() throws {
        let inputs = try inputs("Scram")
        #expect(inputs.count >= 10)
        for input in inputs {
            if let message = try? ScramClientFirst(parsing: input) { #expect(message.header + message.bare == input) }
            if let message = try? ScramServerFirst(parsing: input) {
                #expect(try ScramServerFirst(parsing: message.encoded) == message)
            }
            if let message = try? ScramClientFinal(parsing: input) { #expect(message.encoded == input) }
            if let message = try? ScramServerFinal(parsing: input) {
                #expect(try ScramServerFinal(parsing: message.encoded) == message)
            }
            let text = String(decoding: input, as: UTF8.self)
            if let verifier = PasswordVerifier(serialised: text) { #expect(verifier.serialised() == text) }
        }
    }

    @Test func addresses() throws {
        let inputs = try inputs("Address")
        #expect(inputs.count >= 20)
        let policy = OutboundPolicy()
        for text in inputs.map({ String(decoding: $0, as: UTF8.self) }) {
            if let address = NetworkAddress(parsing: text) {
                #expect(NetworkAddress(parsing: address.description) == address)
            }
            if let range = NetworkRange(parsing: text) { #expect(NetworkRange(parsing: range.description) == range) }
            for whole in [text, "https://\(text)"] {
                guard let url = try? OutboundURL(checking: whole, by: policy) else { continue }
                #expect(try OutboundURL(checking: "https://\(url.authority)\(url.target)", by: policy) == url)
            }
        }
    }
}

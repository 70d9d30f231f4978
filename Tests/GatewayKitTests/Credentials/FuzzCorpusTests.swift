import Foundation
import Testing

@testable import GatewayKit

/// Replays the corpora of Fuzz/Scram, Fuzz/Address and Fuzz/Origin: the seeds, and every finding that was mended.
@Suite struct FuzzCorpusTests {
    /// - Parameter hasReader: the first byte is the one with which the fuzzer's entry chooses a reader.
    private func inputs(_ name: String, hasReader: Bool = true) throws -> [[UInt8]] {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let folder = root.appending(path: "Fuzz/\(name)/corpus")
        return try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil).map { file in
            Array(try Data(contentsOf: file).dropFirst(hasReader ? 1 : 0))
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

    @Test func origins() throws {
        let inputs = try inputs("Origin", hasReader: false)
        #expect(inputs.count >= 6)
        for text in inputs.map({ String(decoding: $0, as: UTF8.self) }) {
            for origin in [WebOrigin(text), WebOrigin(ofPage: text)].compactMap({ $0 }) {
                #expect(WebOrigin(origin.description) == origin)
            }
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

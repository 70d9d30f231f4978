import Testing

@testable import GatewayKit

@Suite struct TokenSecretTests {
    private let bytes = Array(UInt8(0)..<32)

    /// Text and hash computed with Python's base64, zlib and hashlib.
    @Test func knownToken() throws {
        let token = try #require(TokenSecret(kind: .device, bytes: bytes))
        #expect(token.reveal() == "sbd_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh87g3qMA")
        let hash = "bbaeff68b96d3e3eb8ae777c15f22226fb5556a7b6daf55b2795060a90f2d32d"
        #expect(token.hash.bytes == hexadecimal(hash))
    }

    @Test(arguments: TokenKind.allCases)
    func roundTrip(kind: TokenKind) throws {
        let token = TokenSecret.generate(kind)
        let text = token.reveal()
        #expect(text.utf8.count == TokenSecret.textLength)
        #expect(text.hasPrefix("\(kind.rawValue)_"))
        #expect(try /sb[abdirw]_[A-Za-z0-9_-]{49}/.wholeMatch(in: text) != nil)
        let parsed = try TokenSecret(parsing: text)
        #expect(parsed == token)
        #expect(token.hash.matches(parsed))
        #expect(TokenHash(bytes: token.hash.bytes) == token.hash)
    }

    @Test func tokensDiffer() {
        let texts = Set((0..<1_000).map { _ in TokenSecret.generate(.device).reveal() })
        #expect(texts.count == 1_000)
    }

    @Test func aKindIsNotAnother() throws {
        let hashes = try TokenKind.allCases.map { try #require(TokenSecret(kind: $0, bytes: bytes)).hash }
        #expect(Set(hashes).count == TokenKind.allCases.count)
        let device = try #require(TokenSecret(kind: .device, bytes: bytes))
        let admin = try #require(TokenSecret(kind: .firstAdmin, bytes: bytes))
        #expect(device != admin)
        #expect(!device.hash.matches(admin))
        // Nor can the letters be exchanged.
        #expect(throws: TokenSecret.Malformation.checksum) {
            try TokenSecret(parsing: "sba" + device.reveal().dropFirst(3))
        }
    }

    @Test func everyTypingErrorIsFound() throws {
        let text = Array(try #require(TokenSecret(kind: .device, bytes: bytes)).reveal().utf8)
        let letters = Array("ABCXYZabcxyz0189-_".utf8)
        for index in 4..<text.count {
            for letter in letters where letter != text[index] {
                var wrong = text
                wrong[index] = letter
                #expect(throws: TokenSecret.Malformation.checksum) {
                    try TokenSecret(parsing: String(decoding: wrong, as: UTF8.self))
                }
            }
            guard index + 1 < text.count, text[index] != text[index + 1] else { continue }
            var swapped = text
            swapped.swapAt(index, index + 1)
            #expect(throws: TokenSecret.Malformation.checksum) {
                try TokenSecret(parsing: String(decoding: swapped, as: UTF8.self))
            }
        }
    }

    @Test func whatIsNoTokenIsToldApart() throws {
        let text = try #require(TokenSecret(kind: .device, bytes: bytes)).reveal()
        let others = [
            "", "sbd_", String(text.dropLast()), text + "A", " " + text, text.uppercased(), "sbx" + text.dropFirst(3),
            text.replacing("_", with: "-"), "password", String(repeating: "sbd_", count: 100_000),
            String(text.dropLast()) + "=", String(text.dropLast()) + "\u{e9}",
        ]
        for other in others {
            #expect(throws: TokenSecret.Malformation.notAToken, "\(other.prefix(60))") {
                try TokenSecret(parsing: other)
            }
        }
    }

    @Test func hashesHaveOneLength() {
        #expect(TokenHash(bytes: []) == nil)
        #expect(TokenHash(bytes: Array(repeating: 0, count: 31)) == nil)
        #expect(TokenHash(bytes: Array(repeating: 0, count: 33)) == nil)
    }

    private func hexadecimal(_ text: String) -> [UInt8] {
        var rest = text[...]
        var bytes: [UInt8] = []
        while let byte = UInt8(rest.prefix(2), radix: 16) {
            bytes.append(byte)
            rest = rest.dropFirst(2)
        }
        return bytes
    }
}

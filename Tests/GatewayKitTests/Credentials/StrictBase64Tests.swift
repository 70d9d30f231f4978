import Testing

@testable import GatewayKit

@Suite struct StrictBase64Tests {
    /// RFC 4648 section 10.
    static let vectors = [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ]

    @Test(arguments: vectors)
    func publishedVectors(plain: String, encoded: String) {
        #expect(StrictBase64.encode(plain.utf8) == encoded)
        #expect(StrictBase64.decode(encoded) == Array(plain.utf8))
        let bare = String(encoded.prefix { $0 != "=" })
        #expect(StrictBase64.encode(plain.utf8, as: .url) == bare)
        #expect(StrictBase64.decode(bare, as: .url) == Array(plain.utf8))
    }

    @Test func theTwoAlphabetsDiffer() {
        #expect(StrictBase64.encode([0xFB, 0xFF]) == "+/8=")
        #expect(StrictBase64.encode([0xFB, 0xFF], as: .url) == "-_8")
        #expect(StrictBase64.decode("-_8=") == nil)
        #expect(StrictBase64.decode("+/8", as: .url) == nil)
    }

    @Test(arguments: [
        "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Z", "Z===", "====", "=", "==", "Zg==Zg==", "Zm9v\n", " Zm9v", "Zm 9v",
        "Zm9v====", "Z=g=", "Zm9\u{e9}", "Zm9v\0",
    ])
    func anythingButTheOneSpellingIsRefused(text: String) {
        #expect(StrictBase64.decode(text) == nil)
    }

    @Test(arguments: ["Zg==", "Z", "Zh", "Zm9", "Zm9v=", "Zm9v Zm9v"])
    func urlFormHasNoPaddingAndNoSpareBits(text: String) {
        #expect(StrictBase64.decode(text, as: .url) == nil)
    }

    @Test func roundTripOfEveryLength() {
        var generator = SeededGenerator(seed: 4648)
        for length in 0..<200 {
            let bytes = (0..<length).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
            #expect(StrictBase64.decode(StrictBase64.encode(bytes)) == bytes)
            #expect(StrictBase64.decode(StrictBase64.encode(bytes, as: .url), as: .url) == bytes)
        }
    }
}

/// SplitMix64: the same numbers for the same seed, everywhere.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

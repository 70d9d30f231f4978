import Testing

@testable import GatewayKit

/// RFC 8265 section 4.2.
@Suite struct OpaqueStringTests {
    private func prepared(_ text: String) throws -> String {
        String(decoding: try OpaqueString(text).secret.reveal(), as: UTF8.self)
    }

    @Test func plainTextStaysAsItIs() throws {
        #expect(try prepared("correct horse battery staple") == "correct horse battery staple")
        #expect(try prepared("Correct Horse") == "Correct Horse", "case is kept")
        #expect(try prepared(" ") == " ")
        #expect(try prepared("πßå") == "πßå")
        #expect(try prepared("Jack of \u{2666}s") == "Jack of \u{2666}s")
    }

    /// Example 5 of section 4.2.3, and the other spaces.
    @Test(arguments: ["\u{1680}", "\u{a0}", "\u{2003}", "\u{3000}", "\u{202f}"])
    func otherSpacesBecomeTheSpace(space: String) throws {
        #expect(try Array(prepared("foo\(space)bar").utf8) == Array("foo bar".utf8))
    }

    @Test func canonicallyEqualTextsAreOnePassword() throws {
        #expect(try Array(prepared("e\u{301}").utf8) == Array("\u{e9}".utf8))
        #expect(try Array(prepared("\u{212b}").utf8) == Array("\u{c5}".utf8))
        #expect(
            try Array(prepared("\u{1112}\u{1161}\u{11ab}").utf8) == Array("\u{d55c}".utf8), "modern Hangul composes")
    }

    @Test func compatibilityFormsStayDifferent() throws {
        #expect(try prepared("\u{ff41}") == "\u{ff41}", "full-width a is not a: NFC, not NFKC")
    }

    /// Examples 6 and 7 of section 4.2.3, and what else FreeformClass lacks.
    @Test(arguments: [
        "my cat is a \tby", "a\0", "a\n", "a\u{7f}", "a\u{85}", "a\u{ad}", "a\u{200b}", "a\u{200d}b", "a\u{200e}",
        "a\u{2028}",
        "a\u{fe0f}", "a\u{feff}", "a\u{fffe}", "\u{1100}", "\u{0640}", "a\u{e000}", "a\u{10ffff}", "a\u{378}",
        "a\u{e0001}",
        "\u{202e}txt",
    ])
    func invisibleAndUnassignedAreRefused(text: String) {
        #expect(throws: OpaqueString.Refusal.forbiddenCharacter) { try OpaqueString(text) }
    }

    @Test func lengthIsBounded() throws {
        #expect(throws: OpaqueString.Refusal.empty) { try OpaqueString("") }
        #expect(try OpaqueString(String(repeating: "a", count: 1_024)).secret.count == 1_024)
        #expect(throws: OpaqueString.Refusal.tooLong) { try OpaqueString(String(repeating: "a", count: 1_025)) }
        #expect(throws: OpaqueString.Refusal.tooLong) { try OpaqueString(String(repeating: "a", count: 5_000_000)) }
    }
}

import NIOCore
import Testing
import WireJSON

/// What RFC 8259 accepts and refuses, a case a line.
@Suite struct JSONConformanceTests {
    private static let accepted: [String] = [
        // Section 2: any value may be the document, and white space is these four.
        "null", "true", "false", "0", "\"\"", "[]", "{}", " null", "null ", "\t\n\r null\r\n\t ", "[ ]", "{ }", "[\n]",
        "{\r}",
        "\n[\t1 ,\r2 ]\n", "{ \"a\" : 1 , \"b\" : 2 }",
        // Section 4
        "{\"\":0}", "{\"a\":{}}", "{\"a\":{\"a\":{\"a\":[]}}}", "{\"a\":1,\"A\":2}", "{\"a\":1,\"a \":2}",
        "{\"a\\u0000\":1,\"a\":2}",
        "{\"min\":-1.0e+28,\"max\":1.0e+28}", "{\"é\":1,\"e\u{301}\":2}", "{\"__proto__\":1}",
        // Section 5
        "[1]", "[[]]", "[[],[[]]]", "[null,1,\"1\",{}]", "[1,null,null,null,2]", "[\"\"]", "[1,\"a\",true]",
        "[[[[[[[[[[1]]]]]]]]]]",
        // Section 6
        "-0", "1", "-1", "10", "123", "0.0", "0.1", "-0.1", "1.0", "1.25", "0e0", "0E0", "0e+1", "0e-1", "1e1", "1E1",
        "1e+1", "1e-1",
        "1e01", "1e00", "1.5e300", "-1.5E-300", "123456789012345678901234567890",
        "0.00000000000000000000000000000000001", "1e400",
        "-1e400", "1e-400", "123.456e78", "100000000000000000000e-1", "20e1", "-123", "-12.34",
        // Section 7: escapes
        #""\"""#, #""\\""#, #""\/""#, #""\b\f\n\r\t""#, #""\u0000""#, #""\u0022""#, #""\u005C""#, #""\u00e9""#,
        #""\u00E9""#,
        #""\uABCD""#, #""\uabcd""#, #""\uD834\uDD1E""#, #""\ud834\udd1e""#, #""\uDBFF\uDFFF""#, #""\uD800\uDC00""#,
        #""\uFFFF""#,
        #""\uFFFE""#, #""\uFEFF""#, #""\uFDD0""#, #""\u2028\u2029""#, #""a\u0062c""#, #""\\u0000""#, #""\\\\""#,
        #""\"\\\/""#, #""\u000a""#,
        // Section 7: as they are
        "\"/\"", "\"'\"", "\"\u{7F}\"", "\"\u{80}\"", "\"é\"", "\"\u{2028}\"", "\"\u{2029}\"", "\"漢字\"", "\"😀\"",
        "\"\u{10FFFF}\"", "\"\u{FFFE}\"",
        "\"\u{FEFF}\"", "\"a\u{301}\"", "\"\u{E000}\"", "\"{}[],:\"", "\"// no comment\"", "\"a b\"", "\" \"",
        "\"1234567\"", "\"12345678\"",
        "\"123456789\"", "\"1234567é\"", "\"123456é8\"", "[\"a\",\"é\",\"😀b\"]",
    ]

    private static let refused: [(String, JSONError.Code)] = [
        // Nothing, or too little
        ("", .unexpectedEnd), (" ", .unexpectedEnd), ("\n\t\r ", .unexpectedEnd), ("[", .unexpectedEnd),
        ("{", .unexpectedEnd),
        ("[1", .unexpectedEnd), ("[1,", .unexpectedEnd), ("{\"a\"", .unexpectedEnd), ("{\"a\":", .unexpectedEnd),
        ("{\"a\":1", .unexpectedEnd),
        ("{\"a\":1,", .unexpectedEnd), ("\"", .unexpectedEnd), ("\"a", .unexpectedEnd), ("\"\\", .unexpectedEnd),
        ("\"\\u", .unexpectedEnd),
        ("\"\\u00", .unexpectedEnd), ("\"\\ud800", .unexpectedEnd), ("\"\\ud800\\", .unexpectedEnd),
        ("\"\\ud800\\u", .unexpectedEnd),
        ("t", .unexpectedEnd), ("tru", .unexpectedEnd), ("fals", .unexpectedEnd), ("nul", .unexpectedEnd),
        ("-", .unexpectedEnd),
        ("1.", .unexpectedEnd), ("1e", .unexpectedEnd), ("1e+", .unexpectedEnd), ("[[[", .unexpectedEnd),
        ("[{\"a\":[", .unexpectedEnd),
        // Too much
        ("1 2", .trailingBytes), ("{}{}", .trailingBytes), ("[]]", .trailingBytes), ("{}}", .trailingBytes),
        ("[] x", .trailingBytes),
        ("truex", .trailingBytes), ("nullnull", .trailingBytes), ("\"\"\"\"", .trailingBytes), ("1,", .trailingBytes),
        ("[]//", .trailingBytes),
        ("[]\u{0}", .trailingBytes), ("{}#", .trailingBytes), ("1a", .trailingBytes), ("1 .5", .trailingBytes),
        ("[]\u{A0}", .trailingBytes),
        // Punctuation
        ("[1,]", .unexpectedCharacter), ("[,1]", .unexpectedCharacter), ("[,]", .unexpectedCharacter),
        ("[1,,2]", .unexpectedCharacter),
        ("[1 2]", .unexpectedCharacter), ("[1:2]", .unexpectedCharacter), ("[1;2]", .unexpectedCharacter),
        ("[1}", .unexpectedCharacter),
        ("{]", .unexpectedCharacter), ("{,}", .unexpectedCharacter), ("{\"a\":1,}", .unexpectedCharacter),
        ("{\"a\" 1}", .unexpectedCharacter),
        ("{\"a\",1}", .unexpectedCharacter), ("{\"a\"::1}", .unexpectedCharacter), ("{\"a\":}", .unexpectedCharacter),
        ("{\"a\"}", .unexpectedCharacter),
        ("{:1}", .unexpectedCharacter), ("{1:1}", .unexpectedCharacter), ("{a:1}", .unexpectedCharacter),
        ("{'a':1}", .unexpectedCharacter),
        ("{null:1}", .unexpectedCharacter), ("{[]:1}", .unexpectedCharacter),
        ("{\"a\":1 \"b\":2}", .unexpectedCharacter),
        ("{\"a\":1;\"b\":2}", .unexpectedCharacter), ("{\"a\":1]", .unexpectedCharacter),
        ("{\"a\"=1}", .unexpectedCharacter),
        ("]", .unexpectedCharacter), ("}", .unexpectedCharacter), (",", .unexpectedCharacter),
        (":", .unexpectedCharacter),
        ("(1)", .unexpectedCharacter), ("<null>", .unexpectedCharacter), ("*", .unexpectedCharacter),
        ("[*]", .unexpectedCharacter),
        // Words
        ("True", .unexpectedCharacter), ("TRUE", .unexpectedCharacter), ("nan", .unexpectedCharacter),
        ("NaN", .unexpectedCharacter),
        ("Infinity", .unexpectedCharacter), ("undefined", .unexpectedCharacter), ("nil", .unexpectedCharacter),
        ("trUe", .unexpectedCharacter),
        ("[nul]", .unexpectedCharacter), ("[tru ]", .unexpectedCharacter), ("a", .unexpectedCharacter),
        ("'a'", .unexpectedCharacter),
        ("`a`", .unexpectedCharacter), ("[fals,1]", .unexpectedCharacter), ("None", .unexpectedCharacter),
        // White space and comments that are none
        ("\u{B}1", .unexpectedCharacter), ("\u{C}1", .unexpectedCharacter), ("\u{0}", .unexpectedCharacter),
        ("\u{A0}1", .unexpectedCharacter),
        ("\u{2028}1", .unexpectedCharacter), ("\u{3000}1", .unexpectedCharacter), ("/**/1", .unexpectedCharacter),
        ("//\n1", .unexpectedCharacter),
        ("[1/**/]", .unexpectedCharacter), ("[\u{FEFF}1]", .unexpectedCharacter), ("\u{FEFF}1", .byteOrderMark),
        ("\u{FEFF}", .byteOrderMark),
        // Numbers
        ("01", .invalidNumber), ("-01", .invalidNumber), ("00", .invalidNumber), ("0123", .invalidNumber),
        ("-00", .invalidNumber),
        ("[1.]", .invalidNumber), ("[1.e1]", .invalidNumber), ("[1e]", .invalidNumber), ("[1e+]", .invalidNumber),
        ("[1e1.5]", .unexpectedCharacter),
        ("[-]", .invalidNumber), ("--1", .invalidNumber), ("-a", .invalidNumber), ("-.5", .invalidNumber),
        ("1.-5", .invalidNumber),
        ("1ee1", .invalidNumber), ("1e--1", .invalidNumber), ("+1", .unexpectedCharacter), (".5", .unexpectedCharacter),
        ("[.5]", .unexpectedCharacter),
        ("-Infinity", .invalidNumber), ("-NaN", .invalidNumber), ("0x10", .trailingBytes), ("0b1", .trailingBytes),
        ("1_000", .trailingBytes),
        ("1.2.3", .trailingBytes), ("[1.2.3]", .unexpectedCharacter), ("1f", .trailingBytes), ("[- 1]", .invalidNumber),
        ("\u{FF11}", .unexpectedCharacter),
        // Strings
        ("\"\u{0}\"", .controlCharacter), ("\"\n\"", .controlCharacter), ("\"\t\"", .controlCharacter),
        ("\"\u{1F}\"", .controlCharacter),
        ("\"12345678\u{1}\"", .controlCharacter), ("{\"a\nb\":1}", .controlCharacter), (#""\a""#, .invalidEscape),
        (#""\v""#, .invalidEscape),
        (#""\0""#, .invalidEscape), (#""\'""#, .invalidEscape), (#""\x41""#, .invalidEscape),
        (#""\U0041""#, .invalidEscape),
        ("\"\\\n\"", .invalidEscape), ("\"\\é\"", .invalidEscape), (#""\u""#, .invalidEscape),
        (#""\u004""#, .invalidEscape),
        (#""\u004g""#, .invalidEscape), (#""\u+041""#, .invalidEscape), (#""\u 041""#, .invalidEscape),
        (#""\u{41}""#, .invalidEscape),
        ("\"\\u00\u{FF11}0\"", .invalidEscape), (#""\"#, .unexpectedEnd), (#"{"\q":1}"#, .invalidEscape),
        // Surrogates
        (#""\ud800""#, .loneSurrogate), (#""\uDFFF""#, .loneSurrogate), (#""\udc00\ud800""#, .loneSurrogate),
        (#""\ud800a""#, .loneSurrogate),
        (#""\ud800\n""#, .loneSurrogate), (#""\ud800\ud800""#, .loneSurrogate), (#""\ud800\u0041""#, .loneSurrogate),
        (#""\ud83d\ude0""#, .invalidEscape), (#"{"\udead":1}"#, .loneSurrogate), (#""\ud800\\udc00""#, .loneSurrogate),
        // Keys that occur twice
        (#"{"a":1,"a":1}"#, .duplicateKey), (#"{"":1,"":2}"#, .duplicateKey), (#"{"a":1,"\u0061":2}"#, .duplicateKey),
        (#"{"\u00e9":1,"é":2}"#, .duplicateKey), (#"[{"x":{"a":1,"b":{"a":1},"a":2}}]"#, .duplicateKey),
        (#"{"a long key of a form":1,"a long key of a form":2}"#, .duplicateKey),
    ]

    /// UTF-8 that is none (Unicode, table 3-7), inside a string.
    private static let badUTF8: [[UInt8]] = [
        [0x80], [0xBF], [0xC0, 0x80], [0xC0, 0xAF], [0xC1, 0xBF], [0xC2], [0xC2, 0x20], [0xC2, 0xC2],
        [0xE0, 0x80, 0x80], [0xE0, 0x9F, 0xBF],
        [0xE0, 0xA0], [0xE1, 0x80], [0xE1, 0x80, 0x20], [0xE1, 0x20, 0x80], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF],
        [0xED, 0xA0, 0xBD, 0xED, 0xB8, 0x80],
        [0xEF, 0xBF], [0xF0, 0x80, 0x80, 0x80], [0xF0, 0x8F, 0xBF, 0xBF], [0xF0, 0x90, 0x80], [0xF1, 0x80, 0x80, 0x20],
        [0xF1, 0x80, 0x20, 0x80],
        [0xF4, 0x90, 0x80, 0x80], [0xF4, 0x8F, 0xBF], [0xF5, 0x80, 0x80, 0x80], [0xF8, 0x88, 0x80, 0x80, 0x80],
        [0xFC, 0x84, 0x80, 0x80, 0x80, 0x80],
        [0xFE], [0xFF], [0xFF, 0xFE], [0xC3, 0xA9, 0xA9], [0x61, 0x80, 0x62],
    ]

    private static let goodUTF8: [[UInt8]] = [
        [0xC2, 0x80], [0xDF, 0xBF], [0xE0, 0xA0, 0x80], [0xE1, 0x80, 0x80], [0xEC, 0xBF, 0xBF], [0xED, 0x9F, 0xBF],
        [0xEE, 0x80, 0x80],
        [0xEF, 0xBF, 0xBF], [0xF0, 0x90, 0x80, 0x80], [0xF1, 0x80, 0x80, 0x80], [0xF3, 0xBF, 0xBF, 0xBF],
        [0xF4, 0x8F, 0xBF, 0xBF],
    ]

    private func code(_ bytes: [UInt8]) -> JSONError.Code? {
        do throws(JSONError) {
            try JSONReader.read(ByteBuffer(bytes: bytes)) { reader throws(JSONError) in try reader.skip() }
            return nil
        } catch {
            #expect(error.offset >= 0 && error.offset <= bytes.count)
            return error.code
        }
    }

    @Test func thereAreEnoughCases() {
        #expect(Self.accepted.count + Self.refused.count + Self.badUTF8.count + Self.goodUTF8.count >= 300)
    }

    @Test(arguments: accepted)
    func accepts(text: String) throws {
        #expect(code(Array(text.utf8)) == nil)
        let raw = try JSONReader.read(text) { reader throws(JSONError) in try reader.rawValue() }
        #expect(try JSONReader.read(raw) { reader throws(JSONError) in try reader.rawValue() } == raw)
    }

    @Test(arguments: refused)
    func refuses(text: String, expected: JSONError.Code) {
        #expect(code(Array(text.utf8)) == expected)
        #expect(throws: JSONError.self) { try JSONValue(parsing: text) }
        #expect(throws: JSONError.self) {
            try JSONReader.read(text) { reader throws(JSONError) in try reader.rawValue() }
        }
    }

    @Test func stringsAreUTF8() {
        for padding in 0..<17 {
            let fill = [UInt8](repeating: UInt8(ascii: "x"), count: padding)
            for bytes in Self.goodUTF8 {
                #expect(code([0x22] + fill + bytes + fill + [0x22]) == nil)
                #expect(code([0x22] + fill + bytes) == .unexpectedEnd)
            }
            for bytes in Self.badUTF8 {
                #expect(code([0x22] + fill + bytes + fill + [0x22]) == .invalidUTF8, "\(bytes)")
                #expect(code([0x22] + fill + bytes) == .invalidUTF8, "\(bytes)")
                #expect(code(Array("{\"".utf8) + fill + bytes + Array("\":1}".utf8)) == .invalidUTF8, "\(bytes)")
            }
        }
        #expect(code([0xEF]) == .unexpectedCharacter)
        #expect(code([0xEF, 0xBB]) == .unexpectedCharacter)
        #expect(code([0xEF, 0xBB, 0x31]) == .unexpectedCharacter)
        #expect(code([0xFF, 0xFE, 0x31, 0x00]) == .unexpectedCharacter)
        #expect(code([0x5B, 0x00, 0x5D, 0x00]) == .unexpectedCharacter)
    }

    @Test(arguments: [
        (#""\u0000\b\t\n\f\r\"\\\/""#, "\u{0}\u{8}\t\n\u{C}\r\"\\/"), (#""\ud83d\ude00\uDBFF\uDFFF""#, "😀\u{10FFFF}"),
        (#""a\u00e9b""#, "aéb"),
        (#""\u0041\u0042""#, "AB"), (#""12345678\n12345678""#, "12345678\n12345678"), (#""é\né""#, "é\né"),
        (#""\\n""#, "\\n"),
    ])
    func unescapes(text: String, expected: String) throws {
        #expect(try JSONReader.read(text) { reader throws(JSONError) in try reader.string() } == expected)
        #expect(
            try JSONReader.read("{\(text):1}") { reader throws(JSONError) in
                var found: String?
                try reader.object { key, _ in found = key }
                return found
            } == expected)
    }
}

import NIOCore
import Testing
import WireJSON

@Suite struct JSONWriterTests {
    private func written(_ body: (inout JSONWriter) -> Void) -> String {
        String(buffer: JSONWriter.write(body))
    }

    @Test func commasAndColonsAreSetByTheWriter() {
        let text = written { w in
            w.object { w in
                w.field("id", "a1")
                w.field("sequence", 7)
                w.object("body") { w in
                    w.field("text", "Hi")
                    w.array("spans") { w in
                        w.object { w in w.field("start", Int64(-1)) }
                        w.object { _ in }
                        w.array { _ in }
                    }
                }
                w.array("empty") { _ in }
                w.nullField("nothing")
                w.field("ok", true)
                w.field("ratio", 0.5)
                w.field("big", UInt64.max)
                w.field("extras", raw: #"{"a":[1,2]}"#)
            }
        }
        #expect(
            text
                == #"{"id":"a1","sequence":7,"body":{"text":"Hi","spans":[{"start":-1},{},[]]},"empty":[],"nothing":null,"#
                + #""ok":true,"ratio":0.5,"big":18446744073709551615,"extras":{"a":[1,2]}}"#)
    }

    @Test func beginAndEndGiveTheSameAsClosures() {
        let text = written { w in
            w.beginArray()
            w.int(1)
            w.beginObject()
            w.key("a")
            w.beginArray()
            w.endArray()
            w.key(string: "b\"")
            w.null()
            w.endObject()
            w.string("x")
            w.endArray()
        }
        #expect(text == #"[1,{"a":[],"b\"":null},"x"]"#)
    }

    @Test func nilFieldsAreLeftOut() {
        let text = written { w in
            w.object { w in
                w.field("a", String?.none)
                w.field("b", Int?.none)
                w.field("c", Int64?.none)
                w.field("d", UInt64?.none)
                w.field("e", Double?.none)
                w.field("f", Bool?.none)
                w.field("g", Optional("x"))
                w.field("h", Optional(1))
                w.field("i", Optional(Int64(2)))
                w.field("j", Optional(UInt64(3)))
                w.field("k", Optional(0.25))
                w.field("l", Optional(false))
            }
        }
        #expect(text == #"{"g":"x","h":1,"i":2,"j":3,"k":0.25,"l":false}"#)
    }

    @Test func everyControlCharacterIsEscaped() {
        for value in UInt32(0)..<0x20 {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let expected: String
            switch scalar {
            case "\u{8}": expected = "\\b"
            case "\t": expected = "\\t"
            case "\n": expected = "\\n"
            case "\u{C}": expected = "\\f"
            case "\r": expected = "\\r"
            default: expected = "\\u00" + (value < 16 ? "0" : "") + String(value, radix: 16)
            }
            #expect(written { w in w.string("a" + String(scalar) + "b") } == "\"a\(expected)b\"")
        }
    }

    @Test(arguments: [
        ("", ""), ("\"", "\\\""), ("\\", "\\\\"), ("/", "/"), ("\u{7F}", "\u{7F}"), ("é漢😀", "é漢😀"),
        ("\u{2027}\u{2028}\u{2029}\u{202A}€", "\u{2027}\\u2028\\u2029\u{202A}€"), ("\u{2028}", "\\u2028"),
        ("</script>", "</script>"),
    ])
    func escapesWhatMustBeAndNothingElse(text: String, expected: String) {
        for padding in 0..<20 {
            let fill = String(repeating: "x", count: padding)
            #expect(written { w in w.string(fill + text + fill) } == "\"\(fill)\(expected)\(fill)\"")
            #expect(written { w in w.string(utf8: ByteBuffer(string: fill + text)) } == "\"\(fill)\(expected)\"")
            let bytes = Array((fill + text).utf8)
            #expect(
                bytes.withUnsafeBytes { utf8 in written { w in w.string(utf8: utf8) } } == "\"\(fill)\(expected)\"")
            #expect(
                written { w in
                    w.object { w in
                        w.key(string: fill + text)
                        w.null()
                    }
                } == "{\"\(fill)\(expected)\":null}")
        }
    }

    @Test(arguments: [
        (Int64.min, "-9223372036854775808"), (.max, "9223372036854775807"), (0, "0"), (-1, "-1"), (9, "9"), (10, "10"),
        (99, "99"),
        (100, "100"), (999_999_999, "999999999"), (1_000_000_000, "1000000000"),
    ])
    func integers(value: Int64, expected: String) {
        #expect(written { w in w.int64(value) } == expected)
    }

    @Test func unsignedIntegersOfEveryLength() {
        var value: UInt64 = 1
        while true {
            for near in [value &- 1, value, value &+ 1] {
                #expect(written { w in w.uint64(near) } == String(near))
            }
            let (next, overflow) = value.multipliedReportingOverflow(by: 10)
            if overflow { break }
            value = next
        }
        #expect(written { w in w.uint64(.max) } == "18446744073709551615")
    }

    @Test(arguments: [
        (1.0, "1.0"), (-0.0, "-0.0"), (0.1, "0.1"), (1e21, "1e+21"), (.leastNonzeroMagnitude, "5e-324"),
        (.infinity, "null"),
        (-.infinity, "null"),
        (.nan, "null"), (1.7976931348623157e308, "1.7976931348623157e+308"),
    ])
    func doubles(value: Double, expected: String) {
        #expect(written { w in w.double(value) } == expected)
    }

    @Test func writesBehindWhatTheBufferHoldsAndGrowsFromAnyRoom() throws {
        let text = String(repeating: "0123456789\n", count: 500)
        let element: JSONValue = .object([.init("k\t", .string(text)), .init("n", .int(.min)), .init("e", [])])
        let expected = JSONValue.array(Array(repeating: element, count: 20))
        for room in [0, 1, 2, 3, 7, 64, 512, 10_000] {
            for capacity in [0, 1, 5, 100] {
                var buffer = ByteBuffer()
                buffer.reserveCapacity(capacity)
                buffer.writeString("data: ")
                JSONWriter.write(into: &buffer, room: room) { writer in expected.write(to: &writer) }
                buffer.writeString("\n")
                #expect(buffer.readString(length: 6) == "data: ")
                #expect(try JSONValue(parsing: buffer) == expected)
                #expect(buffer.readableBytesView.last == UInt8(ascii: "\n"))
            }
        }
    }

    @Test func aBufferWithASecondOwnerIsCopied() {
        var buffer = ByteBuffer(string: "a")
        let other = buffer
        JSONWriter.write(into: &buffer) { w in w.null() }
        #expect(String(buffer: buffer) == "anull")
        #expect(String(buffer: other) == "a")
    }
}

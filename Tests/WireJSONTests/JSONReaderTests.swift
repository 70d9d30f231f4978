import NIOCore
import Testing
import WireJSON

@Suite struct JSONReaderTests {
    private struct Span: Equatable {
        var kind = ""
        var start = 0
    }

    private struct Post: Equatable {
        var id = ""
        var text = ""
        var spans: [Span] = []
        var extras: [String: String] = [:]

        init() {}

        init(from reader: inout JSONReader) throws(JSONError) {
            var id: String?
            try reader.object { key, value throws(JSONError) in
                switch key {
                case "id": id = try value.string()
                case "text": text = try value.string()
                case "spans":
                    try value.array { element throws(JSONError) in
                        spans.append(try Self.span(&element))
                    }
                case "unused": break
                case "skipped": try value.skip()
                default: extras[key] = try value.rawValue()
                }
            }
            guard let id else { throw reader.missing("id") }
            self.id = id
        }

        private static func span(_ reader: inout JSONReader) throws(JSONError) -> Span {
            var span = Span()
            try reader.object { key, value throws(JSONError) in
                switch key {
                case "kind": span.kind = try value.string()
                case "start":
                    span.start = try value.int()
                    guard span.start >= 0 else { throw value.invalid("a span can't start before the text") }
                default: break
                }
            }
            return span
        }
    }

    private func post(_ text: String) throws(JSONError) -> Post {
        try JSONReader.read(text) { reader throws(JSONError) in try Post(from: &reader) }
    }

    private func error(_ text: String) -> JSONError? {
        do throws(JSONError) {
            _ = try post(text)
            return nil
        } catch {
            return error
        }
    }

    @Test func aDecoderReadsWhatItKnowsAndKeepsTheRest() throws {
        let read = try post(
            """
             { "skipped" : [ { "x" : [ ] } ], "id":"a1", "text":"H\\u00e9\\ud83d\\ude00\\/", "unused": {"deep":[true]},
               "spans":[{"kind":"bold","start":1.0,"colour":"red"},{"start":2e0}], "org.x" : [ 1.50, "a\\u000ab" , { "k" : null } ] }\t
            """)
        var expected = Post()
        expected.id = "a1"
        expected.text = "Hé😀/"
        expected.spans = [Span(kind: "bold", start: 1), Span(kind: "", start: 2)]
        expected.extras = ["org.x": #"[1.50,"a\nb",{"k":null}]"#]
        #expect(read == expected)
    }

    @Test func errorsSayWhereAndWhy() {
        let spans = error(#"{"id":"a","spans":[{"start":1},{"start":"x"}]}"#)
        #expect(spans?.code == .expected(.number))
        #expect(spans?.path == "spans[1].start")
        #expect(spans?.description == "spans[1].start: expected a number (byte 40)")
        #expect(
            error(#"{"id":"a","spans":[{"start":-1}]}"#)?.description
                == "spans[0].start: a span can't start before the text (byte 28)")
        #expect(error(#"{"text":"a"}"#)?.description == "id: missing (byte 12)")
        #expect(error(#"{"id":"a","id":"b"}"#)?.description == "id: the key occurs twice (byte 10)")
        #expect(error(#"{"id":tru}"#)?.path == "id")
        #expect(error("")?.description == "the document ends too early (byte 0)")
        #expect(error(#"{"x":{"a b\n":[[],[1,}]}}"#)?.path == #"x["a b\n"][1][1]"#)
        let long = String(repeating: "k", count: 500)
        #expect(error("{\"\(long)\":?}")?.path == "[\"" + String(repeating: "k", count: 20) + "…\"]")
    }

    @Test func aValueIsReadOnce() {
        for text in ["[1 2]", "[1,2]", "[1]", #"["a" "b"]"#] {
            #expect(throws: JSONError.self) {
                try JSONReader.read(text) { reader throws(JSONError) in
                    try reader.array { element throws(JSONError) in
                        try element.skip()
                        try element.skip()
                    }
                }
            }
        }
        var code: JSONError.Code?
        do throws(JSONError) {
            try JSONReader.read("1") { reader throws(JSONError) in
                _ = try reader.int()
                _ = try reader.int()
            }
        } catch {
            code = error.code
        }
        #expect(code == .valueAlreadyRead)
    }

    @Test(arguments: [#"[99999999999999999999]"#, #"["x"]"#, "[1.5]", #"[{"a":1,"a":2}]"#, "[[}]"])
    func anErrorThatIsSwallowedComesBack(text: String) {
        #expect(throws: JSONError.self) {
            try JSONReader.read(text) { reader throws(JSONError) in
                try reader.array { element in
                    _ = try? element.int()
                    try? element.skip()
                }
            }
        }
    }

    @Test func whatNobodyReadsIsChecked() throws {
        try JSONReader.read(#" {"a":[1,{"b":"\u0041"}]} "#) { _ in }
        for text in ["[", "[1,]", "{\"a\":1,\"a\":1}", "1 1", "[\"\\x\"]", "[01]"] {
            #expect(throws: JSONError.self) { try JSONReader.read(text) { _ in } }
            #expect(throws: JSONError.self) {
                try JSONReader.read("[\(text)]") { reader throws(JSONError) in try reader.array { _ in } }
            }
        }
    }

    @Test func kindsAndNulls() throws {
        let kinds = try JSONReader.read(#"[{},[],"",-1,0,true,false,null]"#) { reader throws(JSONError) in
            var kinds: [JSONKind] = []
            try reader.array { element throws(JSONError) in kinds.append(try element.kind()) }
            return kinds
        }
        #expect(kinds == [.object, .array, .string, .number, .number, .bool, .bool, .null])

        try JSONReader.read(#"[null,"a",null,1,null,2,null,3,null,0.5,null,true]"#) { reader throws(JSONError) in
            var index = 0
            try reader.array { value throws(JSONError) in
                switch index {
                case 0: #expect(try value.optionalString() == nil)
                case 1: #expect(try value.optionalString() == "a")
                case 2: #expect(try value.optionalInt() == nil)
                case 3: #expect(try value.optionalInt() == 1)
                case 4: #expect(try value.optionalInt64() == nil)
                case 5: #expect(try value.optionalInt64() == 2)
                case 6: #expect(try value.optionalUInt64() == nil)
                case 7: #expect(try value.optionalUInt64() == 3)
                case 8: #expect(try value.optionalDouble() == nil)
                case 9: #expect(try value.optionalDouble() == 0.5)
                case 10: #expect(try value.optionalBool() == nil)
                default: #expect(try value.optionalBool() == true)
                }
                index += 1
            }
            #expect(index == 12)
        }
        #expect(try JSONReader.read(#"["a","b"]"#) { reader throws(JSONError) in try reader.strings() } == ["a", "b"])
    }

    @Test func everyKindRefusesTheOthers() {
        let texts: [(JSONKind, String)] = [
            (.object, "{}"), (.array, "[]"), (.string, "\"\""), (.number, "1"), (.bool, "true"), (.bool, "false"),
            (.null, "null"),
        ]
        func code(_ text: String, _ read: (inout JSONReader) throws(JSONError) -> Void) -> JSONError.Code? {
            do throws(JSONError) {
                try JSONReader.read(text, read)
                return nil
            } catch {
                return error.code
            }
        }
        for (kind, text) in texts {
            #expect(
                code(text) { v throws(JSONError) in try v.object { _, _ in } }
                    == (kind == .object ? nil : .expected(.object)))
            #expect(
                code(text) { v throws(JSONError) in try v.array { _ in } } == (kind == .array ? nil : .expected(.array))
            )
            #expect(
                code(text) { v throws(JSONError) in _ = try v.string() } == (kind == .string ? nil : .expected(.string))
            )
            #expect(
                code(text) { v throws(JSONError) in _ = try v.int64() } == (kind == .number ? nil : .expected(.number)))
            #expect(
                code(text) { v throws(JSONError) in _ = try v.double() } == (kind == .number ? nil : .expected(.number))
            )
            #expect(code(text) { v throws(JSONError) in _ = try v.bool() } == (kind == .bool ? nil : .expected(.bool)))
            #expect(code(text) { v throws(JSONError) in try v.null() } == (kind == .null ? nil : .expected(.null)))
        }
    }

    @Test func readsOnlyTheReadableBytes() throws {
        var buffer = ByteBuffer(string: "{{[1,2]]]")
        buffer.moveReaderIndex(forwardBy: 2)
        buffer.moveWriterIndex(to: 7)
        #expect(try JSONValue(parsing: buffer) == [1, 2])
    }

    @Test func keysAreComparedByTheirBytes() throws {
        let value = try JSONValue(parsing: "{\"\u{E9}\":1,\"e\u{301}\":2}")
        #expect(value["\u{E9}"] == 1)
        #expect(value["e\u{301}"] == 2)
    }
}

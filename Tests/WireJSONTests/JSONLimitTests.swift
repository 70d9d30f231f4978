import NIOCore
import Testing
import WireJSON

@Suite struct JSONLimitTests {
    private func code(_ text: String, _ limits: JSONLimits) -> JSONError.Code? {
        do throws(JSONError) {
            try JSONReader.read(text, limits: limits) { reader throws(JSONError) in try reader.skip() }
            return nil
        } catch {
            return error.code
        }
    }

    private func nested(_ depth: Int, _ open: String = "[", _ close: String = "]", _ inside: String = "1") -> String {
        String(repeating: open, count: depth) + inside + String(repeating: close, count: depth)
    }

    @Test func eachLimitIsInclusive() {
        #expect(code("[1, 2]", JSONLimits(bytes: 6)) == nil)
        #expect(code("[1, 2]", JSONLimits(bytes: 5)) == .documentTooLong)
        #expect(code(nested(3), JSONLimits(depth: 3)) == nil)
        #expect(code(nested(4), JSONLimits(depth: 3)) == .tooDeep)
        #expect(code("1", JSONLimits(depth: 0)) == nil)
        #expect(code("[]", JSONLimits(depth: 0)) == .tooDeep)
        #expect(code("{}", JSONLimits(depth: 0)) == .tooDeep)
        #expect(code("[[],[],{}]", JSONLimits(depth: 2)) == nil)
        #expect(code(#""abcd""#, JSONLimits(stringBytes: 4)) == nil)
        #expect(code(#""abcde""#, JSONLimits(stringBytes: 4)) == .stringTooLong)
        #expect(code(#"{"abcd":1}"#, JSONLimits(stringBytes: 4)) == nil)
        #expect(code(#"{"abcde":1}"#, JSONLimits(stringBytes: 4)) == .stringTooLong)
        #expect(code(#""\u0041\u00e9x""#, JSONLimits(stringBytes: 4)) == nil)
        #expect(code(#""\u0041\u00e9xy""#, JSONLimits(stringBytes: 4)) == .stringTooLong)
        #expect(code(#""\n\n\n\n\n""#, JSONLimits(stringBytes: 4)) == .stringTooLong)
        #expect(code(#"{"a":1,"b":2}"#, JSONLimits(members: 2)) == nil)
        #expect(code(#"{"a":1,"b":2,"c":3}"#, JSONLimits(members: 2)) == .tooManyMembers)
        #expect(code("{}", JSONLimits(members: 0)) == nil)
        #expect(code("[1,2]", JSONLimits(elements: 2)) == nil)
        #expect(code("[1,2,3]", JSONLimits(elements: 2)) == .tooManyElements)
        #expect(code("[]", JSONLimits(elements: 0)) == nil)
        #expect(code("-12.5", JSONLimits(numberBytes: 5)) == nil)
        #expect(code("-12.55", JSONLimits(numberBytes: 5)) == .numberTooLong)
    }

    @Test func nestingIsBoundedWhateverIsAsked() {
        #expect(JSONLimits().depth == 32)
        #expect(JSONLimits(depth: .max).depth == JSONLimits.deepest)
        let limits = JSONLimits(depth: .max)
        for (open, close) in [("[", "]"), ("{\"k\":", "}"), ("[{\"k\":", "}]")] {
            let levels = open.count > 5 ? 2 : 1
            #expect(code(nested(JSONLimits.deepest / levels, open, close), limits) == nil)
            #expect(code(nested(JSONLimits.deepest / levels + 1, open, close), limits) == .tooDeep)
            #expect(code(nested(100_000 / levels, open, close), limits) == .tooDeep)
            #expect(code(String(repeating: open, count: 100_000), limits) == .tooDeep)
            #expect(throws: JSONError.self) { try JSONValue(parsing: nested(100_000, open, close), limits: limits) }
        }
    }

    @Test func theDeepestTreeIsParsedWrittenAndCompared() throws {
        let text = nested(JSONLimits.deepest / 2, "[{\"k\":", "}]")
        let value = try JSONValue(parsing: text, limits: JSONLimits(depth: JSONLimits.deepest))
        #expect(value.description == text)
        #expect(try JSONValue(parsing: value.description, limits: JSONLimits(depth: JSONLimits.deepest)) == value)
    }

    @Test func aKeyThatOccursTwiceIsFoundWhereverItIs() throws {
        for count in [1, 2, 15, 16, 17, 18, 100, 1_000] {
            let keys = (0..<count).map { "\"key \($0) \\u00e9\":{\"a\":\($0)}" }
            #expect(code("{" + keys.joined(separator: ",") + "}", JSONLimits()) == nil)
            for repeated in [0, count / 2, count - 1] {
                let text = "{" + (keys + ["\"key \(repeated) é\":0"]).joined(separator: ",") + "}"
                #expect(code(text, JSONLimits()) == .duplicateKey)
            }
        }
        // The keys of an object inside another one, before and after it has moved to a table.
        let inner = "{" + (0..<20).map { "\"k\($0)\":0" }.joined(separator: ",") + "}"
        let outer = "{" + (0..<20).map { "\"k\($0)\":" + inner }.joined(separator: ",") + ",\"k3\":0}"
        #expect(code(outer, JSONLimits()) == .duplicateKey)
        #expect(code(outer.replacingLast("\"k3\":0}", "\"k20\":0}"), JSONLimits()) == nil)
    }

    @Test func everyTruncationIsAnError() throws {
        let whole = """
             {"type":"message","n":[-12.5e+3,0,18446744073709551615],"body":{"text":"a\\"\\u00e9\\ud83d\\ude00 漢😀\\n"},\
            "flags":[true,false,null],"nested":{"a":{"b":[[],{}]}}}
            """
        let bytes = Array(whole.utf8)
        _ = try JSONValue(parsing: whole)
        for length in 0..<bytes.count {
            let buffer = ByteBuffer(bytes: bytes[..<length])
            var code: JSONError.Code?
            do throws(JSONError) {
                try JSONReader.read(buffer) { reader throws(JSONError) in try reader.skip() }
            } catch {
                code = error.code
            }
            #expect(code == .unexpectedEnd || code == .invalidUTF8, "\(length)")
            #expect(throws: JSONError.self) { try JSONValue(parsing: buffer) }
            #expect(throws: JSONError.self) {
                try JSONReader.read(buffer) { reader throws(JSONError) in try reader.rawValue() }
            }
        }
    }

    @Test func everyByteChangedIsReadOrRefused() {
        let bytes = Array(#"{"a":[1.5e2,"\u00e9\n漢",true],"b":null}"#.utf8)
        for index in bytes.indices {
            for byte in UInt8.min...UInt8.max {
                var changed = bytes
                changed[index] = byte
                let buffer = ByteBuffer(bytes: changed)
                guard let value = try? JSONValue(parsing: buffer) else { continue }
                #expect((try? JSONValue(parsing: value.description)) == value)
            }
        }
    }
}

extension String {
    fileprivate func replacingLast(_ old: String, _ new: String) -> String {
        hasSuffix(old) ? dropLast(old.count) + new : self
    }
}

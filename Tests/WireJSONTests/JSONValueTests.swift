import Testing
import WireJSON

@Suite struct JSONValueTests {
    @Test func literalsSubscriptsAndText() {
        let value: JSONValue = ["a": [1, 2.5, "x", true, nil], "b": ["c": -1]]
        #expect(value.description == #"{"a":[1,2.5,"x",true,null],"b":{"c":-1}}"#)
        #expect(value["b"]?["c"] == -1)
        #expect(value["a"]?[2] == "x")
        #expect(value["a"]?[5] == nil)
        #expect(value["a"]?[-1] == nil)
        #expect(value["z"] == nil)
        #expect(value[0] == nil)
        #expect(JSONValue.null["a"] == nil)
    }

    @Test func numbersAreIntegersWhenTheyAreWrittenSoAndFit() throws {
        #expect(
            try JSONValue(parsing: "[1,1.0,1e0,-0,9223372036854775807,9223372036854775808]")
                == [1, .double(1), .double(1), 0, .int(.max), .double(9223372036854775808)])
        #expect(throws: JSONError.self) { try JSONValue(parsing: "1e400") }
    }

    @Test func orderOfMembersIsKept() throws {
        let text = #"{"z":1,"a":2,"m":{"y":[],"b":null}}"#
        #expect(try JSONValue(parsing: text).description == text)
    }
}

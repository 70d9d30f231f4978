import Foundation
import Testing
import WireJSON

@testable import ClientAPI

/// What the server says of itself, and what the page says of it.
@Suite struct DocumentTests {
    @Test func openAPI() async throws {
        try await APIFixture.with { api in
            let answer = try await api.request(.get, "/v1/openapi.json")
            #expect(answer.status == 200)
            #expect(answer.json["openapi"] == "3.1.0")
            let paths = try #require(answer.json["paths"])
            for operation in Operations.all where operation.places.contains(.http) {
                let method = operation.way == .read ? "get" : "post"
                let entry = try #require(paths["/v1/" + operation.name]?[method], "\(operation.name)")
                #expect(entry["operationId"] == .string(operation.name))
                #expect((entry["security"] == []) == (operation.access == .nobody))
            }
            #expect(paths["/v1/stream"]?["get"] != nil && paths["/v1/hello"] == nil)
            #expect(Self.dangling(answer.json, in: answer.json) == [])
            #expect(answer.json["x-errors"]?.elements.count == ErrorCode.allCases.count)
        }
    }

    @Test func frames() async throws {
        try await APIFixture.with { api in
            let answer = try await api.request(.get, "/v1/frames.json")
            #expect(answer.json["$schema"] == "https://json-schema.org/draft/2020-12/schema")
            #expect(answer.json["$defs"]?["Frame"]?["anyOf"]?.elements.count == Schemas.frames.count)
            #expect(Self.dangling(answer.json, in: answer.json) == [])
            #expect(try JSONSerialization.jsonObject(with: Data(answer.text.utf8)) is NSDictionary)
        }
    }

    /// References that lead nowhere.
    private static func dangling(_ value: JSONValue, in document: JSONValue) -> [String] {
        switch value {
        case .object(let members):
            return members.flatMap { member -> [String] in
                guard member.key == "$ref", let path = member.value.text else {
                    return dangling(member.value, in: document)
                }
                let parts = path.split(separator: "/")
                guard parts.first == "#" else { return [path] }
                let target = parts.dropFirst().reduce(Optional(document)) { $0?[String($1)] }
                return target == nil ? [path] : []
            }
        case .array(let elements): return elements.flatMap { dangling($0, in: document) }
        default: return []
        }
    }

    // MARK: The page

    /// `docs/protocols/client-api.md` between `<!-- NAME -->` and `<!-- end -->` is made from the tables. With
    /// SWITCHBOARD_WRITE_DOCS=1 this test writes it anew.
    @Test func thePageSaysWhatTheTablesSay() throws {
        let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("docs/protocols/client-api.md")
        let text = try String(contentsOf: page, encoding: .utf8)
        var expected = text
        for (name, table) in [
            ("operations", PageTables.operations), ("errors", PageTables.errors), ("frames", PageTables.frames),
        ] {
            let start = try #require(expected.range(of: "<!-- \(name) -->\n"), "the page has no place for \(name)")
            let end = try #require(expected.range(of: "<!-- end -->", range: start.upperBound..<expected.endIndex))
            expected.replaceSubrange(start.upperBound..<end.lowerBound, with: table)
        }
        if ProcessInfo.processInfo.environment["SWITCHBOARD_WRITE_DOCS"] == "1" {
            try expected.write(to: page, atomically: true, encoding: .utf8)
        } else {
            #expect(text == expected, "run this test with SWITCHBOARD_WRITE_DOCS=1")
        }
    }
}

/// The tables of the page, in Markdown.
enum PageTables {
    static var operations: String {
        var text = "| operation | way | who | takes | gives |\n| --- | --- | --- | --- | --- |\n"
        for operation in Operations.all {
            let who =
                switch operation.access {
                case .nobody: "anybody"
                case .guest: "signed in"
                case .account: "no guests"
                case .administrator: "administrators"
                }
            let takes = operation.parameters.map(parameter).joined(separator: ", ")
            let gives = result(operation)
            text +=
                "| **\(operation.name)**: \(cell(operation.summary)) | \(way(operation)) | \(who) | \(takes) | \(gives) |\n"
        }
        return text
    }

    private static func way(_ operation: APIOperation) -> String {
        let method =
            switch operation.way {
            case .read: "GET"
            case .change, .signal: "POST"
            case .session: ""
            }
        switch (operation.places.contains(.http), operation.places.contains(.socket)) {
        case (true, true): return "\(method), socket"
        case (true, false): return method
        default: return "socket"
        }
    }

    /// Forms that many operations give have a name of their own.
    private static func result(_ operation: APIOperation) -> String {
        let names = operation.result.map(\.name)
        switch names {
        case Field.acceptance.map(\.name): return "an acceptance"
        case Schemas.entry.map(\.name): return "an event"
        case Schemas.conversation.map(\.name): return "a conversation"
        default: return operation.result.map { "`\($0.name)`" + ($0.isOptional ? "?" : "") }.joined(separator: ", ")
        }
    }

    /// What many operations take is explained once, above the table.
    private static let shared: Set<String> = ["conversation", "event", "account", "ref", "reason"]

    private static func parameter(_ parameter: Parameter) -> String {
        let name = "`\(parameter.name)`" + (parameter.isRequired ? "" : "?")
        if shared.contains(parameter.name) || parameter.note.isEmpty { return name }
        return "\(name) (\(cell(parameter.note)))"
    }

    static var errors: String {
        var text = "| code | HTTP | meaning | what to do |\n| --- | --- | --- | --- |\n"
        for code in ErrorCode.allCases {
            text +=
                "| `\(code.text)` | \(code.row.status) | \(cell(code.row.meaning)) | \(code.row.advice.rawValue) |\n"
        }
        return text
    }

    static var frames: String {
        var text = "| type | durable | fields |\n| --- | --- | --- |\n"
        for frame in Schemas.frames {
            let fields = frame.fields.map { field in
                "`\(field.name)`" + (field.isOptional ? "?" : "")
            }
            text += "| `\(frame.type)` | \(frame.isDurable ? "✓" : "") | \(fields.joined(separator: ", ")) |\n"
        }
        return text
    }

    private static func cell(_ text: String) -> String { text.replacingOccurrences(of: "|", with: "\\|") }
}

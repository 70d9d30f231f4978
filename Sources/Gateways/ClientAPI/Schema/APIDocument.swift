import NIOCore
import WireJSON

/// The descriptions of itself that every server serves.
enum APIDocument: CaseIterable, Sendable {
    /// Operations over HTTP, OpenAPI 3.1.
    case openAPI
    /// Frames, JSON Schema.
    case frames

    init?(path: Substring) {
        switch path {
        case "openapi.json": self = .openAPI
        case "frames.json": self = .frames
        default: return nil
        }
    }

    var answer: JSONAnswer {
        switch self {
        case .openAPI: APIDocument.openAPIAnswer
        case .frames: APIDocument.framesAnswer
        }
    }

    private static let openAPIAnswer = JSONAnswer(.ok) { $0.openAPIMembers() }
    private static let framesAnswer = JSONAnswer(.ok) { $0.frameSchemaMembers() }
}

extension JSONWriter {
    // MARK: Frames

    /// One schema for what the server sends (`Frame`) and one for what a client sends (`ClientFrame`).
    fileprivate mutating func frameSchemaMembers() {
        field("$schema", "https://json-schema.org/draft/2020-12/schema")
        field("title", "Frames of the Switchboard client API")
        field("$ref", "#/$defs/Frame")
        object("$defs") { writer in
            for (name, schema) in Schemas.named {
                writer.key(string: name)
                writer.schema(schema, definitions: "#/$defs/")
            }
            writer.key("ClientFrame")
            writer.schema(.either(JSONWriter.clientFrames), definitions: "#/$defs/")
        }
    }

    private static var clientFrames: [Schema] {
        Operations.all.filter { $0.places.contains(.socket) }.map { operation in
            .object(
                [
                    .always("type", .constant(operation.name), operation.summary),
                    .sometimes("id", .text, "for the answer"),
                ]
                    + operation.parameters.map(\.field))
        }
    }

    // MARK: OpenAPI

    fileprivate mutating func openAPIMembers() {
        field("openapi", "3.1.0")
        object("info") { writer in
            writer.field("title", "Switchboard client API")
            writer.field("version", "1")
            writer.field("description", "Operations over plain HTTP. The same run over a WebSocket at /v1/socket.")
        }
        object("paths") { writer in
            for operation in Operations.all where operation.places.contains(.http) { writer.path(operation) }
            writer.streamPath()
        }
        object("components") { writer in writer.components() }
        array("security") { writer in
            writer.object { $0.array("bearer") { _ in } }
        }
        array("x-errors") { writer in
            for code in ErrorCode.allCases {
                writer.object { writer in
                    writer.field("code", code.text)
                    writer.field("status", code.row.status)
                    writer.field("meaning", code.row.meaning)
                    writer.field("advice", code.row.advice.rawValue)
                }
            }
        }
    }

    private mutating func path(_ operation: Operation) {
        key(string: "/v1/" + operation.name)
        object { writer in
            writer.key(string: operation.way == .read ? "get" : "post")
            writer.object { writer in writer.operationMembers(operation) }
        }
    }

    private mutating func operationMembers(_ operation: Operation) {
        field("operationId", operation.name)
        field("summary", operation.summary)
        field("x-access", operation.access.rawValue)
        if operation.access == .nobody { array("security") { _ in } }
        if operation.way == .read { query(operation.parameters) } else { requestBody(operation.parameters) }
        object("responses") { writer in
            writer.object("200") { writer in
                writer.field("description", "Done.")
                writer.content("application/json", .object(operation.result))
            }
            writer.errorResponse()
        }
    }

    private mutating func query(_ parameters: [Parameter]) {
        guard !parameters.isEmpty else { return }
        array("parameters") { writer in
            for parameter in parameters {
                writer.object { writer in
                    writer.field("name", parameter.name)
                    writer.field("in", "query")
                    writer.field("required", parameter.isRequired)
                    writer.field("description", parameter.note)
                    if case .list = parameter.schema {
                        writer.field("style", "form")
                        writer.field("explode", false)
                    }
                    writer.key("schema")
                    writer.schema(parameter.schema, definitions: "#/components/schemas/")
                }
            }
        }
    }

    private mutating func requestBody(_ parameters: [Parameter]) {
        object("requestBody") { writer in
            writer.field("required", parameters.contains(where: \.isRequired))
            writer.content("application/json", .object(parameters.map(\.field)))
        }
    }

    private mutating func content(_ type: String, _ schema: Schema) {
        object("content") { writer in
            writer.key(string: type)
            writer.object { writer in
                writer.key("schema")
                writer.schema(schema, definitions: "#/components/schemas/")
            }
        }
    }

    private mutating func errorResponse() {
        object("default") { writer in writer.field("$ref", "#/components/responses/Error") }
    }

    private mutating func streamPath() {
        let stream = StreamRequest.operation
        object("/v1/stream") { writer in
            writer.object("get") { writer in
                writer.field("operationId", stream.name)
                writer.field("summary", stream.summary)
                writer.query(stream.parameters)
                writer.object("responses") { writer in
                    writer.object("200") { writer in
                        writer.field("description", "Frames; `event` is the frame's type, `id` its cursor.")
                        writer.content("text/event-stream", .text)
                    }
                    writer.errorResponse()
                }
            }
        }
    }

    private mutating func components() {
        object("schemas") { writer in
            for (name, schema) in Schemas.named {
                writer.key(string: name)
                writer.schema(schema, definitions: "#/components/schemas/")
            }
        }
        object("responses") { writer in
            writer.object("Error") { writer in
                writer.field("description", "Refused; `x-errors` lists the codes.")
                writer.content("application/json", .object([.always("error", .named("Error"))]))
            }
        }
        object("securitySchemes") { writer in
            writer.object("bearer") { writer in
                writer.field("type", "http")
                writer.field("scheme", "bearer")
                writer.field("description", "A device's or bot's token, or a signed token of a host application.")
            }
        }
    }
}

extension Parameter {
    fileprivate var field: Field {
        Field(name: name, schema: schema, isOptional: !isRequired, note: note)
    }
}

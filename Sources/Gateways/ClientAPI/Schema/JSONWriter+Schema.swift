import WireJSON

/// Writes schemas as JSON Schema, draft 2020-12 (which OpenAPI 3.1 uses).
extension JSONWriter {
    /// - Parameter definitions: where the named schemas are, as in `#/$defs/`.
    mutating func schema(_ schema: Schema, definitions: String) {
        object { writer in writer.schemaMembers(schema, definitions: definitions) }
    }

    mutating func schemaMembers(_ schema: Schema, definitions: String) {
        switch schema {
        case .text: field("type", "string")
        case .pattern(let pattern):
            field("type", "string")
            field("pattern", pattern)
        case .integer: field("type", "integer")
        case .range(let range):
            field("type", "integer")
            field("minimum", range.lowerBound)
            // Beyond what a double holds exactly a bound says nothing to most readers.
            if range.upperBound < 1 << 53 { field("maximum", range.upperBound) }
        case .flag: field("type", "boolean")
        case .anything: break
        case .choice(let names):
            field("type", "string")
            array("enum") { writer in
                for name in names { writer.string(name) }
            }
        case .constant(let text): field("const", text)
        case .list(let element):
            field("type", "array")
            key("items")
            self.schema(element, definitions: definitions)
        case .map(let value):
            field("type", "object")
            key("additionalProperties")
            self.schema(value, definitions: definitions)
        case .object(let fields): objectMembers(fields, definitions: definitions)
        case .named(let name): field("$ref", definitions + name)
        case .nullable(let inner): alternatives([inner], orNull: true, definitions: definitions)
        case .either(let schemas): alternatives(schemas, orNull: false, definitions: definitions)
        }
    }

    private mutating func objectMembers(_ fields: [Field], definitions: String) {
        field("type", "object")
        object("properties") { writer in
            for field in fields {
                writer.key(string: field.name)
                writer.object { writer in
                    writer.schemaMembers(field.schema, definitions: definitions)
                    if !field.note.isEmpty { writer.field("description", field.note) }
                }
            }
        }
        let required = fields.filter { !$0.isOptional }
        guard !required.isEmpty else { return }
        array("required") { writer in
            for field in required { writer.string(field.name) }
        }
    }

    private mutating func alternatives(_ schemas: [Schema], orNull: Bool, definitions: String) {
        array("anyOf") { writer in
            for schema in schemas { writer.schema(schema, definitions: definitions) }
            if orNull { writer.object { $0.field("type", "null") } }
        }
    }
}

/// The form of a JSON value, as far as the documentation promises it.
///
/// One description serves OpenAPI, `/v1/frames.json` and the tests that compare real answers with it.
package indirect enum Schema: Sendable {
    case text
    case pattern(String)
    case integer
    case range(ClosedRange<Int64>)
    case flag
    /// Any JSON.
    case anything
    case choice([String])
    case constant(String)
    case list(Schema)
    /// An object with any keys.
    case map(Schema)
    case object([Field])
    /// One of ``Schemas/named``.
    case named(String)
    case nullable(Schema)
    case either([Schema])
}

/// One member of an object.
package struct Field: Sendable {
    package let name: String
    package let schema: Schema
    package let isOptional: Bool
    package let note: String

    package static func always(_ name: String, _ schema: Schema, _ note: String = "") -> Field {
        Field(name: name, schema: schema, isOptional: false, note: note)
    }

    package static func sometimes(_ name: String, _ schema: Schema, _ note: String = "") -> Field {
        Field(name: name, schema: schema, isOptional: true, note: note)
    }
}

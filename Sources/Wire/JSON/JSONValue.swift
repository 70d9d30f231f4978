import NIOCore

/// Any JSON value as a tree, for what is read too rarely to deserve a decoder of its own.
///
/// A number is an `int` when it is written as an integer and fits, else a `double`; who needs all digits of larger ones
/// uses `JSONReader.rawValue`. Objects keep the order of their members.
package enum JSONValue: Equatable, Sendable {
    case null
    case bool(Bool)
    case int(Int64)
    case double(Double)
    case string(String)
    case array([JSONValue])
    case object([Member])

    package struct Member: Equatable, Sendable {
        package var key: String
        package var value: JSONValue

        package init(_ key: String, _ value: JSONValue) {
            self.key = key
            self.value = value
        }
    }

    /// Parses the document that fills the readable bytes of `buffer`.
    package init(parsing buffer: ByteBuffer, limits: JSONLimits = JSONLimits()) throws(JSONError) {
        self = try JSONReader.read(buffer, limits: limits) { reader throws(JSONError) in try JSONValue(from: &reader) }
    }

    /// Parses the document that `text` is.
    package init(parsing text: String, limits: JSONLimits = JSONLimits()) throws(JSONError) {
        try self.init(parsing: ByteBuffer(string: text), limits: limits)
    }

    /// Reads the value at which `reader` stands.
    package init(from reader: inout JSONReader) throws(JSONError) {
        switch try reader.kind() {
        case .object:
            var members: [Member] = []
            try reader.object { key, value throws(JSONError) in
                members.append(Member(key, try JSONValue(from: &value)))
            }
            self = .object(members)
        case .array:
            var elements: [JSONValue] = []
            try reader.array { element throws(JSONError) in
                elements.append(try JSONValue(from: &element))
            }
            self = .array(elements)
        case .string:
            self = .string(try reader.string())
        case .number:
            self = try reader.numberValue()
        case .bool:
            self = .bool(try reader.bool())
        case .null:
            try reader.null()
            self = .null
        }
    }

    /// Writes this value.
    package func write(to writer: inout JSONWriter) {
        switch self {
        case .null: writer.null()
        case .bool(let value): writer.bool(value)
        case .int(let value): writer.int64(value)
        case .double(let value): writer.double(value)
        case .string(let value): writer.string(value)
        case .array(let elements):
            writer.array { writer in
                for element in elements {
                    element.write(to: &writer)
                }
            }
        case .object(let members):
            writer.object { writer in
                for member in members {
                    writer.key(string: member.key)
                    member.value.write(to: &writer)
                }
            }
        }
    }

    /// The value of the member `key`, when this is an object that has one.
    package subscript(key: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key.utf8.elementsEqual(key.utf8) }?.value
    }

    /// The element at `index`, when this is an array that has one.
    package subscript(index: Int) -> JSONValue? {
        guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
        return elements[index]  // trap-ok: checked above
    }
}

extension JSONValue: CustomStringConvertible {
    /// The value as compact JSON.
    package var description: String {
        String(buffer: JSONWriter.write { writer in write(to: &writer) })
    }
}

extension JSONValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    package init(nilLiteral: ()) { self = .null }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(integerLiteral value: Int64) { self = .int(value) }
    package init(floatLiteral value: Double) { self = .double(value) }
    package init(stringLiteral value: String) { self = .string(value) }
    package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    package init(dictionaryLiteral members: (String, JSONValue)...) { self = .object(members.map { Member($0, $1) }) }
}

import NIOCore
import WireJSON

/// A JSON value as the server sends it and takes it.
///
/// ```swift
/// let reply = try await client.change("create", ["kind": "group", "handle": "garden"])
/// print(reply["conversation"]?.string ?? "?")
/// ```
public struct ClientValue: Sendable, Equatable {
    package let json: JSONValue

    package init(_ json: JSONValue) { self.json = json }

    /// Reads a JSON text.
    public init(parsing text: String) throws {
        do {
            json = try JSONValue(parsing: text)
        } catch {
            throw ClientError.protocolViolation("not JSON: \(error)")
        }
    }

    public static let null = ClientValue(.null)
    public static func string(_ text: String) -> ClientValue { ClientValue(.string(text)) }
    public static func int(_ number: Int64) -> ClientValue { ClientValue(.int(number)) }
    public static func bool(_ flag: Bool) -> ClientValue { ClientValue(.bool(flag)) }
    public static func array(_ values: [ClientValue]) -> ClientValue { ClientValue(.array(values.map(\.json))) }

    public var string: String? {
        if case .string(let text) = json { text } else { nil }
    }
    public var int: Int64? {
        if case .int(let number) = json { number } else { nil }
    }
    public var bool: Bool? {
        if case .bool(let flag) = json { flag } else { nil }
    }
    public var array: [ClientValue]? {
        if case .array(let values) = json { values.map(ClientValue.init) } else { nil }
    }
    /// The members of an object, in the order in which they came.
    public var members: [(key: String, value: ClientValue)]? {
        guard case .object(let members) = json else { return nil }
        return members.map { ($0.key, ClientValue($0.value)) }
    }
    public var isNull: Bool { json == .null }

    /// A member of an object.
    public subscript(key: String) -> ClientValue? { json[key].map(ClientValue.init) }
}

extension ClientValue: CustomStringConvertible {
    /// The value as compact JSON.
    public var description: String { json.description }
}

extension ClientValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByNilLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(stringLiteral value: String) { self = .string(value) }
    public init(integerLiteral value: Int64) { self = .int(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(nilLiteral: ()) { self = .null }
    public init(arrayLiteral elements: ClientValue...) { self = .array(elements) }
    public init(dictionaryLiteral elements: (String, ClientValue)...) {
        self.init(.object(elements.map { JSONValue.Member($0, $1.json) }))
    }
}

/// The parameters of an operation, by name.
public typealias ClientFields = [String: ClientValue]

extension ClientFields {
    /// As a JSON object, members by name, so that the same fields give the same text.
    package var object: JSONValue {
        .object(sorted { $0.key < $1.key }.map { JSONValue.Member($0.key, $0.value.json) })
    }
}

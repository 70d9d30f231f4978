import WireJSON

@testable import ClientAPI

/// Compares a real value with the form that the documentation promises, in both directions: what is missing and what
/// nobody promised.
enum SchemaCheck {
    /// What is wrong, a line each; empty if nothing is.
    static func faults(_ value: JSONValue, _ schema: Schema, at path: String = "$") -> [String] {
        switch schema {
        case .anything: return []
        case .text, .pattern: return value.text == nil ? ["\(path): not a text"] : []
        case .integer: return value.number == nil ? ["\(path): not an integer"] : []
        case .range(let range):
            return value.number.map(range.contains) ?? false ? [] : ["\(path): not in \(range)"]
        case .flag:
            if case .bool = value { return [] }
            return ["\(path): neither true nor false"]
        case .choice(let names):
            return value.text.map(names.contains) ?? false ? [] : ["\(path): \(value) is none of \(names)"]
        case .constant(let text): return value.text == text ? [] : ["\(path): not \(text)"]
        case .list(let element):
            guard case .array(let elements) = value else { return ["\(path): not a list"] }
            return elements.enumerated().flatMap { faults($1, element, at: "\(path)[\($0)]") }
        case .map(let element):
            guard case .object(let members) = value else { return ["\(path): not an object"] }
            return members.flatMap { faults($0.value, element, at: "\(path).\($0.key)") }
        case .object(let fields): return faults(value, fields, at: path)
        case .named(let name):
            guard let named = Schemas.named(name) else { return ["\(path): there is no schema \(name)"] }
            return faults(value, named, at: path)
        case .nullable(let inner): return value == .null ? [] : faults(value, inner, at: path)
        case .either(let schemas):
            let all = schemas.map { faults(value, $0, at: path) }
            if all.contains(where: \.isEmpty) { return [] }
            return all.min { $0.count < $1.count } ?? ["\(path): no form fits"]
        }
    }

    static func faults(_ value: JSONValue, _ fields: [Field], at path: String = "$") -> [String] {
        guard case .object(let members) = value else { return ["\(path): not an object: \(value)"] }
        var faults: [String] = []
        for field in fields where !field.isOptional && value[field.name] == nil {
            faults.append("\(path).\(field.name): missing")
        }
        for member in members {
            guard let field = fields.first(where: { $0.name == member.key }) else {
                faults.append("\(path).\(member.key): nobody promised this")
                continue
            }
            faults += self.faults(member.value, field.schema, at: "\(path).\(member.key)")
        }
        return faults
    }

    /// A frame from the server.
    static func faults(frame: JSONValue) -> [String] {
        guard let type = frame["type"]?.text, let known = Schemas.frames.first(where: { $0.type == type }) else {
            return ["$.type: an unknown frame: \(frame)"]
        }
        return faults(frame, [.always("type", .constant(type))] + known.fields)
    }
}

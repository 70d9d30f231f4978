import NIOCore

/// Values that are handed on without being understood.
extension JSONReader {
    /// Reads any value and returns it as compact JSON: no white space, strings with the escapes of `JSONWriter`,
    /// numbers digit for digit.
    package mutating func rawValue() throws(JSONError) -> String {
        var problem: JSONError?
        let buffer = JSONWriter.write { writer in
            do throws(JSONError) {
                try copy(into: &writer)
            } catch {
                problem = error
            }
        }
        if let problem { throw problem }
        return String(buffer: buffer)
    }

    /// Reads any value and writes it as `rawValue` does; when this throws, a part of the value has been written.
    package mutating func copy(into writer: inout JSONWriter) throws(JSONError) {
        switch try kind() {
        case .object:
            writer.beginObject()
            try object { key, value throws(JSONError) in
                writer.key(string: key)
                try value.copy(into: &writer)
            }
            writer.endObject()
        case .array:
            writer.beginArray()
            try array { element throws(JSONError) in
                try element.copy(into: &writer)
            }
            writer.endArray()
        case .string:
            let text = try text()
            withBytes(of: text) { writer.quoted($0) }
        case .number:
            let number = try number()
            writer.raw(bytes.slice(number.range))
        case .bool:
            writer.bool(try bool())
        case .null:
            try null()
            writer.null()
        }
    }
}

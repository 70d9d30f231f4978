import NIOCore

/// Writes one JSON document (RFC 8259) into a `ByteBuffer`, without white space, and sets the commas.
///
/// ```swift
/// JSONWriter.write(into: &buffer) { w in
///     w.object { w in
///         w.field("id", id)
///         w.object("body") { w in w.field("text", text) }
///         w.array("mentions") { w in
///             for handle in mentions { w.string(handle) }
///         }
///     }
/// }
/// ```
///
/// Nothing is allocated while the document fits into the buffer's room. Whoever writes sees to it that every value in an
/// object follows a key and that what is begun is ended. A document holds no line break and none of U+2028 and
/// U+2029, so that it can be a line of an event stream or a piece of JavaScript.
///
/// The writer is lent for the duration of `write`, because it points into the buffer's memory; not being copyable, it
/// can't be kept.
package struct JSONWriter: ~Copyable {
    private var output: JSONOutput
    /// Whether a value or a key would follow another value.
    private var needsComma = false

    private init(_ output: consuming JSONOutput) {
        self.output = output
    }

    /// A new buffer with the document that `body` writes.
    package static func write(_ body: (inout JSONWriter) -> Void) -> ByteBuffer {
        var buffer = ByteBuffer()
        write(into: &buffer, body)
        return buffer
    }

    /// Appends the document that `body` writes to `buffer`.
    ///
    /// - Parameter room: the bytes that the document is expected to have at most; more cost an allocation.
    package static func write(into buffer: inout ByteBuffer, room: Int = 512, _ body: (inout JSONWriter) -> Void) {
        JSONOutput.append(to: &buffer, room: room) { output in
            var writer = JSONWriter(output)
            body(&writer)
            return writer.output
        }
    }

    // MARK: - Containers

    /// Begins an object; keys and values by turns follow, and `endObject`.
    package mutating func beginObject() { begin(UInt8(ascii: "{")) }
    /// Ends the object that was begun last.
    package mutating func endObject() { end(UInt8(ascii: "}")) }
    /// Begins an array; values follow, and `endArray`.
    package mutating func beginArray() { begin(UInt8(ascii: "[")) }
    /// Ends the array that was begun last.
    package mutating func endArray() { end(UInt8(ascii: "]")) }

    /// Writes a key that needs no escapes: printable ASCII without `"` and `\`.
    package mutating func key(_ key: StaticString) {
        let utf8 = JSONBytes(key)
        // trap-ok: the keys are in the source
        assert(Self.plainEnd(of: utf8, from: 0) == utf8.count, "the key \(key) needs escapes")
        separate()
        output.put(UInt8(ascii: "\""))
        output.put(utf8)
        output.put(UInt8(ascii: "\""))
        endKey()
    }

    /// Writes a key that is only known at run time.
    package mutating func key(string key: String) {
        JSONBytes.with(key) { quoted($0) }
        endKey()
    }

    // MARK: - Values

    /// Writes a string.
    package mutating func string(_ string: String) {
        JSONBytes.with(string) { quoted($0) }
    }

    /// Writes the readable bytes of `buffer`, which are known to be UTF-8, as a string.
    package mutating func string(utf8 buffer: ByteBuffer) {
        JSONBytes.with(buffer) { quoted($0) }
    }

    /// Writes bytes that are known to be UTF-8 as a string; they are only looked at during the call.
    package mutating func string(utf8 bytes: UnsafeRawBufferPointer) {
        quoted(JSONBytes(bytes))
    }

    /// Writes an integer.
    package mutating func int(_ value: Int) {
        int64(Int64(value))
    }

    /// Writes an integer; JavaScript loses digits of those beyond 2^53.
    package mutating func int64(_ value: Int64) {
        decimal(value.magnitude, isNegative: value < 0)
    }

    /// Writes an integer; JavaScript loses digits of those beyond 2^53.
    package mutating func uint64(_ value: UInt64) {
        decimal(value, isNegative: false)
    }

    /// Writes the shortest text that reads back as `value`; what JSON can't say (infinities and NaN) becomes `null`.
    package mutating func double(_ value: Double) {
        value.isFinite ? raw(value.description) : null()
    }

    /// Writes `true` or `false`.
    package mutating func bool(_ value: Bool) {
        raw(JSONBytes(value ? "true" : "false"))
    }

    /// Writes `null`.
    package mutating func null() {
        raw(JSONBytes("null"))
    }

    /// Writes a value that is JSON already, such as one that `JSONReader.rawValue` made.
    package mutating func raw(_ json: String) {
        JSONBytes.with(json) { raw($0) }
    }

    /// Writes the readable bytes of `json`, which are one JSON value already.
    package mutating func raw(_ json: ByteBuffer) {
        JSONBytes.with(json) { raw($0) }
    }

    // MARK: - Bytes

    /// Writes bytes that are JSON already.
    mutating func raw(_ json: JSONBytes) {
        separate()
        output.put(json)
    }

    /// Writes UTF-8 in quotes.
    mutating func quoted(_ utf8: JSONBytes) {
        let plainEnd = Self.plainEnd(of: utf8, from: 0)
        separate()
        output.put(UInt8(ascii: "\""))
        if plainEnd == utf8.count {
            output.put(utf8)
        } else {
            escaped(utf8, plainEnd: plainEnd)
        }
        output.put(UInt8(ascii: "\""))
    }

    /// Writes UTF-8 of which the first byte that may need an escape is at `plainEnd`.
    private mutating func escaped(_ utf8: JSONBytes, plainEnd: Int) {
        var start = 0
        var index = plainEnd
        while index < utf8.count {
            if let escape = Self.escape(at: index, in: utf8) {
                output.put(utf8.slice(start..<index))
                output.put(JSONBytes(escape.text))
                index += escape.length
                start = index
            } else {
                index += 1
            }
            index = Self.plainEnd(of: utf8, from: index)
        }
        output.put(utf8.slice(start..<utf8.count))
    }

    /// Turns the string just written into a key.
    private mutating func endKey() {
        output.put(UInt8(ascii: ":"))
        needsComma = false
    }

    private mutating func begin(_ bracket: UInt8) {
        separate()
        output.put(bracket)
        needsComma = false
    }

    private mutating func end(_ bracket: UInt8) {
        output.put(bracket)
        needsComma = true
    }

    private mutating func decimal(_ magnitude: UInt64, isNegative: Bool) {
        separate()
        if isNegative { output.put(UInt8(ascii: "-")) }
        output.put(digitsOf: magnitude)
    }

    /// Writes a comma if one is due before a key or a value.
    @inline(__always)
    private mutating func separate() {
        if needsComma { output.put(UInt8(ascii: ",")) }
        needsComma = true
    }
}

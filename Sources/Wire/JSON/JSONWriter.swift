import NIOCore

/// Writes one JSON document (RFC 8259) into a `ByteBuffer`, without white space, and sets the commas.
///
/// ```swift
/// let buffer = JSONWriter.write { w in
///     w.object { w in
///         w.field("id", id)
///         w.object("body") { w in w.field("text", text) }
///         w.array("mentions", of: mentions) { w, handle in w.string(handle) }
///     }
/// }
/// ```
///
/// Nothing is allocated but the buffer. Whoever writes sees to it that every value in an object follows a key and that
/// what is begun is ended. A document holds no line break and none of U+2028 and U+2029, so that it can be a line
/// of an event stream or a piece of JavaScript.
package struct JSONWriter: ~Copyable {
    private var buffer: ByteBuffer
    /// Whether a value or a key would follow another value.
    private var needsComma = false

    /// A writer that appends to `buffer`.
    package init(_ buffer: consuming ByteBuffer = ByteBuffer()) {
        self.buffer = buffer
    }

    /// The buffer with what was in it before and what was written.
    package consuming func finish() -> ByteBuffer {
        buffer
    }

    /// A new buffer with the document that `body` writes.
    @inlinable
    package static func write<Failure: Error>(
        _ body: (inout JSONWriter) throws(Failure) -> Void
    ) throws(Failure) -> ByteBuffer {
        var writer = JSONWriter()
        try body(&writer)
        return writer.finish()
    }

    /// Appends the document that `body` writes to `buffer`; when `body` throws, `buffer` is as it was.
    @inlinable
    package static func write<Failure: Error>(
        into buffer: inout ByteBuffer,
        _ body: (inout JSONWriter) throws(Failure) -> Void
    ) throws(Failure) {
        let writerIndex = buffer.writerIndex
        var writer = JSONWriter(buffer)
        // With a second owner, the first write would copy everything.
        buffer = ByteBuffer()
        do {
            try body(&writer)
        } catch {
            buffer = writer.finish()
            buffer.moveWriterIndex(to: writerIndex)
            throw error
        }
        buffer = writer.finish()
    }

    // MARK: - Containers

    package mutating func beginObject() { begin(UInt8(ascii: "{")) }
    package mutating func endObject() { end(UInt8(ascii: "}")) }
    package mutating func beginArray() { begin(UInt8(ascii: "[")) }
    package mutating func endArray() { end(UInt8(ascii: "]")) }

    /// Writes a key that needs no escapes: printable ASCII without `"` and `\`.
    package mutating func key(_ key: StaticString) {
        let utf8 = UnsafeRawBufferPointer(start: key.utf8Start, count: key.utf8CodeUnitCount)
        assert(JSONWriter.plainPrefix(of: utf8) == utf8.count, "the key \(key) needs escapes")
        quoted(utf8, isKey: true)
    }

    /// Writes a key that is only known at run time.
    package mutating func key(string key: String) {
        var key = key
        key.withUTF8 { text(UnsafeRawBufferPointer($0), isKey: true) }
    }

    // MARK: - Values

    /// Writes a string.
    package mutating func string(_ string: String) {
        var string = string
        string.withUTF8 { text(UnsafeRawBufferPointer($0), isKey: false) }
    }

    /// Writes the readable bytes of `buffer`, which are known to be UTF-8, as a string.
    package mutating func string(utf8 buffer: ByteBuffer) {
        buffer.withUnsafeReadableBytes { text($0, isKey: false) }
    }

    /// Writes bytes that are known to be UTF-8 as a string.
    package mutating func string(utf8: UnsafeRawBufferPointer) {
        text(utf8, isKey: false)
    }

    package mutating func int64(_ value: Int64) {
        decimal(value.magnitude, isNegative: value < 0)
    }

    package mutating func uint64(_ value: UInt64) {
        decimal(value, isNegative: false)
    }

    /// Writes the shortest text that reads back as `value`; what JSON can't say (infinities and NaN) becomes `null`.
    package mutating func double(_ value: Double) {
        guard value.isFinite else { return null() }
        var text = value.description
        text.withUTF8 { raw(utf8: UnsafeRawBufferPointer($0)) }
    }

    package mutating func bool(_ value: Bool) {
        value ? word("true") : word("false")
    }

    package mutating func null() {
        word("null")
    }

    /// Writes a value that is JSON already, such as one that `JSONReader.rawValue` made.
    package mutating func raw(_ json: String) {
        var json = json
        json.withUTF8 { raw(utf8: UnsafeRawBufferPointer($0)) }
    }

    /// Writes the readable bytes of `json`, which are one JSON value already.
    package mutating func raw(_ json: ByteBuffer) {
        json.withUnsafeReadableBytes { raw(utf8: $0) }
    }

    /// Writes bytes that are one JSON value already.
    package mutating func raw(utf8 json: UnsafeRawBufferPointer) {
        separated(json.count) { $0.copyMemory(from: json) }
    }

    // MARK: - Bytes

    private mutating func begin(_ bracket: UInt8) {
        separated(1) { $0[0] = bracket }
        needsComma = false
    }

    private mutating func end(_ bracket: UInt8) {
        buffer.writeInteger(bracket)
        needsComma = true
    }

    private mutating func word(_ word: StaticString) {
        raw(utf8: UnsafeRawBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
    }

    /// Writes the comma if one is due, and `count` bytes by `fill`, which is given room for exactly those.
    @inline(__always)
    private mutating func separated(_ count: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Void) {
        let comma = needsComma ? 1 : 0
        needsComma = true
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: comma + count) { target in
            if comma == 1 { target[0] = UInt8(ascii: ",") }
            fill(UnsafeMutableRawBufferPointer(rebasing: target[comma..<comma + count]))
            return comma + count
        }
    }

    /// Writes text in quotes, as a value or as a key with its colon.
    private mutating func text(_ utf8: UnsafeRawBufferPointer, isKey: Bool) {
        let plain = Self.plainPrefix(of: utf8)
        if plain == utf8.count {
            quoted(utf8, isKey: isKey)
        } else {
            separated(1) { $0[0] = UInt8(ascii: "\"") }
            escaped(utf8, plain: plain)
            buffer.writeInteger(UInt8(ascii: "\""))
            if isKey {
                buffer.writeInteger(UInt8(ascii: ":"))
                needsComma = false
            }
        }
    }

    /// Writes text that needs no escapes.
    @inline(__always)
    private mutating func quoted(_ utf8: UnsafeRawBufferPointer, isKey: Bool) {
        let count = utf8.count
        separated(count + (isKey ? 3 : 2)) { target in
            target[0] = UInt8(ascii: "\"")
            UnsafeMutableRawBufferPointer(rebasing: target[1..<count + 1]).copyMemory(from: utf8)
            target[count + 1] = UInt8(ascii: "\"")
            if isKey { target[count + 2] = UInt8(ascii: ":") }
        }
        needsComma = !isKey
    }

    private mutating func decimal(_ magnitude: UInt64, isNegative: Bool) {
        var digits = 1
        var bound: UInt64 = 10
        while digits < 20, magnitude >= bound {
            digits += 1
            bound = bound.multipliedReportingOverflow(by: 10).partialValue
        }
        let sign = isNegative ? 1 : 0
        separated(sign + digits) { target in
            var rest = magnitude
            for index in stride(from: sign + digits - 1, through: sign, by: -1) {
                target[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            }
            if isNegative { target[0] = UInt8(ascii: "-") }
        }
    }

    // MARK: - Escapes

    /// Writes text of which the first byte that may need an escape is at `plain`.
    private mutating func escaped(_ utf8: UnsafeRawBufferPointer, plain: Int) {
        var start = 0
        var index = plain
        while index < utf8.count {
            if let escape = Self.escape(at: index, in: utf8) {
                buffer.writeBytes(UnsafeRawBufferPointer(rebasing: utf8[start..<index]))
                buffer.writeStaticString(escape.text)
                index += escape.length
                start = index
            } else {
                index += 1
            }
            index += Self.plainPrefix(of: UnsafeRawBufferPointer(rebasing: utf8[index...]))
        }
        buffer.writeBytes(UnsafeRawBufferPointer(rebasing: utf8[start...]))
    }
}

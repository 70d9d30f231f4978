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
    /// Where the document is written: the buffer's room, until it is too small.
    private var target: UnsafeMutableRawBufferPointer
    /// Whether `target` is memory of the writer's own.
    private var isSpilled = false
    private var count = 0
    /// Whether a value or a key would follow another value.
    private var needsComma = false

    private init(room: UnsafeMutableRawBufferPointer) {
        target = room
    }

    deinit {
        if isSpilled { target.deallocate() }
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
        buffer.reserveCapacity(minimumWritableBytes: room)
        let outcome = buffer.withUnsafeMutableWritableBytes { room in
            var writer = JSONWriter(room: room)
            body(&writer)
            return writer.finish()
        }
        switch outcome {
        case .inPlace(let count):
            buffer.moveWriterIndex(forwardBy: count)
        case .spilled(let memory, let count):
            buffer.writeBytes(UnsafeRawBufferPointer(rebasing: memory[..<count]))
            memory.deallocate()
        }
    }

    /// Where the document is in the end.
    private enum Outcome {
        case inPlace(count: Int)
        /// In memory that the receiver has to deallocate.
        case spilled(UnsafeMutableRawBufferPointer, count: Int)
    }

    private consuming func finish() -> Outcome {
        let outcome: Outcome = isSpilled ? .spilled(target, count: count) : .inPlace(count: count)
        discard self
        return outcome
    }

    // MARK: - Containers

    package mutating func beginObject() { begin(UInt8(ascii: "{")) }
    package mutating func endObject() { end(UInt8(ascii: "}")) }
    package mutating func beginArray() { begin(UInt8(ascii: "[")) }
    package mutating func endArray() { end(UInt8(ascii: "]")) }

    /// Writes a key that needs no escapes: printable ASCII without `"` and `\`.
    package mutating func key(_ key: StaticString) {
        let utf8 = UnsafeRawBufferPointer(start: key.utf8Start, count: key.utf8CodeUnitCount)
        assert(Self.plainEnd(of: utf8, from: 0) == utf8.count, "the key \(key) needs escapes")
        separate(reserving: utf8.count + 3)
        put(UInt8(ascii: "\""))
        put(utf8)
        put(UInt8(ascii: "\""))
        endKey()
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

    package mutating func int(_ value: Int) {
        int64(Int64(value))
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
        separate(reserving: json.count)
        put(json)
    }

    // MARK: - Bytes

    private mutating func begin(_ bracket: UInt8) {
        separate(reserving: 1)
        put(bracket)
        needsComma = false
    }

    private mutating func end(_ bracket: UInt8) {
        reserve(1)
        put(bracket)
        needsComma = true
    }

    private mutating func word(_ word: StaticString) {
        raw(utf8: UnsafeRawBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
    }

    /// Writes text in quotes, as a value or as a key with its colon.
    private mutating func text(_ utf8: UnsafeRawBufferPointer, isKey: Bool) {
        let plain = Self.plainEnd(of: utf8, from: 0)
        separate(reserving: utf8.count + 3)
        put(UInt8(ascii: "\""))
        if plain == utf8.count {
            put(utf8)
        } else {
            putEscaped(utf8, plain: plain)
            reserve(2)
        }
        put(UInt8(ascii: "\""))
        if isKey { endKey() }
    }

    private mutating func endKey() {
        put(UInt8(ascii: ":"))
        needsComma = false
    }

    /// Writes text of which the first byte that may need an escape is at `plain`.
    private mutating func putEscaped(_ utf8: UnsafeRawBufferPointer, plain: Int) {
        var start = 0
        var index = plain
        while index < utf8.count {
            if let escape = Self.escape(at: index, in: utf8) {
                reserve(index - start + escape.text.utf8CodeUnitCount)
                put(UnsafeRawBufferPointer(rebasing: utf8[start..<index]))
                put(UnsafeRawBufferPointer(start: escape.text.utf8Start, count: escape.text.utf8CodeUnitCount))
                index += escape.length
                start = index
            } else {
                index += 1
            }
            index = Self.plainEnd(of: utf8, from: index)
        }
        reserve(utf8.count - start)
        put(UnsafeRawBufferPointer(rebasing: utf8[start...]))
    }

    private mutating func decimal(_ magnitude: UInt64, isNegative: Bool) {
        separate(reserving: 20)
        if isNegative { put(UInt8(ascii: "-")) }
        var digits = 1
        var rest = magnitude / 10
        while rest > 0 {
            digits += 1
            rest /= 10
        }
        rest = magnitude
        for index in stride(from: count + digits - 1, through: count, by: -1) {
            target[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        count += digits
    }

    /// Makes room for `more` bytes besides the comma, which it writes if one is due.
    @inline(__always)
    private mutating func separate(reserving more: Int) {
        reserve(more + 1)
        if needsComma { put(UInt8(ascii: ",")) }
        needsComma = true
    }

    @inline(__always)
    private mutating func reserve(_ more: Int) {
        if target.count - count < more { grow(more) }
    }

    /// Writes a byte for which there is room.
    @inline(__always)
    private mutating func put(_ byte: UInt8) {
        target[count] = byte
        count += 1
    }

    /// Writes bytes for which there is room.
    @inline(__always)
    private mutating func put(_ bytes: UnsafeRawBufferPointer) {
        UnsafeMutableRawBufferPointer(rebasing: target[count...]).copyMemory(from: bytes)
        count += bytes.count
    }

    @inline(never)
    private mutating func grow(_ more: Int) {
        let larger = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(2 * target.count, count + more), alignment: 1)
        larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: target[..<count]))
        if isSpilled { target.deallocate() }
        target = larger
        isSpilled = true
    }
}

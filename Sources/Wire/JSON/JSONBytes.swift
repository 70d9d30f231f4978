import NIOCore

/// Bytes that somebody else keeps alive: the only place where the module reads raw memory. Every access is checked.
struct JSONBytes {
    private let memory: UnsafeRawBufferPointer  // trap-ok: read below only, inside its bounds

    init(_ memory: UnsafeRawBufferPointer) {
        self.memory = memory
    }

    init(_ text: StaticString) {
        // trap-ok: literals live as long as the process; `utf8Start` needs a pointer representation, which literals have
        memory = UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
    }

    /// The bytes of `text` in UTF-8, for the duration of `body`.
    @inline(__always)
    static func with<Result>(_ text: String, _ body: (JSONBytes) -> Result) -> Result {
        var text = text
        // trap-ok: makes a pointer that is lent to `body`
        return text.withUTF8 { body(JSONBytes(UnsafeRawBufferPointer($0))) }
    }

    /// `bytes`, for the duration of `body`.
    @inline(__always)
    static func with<Result>(_ bytes: [UInt8], _ body: (JSONBytes) -> Result) -> Result {
        bytes.withUnsafeBytes { body(JSONBytes($0)) }  // trap-ok: lent to `body`
    }

    /// The readable bytes of `buffer`, for the duration of `body`.
    static func with<Result, Failure: Error>(
        _ buffer: ByteBuffer,
        _ body: (JSONBytes) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // trap-ok: lent to `body`
        try buffer.withUnsafeReadableBytes { (memory) throws(Failure) -> Result in try body(JSONBytes(memory)) }
    }

    var count: Int { memory.count }

    /// The byte at `index`, or 0 past the end. NUL is not legal anywhere in JSON, so that a reader need not ask for the
    /// end before it names an error.
    @inline(__always)
    func byte(at index: Int) -> UInt8 {
        index < memory.count ? memory[index] : 0  // trap-ok: checked; no index is negative
    }

    /// The eight bytes at `index`, the first one lowest; nil when fewer are left.
    @inline(__always)
    func word(at index: Int) -> UInt64? {
        guard memory.count - index >= 8 else { return nil }
        // trap-ok: checked; no index is negative
        return UInt64(littleEndian: memory.loadUnaligned(fromByteOffset: index, as: UInt64.self))
    }

    /// The bytes in `range`, as far as there are any.
    @inline(__always)
    func slice(_ range: Range<Int>) -> JSONBytes {
        // trap-ok: the range is clamped
        JSONBytes(UnsafeRawBufferPointer(rebasing: memory[range.clamped(to: 0..<memory.count)]))
    }

    /// The bytes as text; what is not UTF-8 becomes U+FFFD.
    var text: String {
        String(decoding: memory, as: UTF8.self)
    }

    func append(to bytes: inout [UInt8]) {
        bytes.append(contentsOf: memory)
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(bytes: memory)
    }

    /// Copies all to the front of `target`, which must be as long or longer.
    @inline(__always)
    func copy(to target: UnsafeMutableRawBufferPointer) {
        target.copyMemory(from: memory)  // trap-ok: traps, and does not overrun, should `target` be too short
    }
}

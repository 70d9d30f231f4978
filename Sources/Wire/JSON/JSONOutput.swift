import NIOCore

/// Memory that grows as it is written: the only place where the module writes raw memory. Every access is checked.
///
/// It begins as the room of a `ByteBuffer`, and moves to memory of its own when that is full.
struct JSONOutput: ~Copyable {
    private var target: UnsafeMutableRawBufferPointer  // trap-ok: written below only, inside its bounds
    private var isSpilled = false
    private(set) var count = 0

    private init(room: UnsafeMutableRawBufferPointer) {
        target = room
    }

    deinit {
        if isSpilled { target.deallocate() }
    }

    /// Appends what `body` writes to `buffer`.
    static func append(to buffer: inout ByteBuffer, room: Int, _ body: (consuming JSONOutput) -> JSONOutput) {
        buffer.reserveCapacity(minimumWritableBytes: room)
        // trap-ok: the output that points to this memory does not outlive the closure
        let written = buffer.withUnsafeMutableWritableBytes { room in body(JSONOutput(room: room)).finish() }
        switch written {
        case .inRoom(let count):
            buffer.moveWriterIndex(forwardBy: count)
        case .spilled(let memory):
            buffer.writeBytes(memory)
            memory.deallocate()
        }
    }

    private enum Written {
        case inRoom(count: Int)
        /// To be deallocated by the receiver, from its start.
        case spilled(UnsafeRawBufferPointer)
    }

    private consuming func finish() -> Written {
        // trap-ok: `count` never passes the end of `target`
        let whole = UnsafeRawBufferPointer(rebasing: target[..<count])
        let written: Written = isSpilled ? .spilled(whole) : .inRoom(count: count)
        discard self
        return written
    }

    @inline(__always)
    mutating func put(_ byte: UInt8) {
        if count == target.count { grow(1) }
        target[count] = byte  // trap-ok: checked above
        count += 1
    }

    @inline(__always)
    mutating func put(_ bytes: JSONBytes) {
        if target.count - count < bytes.count { grow(bytes.count) }
        // trap-ok: checked above
        bytes.copy(to: UnsafeMutableRawBufferPointer(rebasing: target[count...]))
        count += bytes.count
    }

    /// Writes a number in decimal digits.
    mutating func put(digitsOf number: UInt64) {
        if target.count - count < 20 { grow(20) }
        var digits = 1
        var rest = number / 10
        while rest > 0 {
            digits += 1
            rest /= 10
        }
        rest = number
        for index in stride(from: count + digits - 1, through: count, by: -1) {
            let digit = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            target[index] = digit  // trap-ok: there is room for 20 digits, and 64 bits have no more
            rest /= 10
        }
        count += digits
    }

    @inline(never)
    private mutating func grow(_ more: Int) {
        let capacity = max(2 * target.count, count + more)
        // trap-ok: `larger` holds more than `target`, and `count` never passes the end of that
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 1)
        JSONBytes(UnsafeRawBufferPointer(target)).slice(0..<count).copy(to: larger)  // trap-ok: see above
        if isSpilled { target.deallocate() }
        target = larger
        isSpilled = true
    }
}

import CZlib

/// Inflates what one connection receives, piece by piece, never making more than it was allowed to.
/// RFC 7692 section 7.2.2.
///
/// Made when the first compressed byte of a message arrives and, unless context is taken over, dropped at its end: it
/// costs about 7 KiB, and up to 32 KiB more for the window.
struct Inflater: ~Copyable {
    /// Output per input beyond which a message is taken for an attack, once it is longer than `freeBytes`.
    static let maxRatio = 100
    static let freeBytes = 64 << 10
    /// The ratio is looked at whenever a multiple of so many bytes of a message has come in, and at its end: so the
    /// verdict depends on the bytes alone and not on where the network cut them.
    static let checkEvery = 256
    /// How much room is made for output at a time.
    private static let outputStep = 4096
    /// The end of each message, which the sender leaves out (section 7.2.1).
    private static let tail = UInt32(bigEndian: 0x0000_FFFF)

    // zlib keeps a pointer back to the stream, which therefore must not move.
    private let stream: UnsafeMutablePointer<z_stream>  // trap-ok: allocated by `init`, freed by `deinit`
    /// Compressed bytes of the current message so far.
    private(set) var received = 0
    private var sawFinalBlock = false

    /// - Parameter windowBits: 8…15.
    /// - Throws: 1011 when memory is short.
    init(windowBits: Int) throws(WebSocketViolation) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let size = Int32(MemoryLayout<z_stream>.size)
        guard inflateInit2_(stream, Int32(-windowBits), ZLIB_VERSION, size) == Z_OK else {
            stream.deallocate()
            throw WebSocketViolation(.internalError, "no memory to inflate")
        }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    /// Takes the next bytes of a message and appends what they inflate to.
    // trap-ok-function: the slices of the input are cut by `prefix` and `dropFirst`, which cannot pass its end
    mutating func inflate(
        _ input: UnsafeRawBufferPointer, into message: inout PartialMessage, maxBytes: Int
    ) throws(WebSocketViolation) {
        var rest = input
        while !rest.isEmpty {
            let untilCheck = Self.checkEvery - received % Self.checkEvery
            let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(untilCheck))
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(piece.count))
            try run(piece, into: &message, maxBytes: maxBytes)
            received += piece.count
            if received % Self.checkEvery == 0 { try checkRatio(of: message) }
        }
    }

    /// Ends a message: adds the tail and checks that a block ends there.
    // trap-ok-function: the pointer is to a constant of four bytes
    mutating func finish(into message: inout PartialMessage, maxBytes: Int) throws(WebSocketViolation) {
        // The tail belongs to an empty block whose header is part of the message. Two kinds of senders leave that out
        // too, and nothing is missing: one that flushes after an empty message, and one that ends each message by a
        // final block (section 7.2.3.4).
        if received > 0, !sawFinalBlock {
            try withUnsafeBytes(of: Self.tail) { bytes throws(WebSocketViolation) in
                try run(bytes, into: &message, maxBytes: maxBytes)
            }
            // zlib sets this bit when it stands right behind a block.
            guard sawFinalBlock || stream.pointee.data_type & 128 != 0 else { throw .corruptDeflate }
        }
        try checkRatio(of: message)
        received = 0
    }

    /// Inflates the whole of `piece`.
    // trap-ok-function: zlib is told the true lengths of both pieces of memory, and neither outlives the call
    private mutating func run(
        _ piece: UnsafeRawBufferPointer, into message: inout PartialMessage, maxBytes: Int
    ) throws(WebSocketViolation) {
        stream.pointee.next_in = UnsafeMutablePointer(
            mutating: piece.baseAddress?.assumingMemoryBound(to: UInt8.self))
        stream.pointee.avail_in = UInt32(piece.count)
        repeat {
            if sawFinalBlock {
                // Unlike inflateReset it keeps the window, which later blocks may refer to.
                inflateResetKeep(stream)
                sawFinalBlock = false
            }
            var status = Z_OK
            // One byte over the bound tells a message that is too long from one that fits exactly.
            let room = min(Self.outputStep, max(maxBytes - message.bytes.readableBytes, 0) + 1)
            try message.append(room: room) { [stream] space in
                stream.pointee.next_out = space.baseAddress?.assumingMemoryBound(to: UInt8.self)
                stream.pointee.avail_out = UInt32(space.count)
                status = CZlib.inflate(stream, Z_SYNC_FLUSH)
                return space.count - Int(stream.pointee.avail_out)
            }
            switch status {
            case Z_OK, Z_BUF_ERROR: break
            case Z_STREAM_END: sawFinalBlock = true
            case Z_MEM_ERROR: throw WebSocketViolation(.internalError, "no memory to inflate")
            default: throw .corruptDeflate
            }
            guard message.bytes.readableBytes <= maxBytes else { throw .messageTooBig }
        } while stream.pointee.avail_in > 0 || (stream.pointee.avail_out == 0 && !sawFinalBlock)
    }

    private func checkRatio(of message: borrowing PartialMessage) throws(WebSocketViolation) {
        let made = message.bytes.readableBytes
        guard made > Self.freeBytes, made / Self.maxRatio >= received else { return }
        throw WebSocketViolation(.messageTooBig, "message inflates to over \(Self.maxRatio) times its size")
    }
}

extension WebSocketViolation {
    static var messageTooBig: Self { Self(.messageTooBig, "message is too long") }
    fileprivate static var corruptDeflate: Self { Self(.invalidPayload, "compressed message is corrupt") }
}

import NIOCore

/// The bytes that wait for one peer: what was written in small units, joined into larger chunks.
///
/// A lone unit is passed on as it is, shared with all other peers that get it; a second one that comes before it was
/// sent makes a joined copy: one write and one TLS record instead of two. Nothing is allocated while nothing waits.
struct OutboundBuffer {
    /// Units are joined up to this size, and larger units are handed out in pieces of it: progress of a slow peer is
    /// seen piece by piece.
    static let chunkBytes = 64 << 10

    private(set) var bytes = 0
    private var head = ByteBuffer()
    private var tail: CircularBuffer<ByteBuffer>?
    /// Whether part of `head` has been handed out: the rest must follow, or the peer sees half a unit.
    private var headIsBegun = false

    var isEmpty: Bool { bytes == 0 }

    mutating func append(_ unit: ByteBuffer) {
        guard unit.readableBytes > 0 else { return }
        defer { bytes += unit.readableBytes }
        if bytes == 0 {
            head = unit
        } else if tail?.isEmpty ?? true, !headIsBegun, Self.fits(unit, head) {
            head.writeImmutableBuffer(unit)
        } else if var rest = tail {
            // Emptied, so that what follows changes the queue in place.
            tail = nil
            if let last = rest.popLast() {
                if Self.fits(unit, last) {
                    rest.append(Self.joined(last, unit))
                } else {
                    rest.append(last)
                    rest.append(unit)
                }
            }
            tail = rest
        } else {
            tail = CircularBuffer(initialCapacity: 4)
            tail?.append(unit)
        }
    }

    /// The next bytes for the socket, at most `chunkBytes`.
    mutating func next() -> ByteBuffer? {
        guard let piece = head.readSlice(length: min(head.readableBytes, Self.chunkBytes)), piece.readableBytes > 0
        else { return nil }
        bytes -= piece.readableBytes
        headIsBegun = head.readableBytes > 0
        if !headIsBegun { promote() }
        return piece
    }

    /// Forgets what has not been begun.
    mutating func dropUnsent() {
        tail = nil
        if !headIsBegun { head = ByteBuffer() }
        bytes = head.readableBytes
    }

    mutating func dropAll() {
        self = OutboundBuffer()
    }

    private mutating func promote() {
        head = tail?.popFirst() ?? ByteBuffer()
        if tail?.isEmpty == true { tail = nil }
    }

    private static func joined(_ chunk: consuming ByteBuffer, _ unit: ByteBuffer) -> ByteBuffer {
        chunk.writeImmutableBuffer(unit)
        return chunk
    }

    private static func fits(_ unit: ByteBuffer, _ chunk: ByteBuffer) -> Bool {
        chunk.readableBytes + unit.readableBytes <= chunkBytes
    }
}

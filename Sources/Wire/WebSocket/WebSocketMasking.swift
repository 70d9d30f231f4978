/// How the frames of a writer are masked. RFC 6455 section 5.3: a client masks each frame by a new, unpredictable key.
package enum WebSocketMasking: Hashable, Sendable {
    /// A server's frames.
    case none
    /// A client's frames: each gets a key of the system's cryptographic random numbers.
    case random
    /// A key that the caller chose: its four bytes in the order of the wire, the first in the lowest bits.
    case key(UInt32)

    /// The key of the next frame, or `nil` for a frame without a mask.
    func nextKey() -> WebSocketMask? {
        switch self {
        case .none: nil
        case .random: WebSocketMask(key: .random(in: .min ... .max))
        case .key(let key): WebSocketMask(key: key)
        }
    }
}

/// A masking key turned to the place that the payload has reached, so that a frame can be unmasked piece by piece.
struct WebSocketMask {
    /// The key's bytes in wire order; the one for the next payload byte is the lowest.
    private(set) var key: UInt32

    /// Copies `source` to `target` under the mask and turns the key on by as many bytes.
    ///
    /// `target` must be as long as `source`; they are the same memory or do not overlap.
    // trap-ok-function: all offsets are below `source.count`; the key and the payload wrap by design
    mutating func apply(from source: UnsafeRawBufferPointer, to target: UnsafeMutableRawBufferPointer) {
        let wide = UInt64(key) << 32 | UInt64(key)
        let wordEnd = source.count & ~7
        var offset = 0
        while offset < wordEnd {
            let word = source.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            target.storeBytes(of: word ^ wide.littleEndian, toByteOffset: offset, as: UInt64.self)
            offset += 8
        }
        // A word is two turns of the key, so it stands here as it stood at the start.
        while offset < source.count {
            target[offset] = source[offset] ^ UInt8(truncatingIfNeeded: key)
            key = key >> 8 | key << 24
            offset += 1
        }
    }
}

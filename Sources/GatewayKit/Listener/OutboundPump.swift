import NIOCore

/// Moves the bytes of one queue to its channel as fast as the peer takes them, and says when a limit is broken.
///
/// The channel is given bytes only while it is writable, so it holds at most its watermark and one chunk; what the peer
/// does not take stays here, counted to the byte, and can still be dropped. The budget of all queues counts only those whose
/// peer is behind, so peers that keep up cost no atomic operation.
struct OutboundPump {
    private(set) var buffer = OutboundBuffer()
    /// Whether bytes have waited since the channel stopped being writable: the peer is behind.
    private(set) var isBehind = false
    /// When the channel last took something while the peer was behind.
    private(set) var lastProgress = NIODeadline.uptimeNanoseconds(0)
    private var reported = 0

    mutating func append(_ unit: ByteBuffer) {
        buffer.append(unit)
    }

    /// Hands to `channel` what it takes. The caller flushes it when the result says that something was written.
    mutating func next(isWritable: Bool, now: @autoclosure () -> NIODeadline) -> ByteBuffer? {
        guard isWritable, let chunk = buffer.next() else {
            if !buffer.isEmpty, !isBehind {
                isBehind = true
                lastProgress = now()
            } else if buffer.isEmpty {
                isBehind = false
            }
            return nil
        }
        if isBehind { lastProgress = now() }
        return chunk
    }

    /// Which limit is broken now, after the channel has taken what it wanted.
    mutating func brokenLimit(_ limits: DoorLimits, _ budget: ByteBudget) -> OutboundLimit? {
        let waiting = isBehind ? buffer.bytes : 0
        guard waiting != reported else { return nil }
        let grown = waiting - reported
        reported = waiting
        let fits = budget.add(grown)
        if waiting > limits.outboundBytes { return .bytes }
        return fits || grown < 0 ? nil : .budget
    }

    mutating func dropUnsent(_ budget: ByteBudget) {
        buffer.dropUnsent()
        _ = budget.add(buffer.bytes - reported)
        reported = buffer.bytes
    }

    /// The channel is gone.
    mutating func close(_ budget: ByteBudget) {
        buffer.dropAll()
        isBehind = false
        guard reported != 0 else { return }
        _ = budget.add(-reported)
        reported = 0
    }
}

import NIOCore

/// Where a session's bytes wait for the socket. *Lives on*: the connection's event loop.
///
/// `write` only appends; `flush` hands everything to the socket in one write. What a session writes while it is being
/// told something is flushed when that is over, so an explicit flush is needed only outside of a call from the door.
package protocol OutboundQueue: AnyObject {
    /// Whether the peer keeps up. Writing when it does not only fills the queue; `becameWritable` tells when it does.
    var isWritable: Bool { get }
    /// Bytes that wait because the peer does not take them, without what the socket holds (up to about 100 KiB more).
    var queuedBytes: Int { get }
    /// Appends whole units of the protocol (frames, events): if the queue is dropped, it is dropped between two writes.
    func write(_ bytes: ByteBuffer)
    func flush()
}

/// Which limit an outbound queue has broken.
package enum OutboundLimit: String, Sendable {
    /// More bytes than `DoorLimits.outboundBytes` wait for this peer.
    case bytes
    /// The peer has taken nothing for `DoorLimits.outboundStall`.
    case stalled
    /// All queues together hold more than `DoorLimits.outboundBudget`, and this one wanted more.
    case budget
}

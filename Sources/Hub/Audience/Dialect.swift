import NIOCore

/// The exact outbound form that a session needs: protocol and negotiated options. The key of the encode cache.
///
/// A gateway makes each of its dialects once and hands the same instance to all its sessions: dialects are compared by
/// identity, and what a dialect encodes for one session is sent to every other session of that dialect on the loop.
package final class Dialect: Sendable {
    package let name: String
    /// Appends one delivery, framed and ready to be sent; nothing, if this dialect has no form for it.
    ///
    /// Called on the loops of the dialect's sessions, on several at once.
    package let encode: @Sendable (Delivery, inout ByteBuffer) -> Void

    package init(_ name: String, encode: @escaping @Sendable (Delivery, inout ByteBuffer) -> Void) {
        self.name = name
        self.encode = encode
    }
}

/// What a session is given.
package enum Delivery: Sendable {
    /// An event of a conversation; `previous` is the sequence of the event that the viewer saw before it, where that is
    /// not the sequence before.
    case event(Event, previous: Sequence?)
    case receipt(Receipt)
    case profile(AccountProfile)
    case signal(Signal)
    /// The viewer's own place in a conversation began or changed: comes before the events that it makes visible.
    case seat(SeatRow)
    /// Older events of a conversation than `first` are gone, and the session had not seen all of them.
    case gap(ConversationID, first: Sequence)
}

/// A gateway's side of a session: where the hub puts what it has for it.
///
/// *Lives on* the session's event loop, like all its calls. `write` and `flush` must not attach, detach or call
/// `becameWritable`: the hub is in the middle of its sessions then.
package protocol SessionSink: AnyObject {
    /// False while the connection has more to send than it should: signals are dropped, catching up pauses.
    var isWritable: Bool { get }
    /// Appends frames of the session's dialect to the outbound queue. The gateway closes a connection that is too slow.
    func write(_ frames: ByteBuffer)
    /// Everything of this tick was written.
    func flush()
    /// The session has all up to here and is live from now on. Called once, after the catch-up.
    func caughtUp(to cursor: Cursor)
    /// The cursor is of another epoch, or ahead of the log: the device must start anew from the current state.
    func continuityLost()
    /// The hub has let go of the session.
    func ended(_ reason: SessionEnd)
}

/// Why the hub ends a session.
package enum SessionEnd: Hashable, Sendable {
    /// The session could not begin.
    case rejected(Rejection)
    /// The device was revoked or the account disabled.
    case revoked
}

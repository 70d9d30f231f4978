import NIOCore

/// The hub's side of a device's attachment through one gateway.
///
/// *Lives on* its connection's event loop. Made by ``Audience/attach(_:as:dialect:from:presence:)``, ended by
/// ``Audience/detach(_:)``, which its gateway calls when the connection is gone.
package final class Session {
    package let id: SessionID
    package let actor: Actor
    package let dialect: Dialect
    let sink: any SessionSink
    var mode: Mode
    /// Everything up to here was written to the sink, as of the sink's last `flush`: from where its device can resume.
    package internal(set) var deliveredThrough: Position = .zero
    /// Written to in this tick, not yet flushed.
    var isTouched = false

    enum Mode {
        /// The lane was asked for the account's view.
        case attaching(from: Cursor?)
        /// Behind the head; reads pages.
        case catchingUp(CatchUp)
        /// Gets every batch as it comes.
        case live
        case ended
    }

    init(id: SessionID, actor: Actor, dialect: Dialect, sink: any SessionSink, from cursor: Cursor?) {
        self.id = id
        self.actor = actor
        self.dialect = dialect
        self.sink = sink
        mode = .attaching(from: cursor)
    }

    /// Whether the session takes live deliveries of this position now.
    func takes(_ position: Position) -> Bool {
        guard case .live = mode else { return false }
        return position > deliveredThrough
    }
}

/// How far a session that is behind has come.
struct CatchUp {
    /// A page is being read.
    var isReading = false
    /// The last visible sequence per conversation, to tell a viewer with holes what came before.
    var lastSeen: [ConversationID: Sequence] = [:]
    /// The account's places that the session has not been told of; told before an event that began or changed one.
    var untold: [ConversationID: SeatRow]
    /// What the session was told to be gone.
    var gaps: [ConversationID: Sequence] = [:]
    /// A page that waits until the sink is writable, from one of its changes on.
    var waiting: (page: ChangePage, from: Int)?

    /// Bytes after which the sink is asked whether it takes more.
    static let pieceBytes = 32 << 10
}

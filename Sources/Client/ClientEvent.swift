/// What a server tells a client, in its order.
public enum ClientEvent: Sendable {
    /// A connection is there and signed in.
    case connected(account: String, server: String, device: String)
    /// Everything up to here was given: what follows happens now.
    case ready(cursor: String)
    /// The connection is gone; the next try comes by itself. `retryAfter` in milliseconds.
    case disconnected(reason: String, retryAfter: Int64)
    /// The log is another one than the cursor was of: forget what you have and read `conversations`.
    case resync(cursor: String)
    /// Events older than `first` are gone, and not all of them were given.
    case gap(conversation: String, first: Int64)
    /// A fact in a conversation's log: message, edit, redaction, reaction, membership, …
    case event(ConversationEvent)
    /// A conversation that one has come into, or that has changed.
    case conversation(ClientValue)
    case typing(conversation: String, account: String, active: Bool)
    /// Receipts, profiles, presence, live text, ringing, attendance: as they came. See the client API's table of frames.
    case other(type: String, frame: ClientValue)
}

/// An event of a conversation's log.
public struct ConversationEvent: Sendable, Equatable {
    /// All that the server said of it.
    public let frame: ClientValue
    /// `~12`.
    public let conversation: String
    public let sequence: Int64
    public let id: String
    /// The handle of who made it.
    public let author: String
    /// Milliseconds since 1970.
    public let at: Int64
    /// `message`, `edit`, `redaction`, `reaction`, `membership`, `state` …
    public let kind: String

    /// Nil for what is no event. `conversation` stands in where the frame does not say it, as in a page of history.
    public init?(_ frame: ClientValue, in conversation: String? = nil) {
        guard let conversation = frame["conversation"]?.string ?? conversation, let sequence = frame["sequence"]?.int,
            let id = frame["id"]?.string, let kind = frame["kind"]?.string
        else { return nil }
        self.frame = frame
        self.conversation = conversation
        self.sequence = sequence
        self.id = id
        self.kind = kind
        author = frame["author"]?.string ?? "?"
        at = frame["at"]?.int ?? 0
    }

    /// The text of a message or of an edit; of a message's newest edit, where the page of history says it.
    public var text: String? { (frame["edit"]?["body"] ?? frame["body"])?["text"]?.string }
    /// The id of the event that an edit, a redaction, a reaction or a pin is about.
    public var target: String? { frame["target"]?["id"]?.string }
    public var replyTo: String? { frame["replyTo"]?["id"]?.string }
    public var isErased: Bool { frame["erased"]?.bool ?? false }
    public var ref: String? { frame["ref"]?.string }
    public var cursor: String? { frame["cursor"]?.string }
}

/// A fact in a conversation's log. Envelope and sequence never change; its content can be erased.
package struct Event: Hashable, Sendable {
    package let position: Position
    package let conversation: ConversationID
    package let sequence: Sequence
    package let id: EventID
    package let author: Party
    /// Nil for what the server itself did, and for events of a remote server.
    package let device: DeviceID?
    package let time: Timestamp
    package let token: Token?
    package var content: Content

    package init(
        position: Position, conversation: ConversationID, sequence: Sequence, id: EventID, author: Party,
        device: DeviceID?, time: Timestamp, token: Token?, content: Content
    ) {
        self.position = position
        self.conversation = conversation
        self.sequence = sequence
        self.id = id
        self.author = author
        self.device = device
        self.time = time
        self.token = token
        self.content = content
    }
}

/// An account as events name it: the row identity inside, the address outside.
package struct Party: Hashable, Sendable {
    package let id: AccountID
    package let address: Address

    package init(id: AccountID, address: Address) {
        self.id = id
        self.address = address
    }
}

/// Another event of the same conversation.
package struct EventReference: Hashable, Sendable {
    package let id: EventID
    package let sequence: Sequence

    package init(id: EventID, sequence: Sequence) {
        self.id = id
        self.sequence = sequence
    }
}

/// What an event says. Each case is one kind of the log.
package enum Content: Hashable, Sendable {
    case message(Message)
    /// Replaces the body of the author's earlier message; reply and thread stay.
    case edit(target: EventReference, body: Body)
    case redaction(target: EventReference, reason: String?)
    case reaction(target: EventReference, key: String, removed: Bool)
    case pin(target: EventReference, removed: Bool)
    case membership(MembershipChange)
    case state(StateChange)
    case call(CallChange)
    /// An encrypted body: handed only to doors that know the scheme.
    case sealed(scheme: String, bytes: [UInt8])
    case custom(namespace: String, type: String, payload: String)
    /// The content was erased by redaction, retention or its author's wish; the kind that it was remains.
    case erased(Kind)

    package enum Kind: Int, Sendable, CaseIterable {
        case message = 1
        case edit, redaction, reaction, pin, membership, state, call, sealed, custom

        package var name: String {
            switch self {
            case .message: "message"
            case .edit: "edit"
            case .redaction: "redaction"
            case .reaction: "reaction"
            case .pin: "pin"
            case .membership: "membership"
            case .state: "state"
            case .call: "call"
            case .sealed: "sealed"
            case .custom: "custom"
            }
        }
    }

    package var kind: Kind {
        switch self {
        case .message: .message
        case .edit: .edit
        case .redaction: .redaction
        case .reaction: .reaction
        case .pin: .pin
        case .membership: .membership
        case .state: .state
        case .call: .call
        case .sealed: .sealed
        case .custom: .custom
        case .erased(let kind): kind
        }
    }

    /// The event that this one is about, if it is about one.
    package var target: EventReference? {
        switch self {
        case .edit(let target, _), .redaction(let target, _), .reaction(let target, _, _), .pin(let target, _): target
        case .message, .membership, .state, .call, .sealed, .custom, .erased: nil
        }
    }
}

/// A message and where it belongs.
package struct Message: Hashable, Sendable {
    package var body: Body
    package var replyTo: EventReference?
    /// The root message of the thread that this message is in.
    package var thread: EventReference?

    package init(body: Body, replyTo: EventReference? = nil, thread: EventReference? = nil) {
        self.body = body
        self.replyTo = replyTo
        self.thread = thread
    }
}

/// A change of one account's standing or rank.
package struct MembershipChange: Hashable, Sendable {
    package let subject: Party
    package let standing: Standing
    package let rank: Rank
    package let reason: String?

    package init(subject: Party, standing: Standing, rank: Rank, reason: String?) {
        self.subject = subject
        self.standing = standing
        self.rank = rank
        self.reason = reason
    }
}

/// A change of open state; a nil value removes the key.
package struct StateChange: Hashable, Sendable {
    package let key: StateKey
    package let value: String?

    package init(key: StateKey, value: String?) {
        self.key = key
        self.value = value
    }
}

/// A step of a call that is worth keeping: that it began, who answered, that it ended.
package struct CallChange: Hashable, Sendable {
    package enum Step: String, Sendable, CaseIterable { case started, answered, declined, missed, ended }
    package let call: String
    package let step: Step
    /// In milliseconds, for an ended call.
    package let duration: Int64?

    package init(call: String, step: Step, duration: Int64? = nil) {
        self.call = call
        self.step = step
        self.duration = duration
    }
}

/// Something that passes and is never stored.
package enum Signal: Hashable, Sendable {
    case typing(ConversationSignal, active: Bool)
    case liveText(ConversationSignal, LiveText)
    case ringing(ConversationSignal, call: String)
    case presence(Party, Presence)
    case attendance(ConversationID, Party, present: Bool)
}

/// Where a signal happens and who makes it.
package struct ConversationSignal: Hashable, Sendable {
    package let conversation: ConversationID
    package let party: Party
    package let thread: EventID?

    package init(conversation: ConversationID, party: Party, thread: EventID? = nil) {
        self.conversation = conversation
        self.party = party
        self.thread = thread
    }
}

/// A step of real-time text: edits of the message that will be posted under `token`.
package struct LiveText: Hashable, Sendable {
    package enum Step: Hashable, Sendable {
        /// The whole text so far: at the start, and as a repair.
        case reset(String)
        /// Put `text` at `at`, counted in Unicode scalars.
        case insert(at: Int, text: String)
        /// Take `count` scalars away before `at`.
        case erase(at: Int, count: Int)
        case cancel
    }
    package let token: Token
    /// Ascends by one; a receiver that misses one waits for a reset.
    package let number: Int
    package let steps: [Step]

    package init(token: Token, number: Int, steps: [Step]) {
        self.token = token
        self.number = number
        self.steps = steps
    }
}

/// The current value folded from an account's sessions.
package struct Presence: Hashable, Sendable {
    /// Ascending: the fold takes the greatest.
    package enum State: Int, Sendable, CaseIterable, Comparable {
        case offline, away, busy, online

        package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
        package var name: String {
            switch self {
            case .offline: "offline"
            case .away: "away"
            case .busy: "busy"
            case .online: "online"
            }
        }
        package init?(name: String) {
            guard let state = State.allCases.first(where: { $0.name == name }) else { return nil }
            self = state
        }
    }
    package var state: State
    /// When the last session ended; nil while there is one.
    package var lastSeen: Timestamp?

    package init(state: State, lastSeen: Timestamp? = nil) {
        self.state = state
        self.lastSeen = lastSeen
    }
    package static let offline = Presence(state: .offline)
}

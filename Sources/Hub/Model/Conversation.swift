/// What a conversation is for. Fixed at creation.
package enum ConversationKind: String, Sendable, CaseIterable {
    /// Exactly two accounts (or one with itself); one open per pair, plus one per sealing scheme.
    case direct
    case group
    /// Few write, many read.
    case broadcast
    /// An account's private log: contacts, settings, blocks, drafts.
    case ledger
}

/// Who can find a conversation and enter it.
package enum Access: String, Sendable, CaseIterable {
    /// Listed; anybody may join.
    case `public`
    /// Not listed; anybody who knows the name may join.
    case unlisted
    /// By invitation only.
    case `private`
}

/// Who may read events of the past.
package enum HistoryVisibility: String, Sendable, CaseIterable {
    /// Anybody who may find the conversation, without joining.
    case everyone
    /// Members, from the first event on.
    case members
    /// Members, from the moment when they joined.
    case sinceJoined = "since-joined"
}

/// How long a conversation keeps its events. Nil: for ever.
package struct Retention: Hashable, Sendable {
    package var maximumAge: Int64?
    package var maximumCount: Int64?

    /// - Parameter maximumAge: in milliseconds.
    package init(maximumAge: Int64? = nil, maximumCount: Int64? = nil) {
        self.maximumAge = maximumAge
        self.maximumCount = maximumCount
    }
}

/// The name of one value of open state. Our own facts live in the empty namespace.
package struct StateKey: Hashable, Sendable, CustomStringConvertible {
    package let namespace: String
    package let type: String
    package let key: String

    package init(namespace: String, type: String, key: String = "") {
        self.namespace = namespace
        self.type = type
        self.key = key
    }

    package static let name = StateKey(namespace: "", type: "name")
    package static let subject = StateKey(namespace: "", type: "subject")
    package static let avatar = StateKey(namespace: "", type: "avatar")
    package static let access = StateKey(namespace: "", type: "access")
    package static let history = StateKey(namespace: "", type: "history")
    /// `age-ms` or `count` as key.
    package static func retention(_ limit: String) -> StateKey {
        StateKey(namespace: "", type: "retention", key: limit)
    }
    /// Seconds that a member must wait between messages.
    package static let slowMode = StateKey(namespace: "", type: "slow-mode")
    package static func permission(_ action: Action) -> StateKey {
        StateKey(namespace: "", type: "permission", key: action.rawValue)
    }
    /// In a ledger: an account that can't reach the ledger's owner.
    package static func block(_ address: Address) -> StateKey {
        StateKey(namespace: "", type: "block", key: address.description)
    }
    package var description: String { "\(namespace)/\(type)/\(key)" }
}

/// What identifies a conversation and never changes.
package struct ConversationIdentity: Hashable, Sendable {
    package let id: ConversationID
    package let kind: ConversationKind
    /// Its handle (or remote address); nil for direct conversations and ledgers, which are found by their accounts.
    package let address: Address?
    /// For a direct conversation its two accounts, lower id first (equal for a note to oneself); for a ledger its owner.
    package let pair: Pair?
    /// The scheme of a sealed direct conversation; nil: open.
    package let sealing: String?
    package let created: Timestamp

    package struct Pair: Hashable, Sendable {
        package let low: AccountID
        package let high: AccountID

        package init(_ a: AccountID, _ b: AccountID) {
            low = min(a, b)
            high = max(a, b)
        }
        package func other(than account: AccountID) -> AccountID { account == low ? high : low }
    }

    package init(
        id: ConversationID, kind: ConversationKind, address: Address?, pair: Pair?, sealing: String?, created: Timestamp
    ) {
        self.id = id
        self.kind = kind
        self.address = address
        self.pair = pair
        self.sealing = sealing
        self.created = created
    }
}

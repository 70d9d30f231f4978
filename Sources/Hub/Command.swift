/// Asks for a change; answered once, by an acceptance or a rejection.
package enum Command: Hashable, Sendable {
    /// A change in one conversation.
    case conversation(ConversationID, ConversationCommand)
    /// Makes a group or broadcast with its first owner.
    case create(NewConversation)
    /// Finds or makes the direct conversation with an account.
    case openDirect(with: AccountID, sealing: String?)
    /// Sets the account's own profile.
    case setProfile(Profile)
    /// Sets or removes a value of the account's own ledger.
    case setLedger(StateChange)
}

/// A command's name for itself, and what it says.
package enum ConversationCommand: Hashable, Sendable {
    case post(Draft)
    case edit(target: EventID, body: Body)
    case redact(target: EventID, reason: String?)
    case react(target: EventID, key: String, removed: Bool)
    case pin(target: EventID, removed: Bool)
    case join
    case knock(reason: String?)
    case leave(reason: String?)
    case invite(AccountID)
    case kick(AccountID, reason: String?)
    case ban(AccountID, reason: String?)
    case unban(AccountID)
    case setRank(AccountID, Rank)
    case setState(StateChange)
    case call(CallChange)
    case sealed(scheme: String, bytes: [UInt8])
    case custom(namespace: String, type: String, payload: String)
    /// Moves the author's own markers forward; never back.
    case receipt(thread: EventID?, deliveredUpTo: Sequence?, readUpTo: Sequence?)
    /// Tells the administrators about an event.
    case report(target: EventID, reason: String)
}

/// A message that is to be posted.
package struct Draft: Hashable, Sendable {
    package var body: Body
    package var replyTo: EventID?
    package var thread: EventID?

    package init(body: Body, replyTo: EventID? = nil, thread: EventID? = nil) {
        self.body = body
        self.replyTo = replyTo
        self.thread = thread
    }
}

/// A conversation that is to be made.
package struct NewConversation: Hashable, Sendable {
    package var kind: ConversationKind
    /// Nil: unlisted, under a generated name.
    package var handle: Handle?
    package var name: String?
    package var subject: String?
    package var access: Access
    package var history: HistoryVisibility
    package var invite: [AccountID]

    package init(
        kind: ConversationKind, handle: Handle?, name: String? = nil, subject: String? = nil, access: Access,
        history: HistoryVisibility = .members, invite: [AccountID] = []
    ) {
        self.kind = kind
        self.handle = handle
        self.name = name
        self.subject = subject
        self.access = access
        self.history = history
        self.invite = invite
    }
}

/// A command that was accepted: it is on disk.
package struct Acceptance: Hashable, Sendable {
    package let conversation: ConversationID
    /// The event that it became; nil for receipts, reports, profiles and repeats that changed nothing.
    package let event: EventReference?
    package let position: Position
    package let time: Timestamp
    /// The token was seen before: this is the first acceptance again.
    package let isRepeat: Bool

    package init(
        conversation: ConversationID, event: EventReference?, position: Position, time: Timestamp, isRepeat: Bool
    ) {
        self.conversation = conversation
        self.event = event
        self.position = position
        self.time = time
        self.isRepeat = isRepeat
    }
}

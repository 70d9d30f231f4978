/// Why a store could not do what it was asked.
package enum StoreError: Error, Hashable, Sendable {
    /// One write contradicts another or the log: the others of its batch can succeed without it.
    case constraint(String)
    /// The disk or the database refused, and the connection is not to be trusted. Nothing of the batch counts as accepted;
    /// when it was the sync that failed, it may still be found in the log after a crash, so a repeat must carry its token.
    case unavailable(String)
    /// A sync failed. The kernel may have dropped what it could not write and call it clean: nothing that this process
    /// reads afterwards proves what is on disk, so it must end. A new one reads the disk.
    case unsynced(String)
    /// What is on disk is not what was written.
    case damaged(String)
}

/// The durable log, as its one writer uses it.
///
/// *Lives on* the lane: every call is made there, synchronously, and may block. Contract (tested by the suite in TestKit):
/// - `append` returns only after all writes are synced to disk; it is all or nothing.
/// - What `append` wrote is seen by every later call of this protocol and of ``Archive``.
/// - Reads see committed data only.
package protocol EventLog: Sendable {
    /// Where the log stands; called once, at the start, and after a fault.
    func head() throws(StoreError) -> LogHead
    func append(_ writes: [Write]) throws(StoreError)

    func conversation(_ id: ConversationID) throws(StoreError) -> ConversationState?
    func conversation(at address: Address) throws(StoreError) -> ConversationID?
    func direct(_ pair: ConversationIdentity.Pair, sealing: String?) throws(StoreError) -> ConversationID?
    func accountState(_ id: AccountID) throws(StoreError) -> AccountState?
    func accountID(at address: Address) throws(StoreError) -> AccountID?
    func hasDevice(_ device: DeviceID, of account: AccountID) throws(StoreError) -> Bool
    /// An account's places in conversations, without their other members.
    func seats(of account: AccountID, in conversations: [ConversationID]) throws(StoreError) -> [SeatRow]
    /// The first acceptance of a device's token, however long ago; retention does not take it.
    func acceptance(device: DeviceID, token: Token) throws(StoreError) -> StoredAcceptance?
    func envelope(_ id: EventID, in conversation: ConversationID) throws(StoreError) -> Envelope?
    /// Edits of an event, oldest first: what a redaction must erase too.
    func edits(of target: Sequence, in conversation: ConversationID) throws(StoreError) -> [Sequence]
    func hasReaction(
        _ key: String, by account: AccountID, on target: Sequence, in conversation: ConversationID
    ) throws(StoreError) -> Bool
    func isPinned(_ target: Sequence, in conversation: ConversationID) throws(StoreError) -> Bool
    func receipt(
        of account: AccountID, in conversation: ConversationID, thread: Sequence?
    ) throws(StoreError) -> Receipt?
    /// The last sequence of the log's beginning in which every event is older than a time; nil if the first is not. A
    /// clock that stepped back does not make a younger event before it old.
    func lastSequence(olderThan time: Timestamp, in conversation: ConversationID) throws(StoreError) -> Sequence?
    /// Conversations that have a retention rule.
    func conversationsWithRetention() throws(StoreError) -> [ConversationID]
}

/// Where a log stands.
package struct LogHead: Hashable, Sendable {
    package let epoch: Int64
    package let position: Position
    package let lastConversation: ConversationID

    package init(epoch: Int64, position: Position, lastConversation: ConversationID) {
        self.epoch = epoch
        self.position = position
        self.lastConversation = lastConversation
    }
}

/// What a repeat of a token is answered with.
package struct StoredAcceptance: Hashable, Sendable {
    package let acceptance: Acceptance
    package let fingerprint: Fingerprint

    package init(acceptance: Acceptance, fingerprint: Fingerprint) {
        self.acceptance = acceptance
        self.fingerprint = fingerprint
    }
}

/// An event without its content.
package struct Envelope: Hashable, Sendable {
    package let reference: EventReference
    package let author: AccountID
    package let kind: Content.Kind
    package let isErased: Bool
    package let time: Timestamp
    /// The root of the thread that the event is in.
    package let thread: EventReference?

    /// The thread that a receipt for this event is about: it is a root, or is in one.
    package var root: Sequence { thread?.sequence ?? reference.sequence }

    package init(
        reference: EventReference, author: AccountID, kind: Content.Kind, isErased: Bool, time: Timestamp,
        thread: EventReference?
    ) {
        self.reference = reference
        self.author = author
        self.kind = kind
        self.isErased = isErased
        self.time = time
        self.thread = thread
    }
}

/// One row operation. The rules say all of them; a store derives none.
package enum Write: Sendable {
    case createConversation(ConversationIdentity)
    /// Inserts the event and moves the conversation's head (last sequence, last position).
    case event(Event, fingerprint: Fingerprint?)
    /// Inserts or replaces an account's membership.
    case member(ConversationID, Member)
    /// Sets or removes a value of open state; `sequence` is that of the state event.
    case state(ConversationID, StateChange, sequence: Sequence)
    case timeline(ConversationID, VisibilityTimeline)
    case receipt(Receipt)
    /// The newest edit of a message.
    case edited(ConversationID, target: Sequence, by: Sequence)
    case reaction(ConversationID, target: Sequence, key: String, by: AccountID, at: Sequence, removed: Bool)
    case pin(ConversationID, target: Sequence, at: Sequence, removed: Bool)
    /// Content becomes ``Content/erased(_:)``; reactions to and pins of these events go too.
    case erase(ConversationID, [Sequence])
    /// Events before a sequence go; the first sequence moves there. `through` is the last position that went.
    case prune(ConversationID, before: Sequence, through: Position)
    case report(Report)
    /// The profile of an account changed at a position.
    case profile(AccountID, Profile, at: Position)
}

/// What an account tells the administrators about an event.
package struct Report: Hashable, Sendable {
    package let conversation: ConversationID
    package let target: EventReference
    package let reporter: Party
    package let reason: String
    package let time: Timestamp

    package init(
        conversation: ConversationID, target: EventReference, reporter: Party, reason: String, time: Timestamp
    ) {
        self.conversation = conversation
        self.target = target
        self.reporter = reporter
        self.reason = reason
        self.time = time
    }
}

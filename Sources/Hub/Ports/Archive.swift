/// The durable log and what it says now, as everybody reads it.
///
/// *Lives on* reader threads: calls block, and are made from any thread but an event loop. Each call sees one committed
/// snapshot. Nothing here checks permission: the hub does, by `canSee`, on what comes back.
package protocol Archive: Sendable {
    /// Every conversation in which the account is joined, invited, knocking, left or banned, with its membership.
    func memberships(of account: AccountID) throws(StoreError) -> [MembershipRow]
    func membership(of account: AccountID, in conversation: ConversationID) throws(StoreError) -> MembershipRow?
    func find(_ address: Address) throws(StoreError) -> ConversationID?
    func head(of conversation: ConversationID) throws(StoreError) -> ConversationHead?
    func blocked(by account: AccountID) throws(StoreError) -> Set<AccountID>

    /// A page of a conversation's log, ascending by sequence.
    func page(_ conversation: ConversationID, _ range: PageRange, limit: Int) throws(StoreError) -> [LogEntry]
    func entry(_ id: EventID, in conversation: ConversationID) throws(StoreError) -> LogEntry?
    /// The messages of a thread after a sequence, ascending; the root is not among them.
    func thread(
        _ root: Sequence, in conversation: ConversationID, after: Sequence, limit: Int
    ) throws(StoreError) -> [LogEntry]
    func pins(of conversation: ConversationID) throws(StoreError) -> [LogEntry]

    /// What changed for an account after a position and up to another, ascending by position, at most `limit` changes:
    /// events of the conversations in `scope`, events whose membership change is about the account itself, receipts of
    /// those in which it is joined, and profiles of accounts that are joined in them too.
    ///
    /// The scope is of an earlier moment than the snapshot. It is complete up to `through` if it holds as of `through`.
    func changes(
        for account: AccountID, in scope: ChangeScope, after: Position, through: Position, limit: Int
    ) throws(StoreError) -> ChangePage
    /// Every event after a position, ascending: for followers.
    func events(after: Position, limit: Int) throws(StoreError) -> [Event]

    func members(
        of conversation: ConversationID, after: Handle?, limit: Int
    ) throws(StoreError) -> [Member]
    /// Public conversations whose handle or name contains `text`, by handle.
    func directory(
        containing text: String, after: Handle?, limit: Int
    ) throws(StoreError) -> [ConversationHead]
    func state(of conversation: ConversationID) throws(StoreError) -> [StateKey: String]
    /// State as it was after a sequence.
    func state(of conversation: ConversationID, asOf sequence: Sequence) throws(StoreError) -> [StateKey: String]
    func receipts(in conversation: ConversationID) throws(StoreError) -> [Receipt]
    /// The summaries of the given conversations for one account, in the given order; unknown ones are left out.
    func summaries(
        of conversations: [ConversationID], for account: AccountID, blocked: Set<AccountID>
    ) throws(StoreError) -> [ConversationSummary]
    func unread(
        in conversation: ConversationID, for account: AccountID, blocked: Set<AccountID>
    ) throws(StoreError) -> Unread
    func reports(limit: Int) throws(StoreError) -> [Report]
    /// Where a follower stands; zero before its first step.
    func followerCursor(_ name: String) throws(StoreError) -> Position
}

/// A membership and what is needed to judge visibility by it.
package struct MembershipRow: Sendable {
    package let identity: ConversationIdentity
    package let member: Member
    package let timeline: VisibilityTimeline
    package let lastSequence: Sequence

    package init(
        identity: ConversationIdentity, member: Member, timeline: VisibilityTimeline, lastSequence: Sequence
    ) {
        self.identity = identity
        self.member = member
        self.timeline = timeline
        self.lastSequence = lastSequence
    }
}

/// What a conversation is and where it stands.
package struct ConversationHead: Sendable {
    package let identity: ConversationIdentity
    package let access: Access
    package let timeline: VisibilityTimeline
    package let firstSequence: Sequence
    package let lastSequence: Sequence
    package let lastPosition: Position
    package let prunedThrough: Position
    package let name: String?
    package let subject: String?
    package let joinedCount: Int

    package init(
        identity: ConversationIdentity, access: Access, timeline: VisibilityTimeline, firstSequence: Sequence,
        lastSequence: Sequence, lastPosition: Position, prunedThrough: Position, name: String?, subject: String?,
        joinedCount: Int
    ) {
        self.identity = identity
        self.access = access
        self.timeline = timeline
        self.firstSequence = firstSequence
        self.lastSequence = lastSequence
        self.lastPosition = lastPosition
        self.prunedThrough = prunedThrough
        self.name = name
        self.subject = subject
        self.joinedCount = joinedCount
    }
}

/// Which part of a log.
package enum PageRange: Hashable, Sendable {
    /// The `limit` events before a sequence (nil: the newest).
    case before(Sequence?)
    case after(Sequence)
    /// Half before and half after, the event itself included.
    case around(Sequence)
}

/// An event and what later events made of it.
package struct LogEntry: Hashable, Sendable {
    package let event: Event
    /// The newest edit.
    package let edit: Edit?
    package let reactions: [ReactionCount]
    package let thread: ThreadSummary?

    package struct Edit: Hashable, Sendable {
        package let sequence: Sequence
        package let time: Timestamp
        package let body: Body
        package init(sequence: Sequence, time: Timestamp, body: Body) {
            self.sequence = sequence
            self.time = time
            self.body = body
        }
    }
    package struct ReactionCount: Hashable, Sendable {
        package let key: String
        /// In the order in which they reacted.
        package let by: [Reactor]
        package init(key: String, by: [Reactor]) {
            self.key = key
            self.by = by
        }
    }
    package struct Reactor: Hashable, Sendable {
        package let party: Party
        /// Of the reaction.
        package let sequence: Sequence
        package init(_ party: Party, at sequence: Sequence) {
            self.party = party
            self.sequence = sequence
        }
    }
    package struct ThreadSummary: Hashable, Sendable {
        package let count: Int
        package let last: Sequence
        package init(count: Int, last: Sequence) {
            self.count = count
            self.last = last
        }
    }

    package init(event: Event, edit: Edit? = nil, reactions: [ReactionCount] = [], thread: ThreadSummary? = nil) {
        self.event = event
        self.edit = edit
        self.reactions = reactions
        self.thread = thread
    }
}

/// One durable change that a device must learn.
package enum Change: Hashable, Sendable {
    case event(Event)
    case receipt(Receipt)
    case profile(AccountProfile)

    package var position: Position {
        switch self {
        case .event(let event): event.position
        case .receipt(let receipt): receipt.position
        case .profile(let profile): profile.position
        }
    }
}

/// A profile as of a position.
package struct AccountProfile: Hashable, Sendable {
    package let party: Party
    package let profile: Profile
    package let position: Position

    package init(party: Party, profile: Profile, position: Position) {
        self.party = party
        self.profile = profile
        self.position = position
    }
}

/// Whose changes an account is to learn of.
package struct ChangeScope: Hashable, Sendable {
    /// Where it is joined, invited or knocking.
    package var conversations: Set<ConversationID> = []
    /// Where it is joined.
    package var joined: Set<ConversationID> = []

    package init() {}

    package mutating func add(_ conversation: ConversationID, _ standing: Standing?) {
        switch standing {
        case .joined:
            conversations.insert(conversation)
            joined.insert(conversation)
        case .invited, .knocking: conversations.insert(conversation)
        case .left, .banned, nil: break
        }
    }
}

/// A run of changes.
package struct ChangePage: Sendable {
    package let changes: [Change]
    /// Everything up to here was looked at: where to go on.
    package let through: Position
    /// There is nothing more up to the position that was asked for.
    package let isComplete: Bool
    /// Conversations in scope of which retention took events after the position that was asked from.
    package let gaps: [ChangeGap]

    package init(changes: [Change], through: Position, isComplete: Bool, gaps: [ChangeGap] = []) {
        self.changes = changes
        self.through = through
        self.isComplete = isComplete
        self.gaps = gaps
    }
}

/// Events of a conversation are gone before somebody has read them.
package struct ChangeGap: Hashable, Sendable {
    package let conversation: ConversationID
    /// The first sequence that is still there.
    package let first: Sequence

    package init(conversation: ConversationID, first: Sequence) {
        self.conversation = conversation
        self.first = first
    }
}

/// A conversation in somebody's list.
package struct ConversationSummary: Sendable {
    package let head: ConversationHead
    package let member: Member?
    /// The other account of a direct conversation.
    package let other: Party?
    /// The newest message that the account can see.
    package let last: LogEntry?
    package let readUpTo: Sequence
    package let unread: Unread

    package init(
        head: ConversationHead, member: Member?, other: Party?, last: LogEntry?, readUpTo: Sequence, unread: Unread
    ) {
        self.head = head
        self.member = member
        self.other = other
        self.last = last
        self.readUpTo = readUpTo
        self.unread = unread
    }
}

/// How much is unread: a pure function of the log and the marker.
///
/// Messages after the marker, sealed ones too, that are not one's own, not erased, not by a blocked account, and visible. Counting stops
/// at ``limit``, and then says so.
package struct Unread: Hashable, Sendable {
    package static let limit = 1_000
    package let marker: Sequence
    package let count: Int
    /// How many of them mention the account.
    package let mentions: Int
    package let first: Sequence?

    package init(marker: Sequence, count: Int, mentions: Int, first: Sequence?) {
        self.marker = marker
        self.count = count
        self.mentions = mentions
        self.first = first
    }
    package var isCapped: Bool { count >= Unread.limit }
}

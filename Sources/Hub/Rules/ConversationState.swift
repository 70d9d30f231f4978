/// Everything about a conversation that its rules decide by. One value per loaded conversation.
///
/// *Lives on* its lane. Invariant: it is what `apply` makes of the log, and nothing else.
package struct ConversationState: Sendable {
    package let identity: ConversationIdentity
    /// The first sequence that is still kept; one more than the last for an empty log.
    package var firstSequence: Sequence
    package var lastSequence: Sequence
    package var lastPosition: Position
    /// The position of the last event that retention took away; zero if none.
    package var prunedThrough: Position
    package var members: [AccountID: Member]
    package var values: [StateKey: String]
    package var timeline: VisibilityTimeline

    // Derived from `values`, kept because every command asks for them.
    package private(set) var permissions: PermissionTable
    package private(set) var access: Access
    package private(set) var slowMode: Int64
    package private(set) var retention: Retention

    package init(
        identity: ConversationIdentity, firstSequence: Sequence = Sequence(rawValue: 1), lastSequence: Sequence = .zero,
        lastPosition: Position = .zero, prunedThrough: Position = .zero, members: [AccountID: Member] = [:],
        values: [StateKey: String] = [:], timeline: VisibilityTimeline = VisibilityTimeline(.members)
    ) {
        self.identity = identity
        self.firstSequence = firstSequence
        self.lastSequence = lastSequence
        self.lastPosition = lastPosition
        self.prunedThrough = prunedThrough
        self.members = members
        self.values = values
        self.timeline = timeline
        permissions = PermissionTable(kind: identity.kind)
        access = .private
        slowMode = 0
        retention = Retention()
        for (key, value) in values { derive(key, value) }
    }

    /// Takes a committed (or tentatively accepted) event into account. Never fails: the rules have decided.
    package mutating func apply(_ event: Event) {
        lastSequence = event.sequence
        lastPosition = event.position
        switch event.content {
        case .membership(let change):
            let fresh = Member(party: change.subject, standing: .left, rank: .member, intervals: [], since: event.time)
            members[change.subject.id, default: fresh].apply(change, at: event.sequence, time: event.time)
        case .state(let change):
            values[change.key] = change.value
            derive(change.key, change.value)
            if change.key == .history {
                timeline.change(
                    to: change.value.flatMap(HistoryVisibility.init(rawValue:)) ?? .members, from: event.sequence)
            }
        case .message, .edit, .redaction, .reaction, .pin, .call, .sealed, .custom, .erased:
            break
        }
    }

    private mutating func derive(_ key: StateKey, _ value: String?) {
        guard key.namespace.isEmpty else { return }
        switch key.type {
        case "access": access = value.flatMap(Access.init(rawValue:)) ?? .private
        case "slow-mode": slowMode = max(0, value.flatMap { Int64($0) } ?? 0)
        case "permission":
            guard let action = Action(rawValue: key.key) else { return }
            permissions.set(action, to: value.flatMap { Int($0) }.flatMap(Rank.init(rawValue:)))
        case "retention" where key.key == "age-ms": retention.maximumAge = value.flatMap { Int64($0) }
        case "retention" where key.key == "count": retention.maximumCount = value.flatMap { Int64($0) }
        default: break
        }
    }

    package var joinedCount: Int { members.values.lazy.filter(\.isJoined).count }
    package var name: String? { values[.name] }
    package var subject: String? { values[.subject] }
}

/// What the rules need to know of an account besides one conversation.
///
/// *Lives on* the lane.
package struct AccountState: Sendable {
    package var account: Account
    package var ledger: ConversationID?
    /// Accounts that this one blocked.
    package var blocked: Set<AccountID>
    /// Conversations in which the account is joined, invited or knocking.
    package var conversations: Set<ConversationID>

    package init(
        account: Account, ledger: ConversationID?, blocked: Set<AccountID>, conversations: Set<ConversationID>
    ) {
        self.account = account
        self.ledger = ledger
        self.blocked = blocked
        self.conversations = conversations
    }
}

/// What a loop must know of one account's place in one conversation: as the lane says it, at attach and on change.
package struct SeatRow: Hashable, Sendable {
    package let identity: ConversationIdentity
    package let member: Member
    package let timeline: VisibilityTimeline
    package let firstSequence: Sequence
    package let lastSequence: Sequence
    package let prunedThrough: Position
    /// What posting takes here: live text and typing ask it.
    package let postRank: Rank
    package let name: String?
    package let subject: String?
    package let access: Access
    /// The other account of a direct conversation.
    package let other: Party?

    package init(_ state: ConversationState, member: Member) {
        identity = state.identity
        self.member = member
        timeline = state.timeline
        firstSequence = state.firstSequence
        lastSequence = state.lastSequence
        prunedThrough = state.prunedThrough
        postRank = state.permissions.required(for: .post)
        name = state.name
        subject = state.subject
        access = state.access
        other = state.identity.kind == .direct ? state.otherParty(than: member.party.id) : nil
    }

    /// - Parameter postRank: what the conversation's own permissions say; nil where they say nothing.
    package init(_ head: ConversationHead, member: Member, postRank: Rank?, other: Party?) {
        identity = head.identity
        self.member = member
        timeline = head.timeline
        firstSequence = head.firstSequence
        lastSequence = head.lastSequence
        prunedThrough = head.prunedThrough
        self.postRank = postRank ?? PermissionTable.standard(.post, in: head.identity.kind)
        name = head.name
        subject = head.subject
        access = head.access
        self.other = other
    }
}

extension ConversationState {
    /// The other account of a direct conversation; oneself, in a note to oneself.
    package func otherParty(than account: AccountID) -> Party? {
        guard let pair = identity.pair else { return nil }
        return members[pair.other(than: account)]?.party
    }
}

/// An account's replica on a loop: its sessions here and its places in conversations.
///
/// *Lives on* the loop of its audience.
final class Residence {
    let account: AccountID
    var sessions: [Session] = []
    var seats: [ConversationID: Seat] = [:]
    var blocked: Set<AccountID> {
        didSet { for seat in seats.values { seat.viewer.blocked = blocked } }
    }

    init(account: AccountID, blocked: Set<AccountID>) {
        self.account = account
        self.blocked = blocked
    }
}

/// One account's place in one conversation, as far as deliveries on this loop need it.
///
/// *Lives on* the loop of its audience.
final class Seat {
    unowned let residence: Residence
    let identity: ConversationIdentity
    var viewer: Viewer
    /// The last sequence that the viewer saw or could have seen.
    var lastSeen: Sequence
    /// Where in its bench it sits.
    var index = 0

    init(_ row: SeatRow, residence: Residence) {
        self.residence = residence
        identity = row.identity
        viewer = Viewer(account: residence.account, member: row.member, blocked: residence.blocked)
        lastSeen = row.lastSequence
    }

    func update(_ member: Member) {
        viewer.standing = member.standing
        viewer.rank = member.rank
        viewer.intervals = member.intervals
    }
}

/// All seats of one conversation on a loop.
///
/// *Lives on* the loop of its audience.
final class Bench {
    var seats: ContiguousArray<Seat> = []
    var timeline: VisibilityTimeline
    var postRank: Rank

    init(timeline: VisibilityTimeline, postRank: Rank) {
        self.timeline = timeline
        self.postRank = postRank
    }

    func add(_ seat: Seat) {
        seat.index = seats.count
        seats.append(seat)
    }

    /// In constant time: the last seat takes the free place.
    func remove(_ seat: Seat) {
        let last = seats.removeLast()
        guard last !== seat else { return }
        seats[seat.index] = last
        last.index = seat.index
    }
}

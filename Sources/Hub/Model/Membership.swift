/// How an account stands to a conversation.
package enum Standing: String, Sendable, CaseIterable {
    case invited, knocking, joined, left, banned
}

/// −1 … 100. The role names are ranks.
package struct Rank: RawRepresentable, Hashable, Sendable, Comparable, CustomStringConvertible {
    package let rawValue: Int

    package init?(rawValue: Int) {
        guard (-1...100).contains(rawValue) else { return nil }
        self.rawValue = rawValue
    }
    private init(_ value: Int) { rawValue = value }

    package static let owner = Rank(100)
    package static let admin = Rank(75)
    package static let moderator = Rank(50)
    package static let helper = Rank(25)
    package static let voiced = Rank(1)
    package static let member = Rank(0)
    package static let reader = Rank(-1)

    /// The roles by name, highest first.
    package static let roles: [(name: String, rank: Rank)] = [
        ("owner", .owner), ("admin", .admin), ("moderator", .moderator), ("helper", .helper), ("voiced", .voiced),
        ("member", .member), ("reader", .reader),
    ]

    /// Reads a role name. Total.
    package init?(role: String) {
        guard let found = Rank.roles.first(where: { $0.name == role }) else { return nil }
        self = found.rank
    }

    /// The name of the highest role that this rank reaches.
    package var role: String { Rank.roles.first { self >= $0.rank }?.name ?? "reader" }
    package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
    package var description: String { "\(rawValue)" }
}

/// A closed run of sequences in which an account was joined. An open end means «still».
package struct Interval: Hashable, Sendable {
    package var from: Sequence
    package var through: Sequence?

    package init(from: Sequence, through: Sequence? = nil) {
        self.from = from
        self.through = through
    }

    package func contains(_ sequence: Sequence) -> Bool {
        sequence >= from && (through.map { sequence <= $0 } ?? true)
    }
}

/// One account's membership in one conversation.
package struct Member: Hashable, Sendable {
    static let maxIntervals = 1_000
    package let party: Party
    package var standing: Standing
    package var rank: Rank
    /// Ascending, disjoint; the last one is open while the account is joined.
    package var intervals: [Interval]
    package var since: Timestamp

    package init(party: Party, standing: Standing, rank: Rank, intervals: [Interval], since: Timestamp) {
        self.party = party
        self.standing = standing
        self.rank = rank
        self.intervals = intervals
        self.since = since
    }

    package var isJoined: Bool { standing == .joined }

    /// Whether somebody who is given this event, and has not been told of this place, must be told of it first: the
    /// event is about the place itself, or not younger than the place.
    package func isNew(with event: Event) -> Bool {
        if case .membership(let change) = event.content, change.subject.id == party.id { return true }
        return isJoined && intervals.last.map { event.sequence <= $0.from } ?? false
    }

    /// Takes a membership event of this member's account into account.
    package mutating func apply(_ change: MembershipChange, at sequence: Sequence, time: Timestamp) {
        if change.standing == .joined, standing != .joined {
            intervals.append(Interval(from: sequence))
            since = time
        } else if change.standing != .joined, standing == .joined, let last = intervals.indices.last {
            intervals[last].through = sequence
            since = time
        }
        standing = change.standing
        rank = change.rank
    }
}

import GRDB
import Hub

extension SQLiteStore {
    package func summaries(
        of conversations: [ConversationID], for account: AccountID, blocked: Set<AccountID>
    ) throws(StoreError) -> [ConversationSummary] {
        try read { db in
            let list = ConversationList(db, account, blocked)
            return try list.places(of: conversations).map { place in
                let unread = try list.unread(in: place)
                return ConversationSummary(
                    head: place.head, member: place.member, other: place.other, last: try list.last(in: place),
                    readUpTo: unread.marker, unread: unread)
            }
        }
    }

    package func unread(
        in conversation: ConversationID, for account: AccountID, blocked: Set<AccountID>
    ) throws(StoreError) -> Unread {
        try read { db in
            let list = ConversationList(db, account, blocked)
            guard let place = try list.places(of: [conversation]).first else {
                return Unread(marker: .zero, count: 0, mentions: 0, first: nil)
            }
            return try list.unread(in: place)
        }
    }
}

/// What one account sees of several conversations. Kinds 1 and 9: what is said in the open, and sealed.
private struct ConversationList {
    private let db: Database
    private let account: AccountID
    private let blocked: Set<AccountID>
    /// Continues a condition on `events` or `mentions`, and its values: nothing for most accounts.
    private let andNotBlocked: String
    private let blockedValues: [any Bindable]

    init(_ db: Database, _ account: AccountID, _ blocked: Set<AccountID>) {
        self.db = db
        self.account = account
        self.blocked = blocked
        andNotBlocked = blocked.isEmpty ? "" : "AND author NOT IN (SELECT value FROM json_each(?))"
        blockedValues = blocked.isEmpty ? [] : [blocked.jsonList]
    }

    /// A conversation, the account's membership and marker in it, and what of it the account can see.
    struct Place {
        let head: ConversationHead
        let member: Member?
        let other: Party?
        let marker: Sequence
        let ranges: [ClosedRange<Int64>]
    }

    /// In the given order; one statement for all.
    func places(of conversations: [ConversationID]) throws -> [Place] {
        try db.all(
            "SELECT " + ConversationRow.columns + """
                , m.account, a.handle, a.server, m.standing, m.rank, m.intervals, m.since, ifnull(r.read, 0),
                o.id, o.handle, o.server
                FROM json_each(?) AS wanted CROSS JOIN conversations c ON c.id = wanted.value
                    LEFT JOIN members m ON m.conversation = c.id AND m.account = ?
                    LEFT JOIN accounts a ON a.id = m.account
                    LEFT JOIN receipts r ON r.conversation = c.id AND r.account = ? AND r.thread = 0
                    LEFT JOIN accounts o ON o.id = iif(c.kind = 'direct', iif(c.low = ?, c.high, c.low), NULL)
                ORDER BY wanted.key
                """,
            [conversations.jsonList, account.rawValue, account.rawValue, account.rawValue], place)
    }

    private func place(_ row: Columns) throws -> Place {
        let head = try ConversationRow(row).head
        let first = ConversationRow.columnCount
        let member = try row.optionalInteger(first).map { _ in try MemberRow.member(row, from: first) }
        let viewer = Viewer(account: account, member: member, blocked: blocked)
        let other = try row.optionalInteger(first + 8).map { _ in try row.party(first + 8, first + 9) }
        return Place(
            head: head, member: member, other: other, marker: try row.value(first + 7),
            ranges: visibleRanges(viewer, history: head.timeline))
    }

    // MARK: Unread

    func unread(in place: Place) throws -> Unread {
        var count: Int64 = 0
        var first: Int64?
        var last: Int64 = 0
        for range in place.unreadRanges where count < Int64(Unread.limit) {
            let part = try counted(in: place, range, limit: Int64(Unread.limit) - count)
            count += part.count
            first = first ?? part.first
            last = part.last ?? last
        }
        let mentions = count == 0 ? 0 : try mentions(in: place, through: last)
        return Unread(
            marker: place.marker, count: Int(truncatingIfNeeded: count), mentions: mentions,
            first: first.map(Sequence.init(rawValue:)))
    }

    private func counted(
        in place: Place, _ range: ClosedRange<Int64>, limit: Int64
    ) throws -> (count: Int64, first: Int64?, last: Int64?) {
        let condition = """
            FROM events INDEXED BY events_in_order
            WHERE conversation = ? AND kind IN (1, 9) AND erased = 0 AND sequence BETWEEN ? AND ? AND author <> ? \(andNotBlocked)
            """
        var values: [any Bindable] = [
            place.head.identity.id.rawValue, range.lowerBound, range.upperBound, account.rawValue,
        ]
        values += blockedValues
        let read = { (row: Columns) in
            (try row.integer(0), try row.optionalInteger(1), try row.optionalInteger(2))
        }
        let found =
            if min(range.upperBound, place.head.lastSequence.rawValue) - range.lowerBound < limit {
                // There are not enough events to get beyond the limit: counting without one takes half the time.
                try db.first("SELECT count(*), min(sequence), max(sequence) " + condition, values, read)
            } else {
                try db.first(
                    """
                    SELECT count(*), min(sequence), max(sequence)
                    FROM (SELECT sequence \(condition) ORDER BY sequence LIMIT ?)
                    """, values + [limit], read)
            }
        return found ?? (0, nil, nil)
    }

    /// Mentions among the messages that were counted.
    private func mentions(in place: Place, through last: Int64) throws -> Int {
        let conversation = place.head.identity.id.rawValue
        var mentions: Int64 = 0
        for range in place.unreadRanges where range.lowerBound <= last {
            let end = min(range.upperBound, last)
            mentions +=
                try db.first(
                    """
                    SELECT count(*) FROM mentions
                    WHERE account = ? AND conversation = ? AND sequence BETWEEN ? AND ? AND author <> ? \(andNotBlocked)
                    """, [account.rawValue, conversation, range.lowerBound, end, account.rawValue] + blockedValues,
                    { try $0.integer(0) }) ?? 0
        }
        return Int(truncatingIfNeeded: mentions)
    }

    // MARK: The newest message

    func last(in place: Place) throws -> LogEntry? {
        for range in place.ranges.reversed() {
            let newest = try db.first(
                """
                SELECT position FROM events INDEXED BY events_in_order
                WHERE conversation = ? AND kind IN (1, 9) AND erased = 0 AND sequence BETWEEN ? AND ? \(andNotBlocked)
                ORDER BY sequence DESC LIMIT 1
                """, [place.head.identity.id.rawValue, range.lowerBound, range.upperBound] + blockedValues,
                { try $0.integer(0) })
            guard let newest else { continue }
            return try LogEntries(db, place.head.identity.id).page(
                "WHERE e.conversation = ? AND e.position = ?", [newest]
            )
            .first
        }
        return nil
    }
}

extension ConversationList.Place {
    /// What can be seen and is after the marker.
    fileprivate var unreadRanges: [ClosedRange<Int64>] {
        ranges.compactMap { range in
            let from = max(range.lowerBound, marker.rawValue + 1)
            return from <= range.upperBound ? from...range.upperBound : nil
        }
    }
}

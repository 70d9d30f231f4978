import GRDB
import Hub

extension SQLiteStore {
    package func changes(
        for account: AccountID, in scope: ChangeScope, after: Position, through: Position, limit: Int
    ) throws(StoreError) -> ChangePage {
        try read { db in
            try ChangeScan(db, account, scope, after: after, through: through, limit: max(limit, 1)).page()
        }
    }
}

/// One page of what changed for an account.
///
/// Each source gives its first `limit + 1` changes, and the page is the first `limit` of all. Events are looked for in
/// one of two ways: when few positions were passed, by walking over all of them; else conversation by conversation.
private struct ChangeScan {
    private let db: Database
    private let account: AccountID
    private let scope: Set<ConversationID>
    private let scopeList: String
    /// Whose receipts and company are wanted.
    private let joinedList: String
    private let after: Int64
    private let through: Int64
    private let limit: Int

    /// A seek in an index costs about as much as this many steps along one.
    private static let stepsPerSeek: Int64 = 8

    init(
        _ db: Database, _ account: AccountID, _ scope: ChangeScope, after: Position, through: Position, limit: Int
    ) {
        self.db = db
        self.account = account
        self.scope = scope.conversations
        scopeList = scope.conversations.jsonList
        joinedList = scope.joined.jsonList
        self.after = after.rawValue
        self.through = through.rawValue
        self.limit = limit
    }

    func page() throws -> ChangePage {
        let head = min(try db.first("SELECT position FROM log", [], { try $0.integer(0) }) ?? 0, through)
        guard head > after else {
            return ChangePage(changes: [], through: Position(rawValue: after), isComplete: true)
        }
        let isNear = head - after <= Int64(limit) + ChangeScan.stepsPerSeek * Int64(scope.count)
        var changes: [Change] = try (isNear ? eventsByWalking(to: head) : eventsByConversation(to: head))
            .map(Change.event)
        // Nothing beyond the last event of a full page can be on the page.
        let end = changes.count > limit ? changes[limit - 1].position.rawValue : head
        changes += try receipts(through: end).map(Change.receipt)
        changes += try profiles(through: end).map(Change.profile)
        changes.sort { $0.position < $1.position }
        let isComplete = changes.count <= limit
        changes.removeLast(max(changes.count - limit, 0))
        let through = isComplete ? Position(rawValue: head) : changes.last?.position
        return ChangePage(
            changes: changes, through: through ?? Position(rawValue: after), isComplete: isComplete, gaps: try gaps())
    }

    private func gaps() throws -> [ChangeGap] {
        try db.all(
            """
            SELECT c.id, c.first_sequence
            FROM json_each(?) AS wanted CROSS JOIN conversations c ON c.id = wanted.value
            WHERE c.pruned_through > ? ORDER BY c.id
            """, [scopeList, after], { ChangeGap(conversation: try $0.value(0), first: try $0.value(1)) })
    }

    // MARK: Events

    private func eventsByWalking(to head: Int64) throws -> [Event] {
        var rows = try db.rows(
            EventRow.select + "WHERE e.position > ? AND e.position <= ? ORDER BY e.position", [after, head])
        var reader = EventReader()
        var events: [Event] = []
        while events.count <= limit, let row = try rows.next() {
            let conversation: ConversationID = try row.value(1)
            let subject: AccountID? = try row.optionalValue(17)
            if scope.contains(conversation) || subject == account { events.append(try reader.event(row)) }
        }
        return events
    }

    private func eventsByConversation(to head: Int64) throws -> [Event] {
        var found = FirstPositions(limit: limit + 1, end: head)
        let moved = try db.all(
            """
            SELECT c.id, c.first_sequence, c.last_sequence
            FROM json_each(?) AS wanted CROSS JOIN conversations c ON c.id = wanted.value
            WHERE c.last_position > ?
            """, [scopeList, after], { (try $0.integer(0), try $0.integer(1), try $0.integer(2)) })
        for (conversation, first, last) in moved {
            let from = try firstSequence(in: conversation, first, last)
            found.add(
                try db.all(
                    """
                    SELECT position FROM events INDEXED BY events_in_order
                    WHERE conversation = ? AND sequence >= ? AND position <= ? ORDER BY sequence LIMIT ?
                    """, [conversation, from, found.end, limit + 1], { try $0.integer(0) }))
        }
        found.add(
            try db.all(
                """
                SELECT position FROM events INDEXED BY events_by_subject
                WHERE subject = ? AND position > ? AND position <= ? ORDER BY position LIMIT ?
                """, [account.rawValue, after, found.end, limit + 1], { try $0.integer(0) }))
        var reader = EventReader()
        return try found.ascending().compactMap { position in
            try db.first(EventRow.select + "WHERE e.position = ?", [position]) { row in try reader.event(row) }
        }
    }

    /// The first sequence whose position is after the cursor. Positions ascend with sequences, so it is searched for: in
    /// steps that double from the end, where it mostly is, then by halves.
    private func firstSequence(in conversation: Int64, _ first: Int64, _ last: Int64) throws -> Int64 {
        guard first < last, try position(of: first, in: conversation) <= after else { return first }
        // Always: `high` is after the cursor, `low` is not.
        var low = first
        var high = last
        var step: Int64 = 1
        while high > first {
            let probe = max(first, high - step)
            guard try position(of: probe, in: conversation) > after else {
                low = probe
                break
            }
            high = probe
            step *= 2
        }
        while high - low > 1 {
            let middle = low + (high - low) / 2
            if try position(of: middle, in: conversation) > after { high = middle } else { low = middle }
        }
        return high
    }

    private func position(of sequence: Int64, in conversation: Int64) throws -> Int64 {
        let position = try db.first(
            "SELECT position FROM events INDEXED BY events_in_order WHERE conversation = ? AND sequence = ?",
            [conversation, sequence], { try $0.integer(0) })
        guard let position else { throw Damage(what: "conversation \(conversation) has no sequence \(sequence)") }
        return position
    }

    // MARK: What is not an event

    private func receipts(through end: Int64) throws -> [Receipt] {
        try db.all(
            """
            SELECT r.conversation, r.account, a.handle, a.server, r.thread, r.delivered, r.read, r.position, r.time
            FROM json_each(?) AS wanted
                CROSS JOIN receipts r INDEXED BY receipts_by_position
                    ON r.conversation = wanted.value AND r.position > ? AND r.position <= ?
                JOIN accounts a ON a.id = r.account
            ORDER BY r.position LIMIT ?
            """, [joinedList, after, end, limit + 1], ReceiptRow.receipt)
    }

    private func profiles(through end: Int64) throws -> [AccountProfile] {
        try db.all(
            """
            SELECT a.id, a.handle, a.server, a.display_name, a.avatar, a.status_text, a.profile_position
            FROM accounts a INDEXED BY accounts_by_profile
            WHERE a.profile_position > 0 AND a.profile_position > ? AND a.profile_position <= ? AND (a.id = ? OR EXISTS (
                SELECT 1 FROM members m WHERE m.account = a.id AND m.standing = 'joined'
                    AND m.conversation IN (SELECT value FROM json_each(?))))
            ORDER BY a.profile_position LIMIT ?
            """, [after, end, account.rawValue, joinedList, limit + 1]
        ) { row in
            let profile = Profile(
                displayName: try row.optionalText(3), avatar: try row.optionalText(4),
                statusText: try row.optionalText(5))
            return AccountProfile(party: try row.party(0, 1), profile: profile, position: try row.value(6))
        }
    }
}

/// The lowest `limit` of the positions that are added.
private struct FirstPositions {
    private let limit: Int
    private var positions: Set<Int64> = []
    /// No position beyond can be among them.
    private(set) var end: Int64
    private var isCut = false

    init(limit: Int, end: Int64) {
        self.limit = limit
        self.end = end
    }

    mutating func add(_ more: [Int64]) {
        positions.formUnion(more)
        // Sorting now and then is enough.
        guard positions.count >= limit, !isCut || positions.count >= 4 * limit else { return }
        isCut = true
        let first = ascending()
        positions = Set(first)
        end = first.last ?? end
    }

    func ascending() -> [Int64] { Array(positions.sorted().prefix(limit)) }
}

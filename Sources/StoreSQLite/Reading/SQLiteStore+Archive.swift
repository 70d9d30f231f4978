import GRDB
import Hub

extension SQLiteStore {
    // MARK: Conversations and members

    package func memberships(of account: AccountID) throws(StoreError) -> [MembershipRow] {
        try read { db in
            try db.all(
                Self.membershipSelect + "WHERE m.account = ? ORDER BY m.conversation", [account.rawValue],
                Self.membership)
        }
    }

    package func membership(
        of account: AccountID, in conversation: ConversationID
    ) throws(StoreError) -> MembershipRow? {
        try read { db in
            try db.first(
                Self.membershipSelect + "WHERE m.account = ? AND m.conversation = ?",
                [account.rawValue, conversation.rawValue], Self.membership)
        }
    }

    private static let membershipSelect =
        "SELECT " + ConversationRow.columns + """
            , m.account, a.handle, a.server, m.standing, m.rank, m.intervals, m.since
            FROM members m JOIN conversations c ON c.id = m.conversation JOIN accounts a ON a.id = m.account

            """

    private static func membership(_ row: Columns) throws -> MembershipRow {
        let head = try ConversationRow(row).head
        return MembershipRow(
            identity: head.identity, member: try MemberRow.member(row, from: ConversationRow.columnCount),
            timeline: head.timeline, lastSequence: head.lastSequence)
    }

    package func find(_ address: Address) throws(StoreError) -> ConversationID? {
        try read { db in try db.conversation(at: address) }
    }

    package func head(of conversation: ConversationID) throws(StoreError) -> ConversationHead? {
        try read { db in try ConversationRow.find(db, conversation)?.head }
    }

    package func blocked(by account: AccountID) throws(StoreError) -> Set<AccountID> {
        try read { db in try db.blocked(by: account) }
    }

    package func members(
        of conversation: ConversationID, after: Handle?, limit: Int
    ) throws(StoreError) -> [Member] {
        try read { db in
            try db.all(
                MemberRow.select + """
                    WHERE m.conversation = ? AND a.handle > ? ORDER BY a.handle, a.server LIMIT ?
                    """, [conversation.rawValue, after?.text ?? "", max(limit, 0)]
            ) { row in try MemberRow.member(row) }
        }
    }

    /// The names are compared here, because SQLite folds the case of ASCII alone.
    package func directory(
        containing text: String, after: Handle?, limit: Int
    ) throws(StoreError) -> [ConversationHead] {
        let wanted = text.lowercased()
        return try read { db in
            var rows = try db.rows(
                ConversationRow.select + """
                    INDEXED BY conversations_listed
                    WHERE c.access = 'public' AND c.server = '' AND c.handle > ? ORDER BY c.handle
                    """, [after?.text ?? ""])
            var found: [ConversationHead] = []
            while found.count < limit, let row = try rows.next() {
                let head = try ConversationRow(row).head
                let isMatch =
                    wanted.isEmpty || head.identity.address?.handle.text.contains(wanted) == true
                    || head.name?.lowercased().contains(wanted) == true
                if isMatch { found.append(head) }
            }
            return found
        }
    }

    package func state(of conversation: ConversationID) throws(StoreError) -> [StateKey: String] {
        try read { db in try db.state(of: conversation) }
    }

    package func state(
        of conversation: ConversationID, asOf sequence: Sequence
    ) throws(StoreError) -> [StateKey: String] {
        try read { db in
            var values = try db.stateBefore(conversation)
            var reader = EventReader()
            var rows = try db.rows(
                EventRow.select + "WHERE e.conversation = ? AND e.kind = 7 AND e.sequence <= ? ORDER BY e.sequence",
                [conversation.rawValue, sequence.rawValue])
            while let row = try rows.next() {
                if case .state(let change) = try reader.event(row).content { values[change.key] = change.value }
            }
            return values
        }
    }

    package func receipts(in conversation: ConversationID) throws(StoreError) -> [Receipt] {
        try read { db in
            try db.all(
                ReceiptRow.select + "WHERE r.conversation = ? ORDER BY r.position", [conversation.rawValue],
                ReceiptRow.receipt)
        }
    }

    // MARK: The log

    package func page(
        _ conversation: ConversationID, _ range: PageRange, limit: Int
    ) throws(StoreError) -> [LogEntry] {
        let limit = max(limit, 0)
        return try read { db in
            let entries = LogEntries(db, conversation)
            let before = "WHERE e.conversation = ? AND e.sequence < ? ORDER BY e.sequence DESC LIMIT ?"
            let from = "WHERE e.conversation = ? AND e.sequence >= ? ORDER BY e.sequence LIMIT ?"
            switch range {
            case .before(let sequence):
                return try entries.page(before, [sequence?.rawValue ?? .max, limit]).reversed()
            case .after(let sequence):
                guard sequence.rawValue < .max else { return [] }
                return try entries.page(from, [sequence.next.rawValue, limit])
            case .around(let sequence):
                return try entries.page(before, [sequence.rawValue, limit / 2]).reversed()
                    + entries.page(from, [sequence.rawValue, limit - limit / 2])
            }
        }
    }

    package func entry(_ id: EventID, in conversation: ConversationID) throws(StoreError) -> LogEntry? {
        try read { db in
            try LogEntries(db, conversation).page("WHERE e.conversation = ? AND e.id = ?", [id]).first
        }
    }

    package func thread(
        _ root: Sequence, in conversation: ConversationID, after: Sequence, limit: Int
    ) throws(StoreError) -> [LogEntry] {
        try read { db in
            try LogEntries(db, conversation).page(
                "WHERE e.conversation = ? AND e.thread = ? AND e.sequence > ? ORDER BY e.sequence LIMIT ?",
                [root.rawValue, after.rawValue, max(limit, 0)])
        }
    }

    package func pins(of conversation: ConversationID) throws(StoreError) -> [LogEntry] {
        try read { db in
            try LogEntries(db, conversation).page(
                """
                JOIN pins p ON p.conversation = e.conversation AND p.target = e.sequence
                WHERE p.conversation = ? ORDER BY p.sequence
                """, [])
        }
    }

    package func events(after: Position, limit: Int) throws(StoreError) -> [Event] {
        try read { db in
            var reader = EventReader()
            return try db.all(
                EventRow.select + "WHERE e.position > ? ORDER BY e.position LIMIT ?", [after.rawValue, max(limit, 0)]
            ) { row in try reader.event(row) }
        }
    }

    // MARK: The rest

    package func reports(limit: Int) throws(StoreError) -> [Report] {
        try read { db in
            try db.all(
                """
                SELECT r.conversation, r.target, r.target_id, r.reporter, a.handle, a.server, r.reason, r.time
                FROM reports r JOIN accounts a ON a.id = r.reporter ORDER BY r.id DESC LIMIT ?
                """, [max(limit, 0)]
            ) { row in
                Report(
                    conversation: try row.value(0),
                    target: EventReference(id: try row.eventID(2), sequence: try row.value(1)),
                    reporter: try row.party(3, 4), reason: try row.text(6), time: try row.value(7))
            }
        }
    }

    package func followerCursor(_ name: String) throws(StoreError) -> Position {
        try read { db in
            try db.first("SELECT position FROM followers WHERE name = ?", [name], { try $0.value(0) }) ?? .zero
        }
    }
}

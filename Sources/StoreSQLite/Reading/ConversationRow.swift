import GRDB
import Hub

/// A conversation's row.
struct ConversationRow {
    let head: ConversationHead

    /// 17 columns, from the table `c`.
    static let columns = """
        c.id, c.kind, c.handle, c.server, c.low, c.high, c.sealing, c.created, c.timeline, c.first_sequence,
        c.last_sequence, c.last_position, c.pruned_through, c.access, c.name, c.subject, c.joined
        """
    static let columnCount: Int32 = 17
    static let select = "SELECT " + columns + " FROM conversations c "

    init(_ row: Columns) throws {
        head = ConversationHead(
            identity: try ConversationRow.identity(row), access: try row.value(13),
            timeline: try VisibilityTimeline(compactText: row.text(8)), firstSequence: try row.value(9),
            lastSequence: try row.value(10), lastPosition: try row.value(11), prunedThrough: try row.value(12),
            name: try row.optionalText(14), subject: try row.optionalText(15),
            joinedCount: Int(truncatingIfNeeded: try row.integer(16)))
    }

    private static func identity(_ row: Columns) throws -> ConversationIdentity {
        var pair: ConversationIdentity.Pair?
        if let low: AccountID = try row.optionalValue(4), let high: AccountID = try row.optionalValue(5) {
            pair = .init(low, high)
        }
        let isNamed = try row.optionalText(2) != nil
        return ConversationIdentity(
            id: try row.value(0), kind: try row.value(1), address: isNamed ? try row.address(2) : nil, pair: pair,
            sealing: try row.optionalText(6), created: try row.value(7))
    }

    static func find(_ db: Database, _ id: ConversationID) throws -> ConversationRow? {
        try db.first(select + "WHERE c.id = ?", [id.rawValue], ConversationRow.init)
    }
}

/// A membership's row, with its account's address.
enum MemberRow {
    static let select = """
        SELECT m.account, a.handle, a.server, m.standing, m.rank, m.intervals, m.since
        FROM members m JOIN accounts a ON a.id = m.account

        """

    /// - Parameter first: the column of the account's id.
    static func member(_ row: Columns, from first: Int32 = 0) throws -> Member {
        guard let rank = Rank(rawValue: Int(truncatingIfNeeded: try row.integer(first + 4))) else {
            throw row.damage(first + 4)
        }
        return Member(
            party: try row.party(first, first + 1), standing: try row.value(first + 3), rank: rank,
            intervals: try [Interval](compactText: row.text(first + 5)), since: try row.value(first + 6))
    }
}

/// A receipt's row, with its account's address.
enum ReceiptRow {
    static let select = """
        SELECT r.conversation, r.account, a.handle, a.server, r.thread, r.delivered, r.read, r.position, r.time
        FROM receipts r JOIN accounts a ON a.id = r.account

        """

    static func receipt(_ row: Columns) throws -> Receipt {
        let thread: Sequence = try row.value(4)
        return Receipt(
            conversation: try row.value(0), party: try row.party(1, 2), thread: thread == .zero ? nil : thread,
            deliveredUpTo: try row.value(5), readUpTo: try row.value(6), position: try row.value(7),
            time: try row.value(8))
    }
}

/// Reads that the writer and the readers share.
extension Database {
    func conversation(at address: Address) throws -> ConversationID? {
        try first(
            "SELECT id FROM conversations WHERE handle = ? AND server = ?",
            [address.handle.text, address.serverColumn], { try $0.value(0) })
    }

    func ledger(of account: AccountID) throws -> ConversationID? {
        try first(
            "SELECT id FROM conversations WHERE low = ? AND high = ? AND kind = 'ledger'",
            [account.rawValue, account.rawValue], { try $0.value(0) })
    }

    /// The accounts that the state of an account's ledger names as blocked.
    func blocked(by account: AccountID) throws -> Set<AccountID> {
        guard let ledger = try ledger(of: account) else { return [] }
        let addresses = try all(
            "SELECT key FROM state WHERE conversation = ? AND namespace = '' AND type = 'block'", [ledger.rawValue],
            { try $0.text(0) })
        let ids: [AccountID] = try addresses.compactMap { address in
            let parts = address.split(separator: "@", maxSplits: 1).map(String.init)
            return try first(
                "SELECT id FROM accounts WHERE handle = ? AND server = ?",
                [parts.first, parts.count > 1 ? parts.last : ""], { try $0.value(0) })
        }
        return Set(ids)
    }

    func state(of conversation: ConversationID) throws -> [StateKey: String] {
        try values("SELECT namespace, type, key, value FROM state WHERE conversation = ?", conversation)
    }

    func stateBefore(_ conversation: ConversationID) throws -> [StateKey: String] {
        try values("SELECT namespace, type, key, value FROM state_before WHERE conversation = ?", conversation)
    }

    private func values(_ sql: String, _ conversation: ConversationID) throws -> [StateKey: String] {
        let rows = try all(sql, [conversation.rawValue]) { row in
            (StateKey(namespace: try row.text(0), type: try row.text(1), key: try row.text(2)), try row.text(3))
        }
        return Dictionary(rows, uniquingKeysWith: { $1 })
    }
}

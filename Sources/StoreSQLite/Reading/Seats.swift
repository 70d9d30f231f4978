import GRDB
import Hub

extension Database {
    /// An account's places, with what its loops need of each conversation.
    func seats(of account: AccountID, in conversations: [ConversationID]) throws -> [SeatRow] {
        let post = StateKey.permission(.post)
        return try all(
            "SELECT " + ConversationRow.columns + """
                , m.account, a.handle, a.server, m.standing, m.rank, m.intervals, m.since,
                o.id, o.handle, o.server, p.value
                FROM json_each(?1) AS wanted
                    CROSS JOIN members m ON m.conversation = wanted.value AND m.account = ?2
                    JOIN conversations c ON c.id = m.conversation
                    JOIN accounts a ON a.id = m.account
                    LEFT JOIN accounts o ON c.kind = 'direct' AND o.id = iif(c.low = ?2, c.high, c.low)
                    LEFT JOIN state p ON p.conversation = c.id AND p.namespace = ?3 AND p.type = ?4 AND p.key = ?5
                """, [conversations.jsonList, account.rawValue, post.namespace, post.type, post.key]
        ) { row in
            let head = try ConversationRow(row).head
            let first = ConversationRow.columnCount
            let hasOther = try row.optionalText(first + 8) != nil
            let postRank = try row.optionalText(first + 10).flatMap { Int($0) }.flatMap(Rank.init(rawValue:))
            return SeatRow(
                head, member: try MemberRow.member(row, from: first), postRank: postRank,
                other: hasOther ? try row.party(first + 7, first + 8) : nil)
        }
    }
}

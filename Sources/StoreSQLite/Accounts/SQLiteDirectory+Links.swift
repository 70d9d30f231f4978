import GRDB
import Hub

extension SQLiteDirectory {
    package func link(hash: [UInt8]) throws(StoreError) -> OneTimeLink? {
        try reading { db in try db.link(hash) }
    }

    package func createLink(_ link: OneTimeLink) throws(StoreError) {
        let (purpose, account, conversations) = link.purpose.columns
        try writing { db in
            try db.run(
                """
                INSERT INTO links (hash, purpose, account, conversations, expires, uses) VALUES (?, ?, ?, ?, ?, ?)
                """,
                [
                    link.hash, purpose, account?.rawValue, conversations.jsonList, link.expires.rawValue,
                    link.uses,
                ])
        }
    }

    package func redeemLink(hash: [UInt8], at time: Timestamp) throws(StoreError) -> OneTimeLink? {
        return try writing { db in
            try db.run("DELETE FROM links WHERE expires <= ?", [time.rawValue])
            try db.run("UPDATE links SET uses = uses - 1 WHERE hash = ? AND uses > 0", [hash])
            guard db.changesCount == 1 else { return nil }
            let link = try db.link(hash)
            try db.run("DELETE FROM links WHERE hash = ? AND uses = 0", [hash])
            return link
        }
    }
}

extension OneTimeLink.Purpose {
    fileprivate var columns: (purpose: String, account: AccountID?, conversations: [ConversationID]) {
        switch self {
        case .firstAdministrator: ("first-administrator", nil, [])
        case .invite(let conversations, let by): ("invite", by, conversations)
        case .resetPassword(let account): ("reset-password", account, [])
        }
    }
}

extension Database {
    fileprivate func link(_ hash: [UInt8]) throws -> OneTimeLink? {
        let conversations: [ConversationID] = try all(
            """
            SELECT listed.value FROM links l, json_each(l.conversations) AS listed WHERE l.hash = ? ORDER BY listed.key
            """, [hash], { try $0.value(0) })
        return try first("SELECT hash, purpose, account, expires, uses FROM links WHERE hash = ?", [hash]) { row in
            let account: AccountID? = try row.optionalValue(2)
            let purpose: OneTimeLink.Purpose
            switch (try row.text(1), account) {
            case ("first-administrator", _): purpose = .firstAdministrator
            case ("invite", let by): purpose = .invite(conversations: conversations, by: by)
            case ("reset-password", let account?): purpose = .resetPassword(account)
            default: throw row.damage(1)
            }
            return OneTimeLink(
                hash: try row.bytes(0), purpose: purpose, expires: try row.value(3),
                uses: Int(truncatingIfNeeded: try row.integer(4)))
        }
    }
}

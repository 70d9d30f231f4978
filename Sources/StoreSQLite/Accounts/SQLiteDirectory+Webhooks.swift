import GRDB
import Hub

extension SQLiteDirectory {
    package func webhooks() throws(StoreError) -> [Webhook] {
        try reading { db in
            try db.all(
                """
                SELECT id, account, conversation, direction, url, secret, token_hash, created FROM webhooks ORDER BY id
                """, [], WebhookRow.webhook)
        }
    }

    package func webhook(_ id: String) throws(StoreError) -> Webhook? {
        try reading { db in
            try db.first(
                """
                SELECT id, account, conversation, direction, url, secret, token_hash, created FROM webhooks WHERE id = ?
                """, [id], WebhookRow.webhook)
        }
    }

    package func save(_ webhook: Webhook) throws(StoreError) {
        var url: String?
        var secret: [UInt8]?
        var tokenHash: [UInt8]?
        let direction: String
        switch webhook.direction {
        case .outgoing(let address, let key):
            direction = "outgoing"
            url = address
            secret = key
        case .incoming(let hash):
            direction = "incoming"
            tokenHash = hash
        }
        try writing { db in
            try db.requireAccount(webhook.account)
            try db.run(
                """
                INSERT OR REPLACE INTO webhooks
                    (id, account, conversation, direction, url, secret, token_hash, created)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """,
                [
                    webhook.id, webhook.account.rawValue, webhook.conversation.rawValue, direction, url, secret,
                    tokenHash, webhook.created.rawValue,
                ])
        }
    }

    package func deleteWebhook(_ id: String) throws(StoreError) -> Bool {
        try writing { db in
            try db.run("DELETE FROM webhooks WHERE id = ?", [id])
            return db.changesCount == 1
        }
    }
}

/// A webhook's row.
private enum WebhookRow {
    static func webhook(_ row: Columns) throws -> Webhook {
        let direction: Webhook.Direction
        switch try row.text(3) {
        case "outgoing": direction = .outgoing(url: try row.text(4), secret: try row.bytes(5))
        case "incoming": direction = .incoming(tokenHash: try row.bytes(6))
        default: throw row.damage(3)
        }
        return Webhook(
            id: try row.text(0), account: try row.value(1), conversation: try row.value(2), direction: direction,
            created: try row.value(7))
    }
}

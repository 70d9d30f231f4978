import GRDB
import Hub

/// Accounts, credentials and devices, as they are read.
extension SQLiteDirectory {
    package func account(_ id: AccountID) throws(StoreError) -> Account? { try reading { db in try db.account(id) } }

    package func account(at address: Address) throws(StoreError) -> Account? {
        try reading { db in
            try db.first(
                "SELECT " + AccountRow.columns + """
                     FROM accounts a WHERE a.handle = ? AND a.server = ? AND a.deleted = 0
                    """, [address.handle.text, address.serverColumn], AccountRow.account)
        }
    }

    package func accounts(after: Handle?, limit: Int) throws(StoreError) -> [Account] {
        try reading { db in
            try db.all(
                "SELECT " + AccountRow.columns + """
                     FROM accounts a WHERE a.handle > ? AND a.server = '' AND a.deleted = 0 ORDER BY a.handle LIMIT ?
                    """, [after?.text ?? "", max(limit, 0)], AccountRow.account)
        }
    }

    package func hasAdministrator() throws(StoreError) -> Bool {
        try reading { db in
            try db.first(
                "SELECT 1 FROM accounts WHERE administrator = 1 AND disabled = 0 AND deleted = 0 LIMIT 1", [],
                { _ in true }) ?? false
        }
    }

    package func credential(of account: AccountID, scheme: String) throws(StoreError) -> String? {
        try reading { db in
            try db.first(
                "SELECT verifier FROM credentials WHERE account = ? AND scheme = ?", [account.rawValue, scheme],
                { try $0.text(0) })
        }
    }

    package func device(tokenHash: [UInt8]) throws(StoreError) -> (device: Device, account: Account)? {
        try reading { db in
            try db.first(
                "SELECT " + AccountRow.columns + ", " + AccountRow.deviceColumns + """
                     FROM devices d JOIN accounts a ON a.id = d.account WHERE d.token_hash = ? AND a.deleted = 0
                    """, [tokenHash]
            ) { row in
                (device: try AccountRow.device(row, from: AccountRow.columnCount), account: try AccountRow.account(row))
            }
        }
    }

    package func devices(of account: AccountID) throws(StoreError) -> [Device] {
        try reading { db in
            try db.all(
                "SELECT " + AccountRow.deviceColumns + " FROM devices d WHERE d.account = ? ORDER BY d.id",
                [account.rawValue]
            ) { row in try AccountRow.device(row) }
        }
    }

    package func secret(_ name: String) throws(StoreError) -> [UInt8]? {
        try reading { db in
            try db.first("SELECT bytes FROM secrets WHERE name = ?", [name], { try $0.bytes(0) })
        }
    }
}

/// The same, as they are written.
extension SQLiteDirectory {
    package func create(_ account: NewAccount) throws(StoreError) -> Account {
        try writing { db in
            try db.run(
                """
                INSERT INTO accounts (handle, server, kind, display_name, administrator, created, expires)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """,
                [
                    account.address.handle.text, account.address.serverColumn, account.kind.rawValue,
                    account.displayName, account.isAdministrator, account.created.rawValue, account.expires?.rawValue,
                ])
            return Account(
                id: AccountID(rawValue: db.lastInsertedRowID), address: account.address, kind: account.kind,
                profile: Profile(displayName: account.displayName), isAdministrator: account.isAdministrator,
                isDisabled: false, created: account.created, expires: account.expires)
        }
    }

    package func update(
        _ account: AccountID, administrator: Bool?, disabled: Bool?, kind: Account.Kind?
    ) throws(StoreError) {
        try writing { db in
            try db.requireAccount(account)
            try db.run(
                """
                UPDATE accounts SET administrator = ifnull(?, administrator), disabled = ifnull(?, disabled),
                    kind = ifnull(?, kind), expires = iif(? <> 'guest', NULL, expires) WHERE id = ?
                """, [administrator, disabled, kind?.rawValue, kind?.rawValue, account.rawValue])
        }
    }

    package func setCredential(_ verifier: String?, scheme: String, of account: AccountID) throws(StoreError) {
        try writing { db in
            try db.requireAccount(account)
            if let verifier {
                try db.run(
                    "INSERT OR REPLACE INTO credentials (account, scheme, verifier) VALUES (?, ?, ?)",
                    [account.rawValue, scheme, verifier])
            } else {
                try db.run(
                    "DELETE FROM credentials WHERE account = ? AND scheme = ?", [account.rawValue, scheme])
            }
        }
    }

    package func createDevice(
        of account: AccountID, name: String, tokenHash: [UInt8], at time: Timestamp
    ) throws(StoreError) -> Device {
        try writing { db in
            try db.requireAccount(account)
            try db.run(
                "INSERT INTO devices (account, name, token_hash, created, last_seen) VALUES (?, ?, ?, ?, ?)",
                [account.rawValue, name, tokenHash, time.rawValue, time.rawValue])
            let id = DeviceID(rawValue: db.lastInsertedRowID)
            return Device(id: id, account: account, name: name, created: time, lastSeen: time)
        }
    }

    package func setDevice(_ device: DeviceID, lastSeen: Timestamp) throws(StoreError) {
        try writing { db in
            try db.run("UPDATE devices SET last_seen = ? WHERE id = ?", [lastSeen.rawValue, device.rawValue])
        }
    }

    package func revoke(_ device: DeviceID) throws(StoreError) -> Bool {
        try writing { db in
            try db.run("DELETE FROM devices WHERE id = ?", [device.rawValue])
            return db.changesCount == 1
        }
    }

    package func delete(_ account: AccountID) throws(StoreError) {
        try writing { db in
            try db.requireAccount(account)
            let id: [any Bindable] = [account.rawValue]
            try db.run(
                """
                UPDATE accounts SET display_name = NULL, avatar = NULL, status_text = NULL, administrator = 0,
                    deleted = 1 WHERE id = ?
                """, id)
            for table in ["credentials", "devices", "webhooks"] {
                try db.run("DELETE FROM \(table) WHERE account = ?", id)
            }
            try db.run("DELETE FROM reports WHERE reporter = ?", id)
            try db.run("DELETE FROM links WHERE account = ? AND purpose = 'reset-password'", id)
            guard let ledger = try db.ledger(of: account)?.rawValue else { return }
            try db.run(
                """
                UPDATE events SET erased = 1, text = NULL, detail = NULL, bytes = NULL, subject = NULL
                WHERE conversation = ?
                """, [ledger])
            for table in ["state", "state_before", "reactions", "pins", "mentions"] {
                try db.run("DELETE FROM \(table) WHERE conversation = ?", [ledger])
            }
            try db.run(
                "UPDATE conversations SET name = NULL, subject = NULL, access = 'private' WHERE id = ?", [ledger])
        }
    }

    package func setFollowerCursor(_ name: String, to position: Position) throws(StoreError) {
        try writing { db in
            try db.run(
                "INSERT OR REPLACE INTO followers (name, position) VALUES (?, ?)", [name, position.rawValue])
        }
    }

    package func setSecret(_ bytes: [UInt8], named name: String) throws(StoreError) {
        try writing { db in
            try db.run("INSERT OR REPLACE INTO secrets (name, bytes) VALUES (?, ?)", [name, bytes])
        }
    }
}

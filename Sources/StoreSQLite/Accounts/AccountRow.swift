import GRDB
import Hub

/// An account's row.
enum AccountRow {
    /// 11 columns, from the table `a`.
    static let columns = """
        a.id, a.handle, a.server, a.kind, a.display_name, a.avatar, a.status_text, a.administrator, a.disabled,
        a.created, a.expires
        """
    static let columnCount: Int32 = 11

    static func account(_ row: Columns) throws -> Account {
        Account(
            id: try row.value(0), address: try row.address(1), kind: try row.value(3),
            profile: Profile(
                displayName: try row.optionalText(4), avatar: try row.optionalText(5),
                statusText: try row.optionalText(6)),
            isAdministrator: try row.bool(7), isDisabled: try row.bool(8), created: try row.value(9),
            expires: try row.optionalValue(10))
    }

    /// - Parameter first: the column of the device's id.
    static func device(_ row: Columns, from first: Int32 = 0) throws -> Device {
        Device(
            id: try row.value(first), account: try row.value(first + 1), name: try row.text(first + 2),
            created: try row.value(first + 3), lastSeen: try row.value(first + 4))
    }
    static let deviceColumns = "d.id, d.account, d.name, d.created, d.last_seen"
}

extension Database {
    /// An account that was not deleted.
    func account(_ id: AccountID) throws -> Account? {
        try first(
            "SELECT " + AccountRow.columns + " FROM accounts a WHERE a.id = ? AND a.deleted = 0", [id.rawValue],
            AccountRow.account)
    }

    func requireAccount(_ id: AccountID) throws {
        guard try account(id) != nil else { throw StoreError.constraint("unknown \(id)") }
    }
}

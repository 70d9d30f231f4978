import GRDB
import Hub

/// The directory's statements, whatever they run in.
package protocol SQLiteDirectory: DirectoryAccess {
    /// Calls `body` with one snapshot.
    func reading<Value>(_ body: (Database) throws -> Value) throws(StoreError) -> Value
    /// Calls `body` in a transaction. Of its statements only the last can meet a constraint.
    func writing<Value: Sendable>(_ body: (Database) throws -> Value) throws(StoreError) -> Value
}

/// Reads on reader threads; writes on the lane, each a transaction that is on disk when it returns.
extension SQLiteStore: SQLiteDirectory {
    package func reading<Value>(_ body: (Database) throws -> Value) throws(StoreError) -> Value { try read(body) }

    package func writing<Value: Sendable>(_ body: (Database) throws -> Value) throws(StoreError) -> Value {
        try writer.transaction(body)
    }

    package func transaction<Value: Sendable>(
        _ body: (any DirectoryAccess) throws(StoreError) -> Value
    ) throws(StoreError) -> Value {
        try writer.transaction { db in try body(SQLiteTransaction(db: db)) }
    }
}

/// Several statements as one, on the connection that writes.
struct SQLiteTransaction: SQLiteDirectory {
    let db: Database

    func reading<Value>(_ body: (Database) throws -> Value) throws(StoreError) -> Value {
        do {
            return try body(db)
        } catch {
            throw StoreError(error)
        }
    }

    func writing<Value: Sendable>(_ body: (Database) throws -> Value) throws(StoreError) -> Value { try reading(body) }
}

import GRDB
import GRDBSQLite
import Hub

/// Statements that are prepared once per connection, with their values by place.
///
/// Values and columns go straight to SQLite's C functions: this is where every read and write of the log passes.
extension Database {
    func run(_ sql: String, _ values: [any Bindable] = []) throws {
        var rows = try rows(sql, values)
        _ = try rows.next()
    }

    /// The same statement can't be asked again before these rows are gone.
    func rows(_ sql: String, _ values: [any Bindable] = []) throws -> Rows {
        try Rows(cachedStatement(sql: sql), values)
    }

    /// Reads the first row by `read`; nil if there is none.
    func first<Value>(
        _ sql: String, _ values: [any Bindable] = [], _ read: (Columns) throws -> Value
    ) throws -> Value? {
        var rows = try rows(sql, values)
        return try rows.next().map(read)
    }

    /// Reads every row by `read`.
    func all<Value>(
        _ sql: String, _ values: [any Bindable] = [], _ read: (Columns) throws -> Value
    ) throws -> [Value] {
        var rows = try rows(sql, values)
        var found: [Value] = []
        while let row = try rows.next() { found.append(try read(row)) }
        return found
    }
}

/// The rows of a running statement, one at a time. The statement is free again when this goes away.
struct Rows: ~Copyable {
    private let statement: Statement

    init(_ statement: Statement, _ values: [any Bindable]) throws {
        self.statement = statement
        for (index, value) in values.enumerated() {
            try check(value.bind(to: statement.sqliteStatement, at: Int32(truncatingIfNeeded: index + 1)))
        }
    }

    deinit { sqlite3_reset(statement.sqliteStatement) }

    /// The columns are valid until the next call.
    mutating func next() throws -> Columns? {
        let code = sqlite3_step(statement.sqliteStatement)
        switch code {
        case SQLITE_ROW: return Columns(statement: statement.sqliteStatement)
        case SQLITE_DONE: return nil
        default:
            try check(code)
            return nil
        }
    }

    private func check(_ code: Int32) throws {
        guard code != SQLITE_OK else { return }
        let connection = sqlite3_db_handle(statement.sqliteStatement)
        throw DatabaseError(
            resultCode: ResultCode(rawValue: code), message: sqlite3_errmsg(connection).map { String(cString: $0) },
            sql: statement.sql)
    }
}

/// What can be a value of a statement.
protocol Bindable {
    func bind(to statement: OpaquePointer, at index: Int32) -> Int32
}

/// Tells SQLite to copy what it is given.
private var copied: sqlite3_destructor_type { unsafeBitCast(-1, to: sqlite3_destructor_type.self) }

extension Int64: Bindable {
    func bind(to statement: OpaquePointer, at index: Int32) -> Int32 { sqlite3_bind_int64(statement, index, self) }
}

extension Int: Bindable {
    func bind(to statement: OpaquePointer, at index: Int32) -> Int32 {
        sqlite3_bind_int64(statement, index, Int64(self))
    }
}

extension Bool: Bindable {
    func bind(to statement: OpaquePointer, at index: Int32) -> Int32 {
        sqlite3_bind_int64(statement, index, self ? 1 : 0)
    }
}

extension String: Bindable {
    func bind(to statement: OpaquePointer, at index: Int32) -> Int32 {
        var text = self
        return text.withUTF8 { utf8 in
            // No address would be NULL, which is not the empty text.
            guard let start = utf8.baseAddress, !utf8.isEmpty else {
                return sqlite3_bind_text(statement, index, "", 0, copied)
            }
            return start.withMemoryRebound(to: CChar.self, capacity: utf8.count) { start in
                sqlite3_bind_text64(
                    statement, index, start, UInt64(utf8.count), copied, UInt8(truncatingIfNeeded: SQLITE_UTF8))
            }
        }
    }
}

extension [UInt8]: Bindable {
    func bind(to statement: OpaquePointer, at index: Int32) -> Int32 {
        withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress, !bytes.isEmpty else {
                return sqlite3_bind_zeroblob(statement, index, 0)
            }
            return sqlite3_bind_blob64(statement, index, start, UInt64(bytes.count), copied)
        }
    }
}

/// 16 bytes, most significant first: their order is the order of ids.
extension EventID: Bindable {
    func bind(to statement: OpaquePointer, at index: Int32) -> Int32 {
        withUnsafeBytes(of: (high.bigEndian, low.bigEndian)) { bytes in
            sqlite3_bind_blob(statement, index, bytes.baseAddress, 16, copied)
        }
    }
}

extension Optional: Bindable where Wrapped: Bindable {
    func bind(to statement: OpaquePointer, at index: Int32) -> Int32 {
        self?.bind(to: statement, at: index) ?? sqlite3_bind_null(statement, index)
    }
}

import GRDBSQLite
import Hub

/// The columns of the row at which a statement stands, by place.
///
/// Total: a value of another kind than was written is ``Damage``, never a trap.
struct Columns {
    let statement: OpaquePointer

    func integer(_ column: Int32) throws -> Int64 {
        guard sqlite3_column_type(statement, column) == SQLITE_INTEGER else { throw damage(column) }
        return sqlite3_column_int64(statement, column)
    }

    func optionalInteger(_ column: Int32) throws -> Int64? {
        try isNull(column) ? nil : integer(column)
    }

    func bool(_ column: Int32) throws -> Bool { try integer(column) != 0 }

    func text(_ column: Int32) throws -> String {
        guard sqlite3_column_type(statement, column) == SQLITE_TEXT, let start = sqlite3_column_text(statement, column)
        else { throw damage(column) }
        let utf8 = UnsafeBufferPointer(start: start, count: Int(sqlite3_column_bytes(statement, column)))
        guard let text = String(validating: utf8, as: UTF8.self) else { throw damage(column) }
        return text
    }

    func optionalText(_ column: Int32) throws -> String? { try isNull(column) ? nil : text(column) }

    func bytes(_ column: Int32) throws -> [UInt8] { try withBytes(column) { [UInt8]($0) } }

    /// The bytes are only looked at during the call.
    private func withBytes<Result>(_ column: Int32, _ body: (UnsafeRawBufferPointer) -> Result) throws -> Result {
        guard sqlite3_column_type(statement, column) == SQLITE_BLOB else { throw damage(column) }
        // An empty blob has no address.
        let start = sqlite3_column_blob(statement, column)
        return body(UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(statement, column))))
    }

    func isNull(_ column: Int32) -> Bool { sqlite3_column_type(statement, column) == SQLITE_NULL }

    func damage(_ column: Int32) -> Damage { Damage(what: "column \(column) holds what nobody wrote") }
}

/// Columns as the hub's values.
extension Columns {
    func value<Value: RawRepresentable>(_ column: Int32) throws -> Value where Value.RawValue == Int64 {
        guard let value = Value(rawValue: try integer(column)) else { throw damage(column) }
        return value
    }

    func value<Value: RawRepresentable>(_ column: Int32) throws -> Value where Value.RawValue == String {
        guard let value = Value(rawValue: try text(column)) else { throw damage(column) }
        return value
    }

    func optionalValue<Value: RawRepresentable>(_ column: Int32) throws -> Value? where Value.RawValue == Int64 {
        try isNull(column) ? nil : value(column)
    }

    /// Columns `column` and `column + 1`: handle and server.
    func address(_ column: Int32) throws -> Address {
        guard let handle = Handle(try text(column)) else { throw damage(column) }
        let server = try text(column + 1)
        if server.isEmpty { return Address(handle: handle) }
        guard let name = ServerName(server) else { throw damage(column + 1) }
        return Address(handle: handle, server: name)
    }

    /// Columns `id`, `address` and `address + 1`.
    func party(_ id: Int32, _ address: Int32) throws -> Party {
        Party(id: try value(id), address: try self.address(address))
    }

    func eventID(_ column: Int32) throws -> EventID {
        let id = try withBytes(column) { bytes -> EventID? in
            guard bytes.count == 16 else { return nil }
            return EventID(
                high: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
                low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
        }
        guard let id else { throw damage(column) }
        return id
    }

    /// Columns `column` (sequence) and `column + 1` (id).
    func reference(_ column: Int32) throws -> EventReference? {
        guard let sequence: Sequence = try optionalValue(column) else { return nil }
        return EventReference(id: try eventID(column + 1), sequence: sequence)
    }
}

extension Address {
    var serverColumn: String { server?.text ?? "" }
}

import Foundation
import GRDB
import Hub

/// Statements that are prepared once per connection, with their values by place.
extension Database {
    func run(_ sql: String, _ values: StatementArguments = []) throws {
        try cachedStatement(sql: sql).execute(arguments: values)
    }

    /// The rows are valid one at a time; the same statement can't be asked again before the last one.
    func rows(_ sql: String, _ values: StatementArguments = []) throws -> RowCursor {
        try Row.fetchCursor(cachedStatement(sql: sql), arguments: values)
    }

    /// Reads the first row by `read`; nil if there is none.
    func first<Value>(_ sql: String, _ values: StatementArguments = [], _ read: (Row) throws -> Value) throws -> Value?
    {
        let rows = try rows(sql, values)
        return try rows.next().map(read)
    }

    /// Reads every row by `read`.
    func all<Value>(_ sql: String, _ values: StatementArguments = [], _ read: (Row) throws -> Value) throws -> [Value] {
        let rows = try rows(sql, values)
        var found: [Value] = []
        while let row = try rows.next() { found.append(try read(row)) }
        return found
    }
}

/// Columns by place. Total: a value of another kind than was written is ``Damage``, never a trap.
extension Row {
    func integer(_ column: Int) throws -> Int64 {
        guard let value = try optionalInteger(column) else { throw damage(column) }
        return value
    }

    func optionalInteger(_ column: Int) throws -> Int64? {
        let value: DatabaseValue = self[column]
        switch value.storage {
        case .int64(let value): return value
        case .null: return nil
        case .double, .string, .blob: throw damage(column)
        }
    }

    func text(_ column: Int) throws -> String {
        guard let value = try optionalText(column) else { throw damage(column) }
        return value
    }

    func optionalText(_ column: Int) throws -> String? {
        let value: DatabaseValue = self[column]
        switch value.storage {
        case .string(let value): return value
        case .null: return nil
        case .double, .int64, .blob: throw damage(column)
        }
    }

    func bytes(_ column: Int) throws -> [UInt8] {
        guard let value = try optionalBytes(column) else { throw damage(column) }
        return value
    }

    func optionalBytes(_ column: Int) throws -> [UInt8]? {
        let value: DatabaseValue = self[column]
        switch value.storage {
        case .blob(let value): return [UInt8](value)
        case .null: return nil
        case .double, .int64, .string: throw damage(column)
        }
    }

    func bool(_ column: Int) throws -> Bool { try integer(column) != 0 }

    func value<Value: RawRepresentable>(_ column: Int) throws -> Value where Value.RawValue == Int64 {
        guard let value = Value(rawValue: try integer(column)) else { throw damage(column) }
        return value
    }

    func value<Value: RawRepresentable>(_ column: Int) throws -> Value where Value.RawValue == String {
        guard let value = Value(rawValue: try text(column)) else { throw damage(column) }
        return value
    }

    func optionalValue<Value: RawRepresentable>(_ column: Int) throws -> Value? where Value.RawValue == Int64 {
        try optionalInteger(column).flatMap(Value.init(rawValue:))
    }

    /// Columns `column` and `column + 1`: handle and server.
    func address(_ column: Int) throws -> Address {
        guard let handle = Handle(try text(column)) else { throw damage(column) }
        let server = try text(column + 1)
        if server.isEmpty { return Address(handle: handle) }
        guard let name = ServerName(server) else { throw damage(column + 1) }
        return Address(handle: handle, server: name)
    }

    /// Columns `id`, `address` and `address + 1`.
    func party(_ id: Int, _ address: Int) throws -> Party {
        Party(id: try value(id), address: try self.address(address))
    }

    func eventID(_ column: Int) throws -> EventID {
        guard let id = EventID(bytes: try bytes(column)) else { throw damage(column) }
        return id
    }

    /// Columns `column` (sequence) and `column + 1` (id).
    func reference(_ column: Int) throws -> EventReference? {
        guard let sequence = try optionalValue(column) as Sequence? else { return nil }
        return EventReference(id: try eventID(column + 1), sequence: sequence)
    }

    func damage(_ column: Int) -> Damage { Damage(what: "column \(column) holds what nobody wrote") }
}

extension EventID {
    /// The 16 bytes, most significant first: their order is the order of ids.
    var data: Data {
        var data = Data(capacity: 16)
        for half in [high, low] { withUnsafeBytes(of: half.bigEndian) { data.append(contentsOf: $0) } }
        return data
    }

    init?(bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        let halves = bytes.withUnsafeBytes { raw in
            (raw.loadUnaligned(as: UInt64.self), raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        }
        self.init(high: UInt64(bigEndian: halves.0), low: UInt64(bigEndian: halves.1))
    }
}

extension Address {
    var serverColumn: String { server?.text ?? "" }
}

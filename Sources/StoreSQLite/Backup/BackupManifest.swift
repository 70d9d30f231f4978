import Foundation
import GRDB
import Hub
import WireJSON

/// What a backup holds, written beside it: enough to see that it is whole and what it is a backup of.
package struct BackupManifest: Hashable, Sendable {
    /// The log's own random name.
    package let store: String
    package let epoch: Int64
    package let position: Position
    package let schema: Int64
    /// Of the file.
    package let bytes: Int64
    package let accounts: Int64
    package let conversations: Int64
    package let events: Int64
    package let time: Timestamp

    init(describing path: String, at time: Timestamp) throws {
        let queue = try Verification.open(path)
        let marker = try queue.read(StoreMarker.read)
        store = marker.store
        epoch = marker.epoch
        position = Position(rawValue: marker.position)
        schema = try queue.read(Schema.version)
        accounts = try queue.read { db in try db.count("accounts") }
        conversations = try queue.read { db in try db.count("conversations") }
        events = try queue.read { db in try db.count("events") }
        try queue.close()
        bytes = try BackupManifest.size(of: path)
        self.time = time
    }

    static func size(of path: String) throws -> Int64 {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return (attributes[.size] as? NSNumber)?.int64Value ?? 0
    }

    package var json: String {
        String(
            buffer: JSONWriter.write { json in
                json.object { json in
                    json.field("store", store)
                    json.field("epoch", epoch)
                    json.field("position", position.rawValue)
                    json.field("schema", schema)
                    json.field("bytes", bytes)
                    json.field("accounts", accounts)
                    json.field("conversations", conversations)
                    json.field("events", events)
                    json.field("time", time.rawValue)
                }
            })
    }

    /// Nil if a member is missing or is not a manifest's.
    init?(json: String) {
        guard let value = try? JSONValue(parsing: json), case .string(let store)? = value["store"] else { return nil }
        func number(_ key: String) -> Int64? {
            if case .int(let number)? = value[key] { number } else { nil }
        }
        guard let epoch = number("epoch"), let position = number("position"), let schema = number("schema"),
            let bytes = number("bytes"), let accounts = number("accounts"),
            let conversations = number("conversations"), let events = number("events"), let time = number("time")
        else { return nil }
        self.store = store
        self.epoch = epoch
        self.position = Position(rawValue: position)
        self.schema = schema
        self.bytes = bytes
        self.accounts = accounts
        self.conversations = conversations
        self.events = events
        self.time = Timestamp(rawValue: time)
    }
}

extension Database {
    func count(_ table: String) throws -> Int64 {
        try first("SELECT count(*) FROM \(table)", [], { try $0.integer(0) }) ?? 0
    }
}

import Foundation
import GRDB
import Hub

/// What was found in a database.
package struct StoreReport: Hashable, Sendable {
    package let schema: Int64
    package let epoch: Int64
    package let position: Position
    package let accounts: Int64
    package let conversations: Int64
    package let events: Int64
    /// Each in one line; the first of each sort.
    package let problems: [String]

    package var isSound: Bool { problems.isEmpty }
}

/// Reads a whole database and looks for what can't be true.
struct Verification {
    private let path: String
    /// Of one sort, this many problems are named.
    private static let named = 10

    init(_ path: String) { self.path = path }

    static func open(_ path: String) throws -> DatabaseQueue {
        guard access(path, R_OK) == 0 else { throw StoreError.unavailable("\(path) can't be read: \(lastError())") }
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(5)
        return try DatabaseQueue(path: path, configuration: configuration)
    }

    func report() throws -> StoreReport {
        let queue = try Verification.open(path)
        let schema: Int64
        do {
            schema = try DatabaseFile.recognise(queue, path)
        } catch {
            guard case .damaged(let reason) = StoreError(error) else { throw error }
            return StoreReport(
                schema: 0, epoch: 0, position: .zero, accounts: 0, conversations: 0, events: 0, problems: [reason])
        }
        guard schema <= Schema.current.version else {
            throw StoreError.unavailable("\(path) was written by a newer version of this program")
        }
        // No transaction: nobody else has the file, and the end of one can fail on a damaged file too.
        let report = try queue.writeWithoutTransaction { db in
            let marker = try StoreMarker.read(db)
            let manifest = try manifestProblems(marker)
            // What can't be counted is among the problems.
            return StoreReport(
                schema: schema, epoch: marker.epoch, position: Position(rawValue: marker.position),
                accounts: (try? db.count("accounts")) ?? 0, conversations: (try? db.count("conversations")) ?? 0,
                events: (try? db.count("events")) ?? 0, problems: manifest + problems(db))
        }
        try queue.close()
        return report
    }

    private func problems(_ db: Database) -> [String] {
        let checks: [(String, (Database) throws -> [String])] = [
            ("structure", structure), ("references", references), ("sequences", holes), ("positions", disorder),
            ("events", unreadable),
        ]
        return checks.flatMap { name, check -> [String] in
            do {
                return try check(db)
            } catch {
                return ["\(name): \(StoreError(error))"]
            }
        }
    }

    private func structure(_ db: Database) throws -> [String] {
        try db.all("PRAGMA integrity_check(\(Verification.named))", [], { try $0.text(0) }).filter { $0 != "ok" }
    }

    private func references(_ db: Database) throws -> [String] {
        try db.all("PRAGMA foreign_key_check", [], { "a row of \(try $0.text(0)) refers to nothing" })
            .prefix(Verification.named).map { $0 }
    }

    private func holes(_ db: Database) throws -> [String] {
        try db.all(
            """
            SELECT c.id, c.first_sequence, c.last_sequence, ifnull(e.count, 0)
            FROM conversations c LEFT JOIN (
                SELECT conversation, count(DISTINCT sequence) AS count, min(sequence) AS first, max(sequence) AS last
                FROM events GROUP BY conversation) e ON e.conversation = c.id
            WHERE iif(e.count IS NULL, c.first_sequence <> c.last_sequence + 1,
                e.first <> c.first_sequence OR e.last <> c.last_sequence OR e.count <> e.last - e.first + 1)
            LIMIT \(Verification.named)
            """
        ) { row in
            "conversation \(try row.integer(0)) says \(try row.integer(1)) to \(try row.integer(2)), "
                + "and has \(try row.integer(3)) events"
        }
    }

    private func disorder(_ db: Database) throws -> [String] {
        let backwards = try db.all(
            """
            SELECT conversation, sequence FROM (
                SELECT conversation, sequence, position,
                    lag(position) OVER (PARTITION BY conversation ORDER BY sequence) AS previous FROM events)
            WHERE previous >= position LIMIT \(Verification.named)
            """, [], { "conversation \(try $0.integer(0)) goes back at sequence \(try $0.integer(1))" })
        let beyond = try db.all(
            """
            SELECT 'an event is beyond the head' FROM events, log WHERE events.position > log.position
            UNION SELECT 'a receipt is beyond the head' FROM receipts, log WHERE receipts.position > log.position
            UNION SELECT 'a profile is beyond the head' FROM accounts, log WHERE profile_position > log.position
            """, [], { try $0.text(0) })
        return backwards + beyond
    }

    private func unreadable(_ db: Database) throws -> [String] {
        var problems: [String] = []
        var reader = EventReader()
        var rows = try db.rows(EventRow.select + "ORDER BY e.position")
        while problems.count < Verification.named, let row = try rows.next() {
            do {
                _ = try reader.row(row)
            } catch {
                problems.append("the event at position \(try row.integer(0)) can't be read: \(StoreError(error))")
            }
        }
        return problems
    }

    private func manifestProblems(_ marker: StoreMarker) throws -> [String] {
        guard let data = FileManager.default.contents(atPath: path + ".json") else { return [] }
        guard let manifest = BackupManifest(json: String(decoding: data, as: UTF8.self)) else {
            return ["the manifest can't be read"]
        }
        let bytes = try BackupManifest.size(of: path)
        let isSame =
            manifest.store == marker.store && manifest.epoch == marker.epoch
            && manifest.position.rawValue == marker.position && manifest.bytes == bytes
        return isSame ? [] : ["the file is not the one that its manifest describes"]
    }
}

extension StoreMarker {
    /// What a database says of itself.
    static func read(_ db: Database) throws -> StoreMarker {
        let found = try db.first("SELECT store, epoch, position FROM log") { row in
            StoreMarker(store: try row.text(0), epoch: try row.integer(1), position: try row.integer(2))
        }
        guard let found else { throw Damage(what: "it does not say which log it is") }
        return found
    }
}

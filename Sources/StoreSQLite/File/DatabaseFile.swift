import Foundation
import GRDB
import Hub
import Logging

/// What happens to the database as a file: it is made, recognised, and brought to this version's schema.
enum DatabaseFile {
    /// Makes an empty log under another name, and gives it its own when it is whole and on disk.
    static func create(at path: String, schema: Schema) throws(StoreError) {
        let fresh = path + ".new"
        for suffix in ["-journal", "-wal", "-shm"] { try removeFile(fresh + suffix) }
        try makePrivateFile(fresh)
        do {
            let queue = try DatabaseQueue(path: fresh)
            try queue.writeWithoutTransaction { db in
                try db.execute(sql: "PRAGMA application_id = \(Schema.applicationID)")
                try schema.migrate(db, from: 0)
                let name = (0..<16).map { _ in String(UInt8.random(in: 0...15), radix: 16) }.joined()
                try db.execute(sql: "INSERT INTO log VALUES (1, ?, 1, 0)", arguments: [name])
            }
            try queue.close()
        } catch {
            throw StoreError(error)
        }
        try syncFile(fresh)
        try moveFile(fresh, to: path)
    }

    /// Refuses what is not a log of ours or is newer than this program; takes a log's missing steps, after a backup.
    static func bringUpToDate(
        _ directory: DataDirectory, schema: Schema, logger: Logger
    ) throws(StoreError) {
        let path = directory.database
        do {
            let queue = try DatabaseQueue(path: path)
            defer { closeQuietly(queue, logger) }
            let version = try recognise(queue, path)
            if version > schema.version {
                throw StoreError.unavailable(
                    """
                    \(path) was written by a newer version of this program \
                    (schema \(version), this one knows \(schema.version))
                    """)
            }
            if version < schema.version {
                let copy = try backUp(queue, directory, version)
                logger.notice("the database gets a new schema", metadata: ["backup": "\(copy)"])
                try queue.writeWithoutTransaction { db in try schema.migrate(db, from: version) }
            }
        } catch {
            if case .damaged(let reason) = StoreError(error) {
                throw .damaged("\(path) is damaged (\(reason)): restore a backup")
            }
            throw StoreError(error)
        }
    }

    /// The schema's version, if the file is one of ours.
    static func recognise(_ queue: DatabaseQueue, _ path: String) throws -> Int64 {
        try queue.writeWithoutTransaction { db in
            guard try Int64.fetchOne(db, sql: "PRAGMA application_id") == Schema.applicationID else {
                throw StoreError.damaged("it is not a database of this program")
            }
            let version = try Schema.version(of: db)
            guard version > 0, try Int64.fetchOne(db, sql: "SELECT count(*) FROM log") == 1 else {
                throw StoreError.damaged("it has no log")
            }
            return version
        }
    }

    private static func backUp(_ queue: DatabaseQueue, _ directory: DataDirectory, _ version: Int64) throws -> String {
        try FileManager.default.createDirectory(
            atPath: directory.backups, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let path = directory.backups + "/before-schema-\(version + 1).sqlite"
        try copy(queue, to: path, replacing: true)
        return path
    }

    /// A whole copy of one snapshot, on disk when this returns. What is read meanwhile is not blocked. Of two copies to one
    /// path at a time the first that is whole is kept.
    static func copy(_ source: some DatabaseReader, to path: String, replacing: Bool = false) throws {
        let fresh = path + ".new-\(String(UInt64.random(in: .min ... .max), radix: 36))"
        defer { for suffix in ["", "-journal", "-wal", "-shm"] { try? removeFile(fresh + suffix) } }
        try makePrivateFile(fresh)
        let target = try DatabaseQueue(path: fresh)
        try source.backup(to: target, pagesPerStep: 1_024)
        // A copy is one file: not followed by a write-ahead log.
        try target.writeWithoutTransaction { db in
            _ = try String.fetchOne(db, sql: "PRAGMA journal_mode = DELETE")
        }
        try target.close()
        try syncFile(fresh)
        if replacing { try moveFile(fresh, to: path) } else { try linkFile(fresh, to: path) }
    }

    static func closeQuietly(_ connection: some DatabaseReader, _ logger: Logger) {
        do {
            try connection.close()
        } catch {
            logger.warning("a connection could not be closed", metadata: ["reason": "\(error)"])
        }
    }
}

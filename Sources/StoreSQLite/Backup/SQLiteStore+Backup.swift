import Foundation
import GRDB
import Hub

extension SQLiteStore {
    /// Copies everything that is committed now into one file, and describes it in `<path>.json`. Both are on disk when
    /// this returns; writers and readers go on meanwhile, and nothing that they do after the start is in the copy.
    ///
    /// Blocks for as long as copying takes: never on a lane or an event loop. The search index is not copied: it is
    /// built again from the log.
    package func backup(to path: String, at time: Timestamp) throws(StoreError) -> BackupManifest {
        guard access(path, F_OK) != 0 else { throw .unavailable("\(path) exists; a backup replaces nothing") }
        do {
            try DatabaseFile.copy(readers, to: path)
            let manifest = try BackupManifest(describing: path, at: time)
            try replaceFile(path + ".json", with: manifest.json + "\n")
            return manifest
        } catch {
            throw StoreError(error)
        }
    }

    /// Checks a database or backup that nobody has open: SQLite's own structure, references, that every log is without
    /// holes and in order, that every event can be read, and the manifest if there is one. Reads the whole file.
    ///
    /// Throws only when the file can't be read at all; what is wrong in it is in the report.
    package static func verify(_ path: String) throws(StoreError) -> StoreReport {
        do {
            return try Verification(path).report()
        } catch {
            throw StoreError(error)
        }
    }

    /// Puts a backup in the place of a directory's database. The process that owns the directory must have ended.
    ///
    /// The epoch becomes one that never was, so that every client is told that its place in the log is gone; one-time
    /// links are void, because they may have been used since. What was there before is kept in `backups/`.
    package static func restore(
        from backup: String, into path: String, at time: Timestamp
    ) throws(StoreError) -> StoreReport {
        let report = try verify(backup)
        guard report.isSound else {
            throw .damaged("\(backup) is damaged: \(report.problems.joined(separator: "; "))")
        }
        let directory = try DataDirectory(path)
        let past = try? directory.readMarker()
        for leftover in directory.restoreLeftovers { try removeFile(leftover) }
        let fresh = directory.restored
        do {
            let source = try Verification.open(backup)
            try DatabaseFile.copy(source, to: fresh, replacing: true)
            try source.close()
            let queue = try DatabaseQueue(path: fresh)
            try Schema.current.migrate(queue)
            let epoch = max(report.epoch + 1, (past?.epoch ?? 0) + 1, time.rawValue / 1_000)
            try queue.writeWithoutTransaction { db in
                try db.execute(sql: "UPDATE log SET epoch = \(epoch); DELETE FROM links")
            }
            let marker = try queue.writeWithoutTransaction(StoreMarker.read)
            try queue.close()
            try syncFile(fresh)
            try directory.keepAside(at: time)
            // From here to the last line, a start finds the old marker without a database, and refuses.
            try moveFile(fresh, to: directory.database)
            try directory.write(marker)
        } catch {
            throw StoreError(error)
        }
        return report
    }
}

extension Schema {
    fileprivate func migrate(_ queue: DatabaseQueue) throws {
        try queue.writeWithoutTransaction { db in try migrate(db, from: Schema.version(of: db)) }
    }
}

extension DataDirectory {
    /// Moves the database away, with what belongs to it: the database first, so that a start between two moves finds none
    /// and refuses, instead of one without its write-ahead log. A second try takes what the first left behind: a strange
    /// log beside the new database would be read into it.
    fileprivate func keepAside(at time: Timestamp) throws(StoreError) {
        let suffixes = ["", "-wal", "-shm"].filter { exists(database + $0) }
        guard !suffixes.isEmpty else { return }
        let aside = backups + "/replaced-\(time)"
        do {
            try FileManager.default.createDirectory(
                atPath: aside, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw .unavailable("\(aside) can't be made: \(error.localizedDescription)")
        }
        for suffix in suffixes {
            try moveFile(database + suffix, to: aside + "/switchboard.sqlite" + suffix)
        }
    }
}

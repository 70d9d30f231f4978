import Foundation
import GRDB
import Hub
import Logging

/// All durable state of a deployment in one data directory: the hub's four ports on SQLite.
///
/// One connection writes (see ``Writer``); readers have their own, are read-only and never checkpoint: SQLite before
/// 3.51.3 can damage a log when two connections do. Full text lives in a file of its own, because it is derived.
///
/// *Lives on* any thread. `EventLog` and the writes of `Directory` are the lane's, the rest is for reader threads.
package final class SQLiteStore: EventLog, Archive, Directory, SearchIndex {
    package struct Options: Sendable {
        package enum Synchronous: String, Sendable {
            /// Every transaction is on disk when it returns.
            case full = "FULL"
            /// The kernel writes when it likes: a power cut loses what was acknowledged. For tests that must see that.
            case off = "OFF"

            var level: Int64 { self == .full ? 2 : 0 }
        }
        package var synchronous = Synchronous.full
        /// Connections that read at the same time.
        package var readers = 4
        /// The write-ahead log is brought into the database when it has this many pages of 4 KiB.
        package var checkpointPages = 4_000
        /// Of the writer's page cache; a reader has a quarter of it.
        package var cacheKiB = 8_192
        /// The file may not grow beyond; nil: the disk decides.
        package var maximumPages: Int?

        package init() {}
    }

    let directory: DataDirectory
    let writer: Writer
    let readers: DatabasePool
    let index: SearchFile
    private let logger: Logger

    /// Opens the log of a directory, or makes one where there never was one.
    ///
    /// Throws ``StoreError/unavailable(_:)`` when the directory is in use, can't be written, or was written by a newer
    /// version; ``StoreError/damaged(_:)`` when there was a log, and what is there now is not it.
    package static func open(
        directory path: String, options: Options = Options(), logger: Logger = Logger(label: "switchboard.store"),
        onUntrusted: @escaping @Sendable (StoreError) -> Void = { _ in }
    ) throws(StoreError) -> SQLiteStore {
        try open(directory: path, options: options, schema: .current, logger: logger, onUntrusted: onUntrusted)
    }

    static func open(
        directory path: String, options: Options, schema: Schema, logger: Logger,
        onUntrusted: @escaping @Sendable (StoreError) -> Void = { _ in }
    ) throws(StoreError) -> SQLiteStore {
        let directory = try DataDirectory(path)
        let marker = try directory.readMarker()
        if !directory.exists(directory.database) {
            guard marker == nil else {
                throw .damaged(
                    """
                    \(directory.database) is missing, but there was one: put it back, or restore a backup \
                    (delete store.json only if everything in it may be lost)
                    """)
            }
            guard directory.restoreLeftovers.isEmpty else {
                throw .damaged("a restore was cut off in \(path): run it again")
            }
            try DatabaseFile.create(at: directory.database, schema: schema)
        }
        try DatabaseFile.bringUpToDate(directory, schema: schema, logger: logger)
        do {
            let store = try SQLiteStore(directory, options, logger, onUntrusted)
            try store.check(against: marker)
            return store
        } catch {
            throw StoreError(error)
        }
    }

    private init(
        _ directory: DataDirectory, _ options: Options, _ logger: Logger,
        _ onUntrusted: @escaping @Sendable (StoreError) -> Void
    ) throws {
        self.directory = directory
        self.logger = logger
        writer = try Writer(path: directory.database, options: options, logger: logger, onUntrusted: onUntrusted)
        var configuration = Configuration()
        configuration.label = "switchboard.reader"
        configuration.readonly = true
        configuration.maximumReaderCount = options.readers
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { db in
            try db.execute(
                sql: """
                    PRAGMA query_only = ON;
                    PRAGMA wal_autocheckpoint = 0;
                    PRAGMA cache_size = -\(options.cacheKiB / 4);
                    PRAGMA temp_store = MEMORY;
                    """)
        }
        readers = try DatabasePool(path: directory.database, configuration: configuration)
        let epoch = try writer.read(StoreMarker.read).epoch
        index = try SearchFile(path: directory.search, epoch: epoch, logger: logger)
    }

    /// A process that was killed may have committed what it did not live to sync: nothing is read before that is on
    /// disk. Then the log must be the one that the marker knows, and not an older copy of it.
    private func check(against marker: StoreMarker?) throws(StoreError) {
        try writer.settle()
        let now = try currentMarker()
        if let marker {
            guard marker.store == now.store else {
                throw .damaged("\(directory.database) belongs to another data directory; restore it as a backup")
            }
            guard (now.epoch, now.position) >= (marker.epoch, marker.position) else {
                throw .damaged(
                    """
                    \(directory.database) ends at position \(now.position) of epoch \(now.epoch), but it had reached \
                    \(marker.position) of epoch \(marker.epoch): it is an older copy; restore it as a backup
                    """)
            }
        }
        try directory.write(now)
    }

    private func currentMarker() throws(StoreError) -> StoreMarker { try writer.read(StoreMarker.read) }

    /// Brings the write-ahead log into the database and lets go of the directory. Nothing can be asked afterwards.
    package func close() throws(StoreError) {
        let marker = try currentMarker()
        do {
            try index.close()
            try readers.close()
        } catch {
            throw StoreError(error)
        }
        try writer.close()
        try directory.write(marker)
        directory.release()
    }

    /// Calls `body` with one snapshot of what is committed.
    func read<Value>(_ body: (Database) throws -> Value) throws(StoreError) -> Value {
        do {
            return try readers.read(body)
        } catch {
            throw StoreError(error)
        }
    }
}

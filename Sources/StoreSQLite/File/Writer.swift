import Foundation
import GRDB
import Hub
import Logging
import Synchronization

/// The one connection that writes the log, and the only one that checkpoints.
///
/// After anything but a constraint has failed, the connection is closed and the next call opens another one: what
/// SQLite or the kernel believe to be on disk after a failed write or sync is not to be trusted.
///
/// *Lives on* the lane; the lock keeps a call from another thread out of a transaction, and is held while a call blocks.
final class Writer: Sendable {
    private let path: String
    private let options: SQLiteStore.Options
    private let logger: Logger
    private let onUntrusted: @Sendable (StoreError) -> Void
    private struct State {
        var connection: DatabaseQueue?
        /// Why nothing is read or written any more.
        var untrusted: StoreError?
    }
    private let state: Mutex<State>

    /// - Parameter onUntrusted: called, with the lock held, when the process must not go on with this disk.
    init(
        path: String, options: SQLiteStore.Options, logger: Logger,
        onUntrusted: @escaping @Sendable (StoreError) -> Void
    ) throws {
        self.path = path
        self.options = options
        self.logger = logger
        self.onUntrusted = onUntrusted
        state = Mutex(State(connection: try Writer.open(path, options)))
    }

    /// Calls `body` in no transaction: every statement sees what is committed, and nobody else commits.
    func read<Value: Sendable>(_ body: (Database) throws -> Value) throws(StoreError) -> Value {
        try call(isWrite: false, body)
    }

    private func call<Value: Sendable>(
        isWrite: Bool, _ body: (Database) throws -> Value
    ) throws(StoreError) -> Value {
        try state.withLock { (state) throws(StoreError) -> Value in
            do {
                return try opened(&state).writeWithoutTransaction(body)
            } catch {
                throw failed(error, isWrite: isWrite, &state)
            }
        }
    }

    /// Calls `body` in a transaction, and returns when that is on disk. Nothing is kept of one that throws.
    func transaction<Value: Sendable>(_ body: (Database) throws -> Value) throws(StoreError) -> Value {
        try call(isWrite: true) { db in
            try db.cachedStatement(sql: "BEGIN IMMEDIATE").execute()
            do {
                let value = try body(db)
                try db.cachedStatement(sql: "COMMIT").execute()
                return value
            } catch {
                // Some errors have rolled back already.
                if db.isInsideTransaction { try db.cachedStatement(sql: "ROLLBACK").execute() }
                throw error
            }
        }
    }

    func close() throws(StoreError) {
        try state.withLock { (state) throws(StoreError) in
            do {
                try state.connection?.close()
                state.connection = nil
            } catch {
                throw StoreError(error)
            }
        }
    }

    private func opened(_ state: inout State) throws -> DatabaseQueue {
        if let untrusted = state.untrusted { throw untrusted }
        if let connection = state.connection { return connection }
        let fresh = try Writer.open(path, options)
        logger.notice("the log is open for writing again")
        state.connection = fresh
        return fresh
    }

    private func failed(_ error: any Error, isWrite: Bool, _ state: inout State) -> StoreError {
        let error = StoreError(error)
        if case .constraint = error { return error }
        if state.untrusted != nil { return error }
        logger.error("the log could not be written or read", metadata: ["reason": "\(error)"])
        do {
            try state.connection?.close()
        } catch {
            logger.error("its connection could not be closed", metadata: ["reason": "\(error)"])
        }
        state.connection = nil
        let isFatal =
            switch error {
            case .unsynced: true
            case .damaged: isWrite
            case .constraint, .unavailable: false
            }
        if isFatal {
            state.untrusted = error
            onUntrusted(error)
        }
        return error
    }

    // MARK: Opening

    private static func open(_ path: String, _ options: SQLiteStore.Options) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.label = "switchboard.writer"
        configuration.busyMode = .timeout(5)
        // A transaction that could not be rolled back ends with its connection, not with the process.
        configuration.allowsUnsafeTransactions = true
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        try queue.writeWithoutTransaction { db in try prepare(db, options) }
        return queue
    }

    private static func prepare(_ db: Database, _ options: SQLiteStore.Options) throws {
        guard try String.fetchOne(db, sql: "PRAGMA journal_mode = WAL") == "wal" else {
            throw StoreError.unavailable("SQLite can't keep a write-ahead log here; is it a network file system?")
        }
        // After the journal mode: opening in WAL mode is where libraries like to lower it.
        try db.execute(sql: "PRAGMA synchronous = \(options.synchronous.rawValue)")
        guard try Int64.fetchOne(db, sql: "PRAGMA synchronous") == options.synchronous.level else {
            throw StoreError.unavailable("SQLite does not sync as it was told to")
        }
        // `secure_delete`: an erased body leaves no bytes in the pages that held it.
        try db.execute(
            sql: """
                PRAGMA wal_autocheckpoint = \(options.checkpointPages);
                PRAGMA cache_size = -\(options.cacheKiB);
                PRAGMA secure_delete = ON;
                PRAGMA foreign_keys = ON;
                PRAGMA temp_store = MEMORY;
                """)
        if let pages = options.maximumPages { try db.execute(sql: "PRAGMA max_page_count = \(pages)") }
    }

    /// Puts everything that is committed on disk, whoever committed it and whether that process lived to sync it.
    func settle() throws(StoreError) {
        try read { db in try db.run("PRAGMA wal_checkpoint(PASSIVE)") }
    }

    func pragma(_ name: String) throws(StoreError) -> Int64? {
        try read { db in try Int64.fetchOne(db, sql: "PRAGMA \(name)") }
    }
}

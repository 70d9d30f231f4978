import Foundation
import GRDB
import Hub
import Logging
import Testing

@testable import StoreSQLite
import TestKit

/// What a start refuses, and with which words.
@Suite struct DataDirectoryTests {
    /// The reason why a directory can't be opened.
    private func refusal(_ path: String) throws -> StoreError {
        do {
            try SQLiteStore.open(directory: path).close()
        } catch {
            return error
        }
        Issue.record("\(path) was opened")
        return .unavailable("")
    }

    private func makeStore(_ path: String, events: Int = 0) throws {
        let store = try SQLiteStore.open(directory: path)
        var script = StoreScript(store)
        let alice = try script.account("alice")
        let group = try script.group("garden", [alice])
        for index in 0..<events { try script.post("\(index)", by: alice, in: group) }
        try store.close()
    }

    @Test func aSecondOwnerIsRefusedByName() throws {
        try TemporaryDirectory.use { path in
            let store = try SQLiteStore.open(directory: path)
            guard case .unavailable(let reason) = try refusal(path) else {
                Issue.record("not as unavailable")
                return
            }
            #expect(reason.contains(path) && reason.contains("in use"))
            try store.close()
        }
        try TemporaryDirectory.use { path in
            try makeStore(path)
            try makeStoreAgain(path)
        }
    }

    /// The lock goes with its owner.
    private func makeStoreAgain(_ path: String) throws { try SQLiteStore.open(directory: path).close() }

    @Test func aMissingDatabaseIsRefused() throws {
        try TemporaryDirectory.use { path in
            try makeStore(path)
            try FileManager.default.removeItem(atPath: path + "/switchboard.sqlite")
            guard case .damaged(let reason) = try refusal(path) else {
                Issue.record("not as damaged")
                return
            }
            #expect(reason.contains("is missing"))
            #expect(!reason.contains("\n"))
            #expect(!FileManager.default.fileExists(atPath: path + "/switchboard.sqlite"), "a new one was made")
        }
    }

    @Test(arguments: [0, 100, 4_096]) func aDamagedDatabaseIsRefused(bytes: Int) throws {
        try TemporaryDirectory.use { path in
            try makeStore(path)
            let file = path + "/switchboard.sqlite"
            try Data(repeating: 0x20, count: bytes).write(to: URL(fileURLWithPath: file))
            guard case .damaged = try refusal(path) else {
                Issue.record("not as damaged")
                return
            }
            #expect(try Data(contentsOf: URL(fileURLWithPath: file)).count == bytes, "it was changed")
        }
    }

    @Test func aForeignDatabaseIsRefused() throws {
        try TemporaryDirectory.use { path in
            let queue = try DatabaseQueue(path: path + "/switchboard.sqlite")
            try queue.writeWithoutTransaction { db in try db.execute(sql: "CREATE TABLE theirs (x)") }
            try queue.close()
            guard case .damaged(let reason) = try refusal(path) else {
                Issue.record("not as damaged")
                return
            }
            #expect(reason.contains("not a database of this program"))
        }
    }

    @Test func anotherDirectorysDatabaseIsRefused() throws {
        try TemporaryDirectory.use { path in
            for name in ["a", "b"] { try makeStore(path + "/" + name) }
            try replace(path + "/a/switchboard.sqlite", by: path + "/b/switchboard.sqlite")
            guard case .damaged(let reason) = try refusal(path + "/a") else {
                Issue.record("not as damaged")
                return
            }
            #expect(reason.contains("another data directory"))
        }
    }

    @Test func anOlderCopyIsRefused() throws {
        try TemporaryDirectory.use { path in
            let file = path + "/switchboard.sqlite"
            try makeStore(path, events: 5)
            try FileManager.default.copyItem(atPath: file, toPath: path + "/copy")
            let store = try SQLiteStore.open(directory: path)
            try store.append([
                .profile(AccountID(rawValue: 1), Profile(), at: Position(rawValue: store.head().position.rawValue + 1))
            ])
            try store.close()
            try replace(file, by: path + "/copy")
            guard case .damaged(let reason) = try refusal(path) else {
                Issue.record("not as damaged")
                return
            }
            #expect(reason.contains("older copy"))
        }
    }

    private func replace(_ file: String, by other: String) throws {
        try FileManager.default.removeItem(atPath: file)
        try FileManager.default.copyItem(atPath: other, toPath: file)
    }

    @Test func aNewerSchemaIsRefused() throws {
        try TemporaryDirectory.use { path in
            try makeStore(path)
            let queue = try DatabaseQueue(path: path + "/switchboard.sqlite")
            try queue.writeWithoutTransaction { db in try db.execute(sql: "PRAGMA user_version = 99") }
            try queue.close()
            guard case .unavailable(let reason) = try refusal(path) else {
                Issue.record("not as unavailable")
                return
            }
            #expect(reason.contains("newer version") && reason.contains("99"))
        }
    }

    @Test func aNewSchemaIsTakenAfterABackup() throws {
        try TemporaryDirectory.use { path in
            try makeStore(path, events: 3)
            let next = Schema(steps: Schema.current.steps + ["ALTER TABLE accounts ADD COLUMN extra TEXT"])
            let store = try SQLiteStore.open(
                directory: path, options: .init(), schema: next, logger: Logger(label: "test"))
            #expect(try store.read { db in try Schema.version(of: db) } == next.version)
            #expect(try store.events(after: .zero, limit: 10).count == 4)
            try store.close()
            let backup = path + "/backups/before-schema-\(next.version).sqlite"
            let report = try SQLiteStore.verify(backup)
            #expect(report.isSound && report.schema == Schema.current.version && report.events == 4)
        }
    }

    @Test func aMigrationThatFailsChangesNothing() throws {
        try TemporaryDirectory.use { path in
            try makeStore(path, events: 3)
            let broken = Schema(steps: Schema.current.steps + ["CREATE TABLE fine (x); CREATE TABLE log (x)"])
            #expect(throws: StoreError.self) {
                try SQLiteStore.open(directory: path, options: .init(), schema: broken, logger: Logger(label: "test"))
            }
            try SQLiteStore.open(directory: path).close()
            #expect(try SQLiteStore.verify(path + "/switchboard.sqlite").isSound)
        }
    }

    @Test func whatACrashLeftOfTheFirstCreationIsMadeAgain() throws {
        try TemporaryDirectory.use { path in
            try Data("half".utf8).write(to: URL(fileURLWithPath: path + "/switchboard.sqlite.new"))
            try makeStore(path)
        }
    }

    @Test func theSearchIndexIsMadeAnewWhenItIsLostOrDamaged() throws {
        try TemporaryDirectory.use { path in
            let document = SearchDocument(
                key: SearchKey(conversation: ConversationID(rawValue: 1), sequence: Sequence(rawValue: 1)),
                position: Position(rawValue: 1), text: "needle")
            for content in [nil, Data(), Data(repeating: 0x20, count: 5_000)] {
                if let content { try content.write(to: URL(fileURLWithPath: path + "/search.sqlite")) }
                let store = try SQLiteStore.open(directory: path)
                #expect(try store.cursor() == .zero, "nothing was indexed yet")
                try store.update([document], removed: [], through: Position(rawValue: 1))
                #expect(try store.search("needle", in: [document.key.conversation], before: nil, limit: 1).count == 1)
                try store.close()
                for suffix in ["-wal", "-shm"] {
                    try? FileManager.default.removeItem(atPath: path + "/search.sqlite" + suffix)
                }
            }
        }
    }

    @Test func itsFilesAreTheOwnersAlone() throws {
        try TemporaryDirectory.use { path in
            let inner = path + "/made"
            let store = try SQLiteStore.open(directory: inner)
            _ = try store.backup(to: path + "/backup", at: Timestamp(rawValue: 1))
            func mode(_ file: String) throws -> Int? {
                (try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? NSNumber)?.intValue
            }
            #expect(try mode(inner) == 0o700)
            let files = try FileManager.default.contentsOfDirectory(atPath: inner).map { inner + "/" + $0 }
            #expect(files.count >= 6)
            for file in files + [path + "/backup", path + "/backup.json"] {
                #expect(try mode(file) == 0o600, "\(file)")
            }
            try store.close()
        }
    }
}

import Foundation
import GRDB
import Hub
import Testing

@testable import StoreSQLite
import TestKit

/// What only a store on disk can break: syncing, faults of the disk, and the same thing twice after a restart.
@Suite struct DurabilityTests {
    @Test func theWriterSyncsEveryTransaction() throws {
        try TemporaryDirectory.use { path in
            let store = try SQLiteStore.open(directory: path)
            #expect(try store.writer.pragma("synchronous") == 2)
            #expect(try store.writer.pragma("foreign_keys") == 1)
            #expect(try store.writer.pragma("secure_delete") == 1)
            #expect(try store.writer.pragma("wal_autocheckpoint") == 4_000)
            try store.close()
        }
    }

    @Test func theWriterThatReplacesABrokenOneSyncsToo() throws {
        try TemporaryDirectory.use { path in
            let store = try SQLiteStore.open(directory: path)
            #expect(throws: StoreError.self) { try store.writer.read { db in try db.execute(sql: "nonsense") } }
            #expect(try store.writer.pragma("synchronous") == 2)
            try store.close()
        }
    }

    @Test func readersNeitherWriteNorCheckpoint() throws {
        try TemporaryDirectory.use { path in
            let store = try SQLiteStore.open(directory: path)
            let pragmas = try store.read { db in
                try ["query_only", "wal_autocheckpoint"].map { try Int64.fetchOne(db, sql: "PRAGMA \($0)") }
            }
            #expect(pragmas == [1, 0])
            #expect(throws: StoreError.self) { try store.read { db in try db.execute(sql: "DELETE FROM accounts") } }
            try store.close()
        }
    }

    @Test func theTokenIsAColumnOfTheEvent() throws {
        try TemporaryDirectory.use { path in
            let store = try SQLiteStore.open(directory: path)
            var script = StoreScript(store)
            let alice = try script.account("alice")
            let group = try script.group("garden", [alice])
            let event = try script.add(
                .message(Message(body: Body(text: "hello"))), by: alice, in: group, device: DeviceID(rawValue: 3),
                token: Token("t-1"))
            let row = try store.read { db in
                try Row.fetchOne(
                    db, sql: "SELECT device, token, text FROM events WHERE position = ?",
                    arguments: [event.position.rawValue])
            }
            #expect(row == ["device": 3, "token": "t-1", "text": "hello"])
            try store.close()
        }
    }

    @Test func everythingIsThereAfterReopening() throws {
        try TemporaryDirectory.use { path in
            let memory = MemoryStore()
            var store = try SQLiteStore.open(directory: path)
            var history = try RandomHistory(StoreScript(memory, store), seed: 9)
            for _ in 0..<80 { try history.step() }
            try store.close()
            store = try SQLiteStore.open(directory: path)
            try StoreComparison(memory, store, history).compareAll()
            try store.close()
        }
    }

    @Test func anErasedBodyLeavesNoBytes() throws {
        try TemporaryDirectory.use { path in
            let store = try SQLiteStore.open(directory: path)
            var script = StoreScript(store)
            let alice = try script.account("alice")
            let group = try script.group("garden", [alice])
            let secret = "xyzzy-unmistakable-plugh"
            let message = try script.post(secret, by: alice, in: group)
            try script.append([.erase(group, [message.sequence])])
            try store.close()
            let file = try Data(contentsOf: URL(fileURLWithPath: path + "/switchboard.sqlite"))
            #expect(file.range(of: Data(secret.utf8)) == nil)
            #expect(file.range(of: Data("garden".utf8)) != nil)
        }
    }

    @Test func aFullDiskRefusesAndRecovers() throws {
        try TemporaryDirectory.use { path in
            var options = SQLiteStore.Options()
            options.maximumPages = 300
            let store = try SQLiteStore.open(directory: path, options: options)
            var script = StoreScript(store)
            let alice = try script.account("alice")
            let group = try script.group("garden", [alice])
            let text = String(repeating: "x", count: 20_000)
            var kept: [Event] = []
            do {
                for _ in 0..<200 { kept.append(try script.post(text, by: alice, in: group)) }
                Issue.record("the disk never got full")
            } catch StoreError.unavailable {
                try script.reload()
            }
            let last = try #require(kept.last)
            #expect(try store.head().position == last.position)
            #expect(try store.page(group, .before(nil), limit: 1).first?.event == last)
            // Reading goes on, and so does writing as soon as there is room.
            try script.append([.erase(group, kept.prefix(kept.count / 2).map(\.sequence))])
            let next = try script.post(text, by: alice, in: group)
            #expect(next.sequence == last.sequence.next)
            try store.close()
            #expect(try SQLiteStore.verify(path + "/switchboard.sqlite").problems == [])
        }
    }

    @Test func aDamagedPageIsToldApartFromAFullDisk() throws {
        try TemporaryDirectory.use { path in
            var store = try SQLiteStore.open(directory: path)
            var script = StoreScript(store)
            let alice = try script.account("alice")
            let group = try script.group("garden", [alice])
            for index in 0..<200 { try script.post("message \(index)", by: alice, in: group) }
            try store.close()
            let file = path + "/switchboard.sqlite"
            let queue = try DatabaseQueue(path: file)
            let root = try queue.read { db in
                try Int.fetchOne(db, sql: "SELECT rootpage FROM sqlite_schema WHERE name = 'events'")
            }
            try queue.close()
            let handle = try #require(FileHandle(forUpdatingAtPath: file))
            try handle.seek(toOffset: UInt64(((root ?? 1) - 1) * 4_096))
            try handle.write(contentsOf: Data(repeating: 0xFF, count: 4_096))
            try handle.close()
            #expect(try !SQLiteStore.verify(file).isSound)
            store = try SQLiteStore.open(directory: path)
            #expect {
                _ = try store.page(group, .before(nil), limit: 10)
            } throws: { error in
                if case StoreError.damaged = error { true } else { false }
            }
            try store.close()
        }
    }

    /// A flipped bit is found, or changes nothing that matters; it never ends the process.
    @Test func aFlippedBitIsAnErrorOrHarmless() throws {
        try TemporaryDirectory.use { path in
            let store = try SQLiteStore.open(directory: path)
            var history = try RandomHistory(StoreScript(store), seed: 6)
            for _ in 0..<60 { try history.step() }
            try store.close()
            let whole = try Data(contentsOf: URL(fileURLWithPath: path + "/switchboard.sqlite"))
            var random = SystemRandomNumberGenerator()
            var found = 0
            for round in 0..<150 {
                let data = path + "/\(round)"
                try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
                var flipped = whole
                let place = Int.random(in: 0..<flipped.count, using: &random)
                flipped[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                try flipped.write(to: URL(fileURLWithPath: data + "/switchboard.sqlite"))
                do {
                    let damaged = try SQLiteStore.open(directory: data)
                    for conversation in history.conversations {
                        _ = try damaged.page(conversation, .before(nil), limit: 1_000)
                        _ = try damaged.conversation(conversation)
                    }
                    for person in history.people {
                        _ = try damaged.changes(
                            for: person.id, in: ChangeScope(history.conversations), after: .zero, through: .last,
                            limit: 1_000)
                        _ = try damaged.summaries(of: history.conversations, for: person.id, blocked: [])
                    }
                    try damaged.close()
                } catch {
                    found += 1
                }
                try FileManager.default.removeItem(atPath: data)
            }
            #expect(found > 0)
        }
    }
}

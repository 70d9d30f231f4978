import Foundation
import GRDB
import Hub
import Synchronization
import Testing

@testable import StoreSQLite
import TestKit

@Suite struct BackupTests {
    @Test func aBackupUnderWritesIsOneMoment() throws {
        try TemporaryDirectory.use { path in
            let store = try SQLiteStore.open(directory: path + "/data")
            var script = StoreScript(store)
            let alice = try script.account("alice")
            let group = try script.group("garden", [alice])
            for index in 0..<500 { try script.post("before \(index)", by: alice, in: group) }
            let made = Mutex<[Result<BackupManifest, StoreError>]>([])
            let backups = DispatchGroup()
            for number in 0..<3 {
                DispatchQueue.global().async(group: backups) {
                    let result = Result { () throws(StoreError) in
                        try store.backup(to: path + "/backup-\(number)", at: Timestamp(rawValue: 1))
                    }
                    made.withLock { $0.append(result) }
                }
            }
            for index in 0..<300 { try script.post("during \(index)", by: alice, in: group) }
            backups.wait()
            for result in made.withLock({ $0 }) {
                let manifest = try result.get()
                #expect((501...801).contains(manifest.events))
                #expect(manifest.position.rawValue == manifest.events)
            }
            for number in 0..<3 {
                #expect(try SQLiteStore.verify(path + "/backup-\(number)").problems == [])
                #expect(!FileManager.default.fileExists(atPath: path + "/backup-\(number)-wal"))
            }
            #expect(throws: StoreError.self) { try store.backup(to: path + "/backup-0", at: Timestamp(rawValue: 1)) }
            try store.close()
        }
    }

    @Test func aRestoreRaisesTheEpochAndVoidsLinks() throws {
        try TemporaryDirectory.use { path in
            let memory = MemoryStore()
            let store = try SQLiteStore.open(directory: path + "/data")
            var history = try RandomHistory(StoreScript(memory, store), seed: 4)
            for _ in 0..<60 { try history.step() }
            try store.createLink(
                OneTimeLink(hash: [1], purpose: .firstAdministrator, expires: Timestamp(rawValue: .max), uses: 1))
            _ = try store.backup(to: path + "/backup", at: Timestamp(rawValue: 5))
            let later = try store.create(
                NewAccount(
                    address: history.people[0].address.sibling("later"), kind: .person, displayName: nil,
                    isAdministrator: false, created: Timestamp(rawValue: 1), expires: nil))
            #expect(throws: StoreError.self, "it is in use") {
                try SQLiteStore.restore(from: path + "/backup", into: path + "/data", at: Timestamp(rawValue: 1))
            }
            try store.close()

            let report = try SQLiteStore.restore(
                from: path + "/backup", into: path + "/data", at: Timestamp(rawValue: 1_800_000_000_000))
            #expect(report.epoch == 1)
            var restored = try SQLiteStore.open(directory: path + "/data")
            #expect(try restored.head().epoch == 1_800_000_000)
            #expect(try restored.account(later.id) == nil)
            #expect(try restored.link(hash: [1]) == nil)
            #expect(try restored.events(after: .zero, limit: 10_000) == memory.events(after: .zero, limit: 10_000))
            try restored.close()
            // A second one in the same second has an epoch of its own.
            _ = try SQLiteStore.restore(
                from: path + "/backup", into: path + "/data", at: Timestamp(rawValue: 1_800_000_000_001))
            restored = try SQLiteStore.open(directory: path + "/data")
            #expect(try restored.head().epoch == 1_800_000_001)
            try restored.close()
            let kept = try FileManager.default.contentsOfDirectory(atPath: path + "/data/backups")
            #expect(kept.sorted() == ["replaced-1800000000000", "replaced-1800000000001"])
            // Into a directory that never was, too.
            _ = try SQLiteStore.restore(from: path + "/backup", into: path + "/new", at: Timestamp(rawValue: 0))
            let fresh = try SQLiteStore.open(directory: path + "/new")
            #expect(try fresh.head().epoch == 2)
            try fresh.close()
        }
    }

    @Test func aBadBackupIsNotRestored() throws {
        try TemporaryDirectory.use { path in
            let store = try SQLiteStore.open(directory: path + "/data")
            var script = StoreScript(store)
            let alice = try script.account("alice")
            let group = try script.group("garden", [alice])
            for index in 0..<50 { try script.post("\(index)", by: alice, in: group) }
            let damages: [(String, String)] = [
                ("a hole", "DELETE FROM events WHERE sequence = 20"),
                ("a last event that is gone", "DELETE FROM events WHERE sequence = 51"),
                ("a foreign author", "PRAGMA foreign_keys = OFF; UPDATE events SET author = 99 WHERE sequence = 9"),
                ("a detail that is not JSON", "UPDATE events SET detail = '{' WHERE sequence = 9"),
                ("a kind that is none", "UPDATE events SET kind = 77 WHERE sequence = 9"),
                ("an id that is too short", "UPDATE events SET id = x'00' WHERE sequence = 9"),
                ("a head that is behind", "UPDATE log SET position = 3"),
                ("an account that is beyond the head", "UPDATE accounts SET profile_position = 1000"),
            ]
            for (index, (what, sql)) in damages.enumerated() {
                let file = path + "/backup-\(index)"
                _ = try store.backup(to: file, at: Timestamp(rawValue: 1))
                let queue = try DatabaseQueue(path: file)
                try queue.writeWithoutTransaction { db in try db.execute(sql: sql) }
                try queue.close()
                try FileManager.default.removeItem(atPath: file + ".json")
                #expect(try !SQLiteStore.verify(file).isSound, "\(what)")
                #expect(throws: StoreError.self, "\(what)") {
                    try SQLiteStore.restore(from: file, into: path + "/new-\(index)", at: Timestamp(rawValue: 1))
                }
            }
            let swapped = path + "/swapped"
            _ = try store.backup(to: swapped, at: Timestamp(rawValue: 1))
            try script.post("later", by: alice, in: group)
            _ = try store.backup(to: path + "/other", at: Timestamp(rawValue: 1))
            try FileManager.default.removeItem(atPath: swapped)
            try FileManager.default.copyItem(atPath: path + "/other", toPath: swapped)
            #expect(try SQLiteStore.verify(swapped).problems == ["the file is not the one that its manifest describes"])
            #expect(throws: StoreError.self) { try SQLiteStore.verify(path + "/nothing") }
            try store.close()
        }
    }
}

extension Address {
    fileprivate func sibling(_ handle: String) -> Address { Handle(handle).map { Address(handle: $0) } ?? self }
}

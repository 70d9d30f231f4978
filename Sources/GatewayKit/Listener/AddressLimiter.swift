import NIOCore
import Synchronization

/// Counts the connections of each subscriber (`NetworkAddress.subscriber`), and how fast they come. *Lives on*: any thread.
///
/// Locked for a few table operations per connection, never per message. The table holds who is connected, and who was
/// within the last minute.
package final class AddressLimiter: Sendable {
    private struct Entry {
        var open = 0
        /// New connections that may still come at once; grows back by the rate.
        var tokens: Double
        var updated: NIODeadline
    }

    private struct Table {
        var entries: [NetworkRange: Entry] = [:]
        var lastSweep = NIODeadline.uptimeNanoseconds(0)
    }

    private let maxOpen: Int
    private let perMinute: Int
    private let table = Mutex(Table())

    package init(maxOpen: Int, perMinute: Int) {
        self.maxOpen = maxOpen
        self.perMinute = perMinute
    }

    /// Takes a place for one connection; `release` gives it back.
    /// - Parameter isNew: whether it counts as a new connection too; a request on a proxy's connection does not.
    /// - Returns: why there is no place, or `nil` when it was taken.
    package func admit(_ address: NetworkAddress, isNew: Bool = true, now: NIODeadline = .now()) -> DoorRefusal? {
        table.withLock { table in
            sweep(&table, now)
            let subscriber = address.subscriber
            var entry = table.entries[subscriber] ?? Entry(tokens: Double(perMinute), updated: now)
            refill(&entry, now)
            defer { table.entries[subscriber] = entry }
            guard entry.open < maxOpen else { return .addressConnections }
            if isNew {
                guard entry.tokens >= 1 else { return .addressRate }
                entry.tokens -= 1
            }
            entry.open += 1
            return nil
        }
    }

    package func release(_ address: NetworkAddress) {
        table.withLock { $0.entries[address.subscriber]?.open -= 1 }
    }

    /// Subscribers that are remembered.
    package var count: Int { table.withLock { $0.entries.count } }

    private func refill(_ entry: inout Entry, _ now: NIODeadline) {
        let seconds = Double(max((now - entry.updated).nanoseconds, 0)) / 1e9
        entry.tokens = min(Double(perMinute), entry.tokens + seconds * Double(perMinute) / 60)
        entry.updated = now
    }

    /// Once a minute forgets whoever has no connection and a full measure of tokens.
    private func sweep(_ table: inout Table, _ now: NIODeadline) {
        guard now - table.lastSweep > .seconds(60) else { return }
        table.lastSweep = now
        table.entries = table.entries.filter { $0.value.open > 0 || now - $0.value.updated < .seconds(60) }
    }
}

import Foundation
import Hub
import Synchronization

/// Promises that hold for any history: random ones, with seeds that are named when one fails.
extension StoreContract {
    static let properties: [StoreContract] = [
        StoreContract("unread is what a walk over the log says") { store in
            var script = StoreScript(store)
            for seed in UInt64(1)...4 { try checkUnread(&script, seed: seed) }
        },
        StoreContract("a random history reads the same as in memory") { store in
            try checkAgainstMemory(store, seed: 1, rounds: 150)
        },
        StoreContract("another random history reads the same as in memory") { store in
            try checkAgainstMemory(store, seed: 2, rounds: 150)
        },
        StoreContract("a third random history reads the same as in memory") { store in
            try checkAgainstMemory(store, seed: 3, rounds: 150)
        },
    ]

    /// Writes pairs of events in one batch each, while others read: nobody sees half a pair.
    static func checkReadersSeeWholeBatches(_ store: any StorePorts) throws {
        var script = StoreScript(store)
        let alice = try script.account("alice")
        let groups = [try script.group("one", [alice]), try script.group("two", [alice])]
        let isDone = Mutex(false)
        let faults = Mutex<[String]>([])
        let readers = DispatchGroup()
        for _ in 0..<2 {
            DispatchQueue.global().async(group: readers) {
                while !isDone.withLock({ $0 }) {
                    do {
                        let count = try store.events(after: .zero, limit: 10_000).count
                        let lasts = try store.summaries(of: groups, for: alice.id, blocked: []).map(\.head.lastSequence)
                        if !count.isMultiple(of: 2) || Set(lasts).count != 1 {
                            faults.withLock { $0.append("\(count) events, heads at \(lasts)") }
                        }
                    } catch {
                        faults.withLock { $0.append("\(error)") }
                    }
                }
            }
        }
        for index in 0..<100 {
            let content = Content.message(Message(body: Body(text: "\(index)")))
            let pair = try groups.flatMap { try script.writes(content, by: alice, in: $0).writes }
            try script.append(pair)
        }
        isDone.withLock { $0 = true }
        readers.wait()
        try require(faults.withLock { Array($0.prefix(3)) }, is: [])
    }

    // MARK: Unread

    private static func checkUnread(_ script: inout StoreScript, seed: UInt64) throws {
        var random = ContractRandom(seed: seed)
        let store = try script.stores.first.orViolation("no store")
        let people = try (0..<4).map { try script.account("p\($0)-\(seed)") }
        let history = HistoryVisibility.allCases.randomElement(using: &random)
        let group = try script.group("group-\(seed)", people, history: history)
        var messages: [Event] = []
        for _ in 0..<120 {
            let person = try people.randomElement(using: &random).orViolation("nobody")
            switch Int.random(in: 0..<12, using: &random) {
            case 0:
                let standing = Standing.allCases.randomElement(using: &random) ?? .joined
                try script.membership(standing, of: person, group)
            case 1:
                let history = HistoryVisibility.allCases.randomElement(using: &random)
                try script.state(.history, history?.rawValue, by: person, in: group)
            case 2:
                if let target = messages.randomElement(using: &random) { try script.redact(target, by: person) }
            case 3:
                let last = script.states[group]?.lastSequence.rawValue ?? 0
                let read = Sequence(rawValue: Int64.random(in: 0...last, using: &random))
                try script.receipt(person, in: group, read: read)
            case 4:
                if let target = messages.randomElement(using: &random) {
                    try script.add(.edit(target: target.reference, body: Body(text: "edited")), by: person, in: group)
                }
            default:
                let mentions = people.filter { _ in Int.random(in: 0..<3, using: &random) == 0 }
                messages.append(try script.post("text", by: person, in: group, mentions: mentions))
            }
            let viewer = try people.randomElement(using: &random).orViolation("nobody")
            let blocked = Set(people.filter { _ in Int.random(in: 0..<4, using: &random) == 0 }.map(\.id))
            let found = try store.unread(in: group, for: viewer.id, blocked: blocked)
            try require(
                found, is: walk(store, group, viewer, blocked),
                "seed \(seed), sequence \(script.states[group]?.lastSequence ?? .zero)")
        }
    }

    /// The definition: every message after the marker that the account can see, is not its own and was not erased.
    private static func walk(
        _ store: any StorePorts, _ group: ConversationID, _ account: Account, _ blocked: Set<AccountID>
    ) throws -> Unread {
        let state = try store.conversation(group).orViolation("no state")
        let marker = try store.receipt(of: account.id, in: group, thread: nil)?.readUpTo ?? .zero
        let viewer = Viewer(account: account.id, member: state.members[account.id], blocked: blocked)
        var count = 0
        var mentions = 0
        var first: Sequence?
        for event in try store.page(group, .after(marker), limit: 100_000).map(\.event) {
            guard case .message(let message) = event.content, event.author.id != account.id,
                canSee(viewer, Visible(event), history: state.timeline)
            else { continue }
            count += 1
            if message.body.mentions.contains(account.address) { mentions += 1 }
            first = first ?? event.sequence
        }
        return Unread(marker: marker, count: count, mentions: mentions, first: first)
    }
}

/// SplitMix64: the same numbers for the same seed, everywhere.
struct ContractRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}

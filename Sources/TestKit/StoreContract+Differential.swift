import Hub

/// A random history, written to a store and to memory: both must read the same, whatever is asked.
extension StoreContract {
    static func checkAgainstMemory(_ store: any StorePorts, seed: UInt64, rounds: Int) throws {
        let memory = MemoryStore()
        var history = try RandomHistory(StoreScript(memory, store), seed: seed)
        for round in 1...rounds {
            do {
                try history.step()
                if round.isMultiple(of: 25) || round == rounds {
                    try StoreComparison(memory, store, history).compareAll()
                }
            } catch let violation as ContractViolation {
                throw ContractViolation(description: "seed \(seed), round \(round): \(violation.description)")
            }
        }
    }
}

/// Random things that happen to a few people in a few conversations.
package struct RandomHistory {
    package private(set) var script: StoreScript
    private var random: ContractRandom
    package let people: [Account]
    package private(set) var conversations: [ConversationID] = []
    package private(set) var events: [Event] = []

    package init(_ script: StoreScript, seed: UInt64) throws {
        self.script = script
        random = ContractRandom(seed: seed)
        people = try ["alice", "bob", "carol", "dave", "erin@far.example"].map { try script.account($0) }
        conversations.append(try self.script.group("one", Array(people.prefix(3)), access: .public))
        conversations.append(try self.script.group("two", [people[1], people[3]]))
        conversations.append(try self.script.group("three", people, access: .public, history: .everyone))
        conversations.append(try self.script.direct(people[0], people[1]))
        conversations.append(try self.script.ledger(people[0]))
    }

    package mutating func step() throws {
        let conversation = try pick(conversations)
        let person = try pick(people)
        let target = events.last { $0.conversation == conversation && Bool.random(using: &random) }
        switch Int.random(in: 0..<24, using: &random) {
        case 0: try script.membership(pick(Standing.allCases), of: person, conversation, rank: pick([.member, .admin]))
        case 1:
            try script.state(pick([.name, .subject, .avatar]), pick(["x", "ÿ", nil]), by: person, in: conversation)
        case 2: try script.state(.history, pick(HistoryVisibility.allCases).rawValue, by: person, in: conversation)
        case 3: try script.state(.access, pick(Access.allCases).rawValue, by: person, in: conversation)
        case 4:
            let owner = people[0]
            try script.state(.block(person.address), pick(["1", nil]), by: owner, in: conversations[4])
        case 5: try script.profile(person, pick(["a", "b", nil]))
        case 6, 7:
            let last = script.states[conversation]?.lastSequence.rawValue ?? 0
            let read = Sequence(rawValue: Int64.random(in: 0...last, using: &random))
            let thread = Bool.random(using: &random) ? target?.sequence : nil
            try script.receipt(person, in: conversation, read: read, thread: thread)
        case 8: if let target { try script.redact(target, by: person) }
        case 9: if let target { try edit(target, by: person) }
        case 10, 11:
            if let target {
                let content = Content.reaction(
                    target: target.reference, key: try pick(["+", "-"]), removed: try pick([true, false, false]))
                try script.add(content, by: person, in: conversation)
            }
        case 12:
            if let target {
                let content = Content.pin(target: target.reference, removed: try pick([true, false]))
                try script.add(content, by: person, in: conversation)
            }
        case 13: if Int.random(in: 0..<4, using: &random) == 0 { try prune(conversation) }
        case 14: try refusedBatch(conversation, person)
        case 15: try script.append([.erase(conversation, try pick([[], [Sequence(rawValue: 2)]]))])
        default:
            let thread = target.flatMap { Bool.random(using: &random) ? $0.reference : nil }
            let mentions = people.filter { _ in Int.random(in: 0..<4, using: &random) == 0 }
            events.append(
                try script.post("m\(script.position)", by: person, in: conversation, mentions: mentions, thread: thread)
            )
        }
    }

    private mutating func edit(_ target: Event, by person: Account) throws {
        let content = Content.edit(target: target.reference, body: Body(text: "edited \(script.position)"))
        try script.add(content, by: person, in: target.conversation)
    }

    private mutating func prune(_ conversation: ConversationID) throws {
        let state = try script.states[conversation].orViolation("no state")
        let before = Int64.random(in: state.firstSequence.rawValue...state.lastSequence.rawValue + 1, using: &random)
        let store = try script.stores.first.orViolation("no store")
        let gone = try store.page(conversation, .before(Sequence(rawValue: before)), limit: 1).last
        guard let through = gone?.event.position else { return }
        try script.prune(conversation, before: Sequence(rawValue: before), through: through)
        events.removeAll { $0.conversation == conversation && $0.sequence.rawValue < before }
    }

    /// A good event and a bad one: neither store keeps any of it.
    private mutating func refusedBatch(_ conversation: ConversationID, _ person: Account) throws {
        let good = try script.writes(.message(Message(body: Body(text: "lost"))), by: person, in: conversation)
        let bad = Write.profile(AccountID(rawValue: 99), Profile(), at: script.nextPosition())
        for store in script.stores {
            try requireConstraint("a profile of nobody") { try store.append(good.writes + [bad]) }
        }
        try script.reload()
    }

    private mutating func pick<Element>(_ elements: [Element]) throws -> Element {
        try elements.randomElement(using: &random).orViolation("nothing to pick from")
    }
}

/// Everything that can be asked of two stores, asked of both.
package struct StoreComparison {
    private let memory: any StorePorts
    private let store: any StorePorts
    private let history: RandomHistory

    package init(_ memory: any StorePorts, _ store: any StorePorts, _ history: RandomHistory) {
        self.memory = memory
        self.store = store
        self.history = history
    }

    package func compareAll() throws {
        try same("the head") { try $0.head() }
        try same("all events") { try $0.events(after: .zero, limit: 100_000) }
        for conversation in history.conversations { try compare(conversation) }
        for account in history.people { try compare(account) }
        for text in ["", "o", "x"] {
            try same("the directory") { try $0.directory(containing: text, after: nil, limit: 10).map(\.facts) }
        }
        try same("reports") { try $0.reports(limit: 100) }
        try same("retention") { try $0.conversationsWithRetention() }
    }

    private func same<Value: Equatable>(
        _ what: String, line: UInt = #line, _ ask: (any StorePorts) throws -> Value
    ) throws {
        try require(ask(store), is: ask(memory), what, line: line)
    }

    private func compare(_ id: ConversationID) throws {
        try same("the state of \(id)") { try $0.conversation(id)?.facts }
        try same("the head of \(id)") { try $0.head(of: id)?.facts }
        try same("the page of \(id)") { try $0.page(id, .before(nil), limit: 10_000) }
        try same("the pins of \(id)") { try $0.pins(of: id) }
        try same("the members of \(id)") { try $0.members(of: id, after: nil, limit: 10) }
        try same("the state of \(id)") { try $0.state(of: id) }
        try same("the receipts of \(id)") { try $0.receipts(in: id) }
        let last = history.script.states[id]?.lastSequence.rawValue ?? 0
        for sequence in stride(from: Int64(0), through: last + 1, by: 7).map(Sequence.init(rawValue:)) {
            try same("the state of \(id) as of \(sequence)") { try $0.state(of: id, asOf: sequence) }
            try same("around \(sequence)") { try $0.page(id, .around(sequence), limit: 5) }
            try same("the thread of \(sequence)") { try $0.thread(sequence, in: id, after: .zero, limit: 10) }
            try same("the edits of \(sequence)") { try $0.edits(of: sequence, in: id) }
            try same("the pin of \(sequence)") { try $0.isPinned(sequence, in: id) }
        }
        for event in history.events.suffix(20) {
            try same("the envelope of \(event.sequence)") { try $0.envelope(event.id, in: id) }
            try same("the entry of \(event.sequence)") { try $0.entry(event.id, in: id) }
            try same("what is older") { try $0.lastSequence(olderThan: event.time, in: id) }
        }
    }

    private func compare(_ account: Account) throws {
        let all = history.conversations
        try same("the account") { try $0.account(account.id) }
        try same("the state of the account") { try $0.accountState(account.id)?.facts }
        try same("seats") { try Set($0.seats(of: account.id, in: all)) }
        try same("memberships") { try $0.memberships(of: account.id).map(\.facts) }
        for blocked in [Set<AccountID>(), [history.people[1].id], [history.people[0].id, account.id]] {
            try same("summaries") { try $0.summaries(of: all, for: account.id, blocked: blocked).map(\.facts) }
        }
        let head = try memory.head().position.rawValue
        for after in stride(from: Int64(0), through: head, by: 17).map(Position.init(rawValue:)) {
            for (scope, limit) in [(all, 9), (Array(all.prefix(2)), 3), ([], 5)] {
                try same("changes after \(after)") { store in
                    try store.changes(
                        for: account.id, in: ChangeScope(scope), after: after, through: .last, limit: limit
                    ).facts
                }
            }
        }
    }
}

// What has no equality of its own, as a list of what has.

extension ConversationHead {
    fileprivate var facts: [AnyHashable] {
        [
            identity, access, timeline, firstSequence, lastSequence, lastPosition, prunedThrough, name, subject,
            joinedCount,
        ]
    }
}

extension ConversationState {
    fileprivate var facts: [AnyHashable] {
        [
            identity, firstSequence, lastSequence, lastPosition, prunedThrough, members, values, timeline,
            permissions, access, slowMode, retention,
        ]
    }
}

extension AccountState {
    fileprivate var facts: [AnyHashable] { [account, ledger, blocked, conversations] }
}

extension MembershipRow {
    fileprivate var facts: [AnyHashable] { [identity, member, timeline, lastSequence] }
}

extension ConversationSummary {
    fileprivate var facts: [AnyHashable] { head.facts + [member, other, last, readUpTo, unread] }
}

extension ChangePage {
    fileprivate var facts: [AnyHashable] { [changes, through, isComplete, gaps] }
}

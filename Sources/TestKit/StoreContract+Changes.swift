import Hub

extension StoreContract {
    static let changePages: [StoreContract] = [
        StoreContract("changes are everything in scope, once, in order, at every page size") { store in
            var (script, world) = try ChangeWorld.make(store)
            try world.happen(&script)
            let head = try store.head().position
            for account in world.people {
                for scope in [[], [world.groups[1]], world.groups, world.groups.reversed() + [world.groups[0]]] {
                    let whole = try store.changes(
                        for: account.id, in: ChangeScope(scope), after: .zero, through: .last, limit: 10_000)
                    try require(whole.isComplete, "a page that holds all")
                    try require(whole.through, is: head)
                    try require(
                        whole.changes.map(\.position), is: whole.changes.map(\.position).sorted(), "the order")
                    try require(whole.changes, is: world.expected(script, for: account, in: scope))
                    for limit in [1, 2, 3, 7, whole.changes.count, whole.changes.count + 1] where limit > 0 {
                        try checkPages(store, account, scope, limit, whole.changes)
                    }
                    // From every place: near the head events are walked over, far from it each conversation is asked.
                    for after in stride(from: Int64(0), through: head.rawValue + 3, by: 5) {
                        let after = Position(rawValue: after)
                        let page = try store.changes(
                            for: account.id, in: ChangeScope(scope), after: after, through: .last, limit: 4)
                        try require(
                            page.changes, is: Array(whole.changes.filter { $0.position > after }.prefix(4)),
                            "4 after \(after)")
                        try require(page.isComplete || page.through == page.changes.last?.position, "where to go on")
                        try require(page.through >= after, "it never goes back")
                    }
                }
            }
        },
        StoreContract("an account learns of its own membership wherever that is, and of its own profile") { store in
            var script = StoreScript(store)
            let alice = try script.account("alice")
            let bob = try script.account("bob")
            let group = try script.group("garden", [alice])
            let invited = try script.membership(.invited, of: bob, group)
            try script.post("not for bob", by: alice, in: group)
            try script.profile(bob, "Bob")
            try script.profile(alice, "Alice")
            try script.receipt(alice, in: group, read: invited.sequence)
            let page = try store.changes(for: bob.id, in: ChangeScope([]), after: .zero, through: .last, limit: 10)
            try require(page.changes.count, is: 2)
            try require(page.changes.first, is: .event(invited))
            guard case .profile(let profile)? = page.changes.last, profile.party == bob.party else {
                throw ContractViolation(description: "the second change is \(String(describing: page.changes.last))")
            }
            try require(page.through, is: script.position)
        },
        StoreContract("only what has company in scope shows its profile") { store in
            var script = StoreScript(store)
            let people = try ["alice", "bob", "carol"].map { try script.account($0) }
            let group = try script.group("garden", [people[0], people[1]])
            try script.group("elsewhere", [people[0], people[2]])
            for person in people { try script.profile(person, person.address.handle.text) }
            func seen() throws -> [Party] {
                try store.changes(for: people[0].id, in: ChangeScope([group]), after: .zero, through: .last, limit: 100)
                    .changes.compactMap {
                        if case .profile(let profile) = $0 { profile.party } else { nil }
                    }
            }
            try require(seen(), is: [people[0].party, people[1].party])
            try script.membership(.left, of: people[1], group)
            try require(seen(), is: [people[0].party], "bob left")
        },
    ]

    private static func checkPages(
        _ store: any StorePorts, _ account: Account, _ scope: [ConversationID], _ limit: Int, _ whole: [Change]
    ) throws {
        var found: [Change] = []
        var cursor = Position.zero
        while true {
            let page = try store.changes(
                for: account.id, in: ChangeScope(scope), after: cursor, through: .last, limit: limit)
            try require(page.changes.count <= limit, "a page of \(limit) has \(page.changes.count)")
            found += page.changes
            try require(page.isComplete || page.through > cursor, "a page of \(limit) goes nowhere")
            cursor = page.through
            if page.isComplete { break }
        }
        try require(found, is: whole, "pages of \(limit)")
        let end = try store.changes(
            for: account.id, in: ChangeScope(scope), after: cursor, through: .last, limit: limit)
        try require(end.changes.isEmpty && end.isComplete && end.through == cursor, "after the end")
    }
}

/// Three people in four groups, in which something of every kind happens.
private struct ChangeWorld {
    let people: [Account]
    let groups: [ConversationID]

    static func make(_ store: any StorePorts) throws -> (StoreScript, ChangeWorld) {
        var script = StoreScript(store)
        let people = try ["alice", "bob", "carol"].map { try script.account($0) }
        let groups = [
            try script.group("one", people), try script.group("two", [people[0]]),
            try script.group("three", [people[1], people[2]]), try script.group("four", [people[2], people[0]]),
        ]
        return (script, ChangeWorld(people: people, groups: groups))
    }

    func happen(_ script: inout StoreScript) throws {
        for index in 0..<40 {
            let group = groups[index * index % groups.count]
            let person = people[index % people.count]
            switch index % 8 {
            case 3:
                let last = script.states[group]?.lastSequence ?? .zero
                try script.receipt(person, in: group, read: last)
            case 5: try script.profile(person, "name \(index)")
            case 6: try script.membership(index % 16 == 6 ? .left : .joined, of: person, group)
            default: try script.post("\(index)", by: person, in: group)
            }
        }
    }

    /// By the definition, from what the store says of each conversation alone.
    func expected(_ script: StoreScript, for account: Account, in scope: [ConversationID]) throws -> [Change] {
        let store = try script.stores.first.orViolation("no store")
        var changes: [Change] = []
        for event in try store.events(after: .zero, limit: 10_000) {
            var isOwn = false
            if case .membership(let change) = event.content { isOwn = change.subject.id == account.id }
            if isOwn || scope.contains(event.conversation) { changes.append(.event(event)) }
        }
        var company: Set<AccountID> = [account.id]
        for id in Set(scope) {
            changes += try store.receipts(in: id).map(Change.receipt)
            company.formUnion(script.states[id]?.members.values.filter(\.isJoined).map(\.party.id) ?? [])
        }
        let everybody = try store.changes(
            for: account.id, in: ChangeScope(groups), after: .zero, through: .last, limit: 10_000
        ).changes
        changes += everybody.filter { change in
            if case .profile(let profile) = change { company.contains(profile.party.id) } else { false }
        }
        return changes.sorted { $0.position < $1.position }
    }
}

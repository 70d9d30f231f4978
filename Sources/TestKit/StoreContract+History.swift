import Hub

extension StoreContract {
    static let history: [StoreContract] = [
        StoreContract("a token is spent for as long as its device is there, whatever retention takes") { store in
            var script = StoreScript(store)
            let alice = try script.account("alice")
            let group = try script.group("garden", [alice])
            let device = try store.createDevice(of: alice.id, name: "phone", tokenHash: [7], at: script.time).id
            let token = try Token("late").orViolation("a token")
            let said = try script.add(
                .message(Message(body: Body(text: "once"))), by: alice, in: group, device: device, token: token,
                fingerprint: Fingerprint(rawValue: 5))
            let last = try script.post("later", by: alice, in: group)
            try script.prune(group, before: last.sequence, through: said.position)
            let stored = try store.acceptance(device: device, token: token).orViolation("the token is forgotten")
            try require(stored.fingerprint, is: Fingerprint(rawValue: 5))
            try require(stored.acceptance.event, is: EventReference(id: said.id, sequence: said.sequence))
            try require(stored.acceptance.position, is: said.position)
            try require(stored.acceptance.isRepeat, is: true)
            _ = try store.revoke(device)
            try require(store.acceptance(device: device, token: token), is: nil, "nobody can repeat it any more")
        },
        StoreContract("pages end where they should, at every edge") { store in
            var script = StoreScript(store)
            let alice = try script.account("alice")
            let group = try script.group("garden", [alice])
            let other = try script.group("other", [alice])
            for index in 2...12 {
                try script.post("\(index)", by: alice, in: group)
                try script.post("noise", by: alice, in: other)
            }
            func page(_ range: PageRange, _ limit: Int) throws -> [Int64] {
                try store.page(group, range, limit: limit).map(\.event.sequence.rawValue)
            }
            let all = Array(Int64(1)...12)
            for limit in [0, 1, 2, 3, 5, 11, 12, 13, 100] {
                try require(page(.before(nil), limit), is: all.suffix(limit), "the newest \(limit)")
                for place in Int64(0)...14 {
                    let sequence = Sequence(rawValue: place)
                    let before = all.filter { $0 < place }
                    let from = all.filter { $0 >= place }
                    try require(page(.before(sequence), limit), is: before.suffix(limit), "\(limit) before \(place)")
                    try require(
                        page(.after(sequence), limit), is: Array(all.filter { $0 > place }.prefix(limit)),
                        "\(limit) after \(place)")
                    try require(
                        page(.around(sequence), limit),
                        is: before.suffix(limit / 2) + from.prefix(limit - limit / 2), "\(limit) around \(place)")
                }
            }
        },
        StoreContract("followers get every event once, in order") { store in
            var script = StoreScript(store)
            let alice = try script.account("alice")
            let groups = try ["one", "two", "three"].map { try script.group($0, [alice]) }
            for index in 0..<30 { try script.post("\(index)", by: alice, in: groups[index % 3]) }
            for limit in [1, 2, 7, 33, 100] {
                var found: [Event] = []
                while true {
                    let page = try store.events(after: found.last?.position ?? .zero, limit: limit)
                    if page.isEmpty { break }
                    found += page
                }
                try require(found.map(\.position.rawValue), is: Array(1...33), "pages of \(limit)")
            }
        },
        StoreContract("retention takes the beginning, and state stays readable as of what is kept") { store in
            var script = StoreScript(store)
            let alice = try script.account("alice")
            let group = try script.group("garden", [alice])
            let key = StateKey(namespace: "x", type: "y")
            try script.state(.name, "one", by: alice, in: group)
            try script.state(key, "gone", by: alice, in: group)
            let old = try script.add(
                .message(Message(body: Body(text: "old", mentions: [alice.address]))), by: alice, in: group,
                device: DeviceID(rawValue: 1), token: Token("t"))
            try script.add(.reaction(target: old.reference, key: "+", removed: false), by: alice, in: group)
            try script.add(.pin(target: old.reference, removed: false), by: alice, in: group)
            let last = try script.state(key, nil, by: alice, in: group)
            let kept = try script.post("kept", by: alice, in: group)
            let renamed = try script.state(.name, "two", by: alice, in: group)
            try script.prune(group, before: kept.sequence, through: last.position)
            let head = try store.head(of: group).orViolation("no head")
            try require(head.firstSequence, is: kept.sequence)
            try require(head.lastSequence, is: renamed.sequence)
            try require(head.prunedThrough, is: last.position)
            try require(store.conversation(group)?.prunedThrough, is: last.position)
            try require(store.page(group, .before(nil), limit: 9).map(\.event), is: [kept, renamed])
            try require(store.envelope(old.id, in: group), is: nil)
            try require(store.pins(of: group), is: [])
            try require(store.hasReaction("+", by: alice.id, on: old.sequence, in: group), is: false)
            try require(store.state(of: group, asOf: kept.sequence), is: [.name: "one"])
            try require(store.state(of: group), is: [.name: "two"])
            try require(store.head().position, is: renamed.position, "the head stays")
            // Everything can go, and the log goes on.
            try script.prune(group, before: renamed.sequence.next, through: renamed.position)
            try require(store.page(group, .before(nil), limit: 9), is: [])
            let next = try script.post("next", by: alice, in: group)
            try require(next.sequence, is: renamed.sequence.next)
            try require(store.page(group, .before(nil), limit: 9).map(\.event), is: [next])
            try require(store.state(of: group, asOf: next.sequence), is: [.name: "two"])
        },
        StoreContract("what is older than a time is the beginning of the log") { store in
            var script = StoreScript(store)
            let alice = try script.account("alice")
            let group = try script.group("garden", [alice])
            let posts = try (0..<5).map { try script.post("\($0)", by: alice, in: group) }
            let start = posts[0].time.adding(milliseconds: -10_000)
            try require(store.lastSequence(olderThan: start, in: group), is: nil)
            for post in posts {
                try require(
                    store.lastSequence(olderThan: post.time, in: group)?.next, is: post.sequence, "\(post.sequence)")
            }
            try require(
                store.lastSequence(olderThan: script.time.adding(milliseconds: 1), in: group),
                is: posts.last?.sequence)
            // A clock that steps back does not make young events old.
            script.time = start
            try script.post("earlier", by: alice, in: group)
            try require(store.lastSequence(olderThan: posts[2].time, in: group), is: posts[1].sequence)
            try script.prune(group, before: posts[2].sequence, through: posts[1].position)
            try require(store.lastSequence(olderThan: posts[2].time, in: group), is: nil)
            try require(store.lastSequence(olderThan: start, in: ConversationID(rawValue: 99)), is: nil)
        },
        StoreContract("conversations with a retention rule are known") { store in
            var script = StoreScript(store)
            let alice = try script.account("alice")
            let groups = try ["one", "two", "three"].map { try script.group($0, [alice]) }
            try script.state(.retention("count"), "100", by: alice, in: groups[2])
            try script.state(.retention("age-ms"), "100", by: alice, in: groups[2])
            try script.state(.retention("count"), "100", by: alice, in: groups[0])
            try script.state(StateKey(namespace: "x", type: "retention"), "1", by: alice, in: groups[1])
            try require(store.conversationsWithRetention(), is: [groups[0], groups[2]])
            try script.state(.retention("count"), nil, by: alice, in: groups[0])
            try require(store.conversationsWithRetention(), is: [groups[2]])
        },
        StoreContract("state is the last value by key, as of any sequence") { store in
            var script = StoreScript(store)
            let alice = try script.account("alice")
            let group = try script.group("garden", [alice])
            let keys = [.name, .subject, StateKey(namespace: "a/b", type: "c"), StateKey(namespace: "a", type: "b/c")]
            var now: [StateKey: String] = [:]
            var past: [(Sequence, [StateKey: String])] = []
            for round in 0..<12 {
                let key = keys[round % keys.count]
                let value = round == 5 || round == 8 ? nil : "v\(round)"
                let event = try script.state(key, value, by: alice, in: group)
                now[key] = value
                past.append((event.sequence, now))
                try script.post("between", by: alice, in: group)
            }
            try require(store.state(of: group), is: now)
            try require(store.conversation(group)?.values, is: now)
            for (sequence, values) in past {
                try require(store.state(of: group, asOf: sequence), is: values, "as of \(sequence)")
                try require(store.state(of: group, asOf: sequence.next), is: values, "after \(sequence)")
            }
            let head = try store.head(of: group)
            try require(head?.name, is: now[.name])
            try require(head?.subject, is: now[.subject])
        },
        StoreContract("receipts are the last place, for the conversation and for each thread") { store in
            var script = StoreScript(store)
            let alice = try script.account("alice")
            let bob = try script.account("bob")
            let group = try script.group("garden", [alice, bob])
            let root = try script.post("root", by: alice, in: group)
            try script.receipt(bob, in: group, read: Sequence(rawValue: 1))
            let main = try script.receipt(bob, in: group, read: root.sequence)
            let thread = try script.receipt(bob, in: group, read: root.sequence, thread: root.sequence)
            let own = try script.receipt(alice, in: group, read: root.sequence)
            try require(store.receipt(of: bob.id, in: group, thread: nil), is: main)
            try require(store.receipt(of: bob.id, in: group, thread: root.sequence), is: thread)
            try require(store.receipt(of: alice.id, in: group, thread: root.sequence), is: nil)
            try require(store.receipts(in: group), is: [main, thread, own])
        },
    ]
}

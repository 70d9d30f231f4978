import Hub

extension StoreContract {
    static let contents: [StoreContract] = [
        StoreContract("every kind of content comes back as it was") { store in
            var script = StoreScript(store)
            let alice = try script.account("alice")
            let remote = try script.account("zoe@far.example")
            let group = try script.group("garden", [alice])
            let root = try script.post("root", by: alice, in: group)
            for content in try samples(about: root.reference, alice, remote) {
                let event = try script.add(content, by: alice, in: group)
                try require(store.entry(event.id, in: group)?.event, is: event)
            }
            let remotely = try script.post("from afar", by: remote, in: group)
            try require(store.entry(remotely.id, in: group)?.event.author.address, is: remote.address)
        },
        StoreContract("an erased event keeps its envelope and nothing else") { store in
            var script = StoreScript(store)
            let alice = try script.account("alice")
            let group = try script.group("garden", [alice])
            let root = try script.post("root", by: alice, in: group)
            var erased: [Event] = []
            for content in try samples(about: root.reference, alice, alice) {
                erased.append(try script.add(content, by: alice, in: group))
            }
            try script.append([.erase(group, erased.map(\.sequence) + [Sequence(rawValue: 999)])])
            for var event in erased {
                let kind = event.content.kind
                let envelope = try store.envelope(event.id, in: group)
                try require(envelope?.isErased == true && envelope?.kind == kind, "the envelope of a \(kind)")
                event.content = .erased(kind)
                try require(store.entry(event.id, in: group), is: LogEntry(event: event))
            }
            let threaded = erased.first { if case .message(let m) = $0.content { m.thread != nil } else { false } }
            let id = try threaded.map(\.id).orViolation("no sample is in a thread")
            try require(store.envelope(id, in: group)?.thread, is: root.reference)
            try require(store.envelope(root.id, in: ConversationID(rawValue: 99)), is: nil, "elsewhere")
        },
        StoreContract("the newest edit is shown, and a redaction takes all of them") { store in
            var script = StoreScript(store)
            let alice = try script.account("alice")
            let group = try script.group("garden", [alice])
            let message = try script.post("helo", by: alice, in: group)
            var edits: [Event] = []
            for text in ["hallo", "hello"] {
                edits.append(
                    try script.add(.edit(target: message.reference, body: Body(text: text)), by: alice, in: group))
            }
            let newest = try edits.last.orViolation("no edit")
            try require(store.edits(of: message.sequence, in: group), is: edits.map(\.sequence))
            let entry = try store.entry(message.id, in: group)
            try require(entry?.event, is: message, "the message itself")
            try require(
                entry?.edit,
                is: LogEntry.Edit(sequence: newest.sequence, time: newest.time, body: Body(text: "hello")))
            try script.append([.erase(group, [newest.sequence])])
            try require(store.entry(message.id, in: group)?.edit, is: nil, "an edit that was erased alone")
            try script.redact(message, by: alice)
            try require(store.entry(message.id, in: group)?.edit, is: nil)
            try require(store.edits(of: message.sequence, in: group), is: [])
        },
        StoreContract("reactions are grouped in the order in which they came") { store in
            var script = StoreScript(store)
            let people = try ["alice", "bob", "carol"].map { try script.account($0) }
            let group = try script.group("garden", people)
            let message = try script.post("hello", by: people[0], in: group)
            @discardableResult
            func react(_ who: Int, _ key: String, removed: Bool = false) throws -> LogEntry.Reactor {
                let event = try script.add(
                    .reaction(target: message.reference, key: key, removed: removed), by: people[who], in: group)
                return LogEntry.Reactor(people[who].party, at: event.sequence)
            }
            let carol = try react(2, "👍")
            let alice = try react(0, "❤️")
            try react(1, "👍")
            let second = try react(0, "👍")
            try react(1, "👍", removed: true)
            let expected = [
                LogEntry.ReactionCount(key: "👍", by: [carol, second]),
                LogEntry.ReactionCount(key: "❤️", by: [alice]),
            ]
            try require(store.entry(message.id, in: group)?.reactions, is: expected)
            try require(store.hasReaction("👍", by: people[0].id, on: message.sequence, in: group), is: true)
            try require(store.hasReaction("👍", by: people[1].id, on: message.sequence, in: group), is: false)
            try react(0, "❤️", removed: true)
            try react(2, "👍", removed: true)
            let again = try react(2, "👍")
            try require(
                store.entry(message.id, in: group)?.reactions,
                is: [LogEntry.ReactionCount(key: "👍", by: [second, again])])
            try script.redact(message, by: people[0])
            try require(store.entry(message.id, in: group)?.reactions, is: [])
        },
        StoreContract("pins are listed as they were made, and go with their message") { store in
            var script = StoreScript(store)
            let alice = try script.account("alice")
            let group = try script.group("garden", [alice])
            let posts = try ["a", "b", "c"].map { try script.post($0, by: alice, in: group) }
            for post in posts.reversed() {
                try script.add(.pin(target: post.reference, removed: false), by: alice, in: group)
            }
            try require(store.pins(of: group).map(\.event), is: posts.reversed())
            try script.add(.pin(target: posts[1].reference, removed: true), by: alice, in: group)
            try require(store.isPinned(posts[1].sequence, in: group), is: false)
            try require(store.isPinned(posts[0].sequence, in: group), is: true)
            try script.redact(posts[0], by: alice)
            try require(store.pins(of: group).map(\.event), is: [posts[2]])
        },
        StoreContract("a thread is its messages, and its root knows how many") { store in
            var script = StoreScript(store)
            let alice = try script.account("alice")
            let group = try script.group("garden", [alice])
            let root = try script.post("root", by: alice, in: group)
            var replies: [Event] = []
            for index in 0..<5 {
                try script.post("aside \(index)", by: alice, in: group)
                replies.append(try script.post("reply \(index)", by: alice, in: group, thread: root.reference))
            }
            try require(store.thread(root.sequence, in: group, after: .zero, limit: 10).map(\.event), is: replies)
            try require(
                store.thread(root.sequence, in: group, after: replies[1].sequence, limit: 2).map(\.event),
                is: Array(replies[2...3]))
            try require(
                store.entry(root.id, in: group)?.thread, is: LogEntry.ThreadSummary(count: 5, last: replies[4].sequence)
            )
            try script.redact(replies[4], by: alice)
            try require(
                store.entry(root.id, in: group)?.thread, is: LogEntry.ThreadSummary(count: 4, last: replies[3].sequence)
            )
            try require(store.thread(root.sequence, in: group, after: .zero, limit: 10).count, is: 5)
        },
        StoreContract("a report names what and why, the newest first") { store in
            var script = StoreScript(store)
            let alice = try script.account("alice")
            let group = try script.group("garden", [alice])
            let message = try script.post("buy", by: alice, in: group)
            let reports = ["spam", "again", "and again"].map { reason in
                Report(
                    conversation: group, target: message.reference, reporter: alice.party, reason: reason,
                    time: script.time)
            }
            try script.append(reports.map(Write.report))
            try require(store.reports(limit: 2), is: [reports[2], reports[1]])
        },
    ]

    /// One of each kind, with everything that it can hold.
    private static func samples(
        about target: EventReference, _ alice: Account, _ bob: Account
    ) throws -> [Content] {
        let body = Body(
            text: "héllo \u{1F469}\u{200D}\u{1F680} \"quoted\" \\ \u{1} \u{2028} end",
            spans: [
                Span(kind: .bold, start: 0, length: 5), Span(kind: .codeBlock, start: 2, length: 1, value: "swift"),
                Span(kind: .mention, start: 3, length: 3, value: bob.address.description),
            ],
            attachments: [
                Attachment(reference: "media/1", name: "a \"b\".png", mediaType: "image/png", size: 1 << 40),
                Attachment(reference: "media/2", name: "", mediaType: "x/y", size: nil),
            ],
            mentions: [bob.address, alice.address], extras: ["irc/tags": "{\"a\":1}", "x/ü": ""])
        var contents: [Content] = [
            .message(Message(body: body, replyTo: target, thread: target)), .message(Message(body: Body(text: ""))),
            .message(Message(body: Body(text: "reply"), replyTo: target)), .edit(target: target, body: body),
            .edit(target: target, body: Body(text: "")), .redaction(target: target, reason: nil),
            .redaction(target: target, reason: "off topic"), .reaction(target: target, key: "🎉", removed: false),
            .reaction(target: target, key: "+1", removed: true), .pin(target: target, removed: false),
            .pin(target: target, removed: true), .call(CallChange(call: "c-1", step: .started)),
            .call(CallChange(call: "c-1", step: .ended, duration: 65_000)),
            .sealed(scheme: "mls", bytes: [0, 255, 10, 13, 34]), .sealed(scheme: "none", bytes: []),
            .custom(namespace: "org.example", type: "poll", payload: "{\"q\":\"?\"}"),
            .state(StateChange(key: StateKey(namespace: "irc", type: "mode", key: "k"), value: "sécret")),
            .state(StateChange(key: .subject, value: nil)),
        ]
        contents += Standing.allCases.map { standing in
            .membership(
                MembershipChange(
                    subject: bob.party, standing: standing, rank: standing == .joined ? .reader : .owner,
                    reason: standing == .banned ? "why" : nil))
        }
        return contents
    }
}

extension Optional {
    /// The value, or a violation of the contract.
    func orViolation(_ what: String) throws -> Wrapped {
        guard let self else { throw ContractViolation(description: what) }
        return self
    }
}

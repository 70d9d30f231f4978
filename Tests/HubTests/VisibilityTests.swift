import Hub
import TestKit
import Testing

/// DESIGN 1.8: permission at the last step of every path, by one function.
@Suite struct VisibilityTests {
    @Test func aRemovedMemberSeesTheRemovalAndNothingAfter() throws {
        let deployment = try Deployment()
        let alice = try deployment.account("alice")
        let bob = try deployment.account("bob")
        let garden = try deployment.group("garden", by: alice)
        try deployment.submit(.conversation(garden, .join), by: bob)
        let his = deployment.attach(bob, on: 1)
        deployment.run()
        _ = his.take()
        _ = deployment.begin(say("before", garden), by: alice)
        _ = deployment.begin(.conversation(garden, .kick(bob.account, reason: nil)), by: alice)
        _ = deployment.begin(say("after", garden), by: alice)
        deployment.run()
        #expect(
            his.take() == ["@4 ~1 #4 alice says before", "seat ~1 left", "@5 ~1 #5 alice bob is left 0"])

        // The same by resuming, and by reading.
        let again = deployment.attach(bob, from: Cursor(epoch: 1, position: Position(rawValue: 4)), on: 1)
        deployment.run()
        #expect(again.take() == ["@5 ~1 #5 alice bob is left 0"])
        let reader = Reader(hub: deployment.hub)
        let page = try reader.page(garden, .before(nil), limit: 50, for: bob)
        #expect(page.entries.map(\.event.sequence.rawValue) == [3, 4, 5])
    }

    /// What later events made of what one may see is filtered too.
    @Test func whatIsSaidAfterARemovalLeavesNoTraceOnWhatIsKept() throws {
        let deployment = try Deployment()
        let alice = try deployment.account("alice")
        let bob = try deployment.account("bob")
        let garden = try deployment.group("garden", by: alice, access: .private)
        try deployment.submit(.conversation(garden, .invite(bob.account)), by: alice)
        try deployment.submit(.conversation(garden, .join), by: bob)
        let said = try deployment.post("plain", in: garden, by: alice)
        let id = try #require(said.event?.id)
        try deployment.submit(.conversation(garden, .react(target: id, key: "+", removed: false)), by: alice)
        try deployment.submit(.conversation(garden, .kick(bob.account, reason: nil)), by: alice)
        let reader = Reader(hub: deployment.hub)
        #expect(throws: Rejection.self, "nothing has happened since, and still") {
            try reader.receipts(in: garden, for: bob)
        }
        try deployment.submit(.conversation(garden, .edit(target: id, body: Body(text: "secret"))), by: alice)
        try deployment.submit(.conversation(garden, .react(target: id, key: "-", removed: false)), by: alice)
        let inThread = Draft(body: Body(text: "reply"), replyTo: nil, thread: id)
        try deployment.submit(.conversation(garden, .post(inThread)), by: alice)
        try deployment.submit(
            .conversation(garden, .setState(StateChange(key: .name, value: "secret name"))), by: alice)

        let kept = try reader.entry(id, in: garden, for: bob)
        #expect(kept.edit == nil && kept.thread == nil)
        #expect(kept.reactions.map(\.key) == ["+"])
        let page = try reader.page(garden, .before(nil), limit: 50, for: bob)
        #expect(page.entries.first { $0.event.id == id } == kept)
        #expect(page.lastSequence == page.entries.last?.event.sequence, "how far it has come is not told either")
        #expect(throws: Rejection.self) { try reader.summary(of: garden, for: bob) }
        let full = try reader.entry(id, in: garden, for: alice)
        #expect(full.edit?.body.text == "secret" && full.reactions.count == 2 && full.thread?.count == 1)
    }

    /// Whoever looks at a public room from outside does not learn who read what.
    @Test func receiptsAndProfilesAreForMembers() throws {
        let deployment = try Deployment()
        let alice = try deployment.account("alice")
        let eve = try deployment.account("eve")
        let garden = try deployment.group("garden", by: alice, history: .everyone)
        let said = try deployment.post("x", in: garden, by: alice)
        try deployment.submit(
            .conversation(garden, .receipt(thread: nil, deliveredUpTo: nil, readUpTo: said.event?.sequence)),
            by: alice)
        try deployment.submit(
            .setProfile(Profile(displayName: "Alice", avatar: nil, statusText: nil)), by: alice)
        try deployment.submit(.conversation(garden, .knock(reason: nil)), by: eve)
        let reader = Reader(hub: deployment.hub)
        #expect(try reader.receipts(in: garden, for: eve).isEmpty)
        #expect(try reader.receipts(in: garden, for: alice).count == 1)
        let head = try deployment.store.head().position
        func told(_ actor: Actor) throws -> [Change] {
            try reader.changes(
                after: Cursor(epoch: 1, position: .zero), through: head, limit: 100, for: actor
            ).changes.filter { if case .event = $0 { false } else { true } }
        }
        #expect(try told(eve).isEmpty)
        #expect(try told(alice).count == 2)
        let hers = deployment.attach(eve, from: Cursor(epoch: 1, position: .zero))
        deployment.run()
        #expect(!hers.lines.contains { $0.contains("profile") || $0.contains("read #") })
    }

    /// What a blocked person does to a message, or reads, leaves no trace either.
    @Test func aBlockedPersonsReactionsAndReceiptsAreNotTold() throws {
        let deployment = try Deployment()
        let alice = try deployment.account("alice")
        let eve = try deployment.account("eve")
        let garden = try deployment.group("garden", by: alice)
        try deployment.submit(.conversation(garden, .join), by: eve)
        let said = try #require(try deployment.post("x", in: garden, by: alice).event)
        try deployment.submit(.setLedger(StateChange(key: .block(eve.party.address), value: "yes")), by: alice)
        try deployment.submit(.conversation(garden, .react(target: said.id, key: "-", removed: false)), by: eve)
        try deployment.submit(
            .conversation(garden, .receipt(thread: nil, deliveredUpTo: nil, readUpTo: said.sequence)), by: eve)
        let reader = Reader(hub: deployment.hub)
        #expect(try reader.entry(said.id, in: garden, for: alice).reactions.isEmpty)
        #expect(try reader.receipts(in: garden, for: alice).isEmpty)
        let hers = deployment.attach(alice, from: Cursor(epoch: 1, position: .zero))
        deployment.run()
        #expect(!hers.lines.contains { $0.contains("eve read") || $0.contains("eve reacts") })
        let changes = try reader.changes(
            after: Cursor(epoch: 1, position: .zero), through: deployment.store.head().position, limit: 100, for: alice)
        #expect(!changes.changes.contains { if case .receipt = $0 { true } else { false } })
    }

    /// The index knows every text as it is now; who finds what by it is another question.
    @Test func searchFindsWhatOneMaySee() throws {
        let deployment = try Deployment()
        let alice = try deployment.account("alice")
        let bob = try deployment.account("bob")
        let garden = try deployment.group("garden", by: alice, history: .sinceJoined)
        let early = try #require(try deployment.post("roses early", in: garden, by: alice).event)
        try deployment.submit(.conversation(garden, .join), by: bob)
        let plain = try #require(try deployment.post("plain", in: garden, by: alice).event)
        let late = try #require(try deployment.post("roses late", in: garden, by: alice).event)
        let erased = try #require(try deployment.post("roses erased", in: garden, by: alice).event)
        try deployment.submit(.conversation(garden, .kick(bob.account, reason: nil)), by: alice)
        try deployment.submit(
            .conversation(garden, .edit(target: plain.id, body: Body(text: "roses edited"))), by: alice)
        // As the index has it: the edit, and not yet the redaction.
        let texts = [(early, "roses early"), (plain, "roses edited"), (late, "roses late"), (erased, "roses erased")]
        let documents = try texts.map { reference, text in
            SearchDocument(
                key: SearchKey(conversation: garden, sequence: reference.sequence),
                position: try #require(try deployment.store.entry(reference.id, in: garden)).event.position, text: text)
        }
        try deployment.submit(.conversation(garden, .redact(target: erased.id, reason: nil)), by: alice)
        try deployment.store.update(documents, removed: [], through: deployment.store.head().position)
        let reader = Reader(hub: deployment.hub)
        func found(_ actor: Actor) throws -> [EventID] {
            try reader.search("roses", in: nil, before: nil, limit: 10, for: actor).results.map(\.entry.event.id)
        }
        #expect(try found(alice) == [late.id, plain.id, early.id])
        #expect(try found(bob) == [late.id], "not what was before, what came after, or what is gone")
        let first = try reader.search("roses", in: nil, before: nil, limit: 1, for: alice)
        #expect(first.results.map(\.entry.event.id) == [late.id])
        let next = try reader.search("roses", in: nil, before: first.before, limit: 10, for: alice)
        #expect(next.results.map(\.entry.event.id) == [plain.id, early.id] && next.before == nil)
    }

    /// The profile of a blocked person comes on no path.
    @Test func aBlockedPersonsProfileIsNotTold() throws {
        let deployment = try Deployment()
        let alice = try deployment.account("alice")
        let eve = try deployment.account("eve")
        let garden = try deployment.group("garden", by: alice)
        try deployment.submit(.conversation(garden, .join), by: eve)
        try deployment.submit(.setLedger(StateChange(key: .block(eve.party.address), value: "yes")), by: alice)
        try deployment.submit(.setProfile(Profile(displayName: "Eve", avatar: nil, statusText: "hi")), by: eve)
        let hers = deployment.attach(alice, from: Cursor(epoch: 1, position: .zero))
        deployment.run()
        #expect(!hers.lines.contains { $0.contains("profile eve") })
    }

    /// Of two people one blocks the other: what they share is not the other's to change.
    @Test func aBlockedPersonDoesNotChangeADirectConversation() throws {
        let deployment = try Deployment()
        let alice = try deployment.account("alice")
        let eve = try deployment.account("eve")
        let talk = try deployment.submit(.openDirect(with: alice.account, sealing: nil), by: eve).conversation
        try deployment.submit(.setLedger(StateChange(key: .block(eve.party.address), value: "yes")), by: alice)
        for change in [
            StateChange(key: .subject, value: "read me"), StateChange(key: .retention("count"), value: "1"),
        ] {
            let answer = deployment.begin(.conversation(talk, .setState(change)), by: eve)
            deployment.run()
            #expect(answer.rejection?.code == .forbidden)
        }
    }

    @Test func aPrivateConversationDoesNotExistForOthers() throws {
        let deployment = try Deployment()
        let alice = try deployment.account("alice")
        let eve = try deployment.account("eve")
        let hidden = try deployment.group("hidden", by: alice, access: .private)
        let unknown = ConversationID(rawValue: 999)
        for conversation in [hidden, unknown] {
            let answer = deployment.begin(say("hello?", conversation), by: eve)
            let join = deployment.begin(.conversation(conversation, .join), by: eve)
            deployment.run()
            #expect(answer.rejection == Rejection(.notFound, "no such conversation"))
            #expect(join.rejection == Rejection(.notFound, "no such conversation"))
        }
        #expect(throws: Rejection(.notFound, "no such conversation")) {
            try Reader(hub: deployment.hub).page(hidden, .before(nil), limit: 10, for: eve)
        }
        #expect(throws: Rejection(.notFound, "no such conversation")) {
            try Reader(hub: deployment.hub).conversation(named: "hidden", for: eve)
        }
    }

    @Test func aBlockedPersonIsNotHeardOnAnyPath() throws {
        let deployment = try Deployment()
        let alice = try deployment.account("alice")
        let eve = try deployment.account("eve")
        let garden = try deployment.group("garden", by: alice)
        try deployment.submit(.conversation(garden, .join), by: eve)
        let hers = deployment.attach(alice)
        deployment.run()
        try deployment.submit(
            .setLedger(StateChange(key: .block(eve.party.address), value: "yes")), by: alice)
        _ = hers.take()
        try deployment.post("noise", in: garden, by: eve)
        try deployment.post("own", in: garden, by: alice)
        #expect(hers.take().contains { $0.contains("after #3 alice says own") }, "the hole is explained")
        let page = try Reader(hub: deployment.hub).page(garden, .before(nil), limit: 50, for: alice)
        #expect(!page.entries.contains { $0.event.author == eve.party && $0.event.content.kind == .message })
        let direct = deployment.begin(.openDirect(with: alice.account, sealing: nil), by: eve)
        deployment.run()
        #expect(direct.rejection?.code == .forbidden)
    }

    @Test func blockingEndsADirectConversationThatIsOpen() throws {
        let deployment = try Deployment()
        let alice = try deployment.account("alice")
        let eve = try deployment.account("eve")
        let talk = try deployment.submit(.openDirect(with: alice.account, sealing: nil), by: eve).conversation
        try deployment.post("hi", in: talk, by: eve)
        try deployment.submit(.setLedger(StateChange(key: .block(eve.party.address), value: "yes")), by: alice)
        let answer = deployment.begin(say("hi again", talk), by: eve)
        deployment.run()
        #expect(answer.rejection?.code == .forbidden)
        try deployment.submit(.setLedger(StateChange(key: .block(eve.party.address), value: nil)), by: alice)
        #expect((try? deployment.post("sorry", in: talk, by: eve)) != nil)
    }

    @Test func historySinceJoinedHidesThePast() throws {
        let deployment = try Deployment()
        let alice = try deployment.account("alice")
        let bob = try deployment.account("bob")
        let garden = try deployment.group("garden", by: alice, history: .sinceJoined)
        try deployment.post("secret", in: garden, by: alice)
        try deployment.submit(.conversation(garden, .join), by: bob)
        try deployment.post("welcome", in: garden, by: alice)
        let texts = try Reader(hub: deployment.hub).page(garden, .before(nil), limit: 50, for: bob).entries
            .map { Dialect.line(for: .event($0.event, previous: nil)) }
        #expect(!texts.contains { $0.contains("secret") })
        #expect(texts.suffix(2).map { $0.contains("joined") || $0.contains("welcome") } == [true, true])
        // Opened from here on: what was closed stays closed.
        try deployment.submit(
            .conversation(garden, .setState(StateChange(key: .history, value: "members"))), by: alice)
        let carol = try deployment.account("carol")
        try deployment.submit(.conversation(garden, .join), by: carol)
        let hers = try Reader(hub: deployment.hub).page(garden, .before(nil), limit: 50, for: carol).entries
        #expect(!hers.contains { Dialect.line(for: .event($0.event, previous: nil)).contains("secret") })
        #expect(hers.suffix(2).map(\.event.content.kind) == [.state, .membership])
    }

    /// The fast path of live delivery agrees with asking per event.
    @Test func canSeeAllNeverSaysMoreThanCanSee() {
        var random = SeededGenerator(seed: 11)
        for _ in 0..<20_000 {
            var member = Member(
                party: Party(id: AccountID(rawValue: 1), address: Address(handle: Handle("a").unsafelyUnwrapped)),
                standing: .left, rank: .member, intervals: [], since: Timestamp(rawValue: 0))
            var sequence: Int64 = 1
            for _ in 0..<Int.random(in: 0..<5, using: &random) {
                sequence += Int64.random(in: 1...3, using: &random)
                let standing = Standing.allCases.randomElement(using: &random) ?? .joined
                member.apply(
                    MembershipChange(subject: member.party, standing: standing, rank: .member, reason: nil),
                    at: Sequence(rawValue: sequence), time: Timestamp(rawValue: 0))
            }
            var timeline = VisibilityTimeline(HistoryVisibility.allCases.randomElement(using: &random) ?? .members)
            timeline.change(to: .sinceJoined, from: Sequence(rawValue: Int64.random(in: 1...20, using: &random)))
            let blocked: Set<AccountID> = Bool.random(using: &random) ? [AccountID(rawValue: 2)] : []
            let viewer = Viewer(account: AccountID(rawValue: 1), member: member, blocked: blocked)
            let from = Sequence(rawValue: Int64.random(in: 1...20, using: &random))
            guard canSeeAll(viewer, from: from) else { continue }
            for offset in 0..<10 {
                let event = Visible.event(
                    sequence: Sequence(rawValue: from.rawValue + Int64(offset)),
                    author: AccountID(rawValue: Int64.random(in: 1...3, using: &random)),
                    kind: Content.Kind.allCases.randomElement(using: &random) ?? .message, subject: nil)
                #expect(canSee(viewer, event, history: timeline))
            }
        }
    }

    private func say(_ text: String, _ conversation: ConversationID) -> Command {
        .conversation(conversation, .post(Draft(body: Body(text: text))))
    }
}

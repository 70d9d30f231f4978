import Hub
import TestKit
import Testing

/// What rests on a batch that could not be saved.
@Suite struct CommitTests {
    private let deployment: Deployment
    private let alice: Actor
    private let garden: ConversationID

    init() throws {
        deployment = try Deployment()
        alice = try deployment.account("alice")
        garden = try deployment.group("garden", by: alice)
    }

    private func say(_ text: String) -> Command { .conversation(garden, .post(Draft(body: Body(text: text)))) }
    private func name(_ name: String) -> Command {
        .conversation(garden, .setState(StateChange(key: .name, value: name)))
    }

    /// The second finds what the first has only tentatively: it is no more true than the first.
    @Test func whatItAlreadyIsInABatchThatFailsIsRefusedToo() {
        deployment.log.fail(.unavailable("disk full"))
        let answers = [deployment.begin(name("new"), by: alice), deployment.begin(name("new"), by: alice)]
        deployment.run()
        #expect(answers.map { $0.rejection?.code } == [.unavailable, .unavailable])
    }

    /// What was judged by committed state alone keeps its answer.
    @Test func whatCameBeforeTheFirstWriteKeepsItsAnswer() {
        deployment.log.fail(.unavailable("disk full"))
        let known = deployment.begin(.conversation(garden, .join), by: alice)
        let post = deployment.begin(say("x"), by: alice)
        deployment.run()
        #expect(known.rejection == nil && known.result != nil)
        #expect(post.rejection?.code == .unavailable)
    }

    @Test func whatRestedOnABadNeighbourIsJudgedAgain() throws {
        let bob = try deployment.account("bob")
        try deployment.submit(.conversation(garden, .join), by: bob)
        deployment.log.poison("bad")
        let bad = deployment.begin(say("bad"), by: alice)
        let first = deployment.begin(name("new"), by: alice)
        let second = deployment.begin(name("new"), by: alice)
        deployment.run()
        #expect(bad.rejection?.code == .fault)
        #expect(first.rejection == nil && second.rejection == nil)
        #expect(try first.result?.get().event != nil)
        #expect(try second.result?.get().event == nil, "it was so already")
        #expect(try Reader(hub: deployment.hub).state(of: garden, asOf: nil, for: bob)[.name] == "new")
    }

    /// An error after the commit: nobody is told that it is safe, everybody hears of what the log has, and the next event
    /// has the next place.
    @Test func aCommitThatFailedLateIsInTheLogAndNotAcknowledged() throws {
        let sink = deployment.attach(alice)
        deployment.run()
        _ = sink.take()
        deployment.log.failLate(.unsynced("fsync"))
        let answer = deployment.begin(say("perhaps"), by: alice, token: "t1")
        deployment.run()
        #expect(answer.rejection?.code == .unavailable)
        #expect(sink.take() == ["@3 ~1 #3 alice says perhaps"])
        let again = try deployment.submit(say("perhaps"), by: alice, token: "t1")
        #expect(again.isRepeat && again.event?.sequence == Sequence(rawValue: 3))
        #expect(try deployment.post("next", in: garden, by: alice).event?.sequence == Sequence(rawValue: 4))
    }

    @Test func aBlockThatCannotBeSavedIsNotInForce() throws {
        let eve = try deployment.account("eve")
        let block = Command.setLedger(StateChange(key: .block(eve.party.address), value: "yes"))
        for _ in 0..<2 {
            deployment.log.fail(.unavailable("disk full"))
            let answer = deployment.begin(block, by: alice)
            deployment.run()
            #expect(answer.rejection?.code == .unavailable)
        }
        #expect((try? deployment.submit(.openDirect(with: alice.account, sealing: nil), by: eve)) != nil)
        #expect(try deployment.submit(block, by: alice).event != nil)
    }

    /// A marker that was not saved has not moved.
    @Test func aReceiptThatCouldNotBeSavedIsTakenAgain() throws {
        let said = try deployment.post("x", in: garden, by: alice)
        let read = Command.conversation(
            garden, .receipt(thread: nil, deliveredUpTo: nil, readUpTo: said.event?.sequence))
        deployment.log.fail(.unavailable("disk full"))
        let answer = deployment.begin(read, by: alice)
        deployment.run()
        #expect(answer.rejection?.code == .unavailable)
        try deployment.submit(read, by: alice)
        #expect(try deployment.store.receipts(in: garden).map(\.readUpTo) == [said.event?.sequence])
    }

    /// Presence and attendance between commands cost no commit of their own.
    @Test func presenceDoesNotEndABatch() throws {
        let sink = deployment.attach(alice)
        deployment.run()
        let session = try #require(sink.session)
        let before = deployment.log.appends
        for index in 0..<10 {
            _ = deployment.begin(say("\(index)"), by: alice)
            try deployment.hub.setPresence(index % 2 == 0 ? .away : .online, of: session.id, by: alice)
            try deployment.hub.attend(garden, session.id, by: alice, present: index % 2 == 0)
        }
        deployment.run()
        #expect(deployment.log.appends - before == 1)
    }

    @Test func presenceIsLimitedLikeASignal() throws {
        var limits = Limits.unlimited
        limits.signalBurst = 3
        limits.signalsPerSecond = 1
        let deployment = try Deployment(limits: limits)
        let bob = try deployment.account("bob")
        let session = try #require(deployment.attach(bob).session)
        for _ in 0..<3 { try deployment.hub.setPresence(.away, of: session.id, by: bob) }
        #expect(throws: Rejection.self) { try deployment.hub.setPresence(.online, of: session.id, by: bob) }
        #expect(throws: Rejection.self) {
            try deployment.hub.attend(garden, session.id, by: bob, present: true)
        }
    }

    /// What waits when the hub closes is answered.
    @Test func nothingIsLeftUnansweredAtTheEnd() {
        let answers = (0..<600).map { number in
            let answer = Answer()
            // From a task, as a gateway's HTTP operation comes: its continuation must not be lost.
            deployment.hub.submit(say("\(number)"), by: alice, token: nil, on: deployment.lane) { answer.set($0) }
            return answer
        }
        deployment.hub.shutdown()
        deployment.run()
        #expect(answers.allSatisfy { $0.result != nil })
        let late = deployment.begin(say("late"), by: alice)
        deployment.run()
        #expect(late.rejection?.code == .busy)
    }

    @Test func slowModeDoesNotRememberWhatWasNotSaved() throws {
        let bob = try deployment.account("bob")
        try deployment.submit(.conversation(garden, .join), by: bob)
        try deployment.submit(
            .conversation(
                garden, .setState(StateChange(key: StateKey(namespace: "", type: "slow-mode", key: ""), value: "60"))),
            by: alice)
        deployment.log.fail(.unavailable("disk full"))
        let lost = deployment.begin(say("x"), by: bob)
        deployment.run()
        #expect(lost.rejection?.code == .unavailable)
        #expect((try? deployment.submit(say("x"), by: bob)) != nil)
        let soon = deployment.begin(say("y"), by: bob)
        deployment.run()
        #expect(soon.rejection?.code == .rateLimited)
    }
}

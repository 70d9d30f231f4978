import Hub
import Synchronization
import TestKit
import Testing

/// DESIGN 4: the life of one message.
@Suite struct TalkTests {
    @Test func twoPeopleOnTwoLoopsHearEachOtherInOrder() throws {
        let deployment = try Deployment()
        let alice = try deployment.account("alice")
        let bob = try deployment.account("bob")
        let garden = try deployment.group("garden", by: alice)
        try deployment.submit(.conversation(garden, .join), by: bob)
        let hers = deployment.attach(alice, on: 0)
        let his = deployment.attach(bob, on: 1)
        deployment.run()
        #expect(hers.readyAt != nil && his.readyAt != nil)
        _ = (hers.take(), his.take())

        try deployment.post("one", in: garden, by: alice)
        try deployment.post("two", in: garden, by: bob)
        let expected = ["@4 ~1 #4 alice says one", "@5 ~1 #5 bob says two"]
        #expect(hers.take() == expected)
        #expect(his.take() == expected)
    }

    @Test func nobodyHearsOfAnEventBeforeItIsSaved() throws {
        let deployment = try Deployment()
        let alice = try deployment.account("alice")
        let garden = try deployment.group("garden", by: alice)
        let sink = deployment.attach(alice)
        deployment.run()
        _ = sink.take()
        let answer = deployment.begin(.conversation(garden, .post(Draft(body: Body(text: "x")))), by: alice)
        deployment.loops[0].run()
        #expect(answer.result == nil && sink.lines.isEmpty)

        deployment.log.fail(.unavailable("disk full"))
        deployment.run()
        #expect(answer.rejection?.code == .unavailable)
        #expect(sink.lines.isEmpty)
        // The sequence has no hole where the failure was.
        #expect(try deployment.post("y", in: garden, by: alice).event?.sequence == Sequence(rawValue: 3))
        #expect(sink.take() == ["@3 ~1 #3 alice says y"])
    }

    @Test func whatWaitsIsSavedTogether() throws {
        let deployment = try Deployment()
        let alice = try deployment.account("alice")
        let garden = try deployment.group("garden", by: alice)
        let before = deployment.log.appends
        let answers = (0..<1_000).map { index in
            deployment.begin(.conversation(garden, .post(Draft(body: Body(text: "\(index)")))), by: alice)
        }
        deployment.run()
        #expect(deployment.log.appends - before == 2, "1,000 commands at 500 a batch")
        let sequences = answers.compactMap { try? $0.result?.get().event?.sequence.rawValue }
        #expect(sequences == Array(3...1_002))
    }

    @Test func oneBadCommandDoesNotFailItsNeighbours() throws {
        let deployment = try Deployment()
        let alice = try deployment.account("alice")
        let garden = try deployment.group("garden", by: alice)
        let sink = deployment.attach(alice)
        deployment.run()
        _ = sink.take()
        deployment.log.poison("bad")
        let answers = ["one", "bad", "two"].map {
            deployment.begin(.conversation(garden, .post(Draft(body: Body(text: $0)))), by: alice)
        }
        deployment.run()
        #expect(answers[1].rejection?.code == .fault)
        #expect(answers.compactMap { try? $0.result?.get().event?.sequence.rawValue } == [3, 4])
        #expect(sink.take() == ["@3 ~1 #3 alice says one", "@4 ~1 #4 alice says two"])
    }

    @Test func aTokenGivesTheFirstAcceptanceHoweverOftenAndLate() throws {
        let deployment = try Deployment()
        let alice = try deployment.account("alice")
        let garden = try deployment.group("garden", by: alice)
        let post = Command.conversation(garden, .post(Draft(body: Body(text: "once"))))
        // Twice in one batch, then again later.
        let first = deployment.begin(post, by: alice, token: "t1")
        let second = deployment.begin(post, by: alice, token: "t1")
        deployment.run()
        let accepted = try #require(try first.result?.get())
        let repeated = try #require(try second.result?.get())
        #expect(!accepted.isRepeat && repeated.isRepeat)
        #expect(accepted.event == repeated.event)
        #expect(try deployment.submit(post, by: alice, token: "t1").event == accepted.event)

        let other = Command.conversation(garden, .post(Draft(body: Body(text: "other"))))
        let conflict = deployment.begin(other, by: alice, token: "t1")
        deployment.run()
        #expect(conflict.rejection?.code == .tokenConflict)
        #expect(try deployment.store.events(after: .zero, limit: 100).count == 3)
    }

    @Test func anEventIsEncodedOncePerDialectAndLoop() throws {
        let deployment = try Deployment(loops: 2)
        let counter = EncodeCounter()
        let dialect = Dialect("counting") { _, out in
            counter.count()
            out.writeString("x\n")
        }
        let alice = try deployment.account("alice")
        let garden = try deployment.group("garden", by: alice)
        var sinks: [RecordingSink] = []
        for number in 0..<20 {
            let member = try deployment.account("member\(number)")
            try deployment.submit(.conversation(garden, .join), by: member)
            sinks.append(deployment.attach(member, on: number % 2, dialect: dialect))
        }
        deployment.run()
        counter.reset()
        for sink in sinks { _ = sink.take() }
        let flushes = sinks.map(\.flushes)
        for _ in 0..<3 {
            _ = deployment.begin(.conversation(garden, .post(Draft(body: Body(text: "x")))), by: alice)
        }
        deployment.run()
        #expect(counter.value == 6, "3 events × 2 loops")
        #expect(sinks.allSatisfy { $0.lines.count == 3 })
        #expect(zip(sinks, flushes).allSatisfy { $0.flushes == $1 + 1 }, "one flush for the whole batch")
    }

    @Test func aFullInboxSaysBusy() throws {
        var limits = Limits.unlimited
        limits.inbox = 3
        let deployment = try Deployment(limits: limits)
        let alice = try deployment.account("alice")
        let answers = (0..<5).map { _ in
            deployment.begin(.openDirect(with: alice.account, sealing: nil), by: alice)
        }
        deployment.run()
        #expect(answers.filter { $0.rejection?.code == .busy }.count == 2)
    }

    @Test func ratesAreSummedOverAllDevices() throws {
        let deployment = try Deployment(limits: Limits())
        let alice = try deployment.account("alice")
        let account = try #require(try deployment.store.account(alice.account))
        let phone = try deployment.device(of: account)
        let garden = try deployment.group("garden", by: alice)
        let answers = (0..<40).map { index in
            deployment.begin(
                .conversation(garden, .post(Draft(body: Body(text: "\(index)")))),
                by: index.isMultiple(of: 2) ? alice : phone)
        }
        deployment.run()
        let limited = answers.compactMap(\.rejection)
        #expect(limited.count == 11, "a burst of 30, one spent on the group")
        #expect(limited.allSatisfy { $0.code == .rateLimited && ($0.retryAfter ?? 0) > 0 })
        deployment.clock.advance(milliseconds: 1_000)
        #expect((try? deployment.post("later", in: garden, by: phone)) != nil)
    }
}

final class EncodeCounter: Sendable {
    private let box = Mutex(0)
    func count() { box.withLock { $0 += 1 } }
    func reset() { box.withLock { $0 = 0 } }
    var value: Int { box.withLock { $0 } }
}

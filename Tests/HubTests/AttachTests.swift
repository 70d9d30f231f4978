import Hub
import TestKit
import Testing

/// DESIGN 4, «Attaching without a gap»: one rule for first login, reconnect and resumption.
@Suite struct AttachTests {
    @Test func aSessionResumesAfterItsCursor() throws {
        let deployment = try Deployment()
        let alice = try deployment.account("alice")
        let garden = try deployment.group("garden", by: alice)
        for index in 1...2_500 { _ = deployment.begin(say("m\(index)", garden), by: alice) }
        deployment.run()
        let sink = deployment.attach(alice, from: Cursor(epoch: 1, position: Position(rawValue: 100)))
        deployment.run()
        #expect(sink.lines.count == 2_402, "pages of 1,000")
        #expect(sink.lines.first == "@101 ~1 #101 alice says m99")
        #expect(sink.lines.last == "@2502 ~1 #2502 alice says m2500")
        #expect(sink.readyAt == Cursor(epoch: 1, position: Position(rawValue: 2_502)))
    }

    @Test func aCursorOfAnotherLogIsToldSo() throws {
        let deployment = try Deployment()
        let alice = try deployment.account("alice")
        let garden = try deployment.group("garden", by: alice)
        for cursor in [Cursor(epoch: 9, position: .zero), Cursor(epoch: 1, position: Position(rawValue: 99))] {
            let sink = deployment.attach(alice, from: cursor)
            deployment.run()
            #expect(sink.lostContinuity && sink.lines.isEmpty)
            try deployment.post("x", in: garden, by: alice)
            #expect(sink.lines.count == 1)
        }
    }

    @Test func catchingUpPausesWhileTheSinkIsFull() throws {
        let deployment = try Deployment()
        let alice = try deployment.account("alice")
        let garden = try deployment.group("garden", by: alice)
        for index in 1...1_500 { _ = deployment.begin(say("m\(index)", garden), by: alice) }
        deployment.run()
        let sink = deployment.attach(alice, from: Cursor(epoch: 1, position: .zero))
        sink.isWritable = false
        deployment.run()
        #expect(sink.lines.isEmpty && sink.readyAt == nil)
        try deployment.post("meanwhile", in: garden, by: alice)
        sink.isWritable = true
        deployment.hub.audience(on: deployment.loops[0])?.becameWritable(try #require(sink.session))
        deployment.run()
        #expect(sink.lines.first == "seat ~1 joined", "the place is told before its events")
        #expect(sink.lines.count == 1_504)
        #expect(sink.lines.last == "@1503 ~1 #1503 alice says meanwhile")
        #expect(sink.readyAt != nil)
    }

    /// Posts, attachments with every kind of cursor and the turns of lane and loops in random order: each session gets
    /// each position after its cursor once and in order.
    @Test(arguments: 1...40) func noGapAndNoOverlapInAnyOrder(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let deployment = try Deployment(loops: 2)
        let alice = try deployment.account("alice")
        let gardens = try ["a", "b", "c"].map { try deployment.group($0, by: alice) }
        let readers = try (0..<4).map { try deployment.account("reader\($0)") }
        for reader in readers {
            for garden in gardens { try deployment.submit(.conversation(garden, .join), by: reader) }
        }
        let start = try deployment.store.head().position.rawValue
        var sinks: [(sink: RecordingSink, from: Int64, loop: Int)] = []
        for step in 0..<300 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<5:
                let garden = gardens[Int.random(in: 0..<3, using: &random)]
                _ = deployment.begin(say("m\(step)", garden), by: alice, on: Int.random(in: 0..<2, using: &random))
            case 5: deployment.lane.run()
            case 6, 7: deployment.loops[Int.random(in: 0..<2, using: &random)].run()
            case 8 where sinks.count < 40:
                let head = try deployment.store.head().position.rawValue
                let from = Int64.random(in: start...head, using: &random)
                let loop = Int.random(in: 0..<2, using: &random)
                let sink = deployment.attach(
                    readers[Int.random(in: 0..<4, using: &random)],
                    from: Cursor(epoch: 1, position: Position(rawValue: from)), on: loop)
                sinks.append((sink, from, loop))
            default:
                guard let chosen = sinks.randomElement(using: &random), let session = chosen.sink.session else {
                    continue
                }
                chosen.sink.isWritable.toggle()
                if chosen.sink.isWritable {
                    deployment.hub.audience(on: deployment.loops[chosen.loop])?.becameWritable(session)
                }
            }
        }
        for (sink, _, loop) in sinks {
            sink.isWritable = true
            if let session = sink.session {
                deployment.hub.audience(on: deployment.loops[loop])?.becameWritable(session)
            }
        }
        deployment.run()
        let head = try deployment.store.head().position.rawValue
        for (sink, from, _) in sinks {
            let positions = sink.lines.filter { $0.hasPrefix("@") }
                .compactMap { Int64($0.dropFirst().prefix { $0 != " " }) }
            #expect(positions == Array((from + 1)..<(head + 1)), "seed \(seed), from \(from)")
            #expect(sink.readyAt != nil)
        }
    }

    /// A place that begins while a page is on its way: its events are neither skipped nor told before it.
    @Test func whoJoinsWhileCatchingUpMissesNothing() throws {
        let deployment = try Deployment()
        let alice = try deployment.account("alice")
        let bob = try deployment.account("bob")
        let garden = try deployment.group("garden", by: alice)
        try deployment.post("before", in: garden, by: alice)
        let start = Cursor(epoch: 1, position: .zero)
        let his = deployment.attach(bob, from: start, on: 1)
        deployment.readers.hold()
        deployment.run()
        // The lane commits; bob's loop has not heard of it when his page is read.
        _ = deployment.begin(.conversation(garden, .join), by: bob)
        _ = deployment.begin(say("welcome", garden), by: alice)
        deployment.lane.run()
        deployment.readers.release()
        deployment.run()
        #expect(
            his.take() == [
                "seat ~1 joined", "@4 ~1 #4 bob bob is joined 0", "@5 ~1 #5 alice says welcome",
            ])
        #expect(his.readyAt != nil)
    }

    /// A place that changes while a session catches up is told as it is now.
    @Test func aPlaceThatChangesWhileCatchingUpIsToldAsItIs() throws {
        let deployment = try Deployment()
        let alice = try deployment.account("alice")
        let bob = try deployment.account("bob")
        let garden = try deployment.group("garden", by: alice)
        let his = deployment.attach(bob, from: Cursor(epoch: 1, position: .zero), on: 1)
        his.isWritable = false
        deployment.run()
        try deployment.submit(.conversation(garden, .join), by: bob)
        try deployment.submit(.conversation(garden, .setRank(bob.account, .moderator)), by: alice)
        try deployment.post("hello", in: garden, by: alice)
        his.isWritable = true
        deployment.hub.audience(on: deployment.loops[1])?.becameWritable(try #require(his.session))
        deployment.run()
        let lines = his.take()
        #expect(lines.contains("seat ~1 joined"))
        #expect(lines.contains { $0.hasSuffix("alice says hello") })
        #expect(his.readyAt != nil)
    }

    @Test func aLongPageIsWrittenInPieces() throws {
        let deployment = try Deployment()
        let alice = try deployment.account("alice")
        let garden = try deployment.group("garden", by: alice)
        let text = String(repeating: "x", count: 60_000)
        for _ in 0..<20 { _ = deployment.begin(say(text, garden), by: alice) }
        deployment.run()
        let hers = deployment.attach(alice, from: Cursor(epoch: 1, position: .zero))
        deployment.run()
        #expect(hers.lines.count == 23)
        #expect(hers.writes >= 20, "not one write of a megabyte")
    }

    /// Retention while a session is behind: it is told what it will not get.
    @Test func whatRetentionTookMeanwhileIsTold() throws {
        let deployment = try Deployment()
        let alice = try deployment.account("alice")
        let garden = try deployment.group("garden", by: alice)
        for index in 1...20 { try deployment.post("m\(index)", in: garden, by: alice) }
        let hers = deployment.attach(alice, from: Cursor(epoch: 1, position: Position(rawValue: 4)))
        hers.isWritable = false
        deployment.run()
        try deployment.store.append([
            .prune(garden, before: Sequence(rawValue: 11), through: Position(rawValue: 10))
        ])
        hers.isWritable = true
        deployment.hub.audience(on: deployment.loops[0])?.becameWritable(try #require(hers.session))
        deployment.run()
        let lines = hers.take()
        #expect(lines.first == "gap ~1 from #11")
        #expect(lines.filter { $0.hasPrefix("@") }.count == 12)
    }

    /// Who it is was read before the device went.
    @Test func aDeviceThatIsGoneDoesNotAttach() async throws {
        let deployment = try Deployment()
        let alice = try deployment.account("alice")
        let garden = try deployment.group("garden", by: alice)
        _ = try deployment.store.revoke(alice.device)
        let sink = deployment.attach(alice)
        deployment.run()
        #expect(sink.end == .rejected(Rejection(.unauthenticated, "the device was signed out")))
        let bob = try deployment.account("bob")
        let hub = deployment.hub
        async let revoked = hub.revoke(bob.device, of: bob.account)
        let late = deployment.attach(bob)
        while late.end == nil {
            deployment.run()
            await Task.yield()
        }
        #expect(try await revoked)
        let post = deployment.begin(.conversation(garden, .join), by: bob)
        deployment.run()
        #expect(post.rejection?.code == .unauthenticated)
    }

    @Test func aClosedAccountDoesNotAttach() throws {
        let deployment = try Deployment()
        let alice = try deployment.account("alice")
        try deployment.store.update(alice.account, administrator: nil, disabled: true, kind: nil)
        let sink = deployment.attach(alice)
        deployment.run()
        #expect(sink.end == .rejected(Rejection(.unauthenticated, "the account is closed")))
    }

    @Test func theOtherDevicesOfAnAccountStay() async throws {
        let deployment = try Deployment()
        let phone = try deployment.account("alice")
        let account = try #require(try deployment.store.account(phone.account))
        let laptop = try deployment.device(of: account)
        let (first, second) = (deployment.attach(phone), deployment.attach(laptop, on: 1))
        deployment.run()
        let hub = deployment.hub
        async let revoked = hub.revoke(phone.device, of: phone.account)
        while first.end == nil {
            deployment.run()
            await Task.yield()
        }
        _ = try await revoked
        deployment.run()
        #expect(second.end == nil)
        let garden = try deployment.group("garden", by: laptop)
        try deployment.post("still here", in: garden, by: laptop)
        #expect(second.lines.contains { $0.hasSuffix("says still here") })
    }

    @Test func aRevokedDeviceIsGone() async throws {
        let deployment = try Deployment()
        let alice = try deployment.account("alice")
        let sink = deployment.attach(alice)
        deployment.run()
        let hub = deployment.hub
        async let revoked = hub.revoke(alice.device, of: alice.account)
        while sink.end == nil {
            deployment.run()
            await Task.yield()
        }
        #expect(sink.end == .revoked)
        #expect(try await revoked)
    }

    private func say(_ text: String, _ conversation: ConversationID) -> Command {
        .conversation(conversation, .post(Draft(body: Body(text: text))))
    }
}

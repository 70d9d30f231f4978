import Hub
import TestKit
import Testing

@Suite struct PresenceAndSignalTests {
    let deployment: Deployment
    let alice: Actor
    let bob: Actor
    let garden: ConversationID
    let hers: RecordingSink

    init() throws {
        deployment = try Deployment()
        alice = try deployment.account("alice")
        bob = try deployment.account("bob")
        garden = try deployment.group("garden", by: alice)
        try deployment.submit(.conversation(garden, .join), by: bob)
        hers = deployment.attach(alice, on: 0)
        deployment.run()
        _ = hers.take()
    }

    @Test func presenceIsFoldedFromAllSessions() throws {
        let phone = deployment.attach(bob, on: 1)
        deployment.run()
        #expect(hers.take() == ["bob is online"])
        let laptop = deployment.attach(bob, on: 0)
        deployment.run()
        #expect(hers.take().isEmpty)
        if let session = laptop.session { try deployment.hub.setPresence(.away, of: session.id, by: bob) }
        deployment.run()
        #expect(hers.take().isEmpty, "the phone is still online")
        deployment.detach(phone, on: 1)
        deployment.run()
        #expect(hers.take() == ["bob is away"])
        deployment.detach(laptop, on: 0)
        deployment.run()
        #expect(hers.take() == ["bob is offline"])
    }

    @Test func attendanceIsTheirThereNow() throws {
        let his = deployment.attach(bob, on: 1)
        deployment.run()
        _ = hers.take()
        if let session = his.session { try deployment.hub.attend(garden, session.id, by: bob, present: true) }
        deployment.run()
        #expect(hers.take() == ["bob attends"])
        deployment.detach(his, on: 1)
        deployment.run()
        #expect(hers.take() == ["bob goes", "bob is offline"])
    }

    @Test func signalsGoToMembersAndOnlyFromThoseWhoMayWrite() throws {
        let his = deployment.attach(bob, on: 1)
        deployment.run()
        _ = (hers.take(), his.take())
        let audience = try #require(deployment.hub.audience(on: deployment.loops[1]))
        let session = try #require(his.session)
        let typing: (Party) -> Signal = { .typing(ConversationSignal(conversation: garden, party: $0), active: true) }
        #expect(audience.send(typing, in: garden, from: session) == nil)
        deployment.loops[0].run()
        #expect(hers.take() == ["bob types"], "one hop, no lane")

        try deployment.submit(.conversation(garden, .setRank(bob.account, .reader)), by: alice)
        #expect(audience.send(typing, in: garden, from: session)?.code == .forbidden)
        try deployment.submit(.conversation(garden, .kick(bob.account, reason: nil)), by: alice)
        #expect(audience.send(typing, in: garden, from: session)?.code == .forbidden)
    }

    @Test func aFullConnectionDoesWithoutSignals() throws {
        let his = deployment.attach(bob, on: 1)
        deployment.run()
        _ = hers.take()
        hers.isWritable = false
        let audience = try #require(deployment.hub.audience(on: deployment.loops[1]))
        _ = audience.send(
            { .typing(ConversationSignal(conversation: garden, party: $0), active: true) }, in: garden,
            from: try #require(his.session))
        deployment.run()
        #expect(hers.take().isEmpty)
        try deployment.post("durable", in: garden, by: bob)
        #expect(hers.take().count == 1, "events are queued; the gateway closes a connection that is too slow")
    }

    @Test func receiptsMoveForwardOnly() throws {
        for index in 1...5 { try deployment.post("\(index)", in: garden, by: bob) }
        _ = hers.take()
        let read = { (sequence: Int64) in
            ConversationCommand.receipt(thread: nil, deliveredUpTo: nil, readUpTo: Sequence(rawValue: sequence))
        }
        try deployment.submit(.conversation(garden, read(5)), by: bob)
        #expect(hers.take() == ["@9 ~1 bob read #5 delivered #5"])
        try deployment.submit(.conversation(garden, read(4)), by: bob)
        #expect(hers.take().isEmpty)
        let ahead = deployment.begin(.conversation(garden, read(99)), by: bob)
        deployment.run()
        #expect(ahead.rejection?.code == .invalidValue)
        let unread = try Reader(hub: deployment.hub).unread(in: garden, for: alice)
        #expect(unread.count == 5 && unread.first == Sequence(rawValue: 4))
    }

    @Test func anAccountHasLimitedSessions() {
        var sinks: [RecordingSink] = []
        for _ in 0..<21 { sinks.append(deployment.attach(bob, on: 1)) }
        deployment.run()
        #expect(sinks.filter { $0.readyAt != nil }.count == 20)
        if case .rejected(let rejection)? = sinks.last?.end {
            #expect(rejection.code == .limitReached)
        } else {
            Issue.record("the 21st session should be refused")
        }
    }

    @Test func aProfileReachesThoseWhoShareAConversation() throws {
        let eve = try deployment.account("eve")
        let others = deployment.attach(eve, on: 1)
        deployment.run()
        _ = others.take()
        try deployment.submit(.setProfile(Profile(displayName: "Bob B.")), by: bob)
        #expect(hers.take() == ["@4 profile bob"])
        #expect(others.take().isEmpty)
    }
}

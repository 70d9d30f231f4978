import Hub
import TestKit
import Testing

@Suite struct MembershipTests {
    let deployment: Deployment
    let alice: Actor
    let bob: Actor
    let carol: Actor
    let garden: ConversationID

    init() throws {
        deployment = try Deployment()
        alice = try deployment.account("alice")
        bob = try deployment.account("bob")
        carol = try deployment.account("carol")
        garden = try deployment.group("garden", by: alice)
        try deployment.submit(.conversation(garden, .join), by: bob)
        try deployment.submit(.conversation(garden, .join), by: carol)
    }

    private func refusal(_ command: ConversationCommand, by actor: Actor) -> Rejection.Code? {
        let answer = deployment.begin(.conversation(garden, command), by: actor)
        deployment.run()
        return answer.rejection?.code
    }

    @Test func ranksDecideWhoModerates() throws {
        #expect(refusal(.kick(carol.account, reason: nil), by: bob) == .forbidden)
        #expect(refusal(.setRank(bob.account, .moderator), by: carol) == .forbidden)
        #expect(refusal(.setRank(bob.account, .moderator), by: alice) == nil)
        #expect(refusal(.kick(alice.account, reason: nil), by: bob) == .forbidden, "nobody removes a higher rank")
        #expect(refusal(.setRank(carol.account, .owner), by: bob) == .forbidden)
        #expect(refusal(.kick(carol.account, reason: "loud"), by: bob) == nil)
        #expect(refusal(.post(Draft(body: Body(text: "x"))), by: carol) == .forbidden)
    }

    @Test func aBanHoldsUntilItIsLifted() {
        #expect(refusal(.ban(carol.account, reason: "spam"), by: alice) == nil)
        #expect(refusal(.join, by: carol) == .banned)
        #expect(refusal(.post(Draft(body: Body(text: "x"))), by: carol) == .banned)
        #expect(refusal(.invite(carol.account), by: alice) == .banned)
        #expect(refusal(.unban(carol.account), by: alice) == nil)
        #expect(refusal(.join, by: carol) == nil)
    }

    @Test func aPatternBansWhoIsNotInYet() throws {
        let key = BanPattern.key("spam*")
        #expect(refusal(.setState(StateChange(key: key, value: "bots")), by: bob) == .forbidden)
        #expect(refusal(.setState(StateChange(key: key, value: "bots")), by: alice) == nil)
        let spammer = try deployment.account("spammer1")
        #expect(refusal(.join, by: spammer) == .banned)
    }

    @Test func theLastOwnerCannotLeaveTheOthersAlone() {
        #expect(refusal(.leave(reason: nil), by: alice) == .notApplicable)
        #expect(refusal(.setRank(alice.account, .member), by: alice) == .notApplicable)
        #expect(refusal(.setRank(bob.account, .owner), by: alice) == nil)
        #expect(refusal(.leave(reason: nil), by: alice) == nil)
    }

    @Test func thereIsOneDirectConversationPerPair() throws {
        let first = try deployment.submit(.openDirect(with: bob.account, sealing: nil), by: alice)
        let second = try deployment.submit(.openDirect(with: alice.account, sealing: nil), by: bob)
        #expect(first.conversation == second.conversation)
        let sealed = try deployment.submit(.openDirect(with: alice.account, sealing: "mls"), by: bob)
        #expect(sealed.conversation != first.conversation)
        let note = try deployment.submit(.openDirect(with: alice.account, sealing: nil), by: alice)
        #expect((try? deployment.post("to myself", in: note.conversation, by: alice)) != nil)
        let eve = try deployment.account("eve")
        #expect(throws: Rejection(.notFound, "no such conversation")) {
            try deployment.post("psst", in: first.conversation, by: eve)
        }
    }

    @Test func invitationsReachTheInvited() throws {
        let hidden = try deployment.group("hidden", by: alice, access: .private)
        let sink = deployment.attach(bob, on: 1)
        deployment.run()
        _ = sink.take()
        try deployment.submit(.conversation(hidden, .invite(bob.account)), by: alice)
        #expect(sink.take() == ["seat ~2 invited", "@7 ~2 #3 alice bob is invited 0"])
        try deployment.post("before bob", in: hidden, by: alice)
        #expect(sink.take().isEmpty, "an invitation shows nothing of the conversation yet")
        try deployment.submit(.conversation(hidden, .join), by: bob)
        try deployment.post("hello bob", in: hidden, by: alice)
        let welcome = ["seat ~2 joined", "@9 ~2 #5 after #3 bob bob is joined 0", "@10 ~2 #6 alice says hello bob"]
        #expect(sink.take() == welcome, "what was hidden is a hole that is explained")
    }

    @Test func editsRedactionsReactionsAndPinsFollowTheRules() throws {
        let said = try deployment.post("helo", in: garden, by: bob)
        let id = try #require(said.event?.id)
        #expect(refusal(.edit(target: id, body: Body(text: "hello")), by: alice) == .forbidden)
        #expect(refusal(.edit(target: id, body: Body(text: "hello")), by: bob) == nil)
        #expect(refusal(.react(target: id, key: "👍", removed: false), by: carol) == nil)
        #expect(refusal(.pin(target: id, removed: false), by: carol) == .forbidden)
        #expect(refusal(.pin(target: id, removed: false), by: alice) == nil)
        let entry = try Reader(hub: deployment.hub).entry(id, in: garden, for: carol)
        #expect(entry.edit?.body.text == "hello" && entry.reactions.first?.by.map(\.party) == [carol.party])

        #expect(refusal(.redact(target: id, reason: nil), by: carol) == .forbidden)
        #expect(refusal(.redact(target: id, reason: "mistake"), by: alice) == nil)
        let page = try Reader(hub: deployment.hub).page(garden, .before(nil), limit: 50, for: carol)
        let traces = page.entries.filter { Dialect.line(for: .event($0.event, previous: nil)).contains("hel") }
        #expect(traces.isEmpty, "the text and its edits are gone")
        #expect(refusal(.edit(target: id, body: Body(text: "again")), by: bob) == .erased)
        #expect(refusal(.react(target: id, key: "👍", removed: false), by: carol) == .erased)
    }

    @Test func anEditThatRacesARedactionLeavesNothing() throws {
        let id = try #require(try deployment.post("secret", in: garden, by: bob).event?.id)
        let redaction = deployment.begin(.conversation(garden, .redact(target: id, reason: nil)), by: bob)
        let edit = deployment.begin(.conversation(garden, .edit(target: id, body: Body(text: "secret!"))), by: bob)
        deployment.run()
        #expect(redaction.rejection == nil && edit.rejection?.code == .erased)
    }

    @Test func slowModeAndBroadcastLimitWriting() throws {
        #expect(refusal(.setState(StateChange(key: .slowMode, value: "60")), by: alice) == nil)
        #expect(refusal(.post(Draft(body: Body(text: "1"))), by: bob) == nil)
        #expect(refusal(.post(Draft(body: Body(text: "2"))), by: bob) == .rateLimited)
        deployment.clock.advance(milliseconds: 60_000)
        #expect(refusal(.post(Draft(body: Body(text: "3"))), by: bob) == nil)
        let news = try deployment.submit(
            .create(NewConversation(kind: .broadcast, handle: Handle("news"), access: .public)), by: alice
        ).conversation
        try deployment.submit(.conversation(news, .join), by: bob)
        #expect(throws: Rejection.self) { try deployment.post("me too", in: news, by: bob) }
        #expect((try? deployment.post("extra, extra", in: news, by: alice)) != nil)
    }

    @Test func anAdministratorModeratesGroupsButDoesNotReadThem() throws {
        let root = try deployment.account("root1", administrator: true)
        let hidden = try deployment.group("hidden", by: alice, access: .private)
        try deployment.submit(.conversation(hidden, .invite(bob.account)), by: alice)
        try deployment.submit(.conversation(hidden, .join), by: bob)
        try deployment.post("private", in: hidden, by: alice)
        #expect(throws: Rejection.self) {
            try Reader(hub: deployment.hub).page(hidden, .before(nil), limit: 9, for: root)
        }
        try deployment.submit(.conversation(hidden, .kick(bob.account, reason: nil)), by: root)
        #expect(throws: Rejection.self) { try deployment.post("x", in: hidden, by: root) }
    }
}

import Hub
import TestKit
import Testing

/// Who may do what to whom, and how much there may be of it.
@Suite struct StandingRuleTests {
    private let deployment: Deployment
    private let alice: Actor
    private let bob: Actor
    private let garden: ConversationID

    init() throws {
        var limits = Limits.unlimited
        limits.members = 3
        limits.conversationsPerAccount = 4
        deployment = try Deployment(limits: limits)
        alice = try deployment.account("alice")
        bob = try deployment.account("bob")
        garden = try deployment.group("garden", by: alice)
        try deployment.submit(.conversation(garden, .join), by: bob)
    }

    private func refusal(_ command: ConversationCommand, by actor: Actor) -> Rejection.Code? {
        answer(.conversation(garden, command), by: actor)
    }

    private func answer(_ command: Command, by actor: Actor) -> Rejection.Code? {
        let answer = deployment.begin(command, by: actor)
        deployment.run()
        return answer.rejection?.code
    }

    @Test func nobodyRemovesOrLowersAnEqual() throws {
        let carol = try deployment.account("carol")
        try deployment.submit(.conversation(garden, .join), by: carol)
        for account in [bob.account, carol.account] {
            #expect(refusal(.setRank(account, .admin), by: alice) == nil)
        }
        #expect(refusal(.kick(carol.account, reason: nil), by: bob) == .forbidden)
        #expect(refusal(.ban(carol.account, reason: nil), by: bob) == .forbidden)
        #expect(refusal(.setRank(carol.account, .member), by: bob) == .forbidden)
        #expect(refusal(.setRank(bob.account, .owner), by: bob) == .forbidden, "nor rises above themselves")
        #expect(refusal(.setRank(carol.account, .member), by: alice) == nil)
        #expect(refusal(.kick(carol.account, reason: nil), by: bob) == nil, "a lower one, yes")
    }

    @Test func nobodyAsksForARankAboveTheirOwn() throws {
        #expect(refusal(.setRank(bob.account, .admin), by: alice) == nil)
        let above = StateChange(key: .permission(.post), value: "100")
        #expect(refusal(.setState(above), by: bob) == .forbidden)
        #expect(refusal(.setState(StateChange(key: .permission(.post), value: "75")), by: bob) == nil)
        #expect(refusal(.setState(above), by: alice) == nil)
    }

    @Test func aConversationHasRoomForSoMany() throws {
        let (carol, dave) = (try deployment.account("carol"), try deployment.account("dave"))
        #expect(refusal(.join, by: carol) == nil)
        #expect(refusal(.join, by: dave) == .limitReached)
        #expect(refusal(.invite(dave.account), by: alice) == .limitReached)
    }

    /// However somebody comes into a conversation: by themselves, by an invitation, by somebody's direct message.
    @Test func nobodyIsPutIntoMoreConversationsThanTheyCanHave() throws {
        let carol = try deployment.account("carol")
        for index in 0..<4 { _ = try deployment.group("own\(index)", by: carol) }
        #expect(
            answer(.create(NewConversation(kind: .group, handle: Handle("more"), access: .public)), by: carol)
                == .limitReached)
        #expect(refusal(.join, by: carol) == .limitReached)
        #expect(refusal(.knock(reason: nil), by: carol) == .limitReached)
        #expect(refusal(.invite(carol.account), by: alice) == .limitReached)
        #expect(answer(.openDirect(with: carol.account, sealing: nil), by: alice) == .limitReached)
        let made = try deployment.submit(
            .create(NewConversation(kind: .group, handle: Handle("party"), access: .public, invite: [carol.account])),
            by: alice)
        #expect(try deployment.store.membership(of: carol.account, in: made.conversation) == nil)
    }

    /// What is free is counted again.
    @Test func whoLeavesMayJoinAnother() throws {
        let carol = try deployment.account("carol")
        for index in 0..<3 { _ = try deployment.group("own\(index)", by: carol) }
        #expect(refusal(.join, by: carol) == nil)
        #expect(refusal(.leave(reason: nil), by: carol) == nil)
        #expect(refusal(.join, by: carol) == nil)
    }

    @Test func guestsMakeNoConversations() throws {
        let guest = try deployment.account("guest-1", kind: .guest)
        let new = NewConversation(kind: .group, handle: Handle("mine"), access: .public)
        #expect(answer(.create(new), by: guest) == .forbidden)
        #expect(refusal(.leave(reason: nil), by: bob) == nil)
        #expect(refusal(.join, by: guest) == nil)
    }

    /// A thread has one level.
    @Test func aReplyInAThreadIsOfTheSameThread() throws {
        let root = try #require(try deployment.post("root", in: garden, by: alice).event)
        func inThread(_ text: String, of thread: EventID) -> Command {
            .conversation(garden, .post(Draft(body: Body(text: text), thread: thread)))
        }
        let first = try #require(try deployment.submit(inThread("first", of: root.id), by: bob).event)
        let second = try #require(try deployment.submit(inThread("second", of: first.id), by: alice).event)
        let reader = Reader(hub: deployment.hub)
        let thread = try reader.thread(root.id, in: garden, after: .zero, limit: 10, for: bob)
        #expect(thread.replies.map(\.event.id) == [first.id, second.id])
        // A receipt for a message in the thread is one for the thread.
        try deployment.submit(
            .conversation(garden, .receipt(thread: second.id, deliveredUpTo: nil, readUpTo: second.sequence)), by: bob)
        #expect(try reader.receipts(in: garden, for: alice).map(\.thread) == [root.sequence])
    }

    /// A thread that is not there must not be taken for the conversation: everything would be marked read.
    @Test func aReceiptForAnUnknownThreadIsRefused() throws {
        let said = try #require(try deployment.post("x", in: garden, by: alice).event)
        let unknown = EventID(high: 1, low: 2)
        #expect(
            refusal(.receipt(thread: unknown, deliveredUpTo: nil, readUpTo: said.sequence), by: bob) == .notFound)
        #expect(try deployment.store.receipts(in: garden).isEmpty)
    }

    @Test func aConversationHasARateOfItsOwn() throws {
        var limits = Limits.unlimited
        limits.conversationCommandsPerSecond = 1
        let deployment = try Deployment(limits: limits)
        let people = try ["alice", "bob"].map { try deployment.account($0) }
        let garden = try deployment.group("garden", by: people[0])
        try deployment.submit(.conversation(garden, .join), by: people[1])
        let answers = (0..<6).map { index in
            deployment.begin(.conversation(garden, .post(Draft(body: Body(text: "\(index)")))), by: people[index % 2])
        }
        deployment.run()
        #expect(answers.compactMap(\.rejection?.code) == [.rateLimited, .rateLimited, .rateLimited, .rateLimited])
    }

    /// The names of those who are banned are for those who may ban.
    @Test func theBannedAreNotListedForEverybody() throws {
        let eve = try deployment.account("eve")
        #expect(refusal(.join, by: eve) == nil)
        #expect(refusal(.ban(eve.account, reason: nil), by: alice) == nil)
        let reader = Reader(hub: deployment.hub)
        func names(_ actor: Actor) throws -> Set<Party> {
            Set(try reader.members(of: garden, after: nil, limit: 10, for: actor).map(\.party))
        }
        #expect(try names(bob) == [alice.party, bob.party])
        #expect(try names(alice) == [alice.party, bob.party, eve.party])
    }

    @Test func aLedgerIsWrittenAsSettingsOnly() throws {
        let change = StateChange(key: StateKey(namespace: "app", type: "theme"), value: "dark")
        let ledger = try deployment.submit(.setLedger(change), by: alice).conversation
        #expect(answer(.conversation(ledger, .setState(change)), by: alice) == .notApplicable)
        #expect(answer(.conversation(ledger, .setState(change)), by: bob) != nil)
    }

    /// A block holds in whatever form the name was written, and after a restart too.
    @Test func aBlockNamesItsAccountInOneForm() throws {
        try deployment.submit(
            .setLedger(StateChange(key: StateKey(namespace: "", type: "block", key: "Bob@example.org"), value: "yes")),
            by: alice)
        #expect(try deployment.store.blocked(by: alice.account) == [bob.account])
        #expect(answer(.openDirect(with: alice.account, sealing: nil), by: bob) == .forbidden)
        try deployment.submit(.setLedger(StateChange(key: .block(bob.party.address), value: nil)), by: alice)
        #expect(try deployment.store.blocked(by: alice.account).isEmpty)
    }
}

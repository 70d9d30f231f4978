import Hub
import TestKit
import Testing

/// Random commands by random people: no holes, no trap, no right that widens.
@Suite struct RulesPropertyTests {
    @Test(arguments: 1...12) func randomCommandsKeepTheInvariants(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let deployment = try Deployment(loops: 1)
        let people = try (0..<6).map { try deployment.account("p\($0)") }
        let garden = try deployment.group(
            "garden", by: people[0], access: Bool.random(using: &random) ? .public : .private)
        var events: [EventID] = []
        var ranks: [AccountID: Rank] = [people[0].account: .owner]
        for step in 0..<400 {
            let actor = people.randomElement(using: &random) ?? people[0]
            let subject = people.randomElement(using: &random) ?? people[0]
            let command = randomCommand(step, subject, events, &random)
            let answer = deployment.begin(.conversation(garden, command), by: actor)
            if Bool.random(using: &random) { deployment.run() }
            deployment.run()
            guard case .success(let acceptance)? = answer.result else { continue }
            if let event = acceptance.event { events.append(event.id) }
            if case .setRank(let account, let rank) = command, acceptance.event != nil {
                #expect(rank <= ranks[actor.account] ?? .reader, "nobody gives more than they have")
                ranks[account] = rank
            }
            if case .setRank = command { continue }
            let state = try #require(try deployment.store.conversation(garden))
            for (account, member) in state.members { ranks[account] = member.isJoined ? member.rank : .reader }
        }
        let log = try deployment.store.events(after: .zero, limit: 10_000)
        #expect(log.map(\.sequence.rawValue) == Array(1...Int64(log.count)))
        #expect(log.map(\.position.rawValue) == log.map(\.position.rawValue).sorted())
        #expect(Set(log.map(\.id)).count == log.count)
        #expect(log.map(\.id) == log.map(\.id).sorted(), "event ids ascend")

        // The stored state is what the log says.
        var replayed = ConversationState(identity: try #require(try deployment.store.conversation(garden)).identity)
        for event in log { replayed.apply(event) }
        let stored = try #require(try deployment.store.conversation(garden))
        #expect(replayed.members == stored.members)
        #expect(replayed.values == stored.values)
        #expect(replayed.timeline == stored.timeline)
    }

    private func randomCommand(
        _ step: Int, _ subject: Actor, _ events: [EventID], _ random: inout SeededGenerator
    ) -> ConversationCommand {
        let target = events.randomElement(using: &random) ?? EventID(high: 0, low: 0)
        let rank = Rank(rawValue: Int.random(in: -1...100, using: &random)) ?? .member
        switch Int.random(in: 0..<16, using: &random) {
        case 0, 1, 2:
            return .post(Draft(body: Body(text: "m\(step)"), replyTo: Bool.random(using: &random) ? target : nil))
        case 3: return .edit(target: target, body: Body(text: "e\(step)"))
        case 4: return .redact(target: target, reason: nil)
        case 5: return .react(target: target, key: "+", removed: Bool.random(using: &random))
        case 6: return .pin(target: target, removed: Bool.random(using: &random))
        case 7: return .join
        case 8: return .leave(reason: nil)
        case 9: return .invite(subject.account)
        case 10: return .kick(subject.account, reason: nil)
        case 11: return .ban(subject.account, reason: nil)
        case 12: return .unban(subject.account)
        case 13: return .setRank(subject.account, rank)
        case 14:
            let values = HistoryVisibility.allCases.map { StateChange(key: .history, value: $0.rawValue) }
            return .setState(values.randomElement(using: &random) ?? values[0])
        default:
            let action = Action.allCases.randomElement(using: &random) ?? .post
            return .setState(StateChange(key: .permission(action), value: "\(rank)"))
        }
    }

    @Test func textFormsAreTotalAndRoundTrip() {
        var random = SeededGenerator(seed: 3)
        for _ in 0..<5_000 {
            let id = EventID(
                high: .random(in: 0...UInt64.max, using: &random), low: .random(in: 0...UInt64.max, using: &random))
            #expect(EventID(id.description) == id)
            let cursor = Cursor(epoch: .random(in: 0...Int64.max, using: &random), position: Position(rawValue: 77))
            #expect(Cursor(cursor.description) == cursor)
        }
        for bad in ["", "-", "1-", "-1", "1--1", "+1-1", "1-99999999999999999999", "a-1", "1-1-1", " 1-1"] {
            #expect(Cursor(bad) == nil)
        }
        for bad in ["", "0", "Ä", "a b", "1a", "-a", String(repeating: "a", count: 33), "a\u{0}"] {
            #expect(Handle(bad) == nil)
        }
        #expect(Handle("Alice")?.text == "alice")
        for bad in ["", ".", "a..b", "-a.org", "a-.org", String(repeating: "a", count: 64)] {
            #expect(ServerName(bad) == nil)
        }
    }

    @Test func patternsMatchInLinearTime() {
        #expect(BanPattern.matches("*@evil.org", "bob@evil.org"))
        #expect(!BanPattern.matches("*@evil.org", "bob"))
        #expect(BanPattern.matches("spam*", "spammer") && BanPattern.matches("*", ""))
        #expect(!BanPattern.matches("a*b*c", "acb"))
        // Exponential matchers never finish this.
        let text = String(repeating: "a", count: 2_000)
        #expect(!BanPattern.matches(String(repeating: "a*", count: 500) + "b", text))
    }
}

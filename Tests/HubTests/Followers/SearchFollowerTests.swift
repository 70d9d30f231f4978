import Hub
import TestKit
import Testing

@testable import Hub

/// The index says what the log says, however it got there.
@Suite struct SearchFollowerTests {
    private func follower(_ bench: FollowerBench) throws -> SearchFollower {
        try #require(SearchFollower(hub: bench.hub, logger: bench.logger))
    }

    @Test func messagesEditsAndRedactions() async throws {
        let bench = try await FollowerBench()
        let follower = try follower(bench)
        let first = try #require(try await bench.post("roses are red"))
        let second = try #require(try await bench.post("violets are blue"))
        try await bench.submit(.edit(target: first.id, body: Body(text: "roses are white")))
        try await follower.catchUp()
        #expect(Set(bench.index.texts.values) == ["roses are white", "violets are blue"])
        let key = SearchKey(conversation: bench.garden, sequence: first.sequence)
        let original = try #require(try bench.store.entry(first.id, in: bench.garden)).event.position
        #expect(bench.index.documents[key]?.position == original, "an edit does not make a message newer")

        try await bench.submit(.edit(target: first.id, body: Body(text: "roses are gone")))
        try await bench.submit(.redact(target: second.id, reason: nil))
        try await follower.catchUp()
        #expect(bench.index.texts == [key: "roses are gone"])
        #expect(bench.index.texts == (try bench.texts()))
    }

    @Test func anEditThatTakesTheTextAwayTakesTheDocumentAway() async throws {
        let bench = try await FollowerBench()
        let follower = try follower(bench)
        let event = try #require(try await bench.post("secret"))
        try await follower.catchUp()
        let picture = Attachment(reference: "r", name: "n", mediaType: "image/png", size: nil)
        try await bench.submit(.edit(target: event.id, body: Body(text: "", attachments: [picture])))
        try await follower.catchUp()
        #expect(bench.index.texts.isEmpty)
    }

    /// Whatever happens, and wherever the follower was in between, it ends where a new index would.
    @Test(arguments: [1, 2, 3, 4, 5] as [UInt64])
    func itEndsWhereTheLogIs(seed: UInt64) async throws {
        let bench = try await FollowerBench()
        let follower = try follower(bench)
        var random = SeededGenerator(seed: seed)
        var messages: [EventReference] = []
        for step in 0..<200 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<5: messages.append(try #require(try await bench.post("text \(step)")))
            case 5, 6:
                guard let target = messages.randomElement(using: &random) else { continue }
                try await bench.submit(.edit(target: target.id, body: Body(text: "edit \(step)")))
            case 7:
                guard let index = messages.indices.randomElement(using: &random) else { continue }
                try await bench.submit(.redact(target: messages.remove(at: index).id, reason: nil))
            case 8:
                guard let target = messages.randomElement(using: &random) else { continue }
                try await bench.submit(.react(target: target.id, key: "k\(step)", removed: false))
            default: try await follower.catchUp()
            }
        }
        try await follower.catchUp()
        #expect(bench.index.texts == (try bench.texts()))
    }

    @Test func batchesAreBounded() async throws {
        let bench = try await FollowerBench()
        let follower = try follower(bench)
        try await bench.post(count: 1_203)
        try await follower.catchUp()
        #expect(bench.index.texts.count == 1_203)
        #expect(bench.index.updates.allSatisfy { $0 <= SearchFollower.batch })
        #expect(await follower.lag == 0)
    }

    @Test func aFailedUpdateIsMadeAgain() async throws {
        let bench = try await FollowerBench()
        let follower = try follower(bench)
        try await bench.post(count: 700)
        bench.index.fail(times: 1)
        await #expect(throws: StoreError.self) { try await follower.catchUp() }
        try await follower.catchUp()
        #expect(bench.index.texts == (try bench.texts()))
    }

    @Test func aNewFollowerGoesOnByTheIndexsCursor() async throws {
        let bench = try await FollowerBench()
        try await bench.post("one")
        try await follower(bench).catchUp()
        try await bench.post("two")
        try await follower(bench).catchUp()
        #expect(bench.index.updates.count == 2)
        #expect(bench.index.texts == (try bench.texts()))
    }

    @Test func itFollowsByItself() async throws {
        let bench = try await FollowerBench()
        let follower = try follower(bench)
        let task = Task { try await follower.run() }
        try await bench.post("one")
        for _ in 0..<5_000 where bench.index.texts.isEmpty { try await Task.sleep(for: .milliseconds(1)) }
        #expect(bench.index.texts.count == 1)
        bench.hub.shutdown()
        try await task.value
    }
}

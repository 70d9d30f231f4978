import Hub
import TestKit
import Testing

@testable import Hub

/// What a conversation no longer keeps goes, from the log and from the index, and nothing else does.
@Suite struct RetentionTests {
    private func sweeper(_ bench: FollowerBench) throws -> (RetentionSweeper, SearchFollower) {
        let search = try #require(SearchFollower(hub: bench.hub, logger: bench.logger))
        return (RetentionSweeper(hub: bench.hub, search: search, logger: bench.logger), search)
    }

    @Test func byCount() async throws {
        let bench = try await FollowerBench()
        let (sweeper, search) = try sweeper(bench)
        try await bench.post(count: 20)
        try await bench.set(.retention("count"), "5")
        try await search.catchUp()
        let before = try bench.head()
        let last = try #require(
            try bench.store.page(bench.garden, .before(Sequence(rawValue: before.lastSequence.rawValue - 4)), limit: 1)
                .last)
        try await sweeper.sweep()
        let head = try bench.head()
        #expect(head.lastSequence == before.lastSequence)
        #expect(head.firstSequence.rawValue == before.lastSequence.rawValue - 4)
        #expect(head.prunedThrough == last.event.position)
        let kept = try bench.store.page(bench.garden, .after(.zero), limit: 100)
        #expect(kept.map(\.event.sequence.rawValue) == Array(head.firstSequence.rawValue...head.lastSequence.rawValue))
        #expect(bench.index.texts == (try bench.texts()))
        #expect(bench.index.texts.count == 4)
    }

    @Test func byAge() async throws {
        let bench = try await FollowerBench()
        let (sweeper, _) = try sweeper(bench)
        try await bench.set(.retention("age-ms"), "60000")
        try await bench.post("old")
        bench.clock.advance(milliseconds: 60_000)
        try await bench.post("young")
        try await sweeper.sweep()
        #expect(try bench.texts().values.sorted() == ["old", "young"], "not older than a minute yet")
        bench.clock.advance(milliseconds: 1)
        try await sweeper.sweep()
        #expect(try bench.texts().values.sorted() == ["young"])
        bench.clock.advance(milliseconds: 60_000)
        try await sweeper.sweep()
        let head = try bench.head()
        #expect(head.firstSequence == head.lastSequence.next)
        // An empty log goes on where it was.
        let next = try #require(try await bench.post("next"))
        #expect(next.sequence == head.lastSequence.next)
    }

    @Test func inSlicesUntilNothingIsLeftToTake() async throws {
        let bench = try await FollowerBench()
        let (sweeper, search) = try sweeper(bench)
        try await bench.post(count: 1_700)
        try await search.catchUp()
        try await bench.set(.retention("count"), "10")
        try await sweeper.sweep()
        #expect(try bench.store.page(bench.garden, .after(.zero), limit: 10_000).count == 10)
        #expect(bench.index.texts == (try bench.texts()))
    }

    @Test func withoutARuleNothingGoes() async throws {
        let bench = try await FollowerBench()
        let (sweeper, _) = try sweeper(bench)
        try await bench.post(count: 20)
        bench.clock.advance(milliseconds: 1_000_000_000)
        try await sweeper.sweep()
        #expect(try bench.head().firstSequence.rawValue == 1)
        try await bench.set(.retention("count"), "5")
        try await bench.set(.retention("count"), nil)
        try await sweeper.sweep()
        #expect(try bench.head().firstSequence.rawValue == 1)
    }

    /// Who was away learns of the gap; who reads on sees no hole, and membership and state stand.
    @Test func whoComesBackIsToldAndStateStands() async throws {
        let bench = try await FollowerBench()
        let (sweeper, _) = try sweeper(bench)
        try await bench.set(.subject, "tomatoes")
        let cursor = try #require(await bench.hub.head())
        try await bench.post(count: 20)
        try await bench.set(.retention("count"), "3")
        try await sweeper.sweep()
        let owner = bench.owner
        let sync = try await bench.hub.read { reader throws(Rejection) in
            try reader.changes(after: cursor, through: .last, limit: 100, for: owner)
        }
        #expect(sync.gaps.map(\.first) == [try bench.head().firstSequence])
        #expect(try bench.store.state(of: bench.garden)[.subject] == "tomatoes")
        #expect(try bench.store.membership(of: owner.account, in: bench.garden)?.member.rank == .owner)
        try await bench.set(.subject, "beans")
        try await sweeper.sweep()
        #expect(try bench.store.page(bench.garden, .after(.zero), limit: 100).count == 3)
    }

    /// What the index was only then coming to must not stay in it.
    @Test func aLaggingIndexKeepsNothingOfWhatWent() async throws {
        let bench = try await FollowerBench()
        let (sweeper, search) = try sweeper(bench)
        try await bench.post(count: 800)
        try await bench.set(.retention("count"), "7")
        async let swept: Void = sweeper.sweep()
        async let caughtUp: Void = search.catchUp()
        _ = try await (swept, caughtUp)
        try await search.catchUp()
        #expect(bench.index.texts == (try bench.texts()))
    }
}

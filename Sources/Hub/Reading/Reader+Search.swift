extension Reader {
    package struct SearchResult: Sendable {
        package let entry: LogEntry
        package let snippet: String
    }

    package struct SearchPage: Sendable {
        package let results: [SearchResult]
        /// There may be more before this position; nil: that was all.
        package let before: Position?
    }

    /// Hits that one call looks at: what the viewer can't see must not cost more.
    private static let looks = 2_000

    /// Messages that the viewer can see, newest first. The permission filter comes before the limit. A page may be short
    /// and still not be the last one.
    package func search(
        _ query: String, in only: ConversationID?, before: Position?, limit: Int, for actor: Actor
    ) throws(Rejection) -> SearchPage {
        guard let index = hub.search else { throw Rejection(.unavailable, "search is switched off") }
        let limit = min(max(limit, 1), 200)
        return try store { () throws(StoreError) in
            let sights = try sights(of: actor.account, in: only)
            var results: [SearchResult] = []
            var next = before
            var looked = 0
            while results.count < limit, looked < Reader.looks {
                let hits = try index.search(query, in: Array(sights.keys), before: next, limit: Reader.looks / 10)
                for hit in hits where results.count < limit {
                    looked += 1
                    next = hit.position
                    if let result = try result(of: hit, seenBy: sights) { results.append(result) }
                }
                if hits.count < Reader.looks / 10, next == hits.last?.position ?? next {
                    return SearchPage(results: results, before: nil)
                }
            }
            return SearchPage(results: results, before: next)
        }
    }

    /// What an account can see of one conversation.
    private struct Sight {
        let viewer: Viewer
        let timeline: VisibilityTimeline

        /// Whether there is anything at all that it shows.
        var isBlind: Bool {
            switch viewer.standing {
            case .joined: false
            case .banned: viewer.intervals.isEmpty
            case .invited, .knocking, .left, nil:
                viewer.intervals.isEmpty && !timeline.entries.contains { $0.visibility == .everyone }
            }
        }
    }

    private func sights(
        of account: AccountID, in only: ConversationID?
    ) throws(StoreError) -> [ConversationID: Sight] {
        let blocked = try archive.blocked(by: account)
        var sights: [ConversationID: Sight] = [:]
        for row in try archive.memberships(of: account) where only == nil || row.identity.id == only {
            let viewer = Viewer(account: account, member: row.member, blocked: blocked)
            let sight = Sight(viewer: viewer, timeline: row.timeline)
            if !sight.isBlind { sights[row.identity.id] = sight }
        }
        return sights
    }

    /// Nil: the message is not for the viewer, or is not any more what the index knows.
    private func result(
        of hit: SearchHit, seenBy sights: [ConversationID: Sight]
    ) throws(StoreError) -> SearchResult? {
        let page = try archive.page(hit.key.conversation, .around(hit.key.sequence), limit: 1)
        guard let sight = sights[hit.key.conversation], let entry = page.first,
            entry.event.sequence == hit.key.sequence, case .message = entry.event.content,
            canSee(sight.viewer, Visible(entry.event), history: sight.timeline)
        else { return nil }
        let seen = entry.seen(by: sight.viewer, history: sight.timeline)
        // The index holds the newest text: who can't see the edit must not find by it.
        return seen.edit == entry.edit ? SearchResult(entry: seen, snippet: hit.snippet) : nil
    }
}

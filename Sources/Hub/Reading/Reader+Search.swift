extension Reader {
    package struct SearchResult: Sendable {
        package let entry: LogEntry
        package let snippet: String
    }

    /// Messages that the viewer can see, newest first. The permission filter comes before the limit.
    package func search(
        _ query: String, in only: ConversationID?, before: Position?, limit: Int, for actor: Actor
    ) throws(Rejection) -> [SearchResult] {
        guard let index = hub.search else { throw Rejection(.unavailable, "search is switched off") }
        let limit = min(max(limit, 1), 200)
        return try store { () throws(StoreError) in
            let sights = try sights(of: actor.account, in: only)
            var results: [SearchResult] = []
            var before = before
            while results.count < limit {
                let hits = try index.search(query, in: Array(sights.keys), before: before, limit: limit)
                guard let last = hits.last else { break }
                try append(hits, to: &results, seenBy: sights, limit: limit)
                before = last.position
            }
            return results
        }
    }

    /// What an account can see of one conversation.
    private struct Sight {
        let viewer: Viewer
        let timeline: VisibilityTimeline
    }

    private func sights(
        of account: AccountID, in only: ConversationID?
    ) throws(StoreError) -> [ConversationID: Sight] {
        let blocked = try archive.blocked(by: account)
        var sights: [ConversationID: Sight] = [:]
        for row in try archive.memberships(of: account) where only == nil || row.identity.id == only {
            let viewer = Viewer(account: account, member: row.member, blocked: blocked)
            sights[row.identity.id] = Sight(viewer: viewer, timeline: row.timeline)
        }
        return sights
    }

    private func append(
        _ hits: [SearchHit], to results: inout [SearchResult], seenBy sights: [ConversationID: Sight], limit: Int
    ) throws(StoreError) {
        for hit in hits where results.count < limit {
            let page = try archive.page(hit.key.conversation, .around(hit.key.sequence), limit: 1)
            guard let sight = sights[hit.key.conversation], let entry = page.first,
                entry.event.sequence == hit.key.sequence,
                canSee(sight.viewer, Visible(entry.event), history: sight.timeline)
            else { continue }
            results.append(SearchResult(entry: entry, snippet: hit.snippet))
        }
    }
}

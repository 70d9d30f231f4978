extension Lane {
    /// Up to where retention would take events from a conversation now, at most `count` of them; nil: nothing to take.
    func retention(of id: ConversationID, atMost count: Int64) throws(StoreError) -> Range<Int64>? {
        try load(id)
        guard let state = conversations[id] else { return nil }
        let first = state.firstSequence.rawValue
        let end = state.lastSequence.rawValue + 1
        var before = first
        if let age = state.retention.maximumAge,
            let last = try log.lastSequence(olderThan: hub.clock().adding(milliseconds: -age), in: id)
        {
            before = max(before, last.rawValue + 1)
        }
        if let kept = state.retention.maximumCount { before = max(before, end - kept) }
        before = min(before, end, first + count)
        return before > first ? first..<before : nil
    }

    /// Takes events away, in a transaction of its own. The loops are told nothing: what they hold has been delivered, and
    /// who attaches from before learns of the gap by ``ConversationState/prunedThrough``.
    func prune(_ id: ConversationID, before: Sequence) throws(StoreError) {
        guard let through = try hub.archive.page(id, .before(before), limit: 1).last?.event.position else { return }
        try log.append([.prune(id, before: before, through: through)])
        conversations[id]?.firstSequence = before
        conversations[id]?.prunedThrough = through
    }
}

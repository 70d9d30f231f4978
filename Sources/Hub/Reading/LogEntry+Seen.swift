extension LogEntry {
    /// What later events made of an entry passes `canSee` too: an edit, a reaction or a reply that the viewer can't see
    /// leaves no trace on the event that it is about.
    func seen(by viewer: Viewer, history: VisibilityTimeline) -> LogEntry {
        if canSeeAll(viewer, from: event.sequence) { return self }
        let reactions = reactions.compactMap { count -> ReactionCount? in
            let by = count.by.filter { reactor in
                !viewer.blocked.contains(reactor.party.id) && canSee(viewer, at: reactor.sequence, history: history)
            }
            return by.isEmpty ? nil : ReactionCount(key: count.key, by: by)
        }
        return LogEntry(
            event: event, edit: edit.flatMap { canSee(viewer, at: $0.sequence, history: history) ? $0 : nil },
            reactions: reactions,
            thread: thread.flatMap { canSee(viewer, at: $0.last, history: history) ? $0 : nil })
    }
}

extension Reader {
    /// Changes after a cursor, for a device that polls. `caughtUp`: there is nothing more for now.
    package struct Sync: Sendable {
        package let changes: [Change]
        package let gaps: [ChangeGap]
        package let next: Cursor
        package let caughtUp: Bool
        package let continuityLost: Bool
    }

    /// - Parameter head: where the log stood before this was called. What the account is in is read after it, so nothing
    ///   up to `head` is missed; what came later is for the next call.
    package func changes(
        after cursor: Cursor, through head: Position, limit: Int, for actor: Actor
    ) throws(Rejection) -> Sync {
        try store { () throws(StoreError) in
            let blocked = try archive.blocked(by: actor.account)
            var views: [ConversationID: (viewer: Viewer, timeline: VisibilityTimeline)] = [:]
            var scope = ChangeScope()
            for row in try archive.memberships(of: actor.account) {
                scope.add(row.identity.id, row.member.standing)
                let viewer = Viewer(account: actor.account, member: row.member, blocked: blocked)
                views[row.identity.id] = (viewer, row.timeline)
            }
            let isKnown = cursor.epoch == hub.epoch
            let page = try archive.changes(
                for: actor.account, in: scope, after: isKnown ? cursor.position : .zero, through: head,
                limit: min(max(limit, 1), Reader.pageLimit))
            let visible = page.changes.filter { change in
                switch change {
                case .event(let event):
                    guard let view = views[event.conversation] else { return false }
                    return canSee(view.viewer, Visible(event), history: view.timeline)
                case .receipt(let receipt):
                    guard let view = views[receipt.conversation] else { return false }
                    return canSee(view.viewer, .signal(author: receipt.party.id), history: view.timeline)
                case .profile(let profile): return !blocked.contains(profile.party.id)
                }
            }
            return Sync(
                changes: visible, gaps: isKnown ? page.gaps : [],
                next: Cursor(epoch: hub.epoch, position: page.through), caughtUp: page.isComplete,
                continuityLost: !isKnown)
        }
    }
}

/// Who looks at a conversation: what `canSee` needs to know of one account there.
package struct Viewer: Hashable, Sendable {
    package let account: AccountID
    package var standing: Standing?
    package var rank: Rank
    package var intervals: [Interval]
    /// Accounts that the viewer blocked.
    package var blocked: Set<AccountID>

    package init(account: AccountID, member: Member?, blocked: Set<AccountID>) {
        self.account = account
        standing = member?.standing
        rank = member?.rank ?? .reader
        intervals = member?.intervals ?? []
        self.blocked = blocked
    }
}

/// How visible a conversation's past is, as of any sequence.
package struct VisibilityTimeline: Hashable, Sendable {
    /// Ascending by sequence; the first entry holds from the beginning.
    package private(set) var entries: [(from: Sequence, visibility: HistoryVisibility)]
    /// The whole list is written with each change.
    static let maxEntries = 1_000

    package init(_ first: HistoryVisibility) { entries = [(.zero, first)] }

    package mutating func change(to visibility: HistoryVisibility, from sequence: Sequence) {
        entries.append((sequence, visibility))
    }

    package func visibility(at sequence: Sequence) -> HistoryVisibility {
        entries.last { $0.from <= sequence }?.visibility ?? .members
    }

    package static func == (a: Self, b: Self) -> Bool {
        a.entries.elementsEqual(b.entries) { $0.from == $1.from && $0.visibility == $1.visibility }
    }
    package func hash(into hasher: inout Hasher) {
        for entry in entries { hasher.combine(entry.from) }
    }
}

/// What `canSee` is asked about: an event of the log or a signal.
package enum Visible: Sendable {
    case event(sequence: Sequence, author: AccountID, kind: Content.Kind, subject: AccountID?)
    case signal(author: AccountID)

    package init(_ event: Event) {
        var subject: AccountID?
        if case .membership(let change) = event.content { subject = change.subject.id }
        self = .event(sequence: event.sequence, author: event.author.id, kind: event.content.kind, subject: subject)
    }
}

/// The one function that is the last step of every path out of the hub (live, resume, history, search, push, export …).
///
/// - One's own membership changes are always visible: a removed member sees the removal.
/// - What a blocked account says or does is invisible; what the conversation *became* (state, membership) is not.
/// - An event is visible to an account that was joined at its sequence, and to one that is joined now if the history
///   was open to members then, and to everybody but the banned if it was open to everyone.
/// - A signal is visible to those who are joined now.
package func canSee(_ viewer: Viewer, _ visible: Visible, history: VisibilityTimeline) -> Bool {
    switch visible {
    case .signal(let author):
        return viewer.standing == .joined && !viewer.blocked.contains(author)
    case .event(let sequence, let author, let kind, let subject):
        if subject == viewer.account { return true }
        if viewer.blocked.contains(author), kind != .state, kind != .membership { return false }
        return canSee(viewer, at: sequence, history: history)
    }
}

/// The part of `canSee` that depends on the place alone: reading state as of a sequence asks it too.
package func canSee(_ viewer: Viewer, at sequence: Sequence, history: VisibilityTimeline) -> Bool {
    if viewer.intervals.contains(where: { $0.contains(sequence) }) { return true }
    switch history.visibility(at: sequence) {
    case .everyone: return viewer.standing != .banned
    case .members: return viewer.standing == .joined
    case .sinceJoined: return false
    }
}

/// Whether `canSee` is true for every event from a sequence on, whatever its author and kind: the fast path of live
/// delivery asks this once per listener and run, and must agree with asking per event.
package func canSeeAll(_ viewer: Viewer, from sequence: Sequence) -> Bool {
    guard viewer.blocked.isEmpty, viewer.standing == .joined, let last = viewer.intervals.last else { return false }
    return last.through == nil && last.from <= sequence
}

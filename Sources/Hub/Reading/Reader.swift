/// Reads for one viewer: everything that leaves here has passed `canSee`.
///
/// *Lives on* a reader thread, for one call of ``Hub/read(_:)``.
package struct Reader: Sendable {
    let hub: Hub
    var archive: any Archive { hub.archive }

    /// For readers of other threads that may block; gateways use ``Hub/read(_:)``.
    package init(hub: Hub) { self.hub = hub }

    /// Who may look at a conversation, and as whom.
    package struct View: Sendable {
        package let head: ConversationHead
        package let member: Member?
        let viewer: Viewer

        /// Whether the conversation as it is now (members, state) is open to the viewer.
        ///
        /// Having been joined once does not open it, even if nothing has happened since.
        package var seesNow: Bool {
            switch viewer.standing {
            case .joined: true
            case .banned: false
            case .invited, .knocking, .left, nil: head.timeline.visibility(at: head.lastSequence) == .everyone
            }
        }
        /// The last sequence that the viewer may know of.
        package var lastSequence: Sequence {
            seesNow ? head.lastSequence : viewer.intervals.last?.through ?? .zero
        }
        /// Whether the viewer may know what an account of this conversation does just now (presence, attendance).
        package func seesSignals(of account: AccountID) -> Bool {
            canSee(viewer, .signal(author: account), history: head.timeline)
        }
        func sees(_ event: Event) -> Bool { canSee(viewer, Visible(event), history: head.timeline) }
    }

    func store<T>(_ body: () throws(StoreError) -> T) throws(Rejection) -> T {
        do throws(StoreError) {
            return try body()
        } catch {
            throw Rejection(.unavailable, "the log can't be read at the moment", retryAfter: 1_000)
        }
    }

    /// How an account stands to a conversation. A private one that it never was in does not exist for it.
    package func view(_ id: ConversationID, for actor: Actor) throws(Rejection) -> View {
        let found = try store { () throws(StoreError) in
            (
                try archive.head(of: id), try archive.membership(of: actor.account, in: id)?.member,
                try archive.blocked(by: actor.account)
            )
        }
        guard let head = found.0, found.1 != nil || head.access != .private else {
            throw Rejection(.notFound, "no such conversation")
        }
        return View(
            head: head, member: found.1, viewer: Viewer(account: actor.account, member: found.1, blocked: found.2))
    }

    private func opened(_ id: ConversationID, for actor: Actor) throws(Rejection) -> View {
        let view = try view(id, for: actor)
        guard view.seesNow else { throw Rejection(.forbidden, "you are not in this conversation") }
        return view
    }

    // MARK: Finding

    /// Resolves `~id`, `name`, `name@server` to a conversation that the actor may know of.
    package func conversation(named name: String, for actor: Actor) throws(Rejection) -> ConversationID {
        if name.hasPrefix("~") {
            guard let number = Int64(name.dropFirst()), number > 0 else {
                throw Rejection(.notFound, "no such conversation")
            }
            return try view(ConversationID(rawValue: number), for: actor).head.identity.id
        }
        guard let address = Address(name, home: hub.serverName),
            let id = try store({ () throws(StoreError) in try archive.find(address) })
        else { throw Rejection(.notFound, "no such conversation") }
        return try view(id, for: actor).head.identity.id
    }

    package func account(named name: String) throws(Rejection) -> Account {
        guard let address = Address(name, home: hub.serverName),
            let account = try store({ () throws(StoreError) in try hub.directory.account(at: address) })
        else { throw Rejection(.notFound, "no such account") }
        return account
    }

    /// The accounts of some ids, in their order; nil for those that are gone.
    package func accounts(_ ids: [AccountID]) throws(Rejection) -> [Account?] {
        try store { () throws(StoreError) in
            var accounts: [Account?] = []
            for id in ids { accounts.append(try hub.directory.account(id)) }
            return accounts
        }
    }

    /// Those accounts that there are under some addresses.
    package func accounts(at addresses: [Address]) throws(Rejection) -> [Account] {
        try store { () throws(StoreError) in
            var accounts: [Account] = []
            for address in addresses {
                if let account = try hub.directory.account(at: address) { accounts.append(account) }
            }
            return accounts
        }
    }

    /// The open direct conversation with an account, if the two have one.
    package func direct(with other: AccountID, for actor: Actor) throws(Rejection) -> ConversationID? {
        let pair = ConversationIdentity.Pair(actor.account, other)
        return try store { () throws(StoreError) in
            try archive.memberships(of: actor.account).first { row in
                row.identity.kind == .direct && row.identity.sealing == nil && row.identity.pair == pair
            }?.identity.id
        }
    }

    /// Those of some accounts whose presence the actor may know: its own, and that of accounts with whom it is joined in a
    /// conversation, except blocked ones.
    package func acquainted(_ accounts: [AccountID], with actor: Actor) throws(Rejection) -> [AccountID] {
        try store { () throws(StoreError) in
            let blocked = try archive.blocked(by: actor.account)
            let own = try joined(actor.account)
            var known: [AccountID] = []
            for account in accounts where !blocked.contains(account) {
                if account == actor.account {
                    known.append(account)
                } else if try !joined(account).isDisjoint(with: own) {
                    known.append(account)
                }
            }
            return known
        }
    }

    private func joined(_ account: AccountID) throws(StoreError) -> Set<ConversationID> {
        Set(try archive.memberships(of: account).lazy.filter { $0.member.isJoined }.map(\.identity.id))
    }

    package func publicConversations(
        containing text: String, after: Handle?, limit: Int
    ) throws(Rejection) -> [ConversationHead] {
        try store { () throws(StoreError) in
            try archive.directory(containing: text, after: after, limit: min(max(limit, 1), 200))
        }
    }

    /// An account's conversations with what is unread: its first screen.
    package func overview(for actor: Actor) throws(Rejection) -> [ConversationSummary] {
        try store { () throws(StoreError) in
            let blocked = try archive.blocked(by: actor.account)
            let current = try archive.memberships(of: actor.account).filter {
                switch $0.member.standing {
                case .joined, .invited, .knocking: $0.identity.kind != .ledger
                case .left, .banned: false
                }
            }
            let summaries = try archive.summaries(of: current.map(\.identity.id), for: actor.account, blocked: blocked)
            return summaries.map { redactLast($0, actor, blocked) }
        }
    }

    package func summary(of id: ConversationID, for actor: Actor) throws(Rejection) -> ConversationSummary {
        let view = try view(id, for: actor)
        // Who was in a private conversation keeps what was, and learns nothing of what is.
        switch view.member?.standing {
        case .left, .banned:
            if view.head.access == .private, !view.seesNow {
                throw Rejection(.forbidden, "you are not in this conversation")
            }
        case .joined, .invited, .knocking, nil: break
        }
        let found = try store { () throws(StoreError) in
            try archive.summaries(of: [id], for: actor.account, blocked: view.viewer.blocked).first
        }
        guard let found else { throw Rejection(.notFound, "no such conversation") }
        return redactLast(found, actor, view.viewer.blocked)
    }

    /// The last message of a summary goes through `canSee` like any other.
    private func redactLast(
        _ summary: ConversationSummary, _ actor: Actor, _ blocked: Set<AccountID>
    ) -> ConversationSummary {
        let viewer = Viewer(account: actor.account, member: summary.member, blocked: blocked)
        let timeline = summary.head.timeline
        let last = summary.last.flatMap { last in
            canSee(viewer, Visible(last.event), history: timeline) ? last.seen(by: viewer, history: timeline) : nil
        }
        return ConversationSummary(
            head: summary.head, member: summary.member, other: summary.other, last: last, readUpTo: summary.readUpTo,
            unread: summary.unread)
    }

    // MARK: The log

    /// A page of history. `previous` says, for each entry, which sequence the viewer saw before it.
    package struct Page: Sendable {
        package let entries: [LogEntry]
        package let firstSequence: Sequence
        package let lastSequence: Sequence
        /// The log has more in the direction that was asked for.
        package let hasMore: Bool
    }

    package static let pageLimit = 1_000

    package func page(
        _ id: ConversationID, _ range: PageRange, limit: Int, for actor: Actor
    ) throws(Rejection) -> Page {
        let view = try view(id, for: actor)
        let limit = min(max(limit, 1), Reader.pageLimit)
        let entries = try store { () throws(StoreError) in try archive.page(id, range, limit: limit) }
        return Page(
            entries: entries.filter { view.sees($0.event) }.map { visible($0, view) },
            firstSequence: view.head.firstSequence, lastSequence: view.lastSequence,
            hasMore: hasMore(entries, range, view.head))
    }

    private func hasMore(_ entries: [LogEntry], _ range: PageRange, _ head: ConversationHead) -> Bool {
        guard let first = entries.first?.event.sequence, let last = entries.last?.event.sequence else { return false }
        switch range {
        case .before: return first > head.firstSequence
        case .after: return last < head.lastSequence
        case .around: return first > head.firstSequence || last < head.lastSequence
        }
    }

    private func visible(_ entry: LogEntry, _ view: View) -> LogEntry {
        entry.seen(by: view.viewer, history: view.head.timeline)
    }

    package func entry(
        _ event: EventID, in id: ConversationID, for actor: Actor
    ) throws(Rejection) -> LogEntry {
        let view = try view(id, for: actor)
        let found = try store { () throws(StoreError) in try archive.entry(event, in: id) }
        guard let found, view.sees(found.event) else {
            throw Rejection(.notFound, "no such event in this conversation")
        }
        return visible(found, view)
    }

    package func thread(
        _ root: EventID, in id: ConversationID, after: Sequence, limit: Int, for actor: Actor
    ) throws(Rejection) -> (root: LogEntry, replies: [LogEntry]) {
        let view = try view(id, for: actor)
        let first = try entry(root, in: id, for: actor)
        let replies = try store { () throws(StoreError) in
            try archive.thread(
                first.event.sequence, in: id, after: after, limit: min(max(limit, 1), Reader.pageLimit))
        }
        return (first, replies.filter { view.sees($0.event) }.map { visible($0, view) })
    }

    package func pins(of id: ConversationID, for actor: Actor) throws(Rejection) -> [LogEntry] {
        let view = try opened(id, for: actor)
        return try store { () throws(StoreError) in try archive.pins(of: id) }
            .filter { view.sees($0.event) }.map { visible($0, view) }
    }

    // MARK: What it is now

    package func members(
        of id: ConversationID, after: Handle?, limit: Int, for actor: Actor
    ) throws(Rejection) -> [Member] {
        let view = try opened(id, for: actor)
        let members = try store { () throws(StoreError) in
            try archive.members(of: id, after: after, limit: min(max(limit, 1), Reader.pageLimit))
        }
        // Who was banned is for those who may ban.
        let mayModerate = (view.member?.rank ?? .reader) >= .moderator || actor.isAdministrator
        return members.filter { $0.standing != .banned || mayModerate || $0.party.id == actor.account }
    }

    package func state(
        of id: ConversationID, asOf sequence: Sequence?, for actor: Actor
    ) throws(Rejection) -> [StateKey: String] {
        let view = try view(id, for: actor)
        guard let sequence else {
            guard view.seesNow else { throw Rejection(.forbidden, "you are not in this conversation") }
            return try store { () throws(StoreError) in try archive.state(of: id) }
        }
        guard canSee(view.viewer, at: sequence, history: view.head.timeline) else {
            throw Rejection(.forbidden, "you can't see the conversation as it was then")
        }
        return try store { () throws(StoreError) in try archive.state(of: id, asOf: sequence) }
    }

    package func receipts(in id: ConversationID, for actor: Actor) throws(Rejection) -> [Receipt] {
        let view = try opened(id, for: actor)
        return try store { () throws(StoreError) in try archive.receipts(in: id) }
            .filter { view.seesSignals(of: $0.party.id) }
    }

    package func unread(in id: ConversationID, for actor: Actor) throws(Rejection) -> Unread {
        let view = try opened(id, for: actor)
        return try store { () throws(StoreError) in
            try archive.unread(in: id, for: actor.account, blocked: view.viewer.blocked)
        }
    }

    /// The values of the account's own ledger.
    package func ledger(of actor: Actor) throws(Rejection) -> [StateKey: String] {
        try store { () throws(StoreError) in
            let own = try archive.memberships(of: actor.account).first { $0.identity.kind == .ledger }
            guard let own else { return [:] }
            return try archive.state(of: own.identity.id)
        }
    }
}

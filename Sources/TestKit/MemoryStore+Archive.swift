import Hub

extension MemoryStore {
    package func memberships(of account: AccountID) throws(StoreError) -> [MembershipRow] {
        withContents { contents in
            contents.conversations.values.sorted { $0.identity.id < $1.identity.id }
                .compactMap { $0.membership(of: account) }
        }
    }

    package func membership(
        of account: AccountID, in conversation: ConversationID
    ) throws(StoreError) -> MembershipRow? {
        withContents { $0.conversations[conversation]?.membership(of: account) }
    }

    package func find(_ address: Address) throws(StoreError) -> ConversationID? {
        withContents { contents in
            contents.conversations.values.map(\.identity).first { $0.address == address }?.id
        }
    }

    package func head(of conversation: ConversationID) throws(StoreError) -> ConversationHead? {
        withContents { $0.conversations[conversation]?.head }
    }

    package func blocked(by account: AccountID) throws(StoreError) -> Set<AccountID> {
        withContents { $0.blocked(by: account) }
    }

    package func page(
        _ conversation: ConversationID, _ range: PageRange, limit: Int
    ) throws(StoreError) -> [LogEntry] {
        guard limit > 0 else { return [] }
        return withContents { contents in
            guard let conversation = contents.conversations[conversation] else { return [] }
            let page: [MemoryEvent]
            switch range {
            case .before(let sequence):
                let earlier = conversation.events.filter { stored in sequence.map { stored.event.sequence < $0 } ?? true
                }
                page = earlier.suffix(limit)
            case .after(let sequence):
                page = Array(conversation.events.filter { $0.event.sequence > sequence }.prefix(limit))
            case .around(let sequence):
                let before = conversation.events.filter { $0.event.sequence < sequence }.suffix(limit / 2)
                let after = conversation.events.filter { $0.event.sequence >= sequence }.prefix(limit - limit / 2)
                page = Array(before + after)
            }
            return page.map { contents.entry($0, in: conversation) }
        }
    }

    package func entry(_ id: EventID, in conversation: ConversationID) throws(StoreError) -> LogEntry? {
        withContents { contents in
            guard let place = contents.places[id], place.conversation == conversation,
                let conversation = contents.conversations[conversation]
            else { return nil }
            return conversation[place.sequence].map { contents.entry($0, in: conversation) }
        }
    }

    package func thread(
        _ root: Sequence, in conversation: ConversationID, after: Sequence, limit: Int
    ) throws(StoreError) -> [LogEntry] {
        guard limit > 0 else { return [] }
        return withContents { contents in
            guard let conversation = contents.conversations[conversation] else { return [] }
            return conversation.events
                .filter { $0.thread?.sequence == root && $0.event.sequence > after }.prefix(limit)
                .map { contents.entry($0, in: conversation) }
        }
    }

    package func pins(of conversation: ConversationID) throws(StoreError) -> [LogEntry] {
        withContents { contents in
            guard let conversation = contents.conversations[conversation] else { return [] }
            return conversation.pins.sorted { $0.value < $1.value }
                .compactMap { conversation[$0.key] }.map { contents.entry($0, in: conversation) }
        }
    }

    package func events(after: Position, limit: Int) throws(StoreError) -> [Event] {
        guard limit > 0 else { return [] }
        return withContents { contents in
            Array(
                contents.conversations.values.flatMap(\.events).map(\.event).filter { $0.position > after }
                    .sorted { $0.position < $1.position }.prefix(limit))
        }
    }

    package func changes(
        for account: AccountID, in scope: ChangeScope, after: Position, through: Position, limit: Int
    ) throws(StoreError) -> ChangePage {
        withContents { contents in
            var changes: [Change] = []
            for conversation in contents.conversations.values {
                for event in conversation.events.map(\.event) {
                    var isOwn = false
                    if case .membership(let change) = event.content { isOwn = change.subject.id == account }
                    if isOwn || scope.conversations.contains(event.conversation) { changes.append(.event(event)) }
                }
            }
            changes += contents.receipts.values.filter { scope.joined.contains($0.conversation) }.map(Change.receipt)
            let company = contents.conversations.values.filter { scope.joined.contains($0.identity.id) }
                .flatMap(\.members.values).filter(\.isJoined).map(\.party.id)
            for id in Set(company).union([account]) {
                guard let stored = contents.accounts[id], stored.profilePosition > .zero else { continue }
                changes.append(
                    .profile(
                        AccountProfile(
                            party: stored.account.party, profile: stored.account.profile,
                            position: stored.profilePosition)))
            }
            let head = min(contents.position, through)
            let rest = changes.filter { $0.position > after && $0.position <= head }
                .sorted { $0.position < $1.position }
            let page = Array(rest.prefix(max(limit, 1)))
            let isComplete = page.count == rest.count
            guard head > after else { return ChangePage(changes: [], through: after, isComplete: true) }
            let gaps = contents.conversations.values
                .filter { scope.conversations.contains($0.identity.id) && $0.prunedThrough > after }
                .map { ChangeGap(conversation: $0.identity.id, first: $0.first) }
                .sorted { $0.conversation < $1.conversation }
            return ChangePage(
                changes: page, through: isComplete ? head : page.last?.position ?? after, isComplete: isComplete,
                gaps: gaps)
        }
    }

    package func members(
        of conversation: ConversationID, after: Handle?, limit: Int
    ) throws(StoreError) -> [Member] {
        guard limit > 0 else { return [] }
        return withContents { contents in
            let members = contents.conversations[conversation].map { Array($0.members.values) } ?? []
            return Array(
                members.filter { member in after.map { member.party.address.handle > $0 } ?? true }
                    .sorted { $0.party.address.sortKey < $1.party.address.sortKey }.prefix(limit))
        }
    }

    package func directory(
        containing text: String, after: Handle?, limit: Int
    ) throws(StoreError) -> [ConversationHead] {
        guard limit > 0 else { return [] }
        return withContents { contents in
            let wanted = text.lowercased()
            let listed = contents.conversations.values.filter { conversation in
                guard let address = conversation.identity.address, !address.isRemote, conversation.access == .public,
                    after.map({ address.handle > $0 }) ?? true
                else { return false }
                return wanted.isEmpty || address.handle.text.contains(wanted)
                    || conversation.values[.name]?.lowercased().contains(wanted) == true
            }
            return Array(
                listed.sorted { ($0.identity.address?.sortKey ?? "") < ($1.identity.address?.sortKey ?? "") }
                    .prefix(limit).map(\.head))
        }
    }

    package func state(of conversation: ConversationID) throws(StoreError) -> [StateKey: String] {
        withContents { $0.conversations[conversation]?.values ?? [:] }
    }

    package func state(
        of conversation: ConversationID, asOf sequence: Sequence
    ) throws(StoreError) -> [StateKey: String] {
        withContents { contents in
            guard let conversation = contents.conversations[conversation] else { return [:] }
            var values = conversation.valuesBefore
            for stored in conversation.events where stored.event.sequence <= sequence {
                if case .state(let change) = stored.event.content { values[change.key] = change.value }
            }
            return values
        }
    }

    package func receipts(in conversation: ConversationID) throws(StoreError) -> [Receipt] {
        withContents { contents in
            contents.receipts.values.filter { $0.conversation == conversation }.sorted { $0.position < $1.position }
        }
    }

    package func summaries(
        of conversations: [ConversationID], for account: AccountID, blocked: Set<AccountID>
    ) throws(StoreError) -> [ConversationSummary] {
        withContents { contents in
            conversations.compactMap { contents.conversations[$0] }.map { conversation in
                let member = conversation.members[account]
                let viewer = Viewer(account: account, member: member, blocked: blocked)
                let last = conversation.events.last { stored in
                    stored.isSaid && canSee(viewer, Visible(stored.event), history: conversation.timeline)
                }
                let unread = contents.unread(in: conversation, for: account, blocked: blocked)
                let other =
                    conversation.identity.kind == .direct
                    ? conversation.identity.pair?.other(than: account) : nil
                return ConversationSummary(
                    head: conversation.head, member: member,
                    other: other.flatMap { contents.accounts[$0]?.account.party },
                    last: last.map { contents.entry($0, in: conversation) }, readUpTo: unread.marker, unread: unread)
            }
        }
    }

    package func unread(
        in conversation: ConversationID, for account: AccountID, blocked: Set<AccountID>
    ) throws(StoreError) -> Unread {
        withContents { contents in
            guard let conversation = contents.conversations[conversation] else {
                return Unread(marker: .zero, count: 0, mentions: 0, first: nil)
            }
            return contents.unread(in: conversation, for: account, blocked: blocked)
        }
    }

    package func reports(limit: Int) throws(StoreError) -> [Report] {
        withContents { Array($0.reports.reversed().prefix(max(limit, 0))) }
    }

    package func followerCursor(_ name: String) throws(StoreError) -> Position {
        withContents { $0.followers[name] ?? .zero }
    }
}

extension MemoryContents {
    func entry(_ stored: MemoryEvent, in conversation: MemoryConversation) -> LogEntry {
        let sequence = stored.event.sequence
        var edit: LogEntry.Edit?
        if stored.message != nil, let edited = stored.edited.flatMap({ conversation[$0] }),
            case .edit(_, let body) = edited.event.content
        {
            edit = LogEntry.Edit(sequence: edited.event.sequence, time: edited.event.time, body: body)
        }
        let replies = conversation.events.filter { $0.thread?.sequence == sequence && !$0.isErased }
        return LogEntry(
            event: stored.event, edit: edit, reactions: reactions(to: sequence, in: conversation),
            thread: replies.last.map {
                LogEntry.ThreadSummary(count: replies.count, last: $0.event.sequence)
            })
    }

    private func reactions(
        to target: Sequence, in conversation: MemoryConversation
    ) -> [LogEntry.ReactionCount] {
        var groups: [(key: String, by: [LogEntry.Reactor])] = []
        for (reaction, sequence) in conversation.reactions.filter({ $0.key.target == target }).sorted(by: {
            $0.value < $1.value
        }) {
            guard let party = accounts[reaction.account]?.account.party else { continue }
            let reactor = LogEntry.Reactor(party, at: sequence)
            if let index = groups.firstIndex(where: { $0.key == reaction.key }) {
                groups[index].by.append(reactor)
            } else {
                groups.append((reaction.key, [reactor]))
            }
        }
        return groups.map { LogEntry.ReactionCount(key: $0.key, by: $0.by) }
    }

    /// The definition, word by word: a walk over the log.
    func unread(in conversation: MemoryConversation, for account: AccountID, blocked: Set<AccountID>) -> Unread {
        let viewer = Viewer(account: account, member: conversation.members[account], blocked: blocked)
        let key = MemoryReceiptKey(conversation: conversation.identity.id, account: account, thread: nil)
        let marker = receipts[key]?.readUpTo ?? .zero
        let address = accounts[account]?.account.address
        let unread = conversation.events.filter { stored in
            stored.event.sequence > marker && stored.isSaid && stored.event.author.id != account
                && canSee(viewer, Visible(stored.event), history: conversation.timeline)
        }.prefix(Unread.limit)
        let mentions = unread.filter { stored in
            stored.message?.body.mentions.contains { $0 == address } == true
        }
        return Unread(
            marker: marker, count: unread.count, mentions: mentions.count, first: unread.first?.event.sequence)
    }
}

extension MemoryConversation {
    var head: ConversationHead {
        ConversationHead(
            identity: identity, access: access, timeline: timeline, firstSequence: first, lastSequence: last,
            lastPosition: lastPosition, prunedThrough: prunedThrough, name: values[.name], subject: values[.subject],
            joinedCount: members.values.filter(\.isJoined).count)
    }

    func membership(of account: AccountID) -> MembershipRow? {
        members[account].map { member in
            MembershipRow(identity: identity, member: member, timeline: timeline, lastSequence: last)
        }
    }
}

extension Address {
    /// Orders by handle, our own before remote ones.
    fileprivate var sortKey: String { "\(handle)@\(server?.text ?? "")" }
}

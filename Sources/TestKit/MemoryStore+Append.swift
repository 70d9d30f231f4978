import Hub

extension MemoryContents {
    /// All or nothing: everything that can fail is asked first.
    mutating func append(_ writes: [Write]) throws(StoreError) {
        try check(writes)
        for write in writes { apply(write) }
    }

    private func check(_ writes: [Write]) throws(StoreError) {
        var check = MemoryAppendCheck(contents: self)
        for write in writes { try check.add(write) }
    }

    private mutating func apply(_ write: Write) {
        switch write {
        case .createConversation(let identity):
            conversations[identity.id] = MemoryConversation(identity)
        case .event(let event, let fingerprint):
            add(event, fingerprint)
        case .member(let id, let member):
            conversations[id]?.members[member.party.id] = member
        case .state(let id, let change, _):
            conversations[id]?.values[change.key] = change.value
        case .timeline(let id, let timeline):
            conversations[id]?.timeline = timeline
        case .receipt(let receipt):
            let key = MemoryReceiptKey(
                conversation: receipt.conversation, account: receipt.party.id, thread: receipt.thread)
            receipts[key] = receipt
            position = max(position, receipt.position)
        case .edited(let id, let target, let edit):
            guard let index = conversations[id]?.index(target) else { return }
            conversations[id]?.events[index].edited = edit
        case .reaction(let id, let target, let key, let account, let sequence, let removed):
            let reaction = MemoryReactionKey(target: target, key: key, account: account)
            conversations[id]?.reactions[reaction] = removed ? nil : sequence
        case .pin(let id, let target, let sequence, let removed):
            conversations[id]?.pins[target] = removed ? nil : sequence
        case .erase(let id, let sequences):
            for sequence in sequences { conversations[id]?.erase(sequence) }
        case .prune(let id, let before, let through):
            prune(id, before: before, through: through)
        case .report(let report):
            reports.append(report)
        case .profile(let id, let profile, let at):
            accounts[id]?.account.profile = profile
            accounts[id]?.profilePosition = at
            position = max(position, at)
        }
    }

    private mutating func add(_ event: Event, _ fingerprint: Fingerprint?) {
        var thread: EventReference?
        if case .message(let message) = event.content { thread = message.thread }
        conversations[event.conversation]?.events.append(
            MemoryEvent(event: event, fingerprint: fingerprint, thread: thread))
        conversations[event.conversation]?.last = event.sequence
        conversations[event.conversation]?.lastPosition = event.position
        position = max(position, event.position)
        let place = MemoryPlace(conversation: event.conversation, sequence: event.sequence)
        places[event.id] = place
        if let device = event.device, let token = event.token {
            tokens[MemoryToken(device: device, token: token)] = place
        }
    }

    private mutating func prune(_ id: ConversationID, before: Sequence, through: Position) {
        guard var conversation = conversations.removeValue(forKey: id) else { return }
        let gone = conversation.events.prefix { $0.event.sequence < before }
        for stored in gone {
            places[stored.event.id] = nil
            if let device = stored.event.device, let token = stored.event.token {
                let key = MemoryToken(device: device, token: token)
                tokens[key] = nil
                if devices[device] != nil { spentTokens[key] = stored.acceptance }
            }
            if case .state(let change) = stored.event.content { conversation.valuesBefore[change.key] = change.value }
            conversation.reactions = conversation.reactions.filter { $0.key.target != stored.event.sequence }
            conversation.pins[stored.event.sequence] = nil
        }
        conversation.events.removeFirst(gone.count)
        conversation.first = max(conversation.first, before)
        conversation.prunedThrough = through
        conversations[id] = conversation
    }
}

extension MemoryConversation {
    mutating func erase(_ sequence: Sequence) {
        guard let index = index(sequence) else { return }
        events[index].event.content = .erased(events[index].event.content.kind)
        reactions = reactions.filter { $0.key.target != sequence }
        pins[sequence] = nil
    }
}

/// Whether a batch fits the log: what has been stored, and what the batch itself brings.
private struct MemoryAppendCheck {
    private let contents: MemoryContents
    private var created: [ConversationID: ConversationIdentity] = [:]
    private var last: [ConversationID: (Sequence, Position)] = [:]
    private var ids: Set<EventID> = []
    private var tokens: Set<MemoryToken> = []
    private var positions: Set<Position> = []

    init(contents: MemoryContents) { self.contents = contents }

    mutating func add(_ write: Write) throws(StoreError) {
        switch write {
        case .createConversation(let identity):
            try create(identity)
        case .event(let event, _):
            try add(event)
        case .member(let id, let member):
            try conversation(id)
            try account(member.party.id)
        case .receipt(let receipt):
            try conversation(receipt.conversation)
            try account(receipt.party.id)
            try take(receipt.position)
        case .reaction(let id, _, _, let by, _, _):
            try conversation(id)
            try account(by)
        case .report(let report):
            try conversation(report.conversation)
            try account(report.reporter.id)
        case .profile(let id, _, let at):
            try account(id)
            try take(at)
        case .state(let id, _, _), .timeline(let id, _), .edited(let id, _, _), .pin(let id, _, _, _),
            .erase(let id, _), .prune(let id, _, _):
            try conversation(id)
        }
    }

    private func conversation(_ id: ConversationID) throws(StoreError) {
        guard created[id] != nil || contents.conversations[id] != nil else {
            throw .constraint("unknown \(id)")
        }
    }

    private func account(_ id: AccountID) throws(StoreError) {
        guard contents.accounts[id] != nil else { throw .constraint("unknown \(id)") }
    }

    private mutating func take(_ position: Position) throws(StoreError) {
        guard position > contents.position, positions.insert(position).inserted else {
            throw .constraint("position \(position) is taken")
        }
    }

    private mutating func create(_ identity: ConversationIdentity) throws(StoreError) {
        if let pair = identity.pair {
            try account(pair.low)
            try account(pair.high)
        }
        let others = contents.conversations.values.map(\.identity) + created.values
        for other in others {
            let isTaken =
                other.id == identity.id || (identity.address != nil && other.address == identity.address)
                || (identity.pair != nil && other.pair == identity.pair && other.kind == identity.kind
                    && other.sealing == identity.sealing)
            guard !isTaken else { throw .constraint("\(identity.id) exists, or its address or pair is taken") }
        }
        created[identity.id] = identity
    }

    private mutating func add(_ event: Event) throws(StoreError) {
        try conversation(event.conversation)
        try account(event.author.id)
        if case .membership(let change) = event.content { try account(change.subject.id) }
        try take(event.position)
        let stored = contents.conversations[event.conversation]
        let (sequence, position) =
            last[event.conversation] ?? (stored?.last ?? .zero, stored?.lastPosition ?? .zero)
        guard event.sequence == sequence.next, event.position > position else {
            throw .constraint("\(event.conversation) is at \(sequence), not before \(event.sequence)")
        }
        last[event.conversation] = (event.sequence, event.position)
        guard contents.places[event.id] == nil, ids.insert(event.id).inserted else {
            throw .constraint("event id \(event.id) is taken")
        }
        if let device = event.device, let token = event.token {
            let key = MemoryToken(device: device, token: token)
            guard contents.tokens[key] == nil, tokens.insert(key).inserted else {
                throw .constraint("token \(token) is taken")
            }
        }
    }
}

import Hub

/// Writes to one or several stores what a lane would, without rules: gives sequences and positions, keeps the state of
/// each conversation, and adds to each event the further writes that belong to it.
package struct StoreScript {
    package let stores: [any StorePorts]
    package private(set) var position = Position.zero
    package var time = Timestamp(rawValue: 1_700_000_000_000)
    package private(set) var states: [ConversationID: ConversationState] = [:]
    private var lastConversation: Int64 = 0
    private var ids: EventIDGenerator

    package init(_ stores: any StorePorts...) {
        self.stores = stores
        // Any source will do: ids ascend whatever it gives.
        ids = EventIDGenerator(random: { 0x5EED })
    }

    package func append(_ writes: [Write]) throws {
        for store in stores { try store.append(writes) }
    }

    package mutating func nextPosition() -> Position {
        position = position.next
        return position
    }

    /// Forgets numbers that a failed batch took.
    package mutating func reload() throws {
        guard let store = stores.first else { return }
        position = try store.head().position
        for id in states.keys { states[id] = try store.conversation(id) }
    }

    // MARK: Accounts and conversations

    package func account(
        _ handle: String, kind: Account.Kind = .person, isAdministrator: Bool = false
    ) throws -> Account {
        let new = try newcomer(handle, kind: kind, isAdministrator: isAdministrator)
        let made = try stores.map { try $0.create(new) }
        guard let first = made.first, made.allSatisfy({ $0 == first }) else {
            throw ContractViolation(description: "the stores made different accounts")
        }
        return first
    }

    /// An account that is not made yet.
    func newcomer(
        _ handle: String, kind: Account.Kind = .person, isAdministrator: Bool = false
    ) throws -> NewAccount {
        NewAccount(
            address: try address(handle), kind: kind, displayName: nil, isAdministrator: isAdministrator,
            created: time, expires: nil)
    }

    package func address(_ text: String) throws -> Address {
        guard let home = ServerName("home.example"), let address = Address(text, home: home) else {
            throw ContractViolation(description: "«\(text)» is not an address")
        }
        return address
    }

    /// Makes a group whose first member is its owner.
    @discardableResult
    package mutating func group(
        _ handle: String, _ members: [Account], access: Access = .private, history: HistoryVisibility? = nil
    ) throws -> ConversationID {
        let id = try create(.group, address: address(handle))
        for (index, member) in members.enumerated() {
            try join(member, id, rank: index == 0 ? .owner : .member)
        }
        guard let owner = members.first else { return id }
        if access != .private { try state(.access, access.rawValue, by: owner, in: id) }
        if let history { try state(.history, history.rawValue, by: owner, in: id) }
        return id
    }

    package mutating func create(
        _ kind: ConversationKind, address: Address? = nil, pair: ConversationIdentity.Pair? = nil,
        sealing: String? = nil
    ) throws -> ConversationID {
        lastConversation += 1
        let identity = ConversationIdentity(
            id: ConversationID(rawValue: lastConversation), kind: kind, address: address, pair: pair,
            sealing: sealing, created: time)
        try append([.createConversation(identity)])
        states[identity.id] = ConversationState(identity: identity)
        return identity.id
    }

    package mutating func direct(_ a: Account, _ b: Account) throws -> ConversationID {
        let id = try create(.direct, pair: .init(a.id, b.id))
        try join(a, id)
        if a.id != b.id { try join(b, id) }
        return id
    }

    package mutating func ledger(_ owner: Account) throws -> ConversationID {
        let id = try create(.ledger, pair: .init(owner.id, owner.id))
        try join(owner, id, rank: .owner)
        return id
    }

    // MARK: Events

    /// The next event of a conversation, and everything that is written with it.
    package mutating func writes(
        _ content: Content, by author: Account, in id: ConversationID, device: DeviceID? = nil, token: Token? = nil,
        fingerprint: Fingerprint? = nil
    ) throws -> (event: Event, writes: [Write]) {
        guard var state = states[id] else { throw ContractViolation(description: "unknown \(id)") }
        time = time.adding(milliseconds: 1_000)
        let event = Event(
            position: nextPosition(), conversation: id, sequence: state.lastSequence.next, id: ids.next(at: time),
            author: author.party, device: device, time: time, token: token, content: content)
        state.apply(event)
        states[id] = state
        var writes: [Write] = [.event(event, fingerprint: fingerprint)]
        switch content {
        case .edit(let target, _): writes.append(.edited(id, target: target.sequence, by: event.sequence))
        case .reaction(let target, let key, let removed):
            writes.append(
                .reaction(id, target: target.sequence, key: key, by: author.id, at: event.sequence, removed: removed))
        case .pin(let target, let removed):
            writes.append(.pin(id, target: target.sequence, at: event.sequence, removed: removed))
        case .membership(let change):
            if let member = state.members[change.subject.id] { writes.append(.member(id, member)) }
        case .state(let change):
            writes.append(.state(id, change, sequence: event.sequence))
            if change.key == .history { writes.append(.timeline(id, state.timeline)) }
        case .message, .redaction, .call, .sealed, .custom, .erased: break
        }
        return (event, writes)
    }

    @discardableResult
    package mutating func add(
        _ content: Content, by author: Account, in id: ConversationID, device: DeviceID? = nil, token: Token? = nil,
        fingerprint: Fingerprint? = nil
    ) throws -> Event {
        let made = try writes(content, by: author, in: id, device: device, token: token, fingerprint: fingerprint)
        try append(made.writes)
        return made.event
    }

    @discardableResult
    package mutating func post(
        _ text: String, by author: Account, in id: ConversationID, mentions: [Account] = [],
        thread: EventReference? = nil
    ) throws -> Event {
        let body = Body(text: text, mentions: mentions.map(\.address))
        return try add(.message(Message(body: body, thread: thread)), by: author, in: id)
    }

    @discardableResult
    package mutating func membership(
        _ standing: Standing, of subject: Account, _ id: ConversationID, rank: Rank = .member
    ) throws -> Event {
        let change = MembershipChange(subject: subject.party, standing: standing, rank: rank, reason: nil)
        return try add(.membership(change), by: subject, in: id)
    }

    @discardableResult
    package mutating func join(_ subject: Account, _ id: ConversationID, rank: Rank = .member) throws -> Event {
        try membership(.joined, of: subject, id, rank: rank)
    }

    @discardableResult
    package mutating func state(
        _ key: StateKey, _ value: String?, by author: Account, in id: ConversationID
    ) throws -> Event {
        try add(.state(StateChange(key: key, value: value)), by: author, in: id)
    }

    /// Redacts a message and its edits.
    @discardableResult
    package mutating func redact(_ target: Event, by author: Account) throws -> Event {
        guard let store = stores.first else { throw ContractViolation(description: "no store") }
        let edits = try store.edits(of: target.sequence, in: target.conversation)
        var (event, writes) = try writes(
            .redaction(target: target.reference, reason: "because"), by: author, in: target.conversation)
        writes.append(.erase(target.conversation, [target.sequence] + edits))
        try append(writes)
        return event
    }

    @discardableResult
    package mutating func receipt(
        _ account: Account, in id: ConversationID, read: Sequence, thread: Sequence? = nil
    ) throws -> Receipt {
        time = time.adding(milliseconds: 1_000)
        let receipt = Receipt(
            conversation: id, party: account.party, thread: thread, deliveredUpTo: read, readUpTo: read,
            position: nextPosition(), time: time)
        try append([.receipt(receipt)])
        return receipt
    }

    package mutating func profile(_ account: Account, _ name: String?) throws {
        let position = nextPosition()
        try append([.profile(account.id, Profile(displayName: name, statusText: "at \(position)"), at: position)])
    }

    package mutating func prune(_ id: ConversationID, before: Sequence, through: Position) throws {
        try append([.prune(id, before: before, through: through)])
        states[id]?.firstSequence = before
        states[id]?.prunedThrough = through
    }
}

extension Event {
    package var reference: EventReference { EventReference(id: id, sequence: sequence) }
}

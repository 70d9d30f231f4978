/// What the lane looked up for one command before the rules decide: values only.
package struct Facts: Sendable {
    /// The event that the command is about; nil when there is none.
    package var target: Envelope?
    package var replyTo: Envelope?
    package var thread: Envelope?
    /// The account that the command is about.
    package var subject: Account?
    /// The subject (or the other one of a direct conversation) blocked the author.
    package var isBlocked = false
    package var hasReaction = false
    package var isPinned = false
    /// Earlier edits of the target.
    package var edits: [Sequence] = []
    package var receipt: Receipt?
    /// Conversations of the account whose membership begins.
    package var places = 0
    /// When the author last posted here, as far as this process remembers.
    package var lastPost: Timestamp?
    package var now: Timestamp

    package init(now: Timestamp) { self.now = now }
}

/// What the rules made of a command.
package enum Decision: Hashable, Sendable {
    /// An event for the log, and the sequences whose content goes with it.
    case event(Content, erase: [Sequence])
    /// A marker that moved (its position is not yet set).
    case receipt(Receipt)
    case report(Report)
    /// It already is as asked.
    case unchanged
}

/// The rules of a conversation: command and state to decision. Pure.
package enum ConversationRules {
    package static func decide(
        _ command: ConversationCommand, by actor: Actor, in state: ConversationState, facts: Facts, limits: Limits
    ) throws(Rejection) -> Decision {
        let context = RuleContext(actor: actor, state: state, facts: facts, limits: limits)
        switch command {
        case .post(let draft): return try context.post(draft)
        case .edit(_, let body): return try context.edit(body)
        case .redact(_, let reason): return try context.redact(reason)
        case .react(_, let key, let removed): return try context.react(key, removed: removed)
        case .pin(_, let removed): return try context.pin(removed: removed)
        case .join: return try context.join()
        case .knock(let reason): return try context.knock(reason)
        case .leave(let reason): return try context.leave(reason)
        case .invite: return try context.invite()
        case .kick(_, let reason): return try context.remove(.left, reason)
        case .ban(_, let reason): return try context.remove(.banned, reason)
        case .unban: return try context.unban()
        case .setRank(_, let rank): return try context.setRank(rank)
        case .setState(let change): return try context.setState(change)
        case .call(let change): return try context.call(change)
        case .sealed(let scheme, let bytes): return try context.sealed(scheme, bytes)
        case .custom(let namespace, let type, let payload): return try context.custom(namespace, type, payload)
        case .receipt(let thread, let delivered, let read): return try context.receipt(thread, delivered, read)
        case .report(_, let reason): return try context.report(reason)
        }
    }
}

/// One decision's inputs, and the checks that the rules share.
struct RuleContext {
    let actor: Actor
    let state: ConversationState
    let facts: Facts
    let limits: Limits

    var member: Member? { state.members[actor.account] }

    /// The rank by which the actor acts: an administrator of the server moderates groups like an owner.
    func rank(for action: Action) -> Rank {
        let own = member.map { $0.isJoined ? $0.rank : .reader } ?? .reader
        guard actor.isAdministrator, state.identity.kind == .group || state.identity.kind == .broadcast else {
            return own
        }
        switch action {
        case .kick, .ban, .redactOthers, .setRank, .configure, .setName, .setSubject, .setAvatar, .invite, .pin:
            return .owner
        case .post, .react, .call, .custom, .mentionAll, .setState:
            return own
        }
    }

    func requireJoined() throws(Rejection) {
        switch member?.standing {
        case .joined: return
        case .banned: throw Rejection(.banned, "you are banned from this conversation")
        case .invited, .knocking, .left, nil: throw notMember
        }
    }

    /// A private conversation does not even say that it exists.
    private var notMember: Rejection {
        state.access == .private && member == nil
            ? Rejection(.notFound, "no such conversation") : Rejection(.forbidden, "you are not in this conversation")
    }

    func require(_ action: Action) throws(Rejection) {
        if !actor.isAdministrator { try requireJoined() }
        guard rank(for: action) >= state.permissions.required(for: action) else {
            try requireJoined()
            throw Rejection(
                .forbidden, "\(action.rawValue) takes rank \(state.permissions.required(for: action)) here")
        }
    }

    /// Joined, allowed to write, and not shut out by the other one of a direct conversation.
    func requireWriting(_ action: Action) throws(Rejection) {
        try requireJoined()
        try require(action)
        if state.identity.kind == .direct, facts.isBlocked {
            throw Rejection(.forbidden, "this person does not take messages from you")
        }
    }

    /// The target of a command, if the actor can see it.
    func requireTarget() throws(Rejection) -> Envelope {
        guard let target = facts.target else { throw Rejection(.notFound, "no such event in this conversation") }
        let viewer = Viewer(account: actor.account, member: member, blocked: [])
        guard canSee(viewer, at: target.reference.sequence, history: state.timeline) else {
            throw Rejection(.notFound, "no such event in this conversation")
        }
        if target.isErased { throw Rejection(.erased, "the event was erased") }
        return target
    }

    func requireShort(_ text: String?, _ limit: Int, _ what: String) throws(Rejection) {
        guard let text else { return }
        if text.utf8.count > limit { throw Rejection(.tooLarge, "\(what) is longer than \(limit) bytes") }
        if text.utf8.contains(0) { throw Rejection(.invalidValue, "\(what) contains U+0000") }
    }

    func requireNotDirect() throws(Rejection) {
        switch state.identity.kind {
        case .group, .broadcast: return
        case .direct, .ledger:
            throw Rejection(.notApplicable, "a \(state.identity.kind.rawValue) conversation has no such thing")
        }
    }
}

extension Lane {
    /// Makes a group or broadcast: its creator joins as owner, then its first state, then the invitations.
    func create(_ new: NewConversation, _ submission: Submission, _ batch: inout PendingBatch) throws {
        let now = hub.clock()
        guard new.kind == .group || new.kind == .broadcast else {
            throw Rejection(.notApplicable, "only groups and broadcasts are made by name")
        }
        if let repeated = try repeatedCreation(submission) { return batch.answer(submission, repeated) }
        let creator = submission.actor
        if let known = try account(creator.account),
            known.conversations.count >= hub.limits.conversationsPerAccount
        {
            throw Rejection(
                .limitReached, "an account is in \(hub.limits.conversationsPerAccount) conversations at most")
        }
        guard creator.kind != .guest else { throw Rejection(.forbidden, "a guest can't make conversations") }
        let handle = try freeHandle(new)
        var contents: [Content] = [.membership(joined(creator.party, .owner))]
        contents.append(.state(StateChange(key: .access, value: new.access.rawValue)))
        if new.history != .members { contents.append(.state(StateChange(key: .history, value: new.history.rawValue))) }
        if let name = new.name {
            try requireForm(name, hub.limits.nameBytes, "the name")
            contents.append(.state(StateChange(key: .name, value: name)))
        }
        if let subject = new.subject {
            try requireForm(subject, hub.limits.subjectBytes, "the subject")
            contents.append(.state(StateChange(key: .subject, value: subject)))
        }
        for invited in new.invite.prefix(hub.limits.members) where invited != creator.account {
            guard let other = try account(invited), !other.account.isDisabled,
                !other.blocked.contains(creator.account),
                other.conversations.count < hub.limits.conversationsPerAccount
            else { continue }
            contents.append(
                .membership(
                    MembershipChange(subject: other.account.party, standing: .invited, rank: .member, reason: nil)))
        }
        // From here on nothing is refused: what is in memory is what will be written.
        let identity = ConversationIdentity(
            id: nextConversation(), kind: new.kind, address: Address(handle: handle), pair: nil, sealing: nil,
            created: now)
        conversations[identity.id] = ConversationState(identity: identity)
        write(contents, into: identity, submission, Fingerprint(creating: new), at: now, &batch)
    }

    private func requireForm(_ text: String, _ limit: Int, _ what: String) throws(Rejection) {
        guard text.utf8.count <= limit else { throw Rejection(.tooLarge, "\(what) is longer than \(limit) bytes") }
        if text.utf8.contains(0) { throw Rejection(.invalidValue, "\(what) has a NUL in it") }
    }

    private func joined(_ party: Party, _ rank: Rank) -> MembershipChange {
        MembershipChange(subject: party, standing: .joined, rank: rank, reason: nil)
    }

    private func freeHandle(_ new: NewConversation) throws -> Handle {
        if let handle = new.handle {
            if try log.conversation(at: Address(handle: handle)) != nil {
                throw Rejection(.nameTaken, "there is a conversation of this name")
            }
            return handle
        }
        // Unlisted ones get a generated name.
        for _ in 0..<8 {
            let digits = ids.next(at: hub.clock()).description.suffix(16)
            guard let handle = Handle("g-\(digits)") else { continue }
            if try log.conversation(at: Address(handle: handle)) == nil { return handle }
        }
        throw Rejection(.fault, "no free name was found")
    }

    private func nextConversation() -> ConversationID {
        lastConversation = ConversationID(rawValue: lastConversation.rawValue + 1)
        return lastConversation
    }

    private func repeatedCreation(_ submission: Submission) throws -> Acceptance? {
        guard let token = submission.token, case .create(let new) = submission.command,
            let stored = try log.acceptance(device: submission.actor.device, token: token)
        else { return nil }
        guard stored.fingerprint == Fingerprint(creating: new) else {
            throw Rejection(.tokenConflict, "this token was used for another command")
        }
        return stored.acceptance
    }

    /// Writes a new conversation with its first events; the token is that of the first one.
    private func write(
        _ contents: [Content], into identity: ConversationIdentity, _ submission: Submission,
        _ fingerprint: Fingerprint?, at now: Timestamp, _ batch: inout PendingBatch, more: [Batch.Item] = []
    ) {
        var writes: [Write] = [.createConversation(identity)]
        var items: [Batch.Item] = []
        var first: EventReference?
        for content in contents {
            let isFirst = first == nil
            let named = isFirst ? submission : submission.withoutToken()
            guard
                let stamped = stamp(
                    content, erasing: [], in: identity.id, named, isFirst && named.token != nil ? fingerprint : nil,
                    at: now)
            else { continue }
            first = first ?? EventReference(id: stamped.item.event.id, sequence: stamped.item.event.sequence)
            writes += stamped.writes
            items.append(.event(stamped.item))
        }
        batch.accept(
            submission, writes: writes, items: items + more,
            Acceptance(conversation: identity.id, event: first, position: position, time: now, isRepeat: false))
    }

    /// Finds the direct conversation of two accounts, or makes it.
    func openDirect(
        _ otherID: AccountID, _ sealing: String?, _ submission: Submission, _ batch: inout PendingBatch
    ) throws {
        let now = hub.clock()
        let actor = submission.actor
        let pair = ConversationIdentity.Pair(actor.account, otherID)
        if let known = try log.direct(pair, sealing: sealing) {
            return batch.answer(
                submission,
                Acceptance(conversation: known, event: nil, position: position, time: now, isRepeat: true))
        }
        guard let other = try account(otherID), !other.account.isDisabled else {
            throw Rejection(.notFound, "no such account")
        }
        if other.blocked.contains(actor.account) {
            throw Rejection(.forbidden, "this person does not take messages from you")
        }
        if let sealing, !(1...64).contains(sealing.utf8.count) {
            throw Rejection(.invalidValue, "a sealing scheme takes 1 to 64 bytes")
        }
        for party in [try account(actor.account), other]
        where party?.conversations.count ?? 0 >= hub.limits.conversationsPerAccount {
            throw Rejection(
                .limitReached, "an account is in \(hub.limits.conversationsPerAccount) conversations at most")
        }
        let identity = ConversationIdentity(
            id: nextConversation(), kind: .direct, address: nil, pair: pair, sealing: sealing, created: now)
        conversations[identity.id] = ConversationState(identity: identity)
        var contents: [Content] = [.membership(joined(actor.party, .member))]
        if otherID != actor.account { contents.append(.membership(joined(other.account.party, .member))) }
        write(contents, into: identity, submission.withoutToken(), nil, at: now, &batch)
    }

    func setProfile(_ profile: Profile, _ submission: Submission, _ batch: inout PendingBatch) throws {
        let actor = submission.actor
        for (text, limit) in [
            (profile.displayName, hub.limits.nameBytes), (profile.statusText, hub.limits.reasonBytes),
            (profile.avatar, 2_048),
        ] where (text?.utf8.count ?? 0) > limit || (text?.utf8.contains(0) ?? false) {
            throw Rejection(.tooLarge, "a value of the profile is longer than \(limit) bytes")
        }
        guard let state = try account(actor.account) else { throw Rejection(.notFound, "no such account") }
        let now = hub.clock()
        if state.account.profile == profile {
            return batch.answer(
                submission,
                Acceptance(
                    conversation: ConversationID(rawValue: 0), event: nil, position: position, time: now,
                    isRepeat: true))
        }
        let changed = AccountProfile(party: actor.party, profile: profile, position: nextPosition())
        accounts[actor.account]?.account.profile = profile
        batch.accept(
            submission, writes: [.profile(actor.account, profile, at: changed.position)],
            items: [.profile(changed, in: state.conversations)],
            Acceptance(
                conversation: ConversationID(rawValue: 0), event: nil, position: position, time: now, isRepeat: false))
    }

    /// Sets a value of the account's own ledger, which is made on first need. Blocks live there.
    func setLedger(_ change: StateChange, _ submission: Submission, _ batch: inout PendingBatch) throws {
        let actor = submission.actor
        let change = change.normalized(home: hub.serverName)
        // Looked up first: once a change is applied nothing may fail but the commit.
        let blocked = try account(blockedBy: change)
        guard let owner = try account(actor.account) else { throw Rejection(.notFound, "no such account") }
        if let ledger = owner.ledger {
            try load(ledger)
        } else {
            return try makeLedger(change, blocked, submission, &batch)
        }
        guard let ledger = owner.ledger, let state = conversations[ledger] else {
            throw Rejection(.notFound, "no such conversation")
        }
        let decision = try ConversationRules.decide(
            .setState(change), by: actor, in: state, facts: Facts(now: hub.clock()), limits: hub.limits)
        let now = hub.clock()
        guard case .event(let content, _) = decision,
            let stamped = stamp(content, erasing: [], in: ledger, submission.withoutToken(), nil, at: now)
        else {
            return batch.answer(
                submission,
                Acceptance(conversation: ledger, event: nil, position: position, time: now, isRepeat: true))
        }
        var items: [Batch.Item] = [.event(stamped.item)]
        if let blocked {
            items.append(.blocks(actor.account, note(change, blocks: blocked, by: actor.account)))
        }
        batch.accept(
            submission, writes: stamped.writes, items: items,
            Acceptance(
                conversation: ledger,
                event: EventReference(id: stamped.item.event.id, sequence: stamped.item.event.sequence),
                position: position, time: now, isRepeat: false))
    }

    private func makeLedger(
        _ change: StateChange, _ blocked: AccountID?, _ submission: Submission, _ batch: inout PendingBatch
    ) throws {
        let actor = submission.actor
        let now = hub.clock()
        let identity = ConversationIdentity(
            id: ConversationID(rawValue: lastConversation.rawValue + 1), kind: .ledger, address: nil,
            pair: .init(actor.account, actor.account), sealing: nil, created: now)
        let state = ConversationState(identity: identity)
        _ = try ConversationRules.decide(
            .setState(change), by: actor, in: state, facts: Facts(now: now), limits: hub.limits)
        _ = nextConversation()
        conversations[identity.id] = state
        accounts[actor.account]?.ledger = identity.id
        let contents: [Content] = [.membership(joined(actor.party, .owner)), .state(change)]
        var items: [Batch.Item] = []
        if let blocked {
            items.append(.blocks(actor.account, note(change, blocks: blocked, by: actor.account)))
        }
        write(contents, into: identity, submission.withoutToken(), nil, at: now, &batch, more: items)
    }

    /// The account that a change of a ledger blocks or unblocks; nil if it is about something else.
    private func account(blockedBy change: StateChange) throws(StoreError) -> AccountID? {
        guard change.isBlock, let address = Address(change.key.key, home: hub.serverName) else { return nil }
        return try log.accountID(at: address)
    }

    /// A block changes what the owner of the ledger can see.
    private func note(_ change: StateChange, blocks other: AccountID, by account: AccountID) -> Set<AccountID> {
        if change.value == nil {
            accounts[account]?.blocked.remove(other)
        } else {
            accounts[account]?.blocked.insert(other)
        }
        return accounts[account]?.blocked ?? []
    }
}

extension StateChange {
    fileprivate var isBlock: Bool { key.namespace.isEmpty && key.type == "block" }

    /// A block names its account in one form: what is on disk is read without case folding.
    fileprivate func normalized(home: ServerName) -> StateChange {
        guard isBlock, let address = Address(key.key, home: home) else { return self }
        return StateChange(key: StateKey(namespace: "", type: "block", key: address.description), value: value)
    }
}

extension Submission {
    /// The same command for events that are not the one its token names.
    func withoutToken() -> Submission { Submission(command: command, actor: actor, token: nil, reply: reply) }
}

extension Fingerprint {
    init(creating new: NewConversation) {
        self.init(
            .custom(
                namespace: new.kind.rawValue, type: new.handle?.text ?? "",
                payload: [new.name ?? "", new.subject ?? "", new.access.rawValue, new.history.rawValue]
                    .joined(separator: "\u{0}")),
            in: ConversationID(rawValue: 0))
    }
}

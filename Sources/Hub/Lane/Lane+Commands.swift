extension Lane {
    /// Decides one command against the (tentative) state and puts what follows into the batch.
    func process(_ submission: Submission, _ batch: inout PendingBatch) {
        if revokedDevices.contains(submission.actor.device) {
            return batch.refuse(submission, Rejection(.unauthenticated, "the device was signed out"))
        }
        do {
            switch submission.command {
            case .conversation(let id, let command): try decide(command, in: id, submission, &batch)
            case .create(let new): try create(new, submission, &batch)
            case .openDirect(let other, let sealing): try openDirect(other, sealing, submission, &batch)
            case .setProfile(let profile): try setProfile(profile, submission, &batch)
            case .setLedger(let change): try setLedger(change, submission, &batch)
            }
        } catch let rejection as Rejection {
            batch.refuse(submission, rejection)
        } catch {
            logger.error("the log can't be read", metadata: ["reason": "\(error)"])
            batch.refuse(submission, Rejection(.unavailable, "the log can't be read at the moment", retryAfter: 1_000))
        }
    }

    private func decide(
        _ command: ConversationCommand, in id: ConversationID, _ submission: Submission, _ batch: inout PendingBatch
    ) throws {
        let fingerprint = submission.token == nil ? nil : Fingerprint(command, in: id)
        if let repeated = try firstAcceptance(submission, fingerprint) { return batch.answer(submission, repeated) }
        try load(id)
        guard let state = conversations[id] else { throw Rejection(.notFound, "no such conversation") }
        if state.identity.kind == .ledger, case .setState = command {
            throw Rejection(.notApplicable, "a ledger's values are settings")
        }
        let facts = try facts(for: command, by: submission.actor, in: state)
        let decision = try ConversationRules.decide(
            command, by: submission.actor, in: state, facts: facts, limits: hub.limits)
        switch decision {
        case .event(let content, let erased):
            try hub.limiter.takeConversation(id, at: facts.now)
            append(content, erasing: erased, in: id, submission, fingerprint, at: facts.now, &batch)
        case .receipt(var receipt):
            receipt.position = nextPosition()
            receipts[ReceiptKey(conversation: id, account: submission.actor.account, thread: receipt.thread)] = receipt
            batch.accept(
                submission, writes: [.receipt(receipt)], items: [.receipt(receipt)],
                acceptance(in: id, nil, at: facts.now))
        case .report(let report):
            batch.accept(submission, writes: [.report(report)], items: [], acceptance(in: id, nil, at: facts.now))
        case .unchanged:
            batch.answer(submission, acceptance(in: id, nil, at: facts.now))
        }
    }

    /// A token that was seen before is answered with its first acceptance, or refused if it named another command.
    private func firstAcceptance(_ submission: Submission, _ fingerprint: Fingerprint?) throws -> Acceptance? {
        guard let token = submission.token, let fingerprint,
            let stored = try log.acceptance(device: submission.actor.device, token: token)
        else { return nil }
        guard stored.fingerprint == fingerprint else {
            throw Rejection(.tokenConflict, "this token was used for another command")
        }
        return stored.acceptance
    }

    func nextPosition() -> Position {
        position = position.next
        return position
    }

    private func acceptance(
        in conversation: ConversationID, _ event: EventReference?, at time: Timestamp
    ) -> Acceptance {
        Acceptance(conversation: conversation, event: event, position: position, time: time, isRepeat: false)
    }

    private func append(
        _ content: Content, erasing erased: [Sequence], in id: ConversationID, _ submission: Submission,
        _ fingerprint: Fingerprint?, at time: Timestamp, _ batch: inout PendingBatch
    ) {
        let stamped = stamp(content, erasing: erased, in: id, submission, fingerprint, at: time)
        guard let stamped else { return batch.refuse(submission, Rejection(.notFound, "no such conversation")) }
        batch.accept(
            submission, writes: stamped.writes, items: [.event(stamped.item)],
            acceptance(
                in: id, EventReference(id: stamped.item.event.id, sequence: stamped.item.event.sequence), at: time))
    }

    /// Gives content its place in the log, applies it to the state, and says what must be written.
    func stamp(
        _ content: Content, erasing erased: [Sequence], in id: ConversationID, _ submission: Submission,
        _ fingerprint: Fingerprint?, at time: Timestamp
    ) -> (writes: [Write], item: EventItem)? {
        guard let last = conversations[id]?.lastSequence else { return nil }
        let actor = submission.actor
        let event = Event(
            position: nextPosition(), conversation: id, sequence: last.next, id: ids.next(at: time),
            author: actor.party, device: actor.isServer ? nil : actor.device, time: time,
            token: submission.token, content: content)
        conversations[id]?.apply(event)
        guard let state = conversations[id] else { return nil }
        if case .message = content, state.slowMode > 0 { lastPosts[id, default: [:]][actor.account] = time }
        return (writes(for: event, erasing: erased, fingerprint, state), item(for: event, state))
    }

    private func writes(
        for event: Event, erasing erased: [Sequence], _ fingerprint: Fingerprint?, _ state: ConversationState
    ) -> [Write] {
        let id = event.conversation
        var writes: [Write] = [.event(event, fingerprint: fingerprint)]
        switch event.content {
        case .edit(let target, _): writes.append(.edited(id, target: target.sequence, by: event.sequence))
        case .redaction: writes.append(.erase(id, erased))
        case .reaction(let target, let key, let removed):
            writes.append(
                .reaction(
                    id, target: target.sequence, key: key, by: event.author.id, at: event.sequence, removed: removed))
        case .pin(let target, let removed):
            writes.append(.pin(id, target: target.sequence, at: event.sequence, removed: removed))
        case .membership(let change):
            if let member = state.members[change.subject.id] { writes.append(.member(id, member)) }
        case .state(let change):
            writes.append(.state(id, change, sequence: event.sequence))
            if change.key == .history { writes.append(.timeline(id, state.timeline)) }
        case .message, .call, .sealed, .custom, .erased: break
        }
        return writes
    }

    private func item(for event: Event, _ state: ConversationState) -> EventItem {
        var seat: SeatRow?
        var timeline: VisibilityTimeline?
        var postRank: Rank?
        switch event.content {
        case .membership(let change):
            seat = state.members[change.subject.id].map { SeatRow(state, member: $0) }
            noteMembership(change, in: event.conversation)
        case .state(let change):
            if change.key == .history { timeline = state.timeline }
            if change.key == .permission(.post) { postRank = state.permissions.required(for: .post) }
        case .message, .edit, .redaction, .reaction, .pin, .call, .sealed, .custom, .erased: break
        }
        return EventItem(event: event, seat: seat, timeline: timeline, postRank: postRank)
    }

    private func noteMembership(_ change: MembershipChange, in id: ConversationID) {
        switch change.standing {
        case .joined, .invited, .knocking: accounts[change.subject.id]?.conversations.insert(id)
        case .left, .banned: accounts[change.subject.id]?.conversations.remove(id)
        }
    }

    // MARK: Looking up

    func load(_ id: ConversationID) throws(StoreError) {
        if conversations[id] == nil { conversations[id] = try log.conversation(id) }
    }

    func account(_ id: AccountID) throws(StoreError) -> AccountState? {
        if let known = accounts[id] { return known }
        let loaded = try log.accountState(id)
        accounts[id] = loaded
        return loaded
    }

    private func facts(
        for command: ConversationCommand, by actor: Actor, in state: ConversationState
    ) throws(StoreError) -> Facts {
        let id = state.identity.id
        var facts = Facts(now: hub.clock())
        if let target = command.target { facts.target = try log.envelope(target, in: id) }
        if let subject = command.subject {
            let known = try account(subject)
            facts.subject = known?.account
            facts.isBlocked = known?.blocked.contains(actor.account) ?? false
        } else if state.identity.kind == .direct, let pair = state.identity.pair {
            let other = try account(pair.other(than: actor.account))
            facts.isBlocked = other.map { $0.blocked.contains(actor.account) || $0.account.isDisabled } ?? false
        }
        switch command {
        case .post(let draft):
            if let reply = draft.replyTo { facts.replyTo = try log.envelope(reply, in: id) }
            if let thread = draft.thread { facts.thread = try log.envelope(thread, in: id) }
            if state.slowMode > 0 { facts.lastPost = lastPosts[id]?[actor.account] }
        case .redact:
            if let target = facts.target { facts.edits = try log.edits(of: target.reference.sequence, in: id) }
        case .react(_, let key, _):
            if let target = facts.target {
                facts.hasReaction = try log.hasReaction(
                    key, by: actor.account, on: target.reference.sequence, in: id)
            }
        case .pin:
            if let target = facts.target { facts.isPinned = try log.isPinned(target.reference.sequence, in: id) }
        case .receipt(let thread, _, _):
            if let thread { facts.thread = try log.envelope(thread, in: id) }
            let key = ReceiptKey(conversation: id, account: actor.account, thread: facts.thread?.root)
            if let known = receipts[key] {
                facts.receipt = known
            } else {
                facts.receipt = try log.receipt(of: key.account, in: id, thread: key.thread)
            }
        case .join, .knock: facts.places = try account(actor.account)?.conversations.count ?? 0
        case .invite(let subject): facts.places = try account(subject)?.conversations.count ?? 0
        case .edit, .leave, .kick, .ban, .unban, .setRank, .setState, .call, .sealed, .custom, .report: break
        }
        return facts
    }
}

extension RuleContext {
    func post(_ draft: Draft) throws(Rejection) -> Decision {
        guard state.identity.kind != .ledger else {
            throw Rejection(.notApplicable, "a ledger holds settings, not messages")
        }
        try requireWriting(.post)
        if let fault = draft.body.fault(within: limits) { throw fault }
        try requireSlowMode()
        let reply = try reference(facts.replyTo, wanted: draft.replyTo, "the message replied to")
        var thread = try reference(facts.thread, wanted: draft.thread, "the thread's root")
        // A thread has one level: a message that names a reply inside a thread joins that thread.
        if let inner = facts.thread?.thread { thread = inner }
        return .event(.message(Message(body: draft.body, replyTo: reply, thread: thread)), erase: [])
    }

    private func reference(
        _ found: Envelope?, wanted: EventID?, _ what: String
    ) throws(Rejection) -> EventReference? {
        guard wanted != nil else { return nil }
        guard let found,
            canSee(
                Viewer(account: actor.account, member: member, blocked: []), at: found.reference.sequence,
                history: state.timeline)
        else { throw Rejection(.notFound, "\(what) is not in this conversation") }
        switch found.kind {
        case .message, .sealed, .custom, .call: return found.reference
        case .edit, .redaction, .reaction, .pin, .membership, .state:
            throw Rejection(.notApplicable, "\(what) is not a message")
        }
    }

    private func requireSlowMode() throws(Rejection) {
        guard state.slowMode > 0, rank(for: .post) < .helper, let last = facts.lastPost else { return }
        let wait = last.adding(milliseconds: state.slowMode * 1_000).rawValue - facts.now.rawValue
        if wait > 0 {
            throw Rejection(.rateLimited, "slow mode: one message each \(state.slowMode) s", retryAfter: wait)
        }
    }

    func edit(_ body: Body) throws(Rejection) -> Decision {
        try requireWriting(.post)
        let target = try requireTarget()
        guard target.kind == .message else { throw Rejection(.notApplicable, "only messages can be edited") }
        guard target.author == actor.account else { throw Rejection(.forbidden, "only its author edits a message") }
        if let fault = body.fault(within: limits) { throw fault }
        return .event(.edit(target: target.reference, body: body), erase: [])
    }

    func redact(_ reason: String?) throws(Rejection) -> Decision {
        if !actor.isAdministrator { try requireJoined() }
        try requireShort(reason, limits.reasonBytes, "the reason")
        guard let target = facts.target else { throw Rejection(.notFound, "no such event in this conversation") }
        if target.isErased { return .unchanged }
        if !actor.isAdministrator { _ = try requireTarget() }
        switch target.kind {
        case .message, .sealed, .custom, .call: break
        case .edit, .redaction, .reaction, .pin, .membership, .state:
            throw Rejection(.notApplicable, "this kind of event can't be redacted")
        }
        if target.author != actor.account { try require(.redactOthers) }
        return .event(
            .redaction(target: target.reference, reason: reason), erase: [target.reference.sequence] + facts.edits)
    }

    func react(_ key: String, removed: Bool) throws(Rejection) -> Decision {
        try requireWriting(.react)
        let target = try requireTarget()
        if key.isEmpty { throw Rejection(.invalidValue, "a reaction needs a key") }
        try requireShort(key, limits.reactionKeyBytes, "the reaction")
        switch target.kind {
        case .message, .sealed, .custom, .call: break
        case .edit, .redaction, .reaction, .pin, .membership, .state:
            throw Rejection(.notApplicable, "this kind of event takes no reactions")
        }
        guard facts.hasReaction == removed else { return .unchanged }
        return .event(.reaction(target: target.reference, key: key, removed: removed), erase: [])
    }

    func pin(removed: Bool) throws(Rejection) -> Decision {
        try requireWriting(.pin)
        let target = try requireTarget()
        guard target.kind == .message || target.kind == .custom else {
            throw Rejection(.notApplicable, "only messages can be pinned")
        }
        guard facts.isPinned == removed else { return .unchanged }
        return .event(.pin(target: target.reference, removed: removed), erase: [])
    }

    func call(_ change: CallChange) throws(Rejection) -> Decision {
        try requireWriting(.call)
        guard (1...128).contains(change.call.utf8.count), (change.duration ?? 0) >= 0 else {
            throw Rejection(.invalidValue, "a call needs an id of 1 to 128 bytes and no negative duration")
        }
        return .event(.call(change), erase: [])
    }

    func sealed(_ scheme: String, _ bytes: [UInt8]) throws(Rejection) -> Decision {
        try requireWriting(.post)
        guard (1...64).contains(scheme.utf8.count), !bytes.isEmpty else {
            throw Rejection(.invalidValue, "a sealed message needs a scheme of 1 to 64 bytes and a body")
        }
        if bytes.count > limits.sealedBytes { throw Rejection(.tooLarge, "sealed over \(limits.sealedBytes) bytes") }
        if let own = state.identity.sealing, own != scheme {
            throw Rejection(.notApplicable, "this conversation is sealed by \(own)")
        }
        return .event(.sealed(scheme: scheme, bytes: bytes), erase: [])
    }

    func custom(_ namespace: String, _ type: String, _ payload: String) throws(Rejection) -> Decision {
        try requireWriting(.custom)
        guard (1...64).contains(namespace.utf8.count), (1...64).contains(type.utf8.count) else {
            throw Rejection(.invalidValue, "namespace and type take 1 to 64 bytes each")
        }
        try requireShort(payload, limits.customBytes, "the payload")
        return .event(.custom(namespace: namespace, type: type, payload: payload), erase: [])
    }

    func receipt(_ thread: EventID?, _ delivered: Sequence?, _ read: Sequence?) throws(Rejection) -> Decision {
        try requireJoined()
        _ = try reference(facts.thread, wanted: thread, "the thread's root")
        guard (delivered ?? .zero) <= state.lastSequence, (read ?? .zero) <= state.lastSequence,
            (delivered ?? .zero) >= .zero, (read ?? .zero) >= .zero
        else { throw Rejection(.invalidValue, "a receipt can't be ahead of the conversation") }
        let thread = facts.thread?.root
        var receipt =
            facts.receipt
            ?? Receipt(
                conversation: state.identity.id, party: actor.party, thread: thread, deliveredUpTo: .zero,
                readUpTo: .zero, position: .zero, time: facts.now)
        let before = (receipt.deliveredUpTo, receipt.readUpTo)
        receipt.readUpTo = max(receipt.readUpTo, read ?? .zero)
        receipt.deliveredUpTo = max(receipt.deliveredUpTo, delivered ?? .zero, receipt.readUpTo)
        receipt.time = facts.now
        return (receipt.deliveredUpTo, receipt.readUpTo) == before ? .unchanged : .receipt(receipt)
    }

    func report(_ reason: String) throws(Rejection) -> Decision {
        let target = try requireTarget()
        try requireShort(reason, limits.reasonBytes, "the reason")
        return .report(
            Report(
                conversation: state.identity.id, target: target.reference, reporter: actor.party, reason: reason,
                time: facts.now))
    }
}

import Hub

/// How an account ends.
///
/// The wish is on disk before anything is done: the account is disabled and carries a credential that says how it is to be
/// closed. Every later step can be repeated, so a closing that was interrupted, by `kill -9` too, goes on at the next
/// start from whatever it finds: own messages are blanked (where that was asked), groups are left, and in the end the
/// directory forgets the account. Its handle stays taken.
extension AccountService {
    /// The credential of an account that is being closed: `keep` or `erase`.
    static let closingScheme = "closing"

    /// Closes one's own account. Its sessions end at once, the rest follows.
    ///
    /// - Parameters:
    ///   - password: needed where the account has one.
    ///   - erase: also blank every message that the account wrote.
    package func close(
        _ actor: Actor, password: String?, erase: Bool, remote: RemoteClient
    ) async throws(Rejection) {
        let account = try await self.account(actor.account)
        try AccountService.requireNotServer(account)
        let hasPassword = try await look { directory throws(StoreError) in
            try directory.credential(of: account.id, scheme: ScramMechanism.sha256.scheme) != nil
        }
        var proof: ProvedPassword?
        if hasPassword {
            proof = try await check(password: password ?? "", of: account.address.handle.text, remote: remote)
            guard proof?.account.id == account.id else { throw .wrongPassword }
        }
        let now = hub.clock()
        try await beginClosing(account, erase: erase) { [proof] directory throws(StoreError) -> Rejection? in
            if try actor.standing(at: now, in: directory) == nil { return .notSignedIn }
            if let refusal = try proof?.refusal(at: now, in: directory) { return refusal }
            return try AccountService.refusalToLose(account.id, in: directory)
        }
        logger.notice("an account is closed by its owner", metadata: ["account": "\(account.address)"])
    }

    /// Nil unless this account is the last administrator.
    static func refusalToLose(
        _ id: AccountID, in directory: any DirectoryAccess
    ) throws(StoreError) -> Rejection? {
        guard try directory.account(id)?.isAdministrator == true else { return nil }
        return try isLastAdministrator(id, in: directory) ? .lastAdministrator : nil
    }

    /// Puts the wish on disk and shuts the account out, unless there is a refusal. Does nothing harmful the second time.
    func beginClosing(
        _ account: Account, erase: Bool,
        unless refusal: @escaping @Sendable (any DirectoryAccess) throws(StoreError) -> Rejection? = { _ in nil }
    ) async throws(Rejection) {
        try await decide { directory throws(StoreError) -> Result<Void, Rejection> in
            if let refusal = try refusal(directory) { return .failure(refusal) }
            let isErasing = try directory.credential(of: account.id, scheme: AccountService.closingScheme) == "erase"
            try directory.setCredential(
                erase || isErasing ? "erase" : "keep", scheme: AccountService.closingScheme, of: account.id)
            try directory.update(account.id, administrator: nil, disabled: true, kind: nil)
            return .success(())
        }
        await hub.accountChanged(account.id)
        await hub.endSessions(of: account.id)
        await upkeep.mustClose(account.id)
    }

    /// Finds closings that an earlier run of the program did not finish.
    func findUnfinishedClosings() async throws(Rejection) {
        var last: Handle?
        while true {
            let after = last
            let page = try await look { directory throws(StoreError) -> (unfinished: [AccountID], end: Handle?) in
                let page = try directory.accounts(after: after, limit: 500)
                var unfinished: [AccountID] = []
                for account in page where account.isDisabled {
                    if try directory.credential(of: account.id, scheme: AccountService.closingScheme) != nil {
                        unfinished.append(account.id)
                    }
                }
                return (unfinished, page.count == 500 ? page.last?.address.handle : nil)
            }
            for account in page.unfinished { await upkeep.mustClose(account) }
            guard let end = page.end else { return }
            last = end
        }
    }

    /// Does what is left of the closings that wait. One that fails waits for the next time.
    func finishClosings() async {
        for id in await upkeep.takeClosings() {
            do throws(Rejection) {
                try await finishClosing(id)
            } catch {
                logger.error("an account can't be closed yet", metadata: ["reason": "\(error.message)"])
                await upkeep.mustClose(id)
            }
        }
    }

    private func finishClosing(_ id: AccountID) async throws(Rejection) {
        let found = try await look { directory throws(StoreError) -> (account: Account, wish: String)? in
            guard let account = try directory.account(id),
                let wish = try directory.credential(of: id, scheme: AccountService.closingScheme)
            else { return nil }
            return (account, wish)
        }
        guard let (account, wish) = found else { return }
        let rows = try await memberships(of: id)
        for row in rows where wish == "erase" && row.identity.kind != .ledger {
            try await eraseMessages(of: account, in: row.identity.id)
        }
        for row in rows {
            switch (row.identity.kind, row.member.standing) {
            case (.direct, _), (.ledger, _), (_, .left), (_, .banned): continue
            case (_, .joined), (_, .invited), (_, .knocking):
                try await handOver(row, from: account)
                try await insist(.conversation(row.identity.id, .leave(reason: nil)), by: account.byServer())
            }
        }
        if account.profile != Profile() {
            try await insist(.setProfile(Profile()), by: account.byServer())
        }
        try await write { directory throws(StoreError) in try directory.delete(id) }
        await hub.accountChanged(id)
        logger.info("an account is closed", metadata: ["account": "\(account.address)"])
    }

    // MARK: Own messages

    /// Redacts all that an account wrote in a conversation, a page at a time. What is erased already is passed over.
    private func eraseMessages(of account: Account, in conversation: ConversationID) async throws(Rejection) {
        // It may have lost its place there; what it wrote is still its own to blank.
        let actor = account.byServer(asAdministrator: true)
        let archive = hub.archive
        var after = Sequence.zero
        while true {
            let start = after
            let page = try await hub.read { _ throws(Rejection) in
                do throws(StoreError) {
                    return try archive.page(conversation, .after(start), limit: 500).map(\.event)
                } catch {
                    throw .unreadable
                }
            }
            guard let last = page.last else { return }
            let own = page.filter { $0.author.id == account.id && $0.content.isErasable }.map(\.id)
            try await redact(own, in: conversation, by: actor)
            after = last.sequence
        }
    }

    /// Several at once, so that they share transactions.
    private func redact(
        _ events: [EventID], in conversation: ConversationID, by actor: Actor
    ) async throws(Rejection) {
        var rest = events[...]
        while !rest.isEmpty {
            let some = rest.prefix(64)
            rest = rest.dropFirst(some.count)
            let failure = await withTaskGroup(of: Rejection?.self) { group in
                for event in some {
                    group.addTask {
                        do throws(Rejection) {
                            try await self.insist(
                                .conversation(conversation, .redact(target: event, reason: nil)), by: actor)
                            return nil
                        } catch {
                            return error.code.isRetryable ? error : nil
                        }
                    }
                }
                return await group.reduce(nil) { $0 ?? $1 }
            }
            if let failure { throw failure }
        }
    }

    // MARK: Groups

    /// A group must not lose its last owner: the one of the highest rank, and of those the one who has been there for
    /// longest, takes over; a bot, a guest or a closed account only where there is nobody else.
    private func handOver(_ row: MembershipRow, from account: Account) async throws(Rejection) {
        guard row.member.isJoined, row.member.rank == .owner else { return }
        let others = try await joinedMembers(of: row.identity.id).filter { $0.party.id != account.id }
        guard !others.isEmpty, !others.contains(where: { $0.rank == .owner }) else { return }
        let ranked = others.sorted { ($1.rank, $0.since) < ($0.rank, $1.since) }
        var heir = ranked.first
        for member in ranked {
            let candidate = try await look { directory throws(StoreError) in try directory.account(member.party.id) }
            if let candidate, candidate.kind == .person, !candidate.isDisabled {
                heir = member
                break
            }
        }
        guard let heir else { return }
        try await insist(
            .conversation(row.identity.id, .setRank(heir.party.id, .owner)), by: account.byServer())
    }

    private func joinedMembers(of conversation: ConversationID) async throws(Rejection) -> [Member] {
        let archive = hub.archive
        return try await hub.read { _ throws(Rejection) in
            do throws(StoreError) {
                var members: [Member] = []
                var last: Handle?
                while true {
                    let page = try archive.members(of: conversation, after: last, limit: 1_000)
                    members += page.filter(\.isJoined)
                    guard let end = page.last, page.count == 1_000 else { return members }
                    last = end.party.address.handle
                }
            } catch {
                throw .unreadable
            }
        }
    }
}

extension Content {
    /// Whether a redaction can blank it.
    fileprivate var isErasable: Bool {
        switch self {
        case .message, .sealed, .custom, .call: true
        case .edit, .redaction, .reaction, .pin, .membership, .state, .erased: false
        }
    }
}

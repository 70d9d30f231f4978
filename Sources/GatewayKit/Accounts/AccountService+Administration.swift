import Hub

/// In whose name an administrator's operation is done.
package enum Authority: Sendable {
    case account(Actor)
    /// Whoever may use the admin socket or the data directory: the operating system has checked.
    case `operator`

    /// A device of zero stands for the server itself, and no token gives one.
    package init(_ actor: Actor) {
        self = actor.device.rawValue == 0 && actor.isAdministrator ? .operator : .account(actor)
    }
}

/// An account as administrators see it.
package struct AccountPage: Sendable {
    package let accounts: [Account]
    /// There are more after the last one.
    package let hasMore: Bool
}

extension AccountService {
    package func accounts(
        after: Handle?, limit: Int, by authority: Authority
    ) async throws(Rejection) -> AccountPage {
        try await requireAdministrator(authority)
        let limit = min(max(limit, 1), 1_000)
        let found = try await look { directory throws(StoreError) in
            try directory.accounts(after: after, limit: limit + 1)
        }
        return AccountPage(accounts: Array(found.prefix(limit)), hasMore: found.count > limit)
    }

    package func account(named name: String, by authority: Authority) async throws(Rejection) -> Account {
        try await requireAdministrator(authority)
        return try await hub.read { reader throws(Rejection) in try reader.account(named: name) }
    }

    /// Makes an account for a person. Without a password it is opened by a reset link, or by nothing.
    package func addPerson(
        _ handle: String, password: String?, displayName: String?, isAdministrator: Bool, by authority: Authority
    ) async throws(Rejection) -> Account {
        try await requireAdministrator(authority)
        let new = NewAccount(
            address: Address(handle: try AccountService.freeName(handle, allowsReserved: true)), kind: .person,
            displayName: try self.displayName(displayName), isAdministrator: isAdministrator, created: hub.clock(),
            expires: nil)
        var verifiers: [String: String] = [:]
        if let password { verifiers = try await self.verifiers(for: password) }
        let account = try await decide(by: authority) { [verifiers] directory throws(StoreError) in
            try AccountService.make(new, verifiers: verifiers, in: directory)
        }
        record("an account was added", account, authority)
        return account
    }

    /// Makes a bot with its token. A bot has no password and can't be an administrator.
    package func addBot(
        _ handle: String, displayName: String?, by authority: Authority
    ) async throws(Rejection) -> SignIn {
        let account = try await makeBot(handle, displayName: displayName, by: authority)
        return try await enrolBot(account, by: authority)
    }

    private func enrolBot(_ account: Account, by authority: Authority) async throws(Rejection) -> SignIn {
        try await enrol(
            account, device: AccountService.botDevice, kind: .bot, by: .authority(authority, asAdministrator: true))
    }

    func makeBot(
        _ handle: String, displayName: String? = nil, by authority: Authority
    ) async throws(Rejection) -> Account {
        try await requireAdministrator(authority)
        let new = NewAccount(
            address: Address(handle: try AccountService.freeName(handle, allowsReserved: true)), kind: .bot,
            displayName: try self.displayName(displayName), isAdministrator: false, created: hub.clock(), expires: nil)
        let account = try await decide(by: authority) { directory throws(StoreError) in
            try AccountService.make(new, verifiers: [:], in: directory)
        }
        record("a bot was added", account, authority)
        return account
    }

    private static let botDevice = "bot"

    /// Gives a bot a new token; the old ones are worth nothing within a second.
    package func renewToken(ofBot id: AccountID, by authority: Authority) async throws(Rejection) -> SignIn {
        try await requireAdministrator(authority)
        let account = try await self.account(id)
        guard account.kind == .bot else { throw Rejection(.notApplicable, "this account is not a bot's") }
        let now = hub.clock()
        let old = try await decide(by: authority) { directory throws(StoreError) -> Result<[DeviceID], Rejection> in
            // Those of its webhooks stay: they have tokens of their own.
            let old = try directory.devices(of: id).filter { $0.name == AccountService.botDevice }.map(\.id)
            try AccountService.revoke(old, of: id, at: now, in: directory)
            return .success(old)
        }
        await hub.revoked(old, of: id)
        record("a bot's token was renewed", account, authority)
        return try await enrolBot(account, by: authority)
    }

    /// Disables or enables an account, makes it an administrator or ends that. Withdrawn rights are gone within a second:
    /// the account's sessions end, and come back with what is left.
    package func change(
        _ id: AccountID, disabled: Bool?, administrator: Bool?, by authority: Authority
    ) async throws(Rejection) -> Account {
        try await requireAdministrator(authority)
        let account = try await self.account(id)
        try AccountService.requireNotServer(account)
        guard administrator != true || account.kind == .person else {
            throw Rejection(.notApplicable, "only a person can be an administrator")
        }
        let withdraws = disabled == true || administrator == false
        try await decide(by: authority) { directory throws(StoreError) -> Result<Void, Rejection> in
            if withdraws, account.isAdministrator, case .account = authority,
                try AccountService.isLastAdministrator(id, in: directory)
            {
                return .failure(.lastAdministrator)
            }
            if disabled == false, try directory.credential(of: id, scheme: AccountService.closingScheme) != nil {
                return .failure(Rejection(.notApplicable, "this account is being closed"))
            }
            try directory.update(id, administrator: administrator, disabled: disabled, kind: nil)
            return .success(())
        }
        await hub.accountChanged(id)
        if withdraws { await hub.endSessions(of: id) }
        record("an account was changed", account, authority)
        return try await self.account(id)
    }

    /// Whether no other account is an administrator that can act.
    static func isLastAdministrator(_ id: AccountID, in directory: any DirectoryAccess) throws(StoreError) -> Bool {
        var last: Handle?
        while true {
            let page = try directory.accounts(after: last, limit: 500)
            if page.contains(where: { $0.isAdministrator && !$0.isDisabled && $0.id != id }) { return false }
            guard let end = page.last, page.count == 500 else { return true }
            last = end.address.handle
        }
    }

    /// Sets somebody's password; all devices of the account are revoked.
    package func setPassword(
        _ password: String, of id: AccountID, by authority: Authority
    ) async throws(Rejection) {
        try await requireAdministrator(authority)
        let account = try await self.account(id)
        guard account.kind == .person else { throw Rejection(.notApplicable, "only a person has a password") }
        let verifiers = try await verifiers(for: password)
        let now = hub.clock()
        let gone = try await decide(by: authority) { directory throws(StoreError) -> Result<[DeviceID], Rejection> in
            try AccountService.replace(verifiers, of: id, in: directory)
            return .success(try AccountService.revokeAll(of: id, but: nil, at: now, in: directory))
        }
        await hub.revoked(gone, of: id)
        record("a password was set", account, authority)
    }

    /// Closes somebody's account, by the same rules as one's own.
    package func delete(_ id: AccountID, erase: Bool, by authority: Authority) async throws(Rejection) {
        try await requireAdministrator(authority)
        let account = try await self.account(id)
        try AccountService.requireNotServer(account)
        let now = hub.clock()
        try await beginClosing(account, erase: erase) { directory throws(StoreError) -> Rejection? in
            if let refusal = try authority.refusal(asAdministrator: true, at: now, in: directory) { return refusal }
            return try AccountService.refusalToLose(id, in: directory)
        }
        record("an account is closed", account, authority)
    }

    /// The handle of the account that acts for the deployment itself. Without it a server can't start.
    package static let serverHandle = "server"

    static func requireNotServer(_ account: Account) throws(Rejection) {
        if account.address.handle.text == serverHandle, !account.address.isRemote {
            throw Rejection(.notApplicable, "this account is the server's own")
        }
    }

    package func reports(by authority: Authority) async throws(Rejection) -> [Report] {
        try await requireAdministrator(authority)
        let archive = hub.archive
        return try await hub.read { _ throws(Rejection) in
            do throws(StoreError) {
                return try archive.reports(limit: 1_000)
            } catch {
                throw .unreadable
            }
        }
    }

    func record(_ what: String, _ account: Account, _ authority: Authority) {
        let by: String
        switch authority {
        case .account(let actor): by = "\(actor.party.address)"
        case .operator: by = "the operator"
        }
        logger.notice("\(what)", metadata: ["account": "\(account.address)", "by": "\(by)"])
    }
}

extension Rejection {
    static let lastAdministrator = Rejection(
        .notApplicable, "make somebody else an administrator first: there would be none")
}

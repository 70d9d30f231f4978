import Hub

/// A one-time link as it is given out, once. The secret stands in the fragment, which browsers do not send.
package struct IssuedLink: Sendable {
    package let secret: TokenSecret
    package let expires: Timestamp
    package let url: String

    init(_ secret: TokenSecret, expires: Timestamp, at publicURL: String) {
        self.secret = secret
        self.expires = expires
        url = "\(publicURL)/#\(secret.reveal())"
    }
}

/// What a link was good for.
package struct Redemption: Sendable {
    package let account: Account
    /// The device of a newly made account; nil where an existing one was changed.
    package let signIn: SignIn?
    package let joined: [ConversationID]
}

extension AccountService {
    // MARK: Giving out

    /// A link that makes the first administrator, for 30 minutes; nil when there is an administrator.
    package func firstAdministratorLink() async throws(Rejection) -> IssuedLink? {
        let secret = TokenSecret.generate(.firstAdmin)
        let hash = secret.hash.bytes
        let expires = hub.clock().adding(milliseconds: AccountConfiguration.firstAdministratorLifetime)
        let isNeeded = try await write { directory throws(StoreError) in
            if try directory.hasAdministrator() { return false }
            try directory.createLink(
                OneTimeLink(hash: hash, purpose: .firstAdministrator, expires: expires, uses: 1))
            return true
        }
        return isNeeded ? IssuedLink(secret, expires: expires, at: configuration.publicURL) : nil
    }

    /// A link that makes accounts, joins conversations, or both.
    ///
    /// Who is not an administrator may make one for conversations to which they may invite; a stranger gets an account by
    /// it only where registration is open. What the link may do is looked at again when it is redeemed.
    package func inviteLink(
        to conversations: [ConversationID], uses: Int?, hours: Int?, by authority: Authority
    ) async throws(Rejection) -> IssuedLink {
        let configuration = configuration
        let uses = uses ?? 1
        let hours = hours ?? configuration.inviteHours
        guard (1...configuration.inviteUses).contains(uses), (1...configuration.longestInviteHours).contains(hours),
            conversations.count <= 50
        else {
            throw Rejection(
                .invalidValue,
                """
                an invitation has 1 to \(configuration.inviteUses) uses, 1 to \(configuration.longestInviteHours) hours \
                and 50 conversations at most
                """)
        }
        let maker = try await current(authority)
        if let maker, !maker.isAdministrator {
            guard !conversations.isEmpty else {
                throw Rejection(.forbidden, "accounts are made by an administrator's invitation")
            }
            for conversation in conversations { try await requireInviting(maker, to: conversation) }
        }
        let secret = TokenSecret.generate(.invite)
        let expires = hub.clock().adding(milliseconds: Int64(hours) * 3_600_000)
        let link = OneTimeLink(
            hash: secret.hash.bytes, purpose: .invite(conversations: conversations, by: maker?.id), expires: expires,
            uses: uses)
        try await create(link, by: authority, asAdministrator: maker?.isAdministrator ?? false)
        return IssuedLink(secret, expires: expires, at: configuration.publicURL)
    }

    private func create(
        _ link: OneTimeLink, by authority: Authority, asAdministrator: Bool
    ) async throws(Rejection) {
        try await decide(by: authority, asAdministrator: asAdministrator) {
            directory throws(StoreError) -> Result<Void, Rejection> in
            .success(try directory.createLink(link))
        }
    }

    private func requireInviting(_ maker: Account, to conversation: ConversationID) async throws(Rejection) {
        let actor = maker.byServer()
        let (rank, required) = try await hub.read { reader throws(Rejection) -> (Rank?, Rank) in
            let view = try reader.view(conversation, for: actor)
            let table = PermissionTable(
                kind: view.head.identity.kind, values: try reader.state(of: conversation, asOf: nil, for: actor))
            return (view.member.flatMap { $0.isJoined ? $0.rank : nil }, table.required(for: .invite))
        }
        guard let rank, rank >= required else { throw Rejection(.forbidden, "you can't invite to this conversation") }
    }

    /// A link by which the owner of an account sets a new password, for a day.
    package func resetLink(
        for account: AccountID, by authority: Authority
    ) async throws(Rejection) -> IssuedLink {
        try await requireAdministrator(authority)
        guard try await self.account(account).kind == .person else {
            throw Rejection(.notApplicable, "only a person has a password")
        }
        let secret = TokenSecret.generate(.reset)
        let expires = hub.clock().adding(milliseconds: AccountConfiguration.resetLifetime)
        let link = OneTimeLink(
            hash: secret.hash.bytes, purpose: .resetPassword(account), expires: expires, uses: 1)
        try await create(link, by: authority, asAdministrator: true)
        return IssuedLink(secret, expires: expires, at: configuration.publicURL)
    }

    // MARK: Spending

    /// Spends a use of a link.
    ///
    /// - Parameters:
    ///   - actor: who is signed in already, if anybody: an account joins what the link names, a guest becomes the newcomer.
    ///   - newcomer: who wants an account. For a reset link its password alone counts.
    package func redeem(
        _ secret: String, newcomer: Newcomer?, password: String?, as actor: Actor? = nil, remote: RemoteClient
    ) async throws(Rejection) -> Redemption {
        try arrive(remote)
        guard let secret = try? TokenSecret(parsing: secret) else { throw .deadLink }
        let hash = secret.hash.bytes
        let now = hub.clock()
        // Looked at before the password work; spent after it, on the lane, where nobody comes between.
        let link = try await look { directory throws(StoreError) in try directory.link(hash: hash) }
        guard let link, link.expires > now, link.uses > 0 else { throw .deadLink }
        switch (link.purpose, secret.kind) {
        case (.firstAdministrator, .firstAdmin):
            return try await makeFirstAdministrator(link, newcomer)
        case (.resetPassword(let account), .reset):
            return try await reset(account, link, password ?? newcomer?.password)
        case (.invite(let conversations, let maker), .invite):
            if let actor, actor.kind != .guest {
                return try await join(conversations, invitedBy: maker, link, actor)
            }
            return try await accept(conversations, invitedBy: maker, link, newcomer, as: actor)
        case (.firstAdministrator, _), (.resetPassword, _), (.invite, _):
            throw .deadLink
        }
    }

    private func makeFirstAdministrator(
        _ link: OneTimeLink, _ newcomer: Newcomer?
    ) async throws(Rejection) -> Redemption {
        let checked = try await check(try required(newcomer), allowsReserved: true)
        let now = hub.clock()
        let account = try await decide { directory throws(StoreError) -> Result<Account, Rejection> in
            if try directory.hasAdministrator() {
                return .failure(Rejection(.forbidden, "there is an administrator already"))
            }
            return try AccountService.spend(link, at: now, in: directory) { () throws(StoreError) in
                try AccountService.make(checked, isAdministrator: true, at: now, in: directory)
            }
        }
        logger.notice("the first administrator has an account", metadata: ["account": "\(account.address)"])
        let signIn = try await enrol(account, device: checked.device)
        return Redemption(account: account, signIn: signIn, joined: [])
    }

    private func reset(
        _ id: AccountID, _ link: OneTimeLink, _ password: String?
    ) async throws(Rejection) -> Redemption {
        guard let password else { throw Rejection(.invalidValue, "a new password is needed") }
        let verifiers = try await verifiers(for: password)
        let now = hub.clock()
        let (account, gone) = try await decide {
            directory throws(StoreError) -> Result<(Account, [DeviceID]), Rejection> in
            guard let account = try directory.account(id) else { return .failure(.deadLink) }
            return try AccountService.spend(link, at: now, in: directory) { () throws(StoreError) in
                try AccountService.replace(verifiers, of: id, in: directory)
                // Whoever had the old password, or a device of its time, is out.
                return .success((account, try AccountService.revokeAll(of: id, but: nil, at: now, in: directory)))
            }
        }
        await hub.revoked(gone, of: id)
        logger.notice("a password was reset", metadata: ["account": "\(account.address)"])
        return Redemption(account: account, signIn: nil, joined: [])
    }

    private func accept(
        _ conversations: [ConversationID], invitedBy maker: AccountID?, _ link: OneTimeLink, _ newcomer: Newcomer?,
        as guest: Actor?
    ) async throws(Rejection) -> Redemption {
        let checked = try await check(try required(newcomer), allowsReserved: false)
        let registration = configuration.registration
        let now = hub.clock()
        let account = try await decide(by: guest.map(Authority.account), asAdministrator: false) {
            directory throws(StoreError) -> Result<Account, Rejection> in
            guard try AccountService.mayMakeAccounts(maker, registration, in: directory) else {
                return .failure(Rejection(.forbidden, "this link is for people who have an account here"))
            }
            return try AccountService.spend(link, at: now, in: directory) { () throws(StoreError) in
                try AccountService.make(checked, isAdministrator: false, at: now, in: directory)
            }
        }
        logger.info("an invited account was made", metadata: ["account": "\(account.address)"])
        await adopt(guest, by: account)
        let joined = await bring(account, to: conversations, invitedBy: maker)
        let signIn = try await enrol(account, device: checked.device)
        return Redemption(account: account, signIn: signIn, joined: joined)
    }

    private func join(
        _ conversations: [ConversationID], invitedBy maker: AccountID?, _ link: OneTimeLink, _ actor: Actor
    ) async throws(Rejection) -> Redemption {
        guard !conversations.isEmpty else { throw Rejection(.notApplicable, "you have an account already") }
        let account = try await self.account(actor.account)
        let now = hub.clock()
        _ = try await decide(by: .account(actor), asAdministrator: false) {
            directory throws(StoreError) -> Result<Bool, Rejection> in
            try AccountService.spend(link, at: now, in: directory) { () throws(StoreError) in .success(true) }
        }
        let joined = await bring(account, to: conversations, invitedBy: maker)
        return Redemption(account: account, signIn: nil, joined: joined)
    }

    private func required(_ newcomer: Newcomer?) throws(Rejection) -> Newcomer {
        guard let newcomer else {
            throw Rejection(.invalidValue, "this link makes an account: a handle, a password and a device are needed")
        }
        return newcomer
    }

    /// On the lane: does what a link is good for and takes one of its uses, or neither.
    private static func spend<T>(
        _ link: OneTimeLink, at now: Timestamp, in directory: any DirectoryAccess,
        _ body: () throws(StoreError) -> Result<T, Rejection>
    ) throws(StoreError) -> Result<T, Rejection> {
        guard let current = try directory.link(hash: link.hash), current.expires > now, current.uses > 0 else {
            return .failure(.deadLink)
        }
        let outcome = try body()
        guard case .success = outcome else { return outcome }
        return try directory.redeemLink(hash: link.hash, at: now) == nil ? .failure(.deadLink) : outcome
    }

    private static func mayMakeAccounts(
        _ maker: AccountID?, _ registration: AccountConfiguration.Registration, in directory: any DirectoryAccess
    ) throws(StoreError) -> Bool {
        switch registration {
        case .open: return true
        case .closed: return false
        case .invite:
            // Nobody: a link of the operator's own.
            guard let maker else { return true }
            return try directory.account(maker).map { $0.isAdministrator && !$0.isDisabled } ?? false
        }
    }

    /// Joins the conversations of a link by the power that its maker has now.
    private func bring(
        _ account: Account, to conversations: [ConversationID], invitedBy maker: AccountID?
    ) async -> [ConversationID] {
        let inviter = await inviter(maker)
        var joined: [ConversationID] = []
        for conversation in conversations {
            if let inviter { await attempt(.conversation(conversation, .invite(account.id)), by: inviter) }
            do throws(Rejection) {
                try await insist(.conversation(conversation, .join), by: account.byServer())
                joined.append(conversation)
            } catch {
                logger.info("a link's conversation can't be joined", metadata: ["reason": "\(error.message)"])
            }
        }
        return joined
    }

    private func inviter(_ maker: AccountID?) async -> Actor? {
        guard let maker, let account = try? await self.account(maker), !account.isDisabled else { return nil }
        return account.byServer()
    }
}

extension PermissionTable {
    /// The table of a conversation that is in this state.
    init(kind: ConversationKind, values: [StateKey: String]) {
        self.init(kind: kind)
        for action in Action.allCases {
            set(action, to: values[.permission(action)].flatMap { Int($0) }.flatMap(Rank.init(rawValue:)))
        }
    }
}

extension Rejection {
    /// The one answer to a link that is unknown, used up or over.
    static let deadLink = Rejection(.notFound, "this link is not valid, or no longer")
}

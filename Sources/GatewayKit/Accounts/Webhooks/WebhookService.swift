import Hub
import Logging
import NIOCore

/// A webhook that has just been set up, with its secret, which is shown this once.
package struct IssuedWebhook: Sendable {
    package let webhook: Webhook
    package let bot: Account
    /// Outgoing: signs the calls, `whsec_…`. Incoming: the token, `sbw_…`.
    package let secret: String
    /// Incoming: where to post. Whoever knows it can post; it opens nothing else.
    package let url: String?
}

/// A webhook as administrators see it. The path of an outgoing address is often its password, and is not shown.
package struct WebhookSummary: Sendable {
    package let webhook: Webhook
    package let bot: Account?
    /// Scheme and authority of an outgoing webhook; nil for an incoming one.
    package let target: String?
}

/// Webhooks: addresses that are told of a conversation's events, and addresses that post into one, each as a bot.
///
/// *Lives on* no loop: all of it may be called from any task. Outgoing calls are made while ``run()`` is running.
package final class WebhookService: Sendable {
    package static let limit = 1_000

    private let accounts: AccountService
    private let delivery: WebhookDelivery
    private let policy: @Sendable () -> OutboundPolicy

    /// - Parameters:
    ///   - policy: where the server may connect, asked before every call.
    ///   - encode: the client API's form of an event.
    ///   - sleep: injected by tests.
    package init(
        accounts: AccountService, policy: @escaping @Sendable () -> OutboundPolicy, transport: any WebhookTransport,
        encode: @escaping EventEncoder, logger: Logger,
        sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    ) {
        self.accounts = accounts
        self.policy = policy
        delivery = WebhookDelivery(
            accounts: accounts,
            outlet: WebhookOutlet(
                transport: transport, policy: policy, encode: encode, clock: accounts.hub.clock, sleep: sleep,
                logger: logger))
    }

    /// Calls outgoing webhooks until the hub ends or the task is cancelled.
    package func run() async { await delivery.run() }

    // MARK: Setting up

    /// Sets up a webhook in a group or broadcast. Administrators do.
    ///
    /// - Parameters:
    ///   - url: whom to call; nil: an incoming webhook.
    ///   - bot: the handle of the bot that the webhook acts as; made if it is free. Nil: a new one with a generated name.
    package func add(
        to conversation: ConversationID, url: String?, bot: String?, by authority: Authority
    ) async throws(Rejection) -> IssuedWebhook {
        try await accounts.requireAdministrator(authority)
        if let url {
            do throws(OutboundRefusal) {
                _ = try OutboundURL(checking: url, by: policy())
            } catch {
                throw Rejection(.invalidValue, "the server may not call this address: \(error)")
            }
        }
        let last = try await head(of: conversation).lastSequence
        let bot = try await account(ofBot: bot, by: authority)
        try await seat(bot, in: conversation, writes: url == nil, by: authority)
        let issued = try await issue(url, bot, conversation, after: last, by: authority)
        accounts.record("a webhook was added", bot, authority)
        await delivery.refresh()
        return issued
    }

    private func issue(
        _ url: String?, _ bot: Account, _ conversation: ConversationID, after last: Sequence,
        by authority: Authority
    ) async throws(Rejection) -> IssuedWebhook {
        let id = StrictBase64.encode(SecretBytes.random(count: 9).reveal(), as: .url)
        let now = accounts.hub.clock()
        let token = TokenSecret.generate(.webhook)
        let secret = WebhookSignature.Secret.generate().reveal()
        let direction: Webhook.Direction =
            url.map { .outgoing(url: $0, secret: Array(secret.utf8)) } ?? .incoming(tokenHash: token.hash.bytes)
        let webhook = Webhook(
            id: id, account: bot.id, conversation: conversation, direction: direction, created: now)
        try await accounts.decide(by: authority) { directory throws(StoreError) -> Result<Void, Rejection> in
            guard try directory.webhooks().count < WebhookService.limit else {
                return .failure(Rejection(.limitReached, "there are \(WebhookService.limit) webhooks already"))
            }
            switch direction {
            case .outgoing:
                // Only what comes is told, not what was.
                try directory.setFollowerCursor(
                    WebhookWorker.cursorName(id), to: Position(rawValue: last.rawValue))
            case .incoming(let hash):
                // A device of its own: what it posts is limited like anybody's, and a `ref` is unique to the webhook.
                _ = try directory.createDevice(of: bot.id, name: "webhook \(id)", tokenHash: hash, at: now)
            }
            try directory.save(webhook)
            return .success(())
        }
        switch direction {
        case .outgoing: return IssuedWebhook(webhook: webhook, bot: bot, secret: secret, url: nil)
        case .incoming:
            let text = token.reveal()
            return IssuedWebhook(
                webhook: webhook, bot: bot, secret: text,
                url: "\(accounts.configuration.publicURL)/v1/hooks/\(text)")
        }
    }

    private func head(of conversation: ConversationID) async throws(Rejection) -> ConversationHead {
        let archive = accounts.hub.archive
        let found = try await accounts.look { _ throws(StoreError) in try archive.head(of: conversation) }
        guard let found else { throw Rejection(.notFound, "no such conversation") }
        guard found.identity.kind == .group || found.identity.kind == .broadcast else {
            throw Rejection(.notApplicable, "webhooks are for groups and broadcasts")
        }
        return found
    }

    private func account(ofBot name: String?, by authority: Authority) async throws(Rejection) -> Account {
        guard let name else { return try await accounts.makeBot(MadeUpHandle.hook(), by: authority) }
        guard let handle = Handle(name) else { throw Rejection(.invalidName, "this is not a handle") }
        let known = try await accounts.look { directory throws(StoreError) in
            try directory.account(at: Address(handle: handle))
        }
        guard let known else { return try await accounts.makeBot(name, by: authority) }
        guard known.kind == .bot, !known.isDisabled else {
            throw Rejection(.notApplicable, "\(known.address) is not a bot")
        }
        return known
    }

    /// Sees to it that the bot is in the conversation, and may write where that takes a rank.
    private func seat(
        _ bot: Account, in id: ConversationID, writes: Bool, by authority: Authority
    ) async throws(Rejection) {
        let power: Actor
        if let administrator = try await accounts.current(authority) {
            power = administrator.byServer()
        } else {
            power = bot.byServer(asAdministrator: true)
        }
        try await accounts.insist(.conversation(id, .invite(bot.id)), by: power)
        try await accounts.insist(.conversation(id, .join), by: bot.byServer())
        guard writes else { return }
        let (rank, required) = try await accounts.hub.read { reader throws(Rejection) -> (Rank, Rank) in
            let actor = bot.byServer()
            let view = try reader.view(id, for: actor)
            let values = try reader.state(of: id, asOf: nil, for: actor)
            return (
                view.member?.rank ?? .reader,
                PermissionTable(kind: view.head.identity.kind, values: values).required(for: .post)
            )
        }
        if rank < required { try await accounts.insist(.conversation(id, .setRank(bot.id, required)), by: power) }
    }

    package func webhooks(by authority: Authority) async throws(Rejection) -> [WebhookSummary] {
        try await accounts.requireAdministrator(authority)
        return try await accounts.look { directory throws(StoreError) -> [WebhookSummary] in
            var summaries: [WebhookSummary] = []
            for webhook in try directory.webhooks() {
                summaries.append(
                    WebhookSummary(
                        webhook: webhook, bot: try directory.account(webhook.account), target: webhook.target))
            }
            return summaries
        }
    }

    /// Ends a webhook. Its bot stays, and stays in the conversation.
    package func delete(_ id: String, by authority: Authority) async throws(Rejection) {
        try await accounts.decide(by: authority) { directory throws(StoreError) -> Result<Void, Rejection> in
            guard let webhook = try directory.webhook(id) else {
                return .failure(Rejection(.notFound, "no such webhook"))
            }
            if case .incoming(let hash) = webhook.direction, let found = try directory.device(tokenHash: hash) {
                _ = try directory.revoke(found.device.id)
            }
            _ = try directory.deleteWebhook(id)
            return .success(())
        }
        await delivery.refresh()
    }

    // MARK: Coming in

    /// Posts a message as the bot of an incoming webhook.
    ///
    /// - Parameter ref: a repeat under the same one is answered with the first acceptance.
    package func post(_ draft: Draft, ref: Token?, token text: String) async throws(Rejection) -> Acceptance {
        guard let token = try? TokenSecret(parsing: text), token.kind == .webhook else { throw .noWebhook }
        let hash = token.hash.bytes
        let found = try await accounts.look { directory throws(StoreError) -> (Webhook, Actor, Account)? in
            guard let webhook = try directory.webhooks().first(where: { $0.direction == .incoming(tokenHash: hash) }),
                let (device, account) = try directory.device(tokenHash: hash)
            else { return nil }
            return (webhook, account.actor(device.id), account)
        }
        guard let (webhook, actor, account) = found, account.refusal(at: accounts.hub.clock()) == nil else {
            throw .noWebhook
        }
        return try await accounts.hub.submit(
            .conversation(webhook.conversation, .post(draft)), by: actor, token: ref)
    }
}

extension Rejection {
    /// The one answer to a webhook's address that is unknown or ended.
    static let noWebhook = Rejection(.notFound, "no such webhook")
}

extension Webhook {
    /// Scheme and authority of an outgoing webhook, for people.
    var target: String? {
        guard case .outgoing(let url, _) = direction else { return nil }
        let parts = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        return parts.prefix(3).joined(separator: "/") + "/…"
    }
}

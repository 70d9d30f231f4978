import Hub
import Logging
import NIOCore

/// Calls one outgoing webhook: the events of its conversation, in order, each until it is taken or too old.
///
/// The log is its queue, so nothing is held for a target that is down; and it reads again before each new attempt, so
/// what was erased meanwhile is not sent, nor what the bot may no longer see. A call that was taken may be repeated after
/// a crash: its `webhook-id`, the event's id, is the same.
struct WebhookWorker: Sendable {
    private static let page = 50
    /// Milliseconds for which a page that was read is good: a right that was withdrawn is gone within a second.
    private static let freshness: Int64 = 500

    let webhook: Webhook
    let url: String
    let secret: [UInt8]
    let accounts: AccountService
    let outlet: WebhookOutlet

    private var hub: Hub { accounts.hub }

    /// Works when it is woken, until the stream ends, the task is cancelled, or the webhook is gone.
    func run(_ wakes: AsyncStream<Void>) async {
        var progress = Progress()
        for await _ in wakes {
            while !Task.isCancelled {
                do throws(Rejection) {
                    switch try await bot() {
                    case .gone: return
                    case .away: break
                    case .present(let actor):
                        if try await step(&progress, as: actor) { continue }
                    }
                    break
                } catch {
                    // It can't be read, or the bot is not there any more: the next event asks again.
                    guard error.code.isRetryable else { break }
                    await outlet.pause(milliseconds: error.retryAfter ?? 1_000)
                }
            }
        }
    }

    private struct Progress {
        /// The sequence of the last event that is done with; nil: not read yet.
        var cursor: Sequence?
        /// Calls that failed since the last that was taken.
        var failures = 0
    }

    /// The name of the worker's cursor among those of followers. It counts sequences of the webhook's conversation.
    static func cursorName(_ webhook: String) -> String { "webhook/\(webhook)" }

    /// Works through one page. False when there is nothing more for now.
    private func step(_ progress: inout Progress, as actor: Actor) async throws(Rejection) -> Bool {
        let start = try await cursor(&progress)
        let conversation = webhook.conversation
        let page = try await hub.read { reader throws(Rejection) in
            try reader.page(conversation, .after(start), limit: WebhookWorker.page, for: actor)
        }
        let readAt = hub.clock()
        var done = start
        var isWhole = true
        for event in page.entries.map(\.event) {
            let now = hub.clock()
            guard now.rawValue - readAt.rawValue <= WebhookWorker.freshness, !Task.isCancelled else {
                isWhole = false
                break
            }
            if event.author.id != webhook.account, !isHopeless(event, progress, now) {
                guard await call(event) else {
                    progress.failures += 1
                    isWhole = false
                    break
                }
                progress.failures = 0
            }
            done = event.sequence
        }
        if isWhole { done = page.end(after: start, limit: WebhookWorker.page) }
        try await save(done, &progress)
        if !isWhole, progress.failures > 0 {
            await outlet.pause(
                milliseconds: WebhookTiming.delay(failures: progress.failures, random: hub.random()))
        }
        return !isWhole || done < page.lastSequence
    }

    /// An event older than a day is given up when the target is down, so that newer ones have their turn.
    private func isHopeless(_ event: Event, _ progress: Progress, _ now: Timestamp) -> Bool {
        guard progress.failures > 0, event.time.adding(milliseconds: WebhookTiming.lifetime) < now else { return false }
        outlet.logger.warning("a webhook's event is given up", metadata: ["webhook": "\(webhook.id)"])
        return true
    }

    private func call(_ event: Event) async -> Bool {
        let outcome = await outlet.call(url, secret: secret, event)
        if case .failed(let reason) = outcome {
            outlet.logger.info(
                "a webhook was not taken", metadata: ["webhook": "\(webhook.id)", "reason": "\(reason)"])
            return false
        }
        return true
    }

    /// In whose name the worker reads.
    private enum Bot: Sendable {
        /// The webhook is deleted.
        case gone
        /// The bot may not act just now.
        case away
        case present(Actor)
    }

    private func bot() async throws(Rejection) -> Bot {
        let webhook = webhook
        let now = hub.clock()
        return try await accounts.look { directory throws(StoreError) -> Bot in
            guard try directory.webhook(webhook.id) == webhook else { return .gone }
            guard let account = try directory.account(webhook.account), account.refusal(at: now) == nil else {
                return .away
            }
            return .present(account.byServer())
        }
    }

    private func cursor(_ progress: inout Progress) async throws(Rejection) -> Sequence {
        if let known = progress.cursor { return known }
        let name = WebhookWorker.cursorName(webhook.id)
        let archive = hub.archive
        let stored = try await accounts.look { _ throws(StoreError) in try archive.followerCursor(name) }
        progress.cursor = Sequence(rawValue: stored.rawValue)
        return Sequence(rawValue: stored.rawValue)
    }

    private func save(_ cursor: Sequence, _ progress: inout Progress) async throws(Rejection) {
        guard cursor != progress.cursor else { return }
        progress.cursor = cursor
        let name = WebhookWorker.cursorName(webhook.id)
        try await accounts.write { directory throws(StoreError) in
            try directory.setFollowerCursor(name, to: Position(rawValue: cursor.rawValue))
        }
    }
}

/// The way out for all webhooks: checks, signs, sends.
struct WebhookOutlet: Sendable {
    enum Outcome: Sendable {
        case taken
        case failed(String)
    }

    let transport: any WebhookTransport
    let policy: @Sendable () -> OutboundPolicy
    let encode: EventEncoder
    let clock: @Sendable () -> Timestamp
    let sleep: @Sendable (Duration) async throws -> Void
    let logger: Logger

    func call(_ url: String, secret: [UInt8], _ event: Event) async -> Outcome {
        do {
            let policy = policy()
            let target = try OutboundURL(checking: url, by: policy)
            let body = encode(event)
            guard let secret = WebhookSignature.Secret(parsing: String(decoding: secret, as: UTF8.self)),
                let signature = WebhookSignature(secrets: [secret])
            else { return .failed("the stored secret can't be read") }
            let signed = try signature.sign(
                id: event.id.description, body: Array(body.readableBytesView), now: clock().rawValue / 1_000)
            let address = try await address(of: target, policy)
            let status = try await transport.post(
                WebhookCall(
                    url: target, address: address,
                    headers: [
                        ("content-type", "application/json"), ("user-agent", "Switchboard"),
                        ("webhook-id", signed.id), ("webhook-timestamp", signed.timestamp),
                        ("webhook-signature", signed.signature),
                    ],
                    body: body))
            return (200...299).contains(status) ? .taken : .failed("status \(status)")
        } catch {
            return .failed("\(error)")
        }
    }

    /// Resolved once, checked, and nothing else is connected to.
    private func address(of url: OutboundURL, _ policy: OutboundPolicy) async throws -> SocketAddress {
        let found: [SocketAddress]
        switch url.host {
        case .address(let address):
            let packed = ByteBuffer(bytes: address.bytes)
            found = [try SocketAddress(packedIPAddress: packed, port: url.port)]
        case .name(let name):
            found = try await transport.resolve(name, port: url.port)
        }
        return try policy.dialable(found).get()
    }

    func pause(milliseconds: Int64) async {
        // Cut short when the webhook is taken away or the program ends; the caller looks at that itself.
        try? await sleep(.milliseconds(milliseconds))
    }
}

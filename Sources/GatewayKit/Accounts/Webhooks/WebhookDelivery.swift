import Hub
import Logging

/// The follower that calls outgoing webhooks: reads what is new once, and wakes the workers whose conversation moved.
///
/// *Lives on* its own executor. It owns the workers' tasks: each is cancelled when its webhook goes, and all of them when
/// ``run()`` ends.
actor WebhookDelivery {
    private struct Running {
        let conversation: ConversationID
        let wake: AsyncStream<Void>.Continuation
        let task: Task<Void, Never>
    }

    private static let batch = 500
    private let accounts: AccountService
    private let outlet: WebhookOutlet
    private var running: [String: Running] = [:]
    private var isRunning = false
    /// Look-ups of the directory that were begun, and the newest of them that was acted upon.
    private var begun = 0
    private var done = 0

    init(accounts: AccountService, outlet: WebhookOutlet) {
        self.accounts = accounts
        self.outlet = outlet
    }

    /// Follows the log until the hub ends or the task is cancelled.
    func run() async {
        let hub = accounts.hub
        isRunning = true
        var position = await hub.head()?.position ?? .zero
        await refresh()
        for await head in hub.followers.heads() {
            if running.isEmpty {
                position = max(position, head)
            } else {
                position = await wakeFor(changesAfter: position)
            }
        }
        isRunning = false
        let tasks = running.values.map(\.task)
        for id in Array(running.keys) { stop(id) }
        for task in tasks { await task.value }
    }

    /// Brings the workers in line with the directory. Every new one looks at once whether it has something to do.
    ///
    /// Several can be under way: what an older look-up found is not acted upon after a newer one, or it would bring back
    /// what is deleted.
    func refresh() async {
        guard isRunning else { return }
        begun += 1
        let own = begun
        let webhooks: [Webhook]
        do throws(Rejection) {
            webhooks = try await accounts.look { directory throws(StoreError) in try directory.webhooks() }
        } catch {
            outlet.logger.error("webhooks can't be read", metadata: ["reason": "\(error.message)"])
            return
        }
        guard isRunning, own > done else { return }
        done = own
        let current = Set(webhooks.map(\.id))
        for id in Array(running.keys) where !current.contains(id) { stop(id) }
        for webhook in webhooks where running[webhook.id] == nil { start(webhook) }
    }

    private func start(_ webhook: Webhook) {
        guard case .outgoing(let url, let secret) = webhook.direction else { return }
        let (wakes, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let worker = WebhookWorker(webhook: webhook, url: url, secret: secret, accounts: accounts, outlet: outlet)
        wake.yield()
        running[webhook.id] = Running(
            conversation: webhook.conversation, wake: wake,
            task: Task {
                await worker.run(wakes)
                // It may have found by itself that its webhook is gone.
                stop(webhook.id)
            })
    }

    private func stop(_ id: String) {
        guard let worker = running.removeValue(forKey: id) else { return }
        worker.wake.finish()
        worker.task.cancel()
    }

    private func wakeFor(changesAfter start: Position) async -> Position {
        let archive = accounts.hub.archive
        var position = start
        while !Task.isCancelled {
            let from = position
            let events: [(conversation: ConversationID, position: Position)]
            do throws(Rejection) {
                events = try await accounts.look { _ throws(StoreError) in
                    try archive.events(after: from, limit: WebhookDelivery.batch).map { ($0.conversation, $0.position) }
                }
            } catch {
                outlet.logger.error("the log can't be read", metadata: ["reason": "\(error.message)"])
                // Where the hub has ended it will never be read again.
                guard await accounts.hub.head() != nil else { break }
                await outlet.pause(milliseconds: 1_000)
                continue
            }
            let moved = Set(events.map(\.conversation))
            for worker in running.values where moved.contains(worker.conversation) { worker.wake.yield() }
            position = events.last?.position ?? position
            if events.count < WebhookDelivery.batch { break }
        }
        return position
    }
}

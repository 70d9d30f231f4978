import Logging
import NIOCore

/// The one writer: decides commands in order, saves them in batches, then tells the loops.
///
/// *Lives on* an event loop of its own that has no connections, so it may block. Nothing else mutates conversation state.
/// Invariant: `conversations`, `accounts` and `receipts` hold committed state whenever no batch is being processed; when
/// an append fails, everything that the batch touched is forgotten and read again.
package final class Lane {
    let hub: Hub
    let log: any EventLog
    let directory: any Directory
    let logger: Logger
    var ids: EventIDGenerator
    /// The last position given out (committed or in the batch at hand).
    var position: Position
    var lastConversation: ConversationID

    var conversations: [ConversationID: ConversationState] = [:]
    var accounts: [AccountID: AccountState] = [:]
    var receipts: [ReceiptKey: Receipt] = [:]
    /// Of conversations in slow mode.
    var lastPosts: [ConversationID: [AccountID: Timestamp]] = [:]
    /// Since the start. Ids are never used again, and what was read of a device before it went must not count after.
    private(set) var revokedDevices: Set<DeviceID> = []
    let presence: PresenceBoard

    /// Conversations kept in memory at most, beyond those of the batch at hand; accounts and receipts likewise.
    private static let cached = 20_000

    init(hub: Hub, log: any EventLog, directory: any Directory, head: LogHead, logger: Logger) {
        self.hub = hub
        self.log = log
        self.directory = directory
        self.logger = logger
        ids = EventIDGenerator(random: hub.random)
        position = head.position
        lastConversation = head.lastConversation
        presence = PresenceBoard()
    }

    /// Works until nothing waits. One iteration takes what is there: while it syncs, the next one gathers.
    func drain() {
        let work = hub.inbox.take(atMost: hub.limits.batch)
        guard !work.isEmpty else { return }
        var rest = work[...]
        while !rest.isEmpty {
            var batch = PendingBatch(head: position)
            gather(&rest, into: &batch)
            commit(&batch)
            publish(batch)
        }
        trimCaches()
        hub.inbox.drainAgain()
    }

    /// Takes work into a batch until a piece needs what the batch has not committed yet.
    private func gather(_ rest: inout ArraySlice<LaneWork>, into batch: inout PendingBatch) {
        while let next = rest.first {
            switch next {
            case .command(let submission):
                if batch.isClosed || batch.mustCommit(before: submission) { return }
                process(submission, &batch)
            case .job(let job):
                batch.jobs.append(job)
                batch.isClosed = true
            case .aside(let job):
                batch.jobs.append(job)
            }
            rest = rest.dropFirst()
        }
    }

    // MARK: Saving

    private func commit(_ batch: inout PendingBatch) {
        guard batch.writesAnything else { return runJobs(&batch) }
        do {
            try log.append(batch.writes)
        } catch .constraint(let reason) where batch.steps.count > 1 {
            logger.warning(
                "a batch broke a constraint; its commands are tried one by one", metadata: ["reason": "\(reason)"])
            retryOneByOne(&batch)
        } catch {
            fail(&batch, error)
        }
        runJobs(&batch)
    }

    /// One bad command must not fail its neighbours.
    private func retryOneByOne(_ batch: inout PendingBatch) {
        forget(batch.head)
        for submission in batch.takeTentative() {
            var single = PendingBatch(head: position)
            process(submission, &single)
            if single.writesAnything {
                do {
                    try log.append(single.writes)
                } catch {
                    fail(&single, error)
                }
            }
            batch.absorb(single)
        }
    }

    private func fail(_ batch: inout PendingBatch, _ error: StoreError) {
        forget(batch.head)
        logger.error("the log could not be written", metadata: ["reason": "\(error)"])
        let rejection: Rejection
        switch error {
        case .constraint: rejection = Rejection(.fault, "the log refused this command")
        case .unavailable, .unsynced, .damaged:
            rejection = Rejection(.unavailable, "the log can't be written at the moment", retryAfter: 1_000)
        }
        // The error may have come after the commit: then the batch is in the log, whether or not it survives a power cut.
        if position > batch.head { batch.withholdAnswers(rejection) } else { batch.refuseAll(rejection) }
    }

    /// Drops everything tentative: it is read again from the log when it is needed. The position is the log's own.
    private func forget(_ head: Position) {
        position = head
        conversations.removeAll(keepingCapacity: true)
        accounts.removeAll(keepingCapacity: true)
        receipts.removeAll(keepingCapacity: true)
        lastPosts.removeAll(keepingCapacity: true)
        do {
            let stored = try log.head()
            position = max(head, stored.position)
            lastConversation = stored.lastConversation
        } catch {
            logger.error("the log's head can't be read", metadata: ["reason": "\(error)"])
        }
    }

    private func runJobs(_ batch: inout PendingBatch) {
        current = PublishedExtras()
        for job in batch.jobs { job(self) }
        batch.extras = current
        current = PublishedExtras()
    }

    /// What jobs of this iteration have for the loops; collected while they run.
    var current = PublishedExtras()

    // MARK: Telling

    private func publish(_ batch: PendingBatch) {
        let replies = batch.replies
        for reply in replies where reply.reply.loop == nil { reply.reply.complete(reply.outcome) }
        let items = batch.items + batch.extras.items
        let message = Batch(items: items, head: position)
        for port in hub.ports {
            let local = replies.filter { $0.reply.loop == port.index }
            let installs = batch.extras.installs.filter { $0.loop == port.index }
            guard presence.hasSessions(on: port.index) || !local.isEmpty || !installs.isEmpty else { continue }
            port.eventLoop.execute {
                let audience = port.audience.value
                audience.deliver(message)
                for reply in local { reply.reply.complete(reply.outcome) }
                for install in installs { audience.install(install.session, install.result) }
            }
        }
        if batch.writesAnything { hub.followers.advance(to: position) }
    }

    // MARK: Devices

    /// The device's sessions end on every loop, and nothing more is taken from it.
    func revoke(_ device: DeviceID, of account: AccountID) {
        revokedDevices.insert(device)
        current.items.append(.revoked(account, device))
    }

    private func trimCaches() {
        if conversations.count > Lane.cached { conversations.removeAll(keepingCapacity: true) }
        if accounts.count > Lane.cached { accounts.removeAll(keepingCapacity: true) }
        if receipts.count > Lane.cached { receipts.removeAll(keepingCapacity: true) }
        if lastPosts.count > Lane.cached { lastPosts.removeAll(keepingCapacity: true) }
    }
}

/// What a receipt is stored under.
struct ReceiptKey: Hashable {
    let conversation: ConversationID
    let account: AccountID
    let thread: Sequence?
}

/// What jobs add to a batch.
struct PublishedExtras: Sendable {
    var items: [Batch.Item] = []
    var installs: [(session: SessionID, loop: Int, result: Result<AccountView, Rejection>)] = []
}

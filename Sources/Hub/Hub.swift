import Logging
import NIOCore
import Synchronization

/// The façade of the domain: gateways attach sessions, submit commands and read; nothing else reaches a conversation.
///
/// Lives on no loop: every member may be used from any thread. ``shutdown()`` must be called, or its loops and store
/// stay referenced.
package final class Hub: Sendable {
    package let serverName: ServerName
    /// Of the log as it was opened: part of every cursor.
    package let epoch: Int64
    package let clock: @Sendable () -> Timestamp
    package let random: @Sendable () -> UInt64
    package let archive: any Archive
    package let directory: any Directory
    package let search: (any SearchIndex)?
    package let readers: ReaderPool
    package let followers = FollowerHints()
    package let limiter: AccountLimiter
    package let inbox: LaneInbox
    let laneLoop: any EventLoop
    let allocator = ByteBufferAllocator()
    private let limitsBox: Mutex<Limits>
    private let portsBox: Mutex<[LoopPort]>
    private let lastSession = Mutex<UInt64>(0)
    private let logger: Logger

    /// - Parameters:
    ///   - lane: an event loop without connections, on which the log is written (and may block).
    ///   - loops: the event loops on which sessions live.
    package init(
        serverName: ServerName, stores: Stores, lane: any EventLoop, loops: [any EventLoop], readers: ReaderPool,
        limits: Limits, clock: @escaping @Sendable () -> Timestamp, random: @escaping @Sendable () -> UInt64,
        logger: Logger
    ) throws(StoreError) {
        let head = try stores.log.head()
        self.serverName = serverName
        epoch = head.epoch
        self.clock = clock
        self.random = random
        archive = stores.archive
        directory = stores.directory
        search = stores.search
        self.readers = readers
        self.logger = logger
        limitsBox = Mutex(limits)
        limiter = AccountLimiter(limits: limits, clock: clock)
        laneLoop = lane
        inbox = LaneInbox(eventLoop: lane, limit: limits.inbox)
        portsBox = Mutex([])
        let ports = loops.enumerated().map { index, loop in
            let audience = Audience(eventLoop: loop, index: index, hub: self, head: head.position)
            return LoopPort(
                index: index, eventLoop: loop,
                audience: NIOLoopBoundBox.makeBoxSendingValue(audience, eventLoop: loop))
        }
        portsBox.withLock { $0 = ports }
        let writer = Lane(hub: self, log: stores.log, directory: stores.directory, head: head, logger: logger)
        inbox.open(NIOLoopBoundBox.makeBoxSendingValue(writer, eventLoop: lane))
    }

    /// Lets go of everything; commands and attachments are refused from here on. Call it when the doors are closed.
    package func shutdown() {
        inbox.close()
        portsBox.withLock { $0 = [] }
        followers.finish()
    }

    package var limits: Limits { limitsBox.withLock { $0 } }

    /// Takes a new configuration whole.
    package func setLimits(_ limits: Limits) {
        limitsBox.withLock { $0 = limits }
        limiter.setLimits(limits)
    }

    var ports: [LoopPort] { portsBox.withLock { $0 } }

    /// The event loops on which sessions live.
    package var eventLoops: [any EventLoop] { ports.map(\.eventLoop) }

    func nextSessionID() -> SessionID {
        lastSession.withLock { last in
            last += 1
            return SessionID(rawValue: last)
        }
    }

    /// The audience of a loop. Must be called on that loop; nil if the hub does not know it or is shut down.
    package func audience(on eventLoop: any EventLoop) -> Audience? {
        ports.first { $0.eventLoop === eventLoop }?.audience.value
    }

    // MARK: Commands

    /// Submits a command from a session's loop. `completion` runs on that loop, before anything that follows the command.
    package func submit(
        _ command: Command, by actor: Actor, token: Token?, on eventLoop: any EventLoop,
        completion: @escaping @Sendable (Result<Acceptance, Rejection>) -> Void
    ) {
        let loop = ports.first { $0.eventLoop === eventLoop }?.index
        if let rejection = put(command, actor, token, Reply(loop: loop, complete: completion)) {
            completion(.failure(rejection))
        }
    }

    /// Submits a command from a task.
    package func submit(_ command: Command, by actor: Actor, token: Token?) async throws(Rejection) -> Acceptance {
        let result = await withCheckedContinuation { continuation in
            let reply = Reply(loop: nil) { continuation.resume(returning: $0) }
            if let rejection = put(command, actor, token, reply) { continuation.resume(returning: .failure(rejection)) }
        }
        return try result.get()
    }

    private func put(_ command: Command, _ actor: Actor, _ token: Token?, _ reply: Reply) -> Rejection? {
        if let rejection = limiter.takeCommand(actor) { return rejection }
        let work = LaneWork.command(Submission(command: command, actor: actor, token: token, reply: reply))
        return inbox.put(work) ? nil : Rejection(.busy, "the server has too much to do", retryAfter: 1_000)
    }

    // MARK: Sessions' own state

    /// Limited like a signal, which it becomes.
    package func setPresence(_ state: Presence.State, of session: SessionID, by actor: Actor) throws(Rejection) {
        if let rejection = limiter.takeSignal(actor) { throw rejection }
        _ = inbox.put(.aside { $0.setPresence(state, of: session) })
    }

    /// Limited like a signal, which it becomes.
    package func attend(
        _ conversation: ConversationID, _ session: SessionID, by actor: Actor, present: Bool
    ) throws(Rejection) {
        if let rejection = limiter.takeSignal(actor) { throw rejection }
        _ = inbox.put(.aside { $0.attend(conversation, session, present: present) })
    }

    package func presence(of accounts: [AccountID]) async -> [Presence] {
        await ask { lane in accounts.map { lane.presence.presence(of: $0) } } ?? accounts.map { _ in .offline }
    }

    package func attending(_ conversation: ConversationID) async -> [AccountID] {
        await ask { $0.presence.attending(conversation) } ?? []
    }

    /// Where the log stands: everything up to here is on disk. Nil when the hub is shut down.
    package func head() async -> Cursor? {
        await ask { $0.position }.map { Cursor(epoch: epoch, position: $0) }
    }

    package func sessionCount() async -> Int { await ask { $0.presence.sessionCount } ?? 0 }

    /// Sends a signal for an account that has no session at hand.
    package func signal(
        _ make: @escaping @Sendable (Party) -> Signal, in conversation: ConversationID, by actor: Actor
    ) async throws(Rejection) {
        if let rejection = limiter.takeSignal(actor) { throw rejection }
        let rejection = await onLane { $0.signal(make, in: conversation, by: actor) }
        if let rejection = rejection ?? Rejection(.unavailable, "the server is going down") { throw rejection }
    }

    func broadcast(_ signal: Signal, from origin: Audience) {
        for port in ports where port.index != origin.index {
            port.eventLoop.execute { port.audience.value.deliverNow(signal) }
        }
        origin.deliverNow(signal)
    }

    // MARK: Directory

    /// Runs a write of the directory on the lane, between two batches. Throws what it throws.
    package func write<T: Sendable>(
        _ body: @escaping @Sendable (any Directory) throws(StoreError) -> T
    ) async throws(StoreError) -> T {
        let result = await onLane { lane -> Result<T, StoreError> in
            do throws(StoreError) {
                return .success(try body(lane.directory))
            } catch {
                return .failure(error)
            }
        }
        return try (result ?? .failure(.unavailable("the server is going down"))).get()
    }

    /// An account's flags changed: what the lane remembers of it is read again.
    package func accountChanged(_ account: AccountID) async {
        await onLane { $0.accounts[account] = nil }
    }

    /// Revokes a device: its token no longer opens a door, and its sessions end on every door.
    package func revoke(_ device: DeviceID, of account: AccountID) async throws(StoreError) -> Bool {
        let result = await onLane { lane -> Result<Bool, StoreError> in
            do throws(StoreError) {
                let existed = try lane.directory.revoke(device)
                lane.revoke(device, of: account)
                return .success(existed)
            } catch {
                return .failure(error)
            }
        }
        return try (result ?? .failure(.unavailable("the server is going down"))).get()
    }

    /// Disables or enables an account; disabling ends its sessions on every door.
    package func setDisabled(_ disabled: Bool, _ account: AccountID) async throws(StoreError) {
        try await write { directory throws(StoreError) in
            try directory.update(account, administrator: nil, disabled: disabled, kind: nil)
        }
        await accountChanged(account)
        if disabled { await onLane { $0.current.items.append(.revoked(account, nil)) } }
    }

    /// Looks at what the lane has in memory; nil if the hub is shut down.
    private func ask<T: Sendable>(_ body: @escaping @Sendable (Lane) -> T) async -> T? {
        await withCheckedContinuation { continuation in
            if !inbox.put(.aside { continuation.resume(returning: body($0)) }) { continuation.resume(returning: nil) }
        }
    }

    /// Runs on the lane after what was submitted before; nil if the hub is shut down.
    @discardableResult
    func onLane<T: Sendable>(_ body: @escaping @Sendable (Lane) -> T) async -> T? {
        await withCheckedContinuation { continuation in
            if !inbox.put(.job { continuation.resume(returning: body($0)) }) { continuation.resume(returning: nil) }
        }
    }

    // MARK: Reading

    /// Reads on a reader thread. A store's error becomes a rejection; what is returned must have passed `canSee`.
    package func read<T: Sendable>(
        _ body: @escaping @Sendable (Reader) throws(Rejection) -> T
    ) async throws(Rejection) -> T {
        let reader = Reader(hub: self)
        let result: Result<T, Rejection> = await withCheckedContinuation { continuation in
            readers.submit {
                do throws(Rejection) {
                    continuation.resume(returning: .success(try body(reader)))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        return try result.get()
    }

    func readChanges(
        for account: AccountID, in scope: ChangeScope, after position: Position, through head: Position, on loop: Int,
        completion: @escaping @Sendable (Audience, Result<ChangePage, Rejection>) -> Void
    ) {
        guard let port = ports.first(where: { $0.index == loop }) else { return }
        readers.submit { [archive, logger] in
            let result: Result<ChangePage, Rejection>
            do throws(StoreError) {
                result = .success(
                    try archive.changes(for: account, in: scope, after: position, through: head, limit: 1_000))
            } catch {
                logger.error("changes can't be read", metadata: ["reason": "\(error)"])
                result = .failure(Rejection(.unavailable, "the log can't be read at the moment", retryAfter: 1_000))
            }
            port.eventLoop.execute { completion(port.audience.value, result) }
        }
    }
}

/// The four ports of a store.
package struct Stores: Sendable {
    package let log: any EventLog
    package let archive: any Archive
    package let directory: any Directory
    package let search: (any SearchIndex)?

    package init(log: any EventLog, archive: any Archive, directory: any Directory, search: (any SearchIndex)?) {
        self.log = log
        self.archive = archive
        self.directory = directory
        self.search = search
    }
}

/// Threads that may block on reading.
package struct ReaderPool: Sendable {
    let submit: @Sendable (@escaping @Sendable () -> Void) -> Void
    package init(submit: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void) { self.submit = submit }
}

/// The way to one loop's audience.
struct LoopPort: Sendable {
    let index: Int
    let eventLoop: any EventLoop
    let audience: NIOLoopBoundBox<Audience>
}

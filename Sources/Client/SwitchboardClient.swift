import DequeModule
import Logging
import NIOCore
import NIOPosix

/// A client of a Switchboard server: one session that outlives its connections.
///
/// ```swift
/// let client = try SwitchboardClient(url: "http://127.0.0.1:8080", token: token)
/// await client.start()
/// try await client.post("Hello", in: "lobby")
/// for await event in client.events { … }
/// ```
///
/// It reconnects by itself, with growing random pauses, and resumes where it was: no event is missing and none comes
/// twice. A change that was asked for is sent again after a reconnect under the same `ref`, so it happens once. The
/// events are for one reader; while it does not keep up, the server is held back.
///
/// *Lives on*: one event loop, which is the actor's executor.
public actor SwitchboardClient {
    /// What a client is told before it starts.
    public struct Configuration: Sendable {
        /// A device token, a bot's token, or a host application's signed token.
        public var token: String?
        /// Where to resume; nil: from now on.
        public var cursor: String?
        /// `online`, `away`, `busy`, or `offline` to be there unseen.
        public var presence: String?
        public var trust = ServerTrust.system
        /// Whether to come back after a lost connection.
        public var reconnects = true
        /// Milliseconds without a sign of life after which a connection is given up.
        public var silence: Int64 = 75_000

        public init(token: String? = nil, cursor: String? = nil, presence: String? = nil) {
            self.token = token
            self.cursor = cursor
            self.presence = presence
        }
    }

    nonisolated let eventLoop: any EventLoop
    public nonisolated var unownedExecutor: UnownedSerialExecutor { eventLoop.executor.asUnownedSerialExecutor() }

    private let connector: SocketConnector
    private let configuration: Configuration
    private let logger: Logger
    private var machine: ClientMachine
    private var backoff = Backoff()
    private var socket: SocketConnection?
    private var isStarted = false
    private var watch: Scheduled<Void>?
    private var answers: [UInt64: CheckedContinuation<Result<ClientValue, ClientError>, Never>] = [:]
    private var waiting: Deque<ClientEvent> = []
    private var reader: CheckedContinuation<ClientEvent?, Never>?
    private var isReadingPaused = false
    private var hasEnded = false
    /// Why the client ended by itself.
    public private(set) var failure: ClientError?

    /// Events that wait for the reader before the server is held back.
    private static let pauseAt = 8_192
    private static let resumeAt = 1_024

    public init(url: String, configuration: Configuration, logger: Logger? = nil) throws(ClientError) {
        try self.init(address: ServerAddress(url), configuration: configuration, logger: logger)
    }

    public init(url: String, token: String?) throws(ClientError) {
        try self.init(url: url, configuration: Configuration(token: token))
    }

    package init(
        address: ServerAddress, configuration: Configuration, logger: Logger? = nil,
        group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) throws(ClientError) {
        connector = try SocketConnector(address: address, trust: configuration.trust)
        self.configuration = configuration
        self.logger = logger ?? Logger(label: "switchboard.client") { _ in SwiftLogNoOpLogHandler() }
        eventLoop = group.next()
        let digits = String(UInt64.random(in: 0...(.max)), radix: 36)
        machine = ClientMachine(
            token: configuration.token, cursor: configuration.cursor, presence: configuration.presence,
            refPrefix: digits)
    }

    // MARK: Life

    /// Connects, and stays connected until ``close()``.
    public func start() {
        guard !isStarted else { return }
        isStarted = true
        connect()
    }

    /// Ends the session; requests that wait fail with ``ClientError/closed``.
    public func close() {
        act { $0.finish(nil, &$1) }
    }

    /// The newest place in the stream of changes: what a later client resumes from.
    public var cursor: String? { machine.cursor }

    private func connect() {
        guard !hasEnded, socket == nil else { return }
        socket = connector.connect(on: eventLoop, observer: Observer(client: self))
    }

    // MARK: Requests

    /// Asks for a change. It happens once, even if the connection breaks and the request is sent again.
    ///
    /// Throws ``ClientError/rejected(code:message:retryAfter:)`` when the server says no. Where it only says «later», this
    /// waits and asks again, for up to a minute.
    @discardableResult
    public func change(_ operation: String, _ fields: ClientFields = [:]) async throws -> ClientValue {
        var fields = fields
        if fields["ref"] == nil { fields["ref"] = .string(makeRef()) }
        var waited: Int64 = 0
        while true {
            do {
                return try await ask(operation, fields, isChange: true)
            } catch ClientError.rejected(let code, let message, let retryAfter)
                where code == "rate-limited" || code == "busy"
            {
                let pause = min(max(retryAfter ?? 250, 10), 10_000)
                waited += pause
                guard waited <= 60_000 else {
                    throw ClientError.rejected(code: code, message: message, retryAfter: retryAfter)
                }
                try await Task.sleep(for: .milliseconds(pause))
            }
        }
    }

    /// Asks to read something.
    public func query(_ operation: String, _ fields: ClientFields = [:]) async throws -> ClientValue {
        try await ask(operation, fields, isChange: false)
    }

    /// Sends what is worth something only now: typing, live text, presence. Dropped while there is no connection.
    public func signal(_ operation: String, _ fields: ClientFields) {
        act { $0.signal(operation, fields, &$1) }
    }

    private var refs = 0
    private func makeRef() -> String {
        refs += 1
        return "\(refPrefix)-c\(refs)"
    }
    private let refPrefix = String(UInt64.random(in: 0...(.max)), radix: 36)

    private func ask(_ operation: String, _ fields: ClientFields, isChange: Bool) async throws -> ClientValue {
        start()
        let result = await withCheckedContinuation { continuation in
            var actions: [ClientMachine.Action] = []
            let id = machine.submit(operation, fields, isChange: isChange, &actions)
            answers[id] = continuation
            perform(actions)
        }
        return try result.get()
    }

    // MARK: Events

    /// What the server tells, for one reader.
    public nonisolated var events: Events { Events(client: self) }

    /// An endless sequence that ends when the client is closed or refused.
    public struct Events: AsyncSequence, Sendable {
        let client: SwitchboardClient

        public struct Iterator: AsyncIteratorProtocol {
            let client: SwitchboardClient
            public mutating func next() async -> ClientEvent? { await client.nextEvent() }
        }
        public func makeAsyncIterator() -> Iterator { Iterator(client: client) }
    }

    func nextEvent() async -> ClientEvent? {
        if let event = waiting.popFirst() {
            if isReadingPaused, waiting.count <= Self.resumeAt {
                isReadingPaused = false
                socket?.setReading(true)
            }
            return event
        }
        guard !hasEnded, reader == nil, !Task.isCancelled else { return nil }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { reader = $0 }
        } onCancel: {
            Task { await self.stopReading() }
        }
    }

    private func stopReading() {
        reader?.resume(returning: nil)
        reader = nil
    }

    private func tell(_ event: ClientEvent) {
        if let reader {
            self.reader = nil
            reader.resume(returning: event)
            return
        }
        waiting.append(event)
        if waiting.count >= Self.pauseAt, !isReadingPaused {
            isReadingPaused = true
            socket?.setReading(false)
        }
    }

    // MARK: The machine

    private func act(_ body: (inout ClientMachine, inout [ClientMachine.Action]) -> Void) {
        var actions: [ClientMachine.Action] = []
        body(&machine, &actions)
        perform(actions)
    }

    private func perform(_ actions: [ClientMachine.Action]) {
        for action in actions {
            switch action {
            case .send(let text): socket?.send(text)
            case .tell(let event):
                if case .connected = event { backoff.reset() }
                tell(event)
            case .answer(let id, let result): answers.removeValue(forKey: id)?.resume(returning: result)
            case .hangUp(let reason): socket?.close(reason: reason)
            case .finish(let error): end(error)
            }
        }
    }

    private func end(_ error: ClientError?) {
        guard !hasEnded else { return }
        hasEnded = true
        failure = error
        watch?.cancel()
        stopReading()
    }

    // MARK: The socket

    fileprivate func opened() {
        act { $0.connected(&$1) }
        watchSilence()
    }

    fileprivate func received(_ text: ByteBuffer) {
        act { $0.received(text, &$1) }
    }

    fileprivate func closed(_ closed: SocketConnection, code: UInt16?, reason: String) {
        guard socket === closed else { return }
        socket = nil
        watch?.cancel()
        act { $0.disconnected(code: code, &$1) }
        guard !hasEnded else { return }
        guard configuration.reconnects else {
            return act { $0.finish(.unreachable(reason), &$1) }
        }
        let pause = backoff.next(
            unit: .random(in: 0...1), atLeast: .milliseconds(min(max(machine.retryAfter, 0), 60_000)))
        logger.debug("connection lost", metadata: ["reason": "\(reason)", "pause": "\(pause.nanoseconds / 1_000_000)"])
        tell(.disconnected(reason: reason, retryAfter: pause.nanoseconds / 1_000_000))
        let box = self
        eventLoop.scheduleTask(in: pause) { box.assumeIsolated { $0.connect() } }
    }

    private func watchSilence() {
        watch?.cancel()
        let limit = TimeAmount.milliseconds(configuration.silence)
        watch = eventLoop.scheduleTask(in: .nanoseconds(limit.nanoseconds / 3)) { [weak self] in
            self?.assumeIsolated { client in
                guard let socket = client.socket else { return }
                if !client.isReadingPaused, .now() - socket.lastHeard > limit {
                    socket.close(.goingAway, reason: "the server is silent")
                } else {
                    client.watchSilence()
                }
            }
        }
    }

    /// Hears from the socket on the actor's own loop.
    private final class Observer: SocketObserver {
        private let client: SwitchboardClient

        init(client: SwitchboardClient) { self.client = client }

        func socketOpened(_ socket: SocketConnection) {
            client.assumeIsolated { $0.opened() }
        }
        func socket(_ socket: SocketConnection, received text: ByteBuffer) {
            client.assumeIsolated { $0.received(text) }
        }
        func socketClosed(_ socket: SocketConnection, code: UInt16?, reason: String) {
            let box = NIOLoopBound(socket, eventLoop: client.eventLoop)
            client.assumeIsolated { $0.closed(box.value, code: code, reason: reason) }
        }
    }
}

import GatewayKit
import Hub
import NIOCore
import WireWebSocket

/// Drives one socket's machine: moves its frames, its time, and its operations. *Lives on* its connection's event loop.
final class SocketDriver {
    private let services: APIServices
    private let loop: APILoop
    private var machine: SocketSession
    private var connection: WebSocketConnection?
    private var compressor: Compressor?
    private var audience: Audience?
    private var session: Session?
    private var actor: Actor?
    private var isLive = false
    private var isRunning = false
    private var helloTimer = LoopTimers.Token.none
    /// The open direct conversations that this session has named, by the other account.
    private var directs: [Address: ConversationID] = [:]
    private var tasks: [Int: Task<Void, Never>] = [:]
    private var lastTask = 0
    /// Bytes that were handed to the connection and not flushed.
    private var unflushed = 0
    private var isFlushDue = false

    private static let helloTime = TimeAmount.seconds(10)
    /// Of one message once somebody is signed in.
    private static let messageBytes = 1 << 20
    /// What may be written in one turn before catching up has to wait for the peer.
    private static let turnBytes = 64 << 10

    init(services: APIServices, loop: APILoop, bearer: String?) {
        self.services = services
        self.loop = loop
        machine = SocketSession(serverName: services.hub.serverName, bearer: bearer)
    }

    private var hub: Hub { services.hub }

    // MARK: The machine

    private func run() {
        guard !isRunning else { return }
        isRunning = true
        while let action = machine.next() { perform(action) }
        isRunning = false
    }

    private func perform(_ action: SocketSession.Action) {
        switch action {
        case .authenticate(let bearer): authenticate(bearer)
        case .attach(let actor, let cursor, let presence): attach(actor, cursor, presence)
        case .perform(let frame): begin(frame)
        case .send(let frame): send(frame)
        case .setReading(true): connection?.resumeReading()
        case .setReading(false): connection?.pauseReading()
        case .welcomed: welcomed()
        case .close(let code, let reason): close(code, reason)
        }
    }

    private func authenticate(_ bearer: String) {
        guard let connection else { return }
        let remote = connection.remote
        inTask { [authenticator = services.authenticator] in
            await authenticator.authenticate(bearer: bearer, remote: remote)
        } then: { driver, result in
            driver.machine.authenticated(result)
        }
    }

    private func welcomed() {
        guard let connection else { return }
        connection.timers.cancel(helloTimer)
        connection.limits = WebSocketLimits(maxMessageBytes: SocketDriver.messageBytes)
    }

    private func attach(_ actor: Actor, _ cursor: Cursor?, _ presence: Presence.State) {
        guard let audience = hub.audience(on: loop.eventLoop), let connection else {
            return machine.sessionEnded(.rejected(Rejection(.unavailable, "the server is going down")))
        }
        let dialect: Dialect
        if let deflate = connection.deflate {
            let deflated = loop.dialects.deflated(windowBits: deflate.outboundWindowBits(for: .server))
            dialect = deflated.dialect
            compressor = deflated.compressor
        } else {
            dialect = loop.dialects.socket
        }
        self.actor = actor
        self.audience = audience
        let session = audience.attach(self, as: actor, dialect: dialect, from: cursor, presence: presence)
        self.session = session
        machine.attached(session.id)
    }

    private func send(_ frame: ServerFrame) {
        var bytes = ByteBuffer()
        if let compressor {
            compressor.append(frame.type, to: &bytes) { frame.writeMembers(&$0) }
        } else {
            Framing.socket.append(frame, to: &bytes)
        }
        put(bytes)
        flush()
    }

    private func close(_ code: WebSocketCloseCode, _ reason: String) {
        detach()
        connection?.close(code, reason: reason)
    }

    private func detach() {
        for task in tasks.values { task.cancel() }
        tasks = [:]
        if let session { audience?.detach(session) }
        session = nil
        audience = nil
    }

    // MARK: Operations

    private func begin(_ frame: ClientFrame) {
        switch frame.operation.handler {
        case .session(.presence): setPresence(frame)
        case .command, .signal, .session:
            withConversation(of: frame) { driver, conversation in driver.submit(frame, conversation) }
        case .task(let handler):
            guard let context else { return }
            if let rejection = hub.limiter.takeRead(context.actor) {
                return machine.finished(frame, .refused(rejection))
            }
            let holds = frame.operation.way != .read
            if holds { machine.hold() }
            inTask { () async -> SocketSession.Outcome in
                do throws(Rejection) {
                    return .answered(try await handler(frame.arguments, context))
                } catch {
                    return .refused(error)
                }
            } then: { driver, outcome in
                if holds { driver.machine.release() }
                driver.machine.finished(frame, outcome)
            }
        case .open:
            machine.finished(frame, .refused(Rejection(.fault, "an open operation came by a socket")))
        }
    }

    private var context: OperationContext? {
        guard let actor, let connection else { return nil }
        return OperationContext(services: services, actor: actor, remote: connection.remote)
    }

    /// Goes on with the conversation that a frame names: at once, if its name is known here; else the frames behind it
    /// wait until it has been found, so that what a client sends in an order happens in that order.
    private func withConversation(
        of frame: ClientFrame, _ proceed: @escaping @Sendable (SocketDriver, ConversationID) -> Void
    ) {
        let name: ConversationName
        do throws(Rejection) {
            name = try frame.arguments.conversation()
        } catch {
            return machine.finished(frame, .refused(error))
        }
        if let known = known(name) { return proceed(self, known) }
        guard let context else { return }
        machine.hold()
        let opens = frame.operation.way == .change
        inTask { () async -> Result<ConversationID, Rejection> in
            do throws(Rejection) {
                return .success(opens ? try await context.open(name) : try await context.find(name))
            } catch {
                return .failure(error)
            }
        } then: { driver, result in
            driver.machine.release()
            switch result {
            case .success(let conversation):
                driver.remember(name, conversation)
                proceed(driver, conversation)
            case .failure(let rejection):
                driver.machine.finished(frame, .refused(rejection))
            }
        }
    }

    private func known(_ name: ConversationName) -> ConversationID? {
        switch name {
        case .id(let id): id
        case .address(let address): loop.conversation(at: address)
        case .direct(let address): directs[address]
        }
    }

    private func remember(_ name: ConversationName, _ conversation: ConversationID) {
        switch name {
        case .id: break
        case .address(let address): loop.remember(conversation, at: address)
        case .direct(let address): directs[address] = conversation
        }
    }

    private func submit(_ frame: ClientFrame, _ conversation: ConversationID) {
        guard let actor, let session else { return }
        do throws(Rejection) {
            switch frame.operation.handler {
            case .command(let make):
                submit(.conversation(conversation, try make(frame.arguments)), frame, actor)
            case .signal(let make):
                try signal(try make(frame.arguments), conversation, session)
                machine.finished(frame, .answered(.nothing))
            case .session:
                try hub.attend(
                    conversation, session.id, by: actor, present: try frame.arguments.flag("present"))
                machine.finished(frame, .answered(.nothing))
            case .task, .open:
                throw Rejection(.fault, "\(frame.operation.name) is not about one conversation")
            }
        } catch {
            machine.finished(frame, .refused(error))
        }
    }

    private func setPresence(_ frame: ClientFrame) {
        guard let actor, let session else { return }
        do throws(Rejection) {
            guard let state = Presence.State(name: try frame.arguments.text("state")) else {
                throw Rejection(.invalidValue, "state: no such state")
            }
            try hub.setPresence(state, of: session.id, by: actor)
            machine.finished(frame, .answered(.nothing))
        } catch {
            machine.finished(frame, .refused(error))
        }
    }

    private func submit(_ command: Command, _ frame: ClientFrame, _ actor: Actor) {
        let box = NIOLoopBound(self, eventLoop: loop.eventLoop)
        hub.submit(command, by: actor, token: frame.arguments.token, on: loop.eventLoop) { result in
            let driver = box.value
            switch result {
            case .success(let acceptance):
                driver.machine.finished(frame, .accepted(acceptance, epoch: driver.hub.epoch))
            case .failure(let rejection):
                driver.machine.finished(frame, .refused(rejection))
            }
            driver.run()
        }
    }

    private func signal(
        _ make: Operation.SignalMaker, _ conversation: ConversationID, _ session: Session
    ) throws(Rejection) {
        // Who is in what is not known here before the session is ready.
        guard isLive else { throw Rejection(.busy, "signals can be sent once the session is ready", retryAfter: 1_000) }
        let rejection = audience?.send({ make(conversation, $0) }, in: conversation, from: session)
        if let rejection { throw rejection }
    }

    /// Does something that takes a while, then comes back to the loop. What is still running when the connection ends is
    /// cancelled.
    private func inTask<Value: Sendable>(
        _ work: @escaping @Sendable () async -> Value, then proceed: @escaping @Sendable (SocketDriver, Value) -> Void
    ) {
        lastTask += 1
        let number = lastTask
        let box = NIOLoopBound(self, eventLoop: loop.eventLoop)
        tasks[number] = Task { [eventLoop = loop.eventLoop] in
            let value = await work()
            eventLoop.execute {
                let driver = box.value
                guard driver.tasks.removeValue(forKey: number) != nil else { return }
                proceed(driver, value)
                driver.run()
            }
        }
    }
}

// MARK: - The connection's side

extension SocketDriver: WebSocketSession {
    func opened(_ connection: WebSocketConnection) {
        self.connection = connection
        helloTimer = connection.timers.schedule(in: SocketDriver.helloTime, self)
    }

    func received(text: ByteBuffer) {
        machine.received(text)
        run()
    }

    func received(binary: ByteBuffer) {
        machine.receivedBinary()
        run()
    }

    func becameWritable() {
        if let session { audience?.becameWritable(session) }
    }

    func limitExceeded(_ limit: OutboundLimit) -> WebSocketGoodbye {
        detach()
        machine.closed()
        return WebSocketGoodbye(.tooSlow, "too slow: \(limit.rawValue)")
    }

    func draining(deadline: NIODeadline) {
        let cursor = session.flatMap { isLive ? Cursor(epoch: hub.epoch, position: $0.deliveredThrough) : nil }
        machine.draining(cursor: cursor, retryAfter: ReconnectDelay.milliseconds(hub.random()))
        run()
    }

    func closed() {
        machine.closed()
        detach()
        connection?.timers.cancel(helloTimer)
        connection = nil
    }
}

extension SocketDriver: TimerTarget {
    func timerFired(_ tag: UInt8) {
        machine.timedOut()
        run()
    }
}

// MARK: - The hub's side

extension SocketDriver: SessionSink {
    /// Nothing waits because of the peer, and not too much because of this turn.
    var isWritable: Bool {
        guard let connection, session != nil else { return false }
        return connection.queuedBytes <= unflushed && unflushed < SocketDriver.turnBytes
    }

    func write(_ frames: ByteBuffer) { put(frames) }

    func flush() {
        guard unflushed > 0, !isFlushDue else { return }
        isFlushDue = true
        loop.flushSoon(self)
    }

    private func put(_ frames: ByteBuffer) {
        connection?.write(frames)
        unflushed += frames.readableBytes
    }

    func caughtUp(to cursor: Cursor) {
        isLive = true
        machine.caughtUp(to: cursor)
        run()
    }

    func continuityLost() { machine.continuityLost() }

    func ended(_ reason: SessionEnd) {
        session = nil
        audience = nil
        machine.sessionEnded(reason)
        run()
    }
}

extension SocketDriver: FlushedSoon {
    func flushNow() {
        unflushed = 0
        isFlushDue = false
        guard let connection else { return }
        connection.flush()
        // A session that is behind stopped at what it had written itself: the peer has it now, and nothing else tells.
        if !isLive, let session, connection.queuedBytes == 0 {
            audience?.becameWritable(session)
        }
    }
}

/// How long a client of a server that goes down is asked to wait: not all come back at once.
enum ReconnectDelay {
    static func milliseconds(_ random: UInt64) -> Int64 { 500 + Int64(random % 4_500) }
}

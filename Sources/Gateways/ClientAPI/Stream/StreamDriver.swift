import GatewayKit
import HTTPTypes
import Hub
import NIOCore

/// One event stream: frames only, one way. *Lives on* its connection's event loop. Section «The stream» of
/// docs/protocols/client-api.md; the format is that of the HTML standard, section 9.2.
final class StreamDriver {
    private let services: APIServices
    private let request: StreamRequest
    private var stream: HTTPStream?
    private var loop: APILoop?
    private var audience: Audience?
    private var session: Session?
    private var task: Task<Void, Never>?
    private var timer = LoopTimers.Token.none
    private var isLive = false
    private var hasLostContinuity = false
    private var hasStarted = false
    private var unflushed = 0
    private var isFlushDue = false

    private static let heartbeat = TimeAmount.seconds(15)
    private static let turnBytes = 64 << 10

    init(services: APIServices, request: StreamRequest) {
        self.services = services
        self.request = request
    }

    private var hub: Hub { services.hub }

    // MARK: Beginning

    private func begin() {
        guard let stream else { return }
        switch request {
        case .refused(let error):
            refuse(error)
        case .accepted(let bearer, let cursor, let presence):
            let remote = stream.remote
            let box = NIOLoopBound(self, eventLoop: stream.eventLoop)
            task = Task { [authenticator = services.authenticator, eventLoop = stream.eventLoop] in
                let result = await authenticator.authenticate(bearer: bearer, remote: remote)
                eventLoop.execute { box.value.authenticated(result, cursor, presence) }
            }
        }
    }

    private func authenticated(_ result: Result<Actor, Rejection>, _ cursor: Cursor?, _ presence: Presence.State) {
        task = nil
        guard let stream else { return }
        switch result {
        case .failure(let rejection):
            refuse(APIError(rejection))
        case .success(let actor):
            guard let loop, let audience = hub.audience(on: stream.eventLoop) else {
                return refuse(APIError(Rejection(.unavailable, "the server is going down", retryAfter: 1_000)))
            }
            self.audience = audience
            let session = audience.attach(
                self, as: actor, dialect: loop.dialects.stream, from: cursor, presence: presence)
            self.session = session
            start(.welcome(.init(server: hub.serverName, actor: actor, session: session.id, cursor: cursor)))
        }
    }

    private func start(_ welcome: ServerFrame) {
        guard let stream else { return }
        hasStarted = true
        stream.start(.ok, JSONAnswer.headers(contentType: "text/event-stream; charset=utf-8", [.accelBuffering: "no"]))
        var head = ByteBuffer()
        head.writeString("retry: \(ReconnectDelay.milliseconds(hub.random()))\n\n")
        put(head)
        send(welcome)
        timer = stream.timers.schedule(in: StreamDriver.heartbeat, self)
    }

    private func refuse(_ error: APIError) {
        guard !hasStarted else {
            send(.refused(id: nil, error))
            return end()
        }
        let answer = JSONAnswer(error)
        stream?.respond(answer.status, answer.headers, body: answer.body)
    }

    private func send(_ frame: ServerFrame) {
        var bytes = ByteBuffer()
        Framing.stream.append(frame, to: &bytes)
        put(bytes)
        flush()
    }

    private func put(_ bytes: ByteBuffer) {
        stream?.write(bytes)
        unflushed += bytes.readableBytes
    }

    private func end() {
        detach()
        stream?.end()
    }

    private func detach() {
        task?.cancel()
        task = nil
        if let session { audience?.detach(session) }
        session = nil
        audience = nil
    }
}

// MARK: - The connection's side

extension StreamDriver: StreamSession {
    func opened(_ stream: HTTPStream) {
        self.stream = stream
        loop = services.loops.part(of: stream.eventLoop)
        begin()
    }

    func becameWritable() {
        if let session { audience?.becameWritable(session) }
    }

    func limitExceeded(_ limit: OutboundLimit) -> ByteBuffer {
        var bytes = ByteBuffer()
        Framing.stream.append(
            .goodbye(reason: "too-slow", cursor: nil, retryAfter: ReconnectDelay.milliseconds(hub.random())), to: &bytes
        )
        detach()
        return bytes
    }

    func draining(deadline: NIODeadline) {
        let error = Rejection(.unavailable, "the server is going down", retryAfter: 1_000)
        guard hasStarted else { return refuse(APIError(error)) }
        let cursor = session.flatMap { isLive ? Cursor(epoch: hub.epoch, position: $0.deliveredThrough) : nil }
        send(.goodbye(reason: "restart", cursor: cursor, retryAfter: ReconnectDelay.milliseconds(hub.random())))
        end()
    }

    func closed() {
        detach()
        stream?.timers.cancel(timer)
        stream = nil
    }
}

extension StreamDriver: TimerTarget {
    /// A comment now and then, so that no proxy takes the silence for the end.
    func timerFired(_ tag: UInt8) {
        guard let stream, session != nil else { return }
        timer = stream.timers.schedule(in: StreamDriver.heartbeat, self)
        guard stream.queuedBytes == 0 else { return }
        put(ByteBuffer(string: ":\n\n"))
        flush()
    }
}

// MARK: - The hub's side

extension StreamDriver: SessionSink {
    var isWritable: Bool {
        guard let stream, session != nil else { return false }
        return stream.queuedBytes <= unflushed && unflushed < StreamDriver.turnBytes
    }

    func write(_ frames: ByteBuffer) { put(frames) }

    func flush() {
        guard unflushed > 0, !isFlushDue else { return }
        isFlushDue = true
        loop?.flushSoon(self)
    }

    func caughtUp(to cursor: Cursor) {
        isLive = true
        if hasLostContinuity { send(.resync(cursor)) }
        send(.ready(cursor))
    }

    func continuityLost() { hasLostContinuity = true }

    func ended(_ reason: SessionEnd) {
        session = nil
        audience = nil
        switch reason {
        case .revoked: refuse(APIError(Rejection(.unauthenticated, "this device was signed out")))
        case .rejected(let rejection): refuse(APIError(rejection))
        }
    }
}

extension StreamDriver: FlushedSoon {
    func flushNow() {
        unflushed = 0
        isFlushDue = false
        guard let stream else { return }
        stream.flush()
        // As in SocketDriver: nothing else tells a session that is behind that it may go on.
        if !isLive, let session, stream.queuedBytes == 0 { audience?.becameWritable(session) }
    }
}

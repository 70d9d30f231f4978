import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// One long answer over HTTP/1.1 or HTTP/2, written piece by piece. *Lives on*: its channel's event loop.
package final class HTTPStream: PumpedQueue {
    package let eventLoop: any EventLoop
    package let remote: RemoteClient

    let loop: DoorLoop
    private var session: (any StreamSession)?
    private let corsFields: HTTPFields
    var pump = OutboundPump()
    private weak var exchange: HTTPExchange?
    private var state = State.waiting
    private var depth = 0
    var isFlushing = false
    var stallTimer = LoopTimers.Token.none
    private var closeTimer = LoopTimers.Token.none
    private let admission: NetworkAddress?

    private enum State {
        /// No head has been sent.
        case waiting
        case started
        /// No more will be written; what is queued goes out, then the answer ends.
        case ending
        case closed
    }

    private enum Tag {
        static let close: UInt8 = 2
    }

    init(
        exchange: HTTPExchange, loop: DoorLoop, remote: RemoteClient, session: any StreamSession,
        corsFields: HTTPFields, admission: NetworkAddress?
    ) {
        self.exchange = exchange
        self.loop = loop
        eventLoop = loop.eventLoop
        self.remote = remote
        self.session = session
        self.corsFields = corsFields
        self.admission = admission
    }

    /// The coarse timers of the connection's loop, for the session's own use.
    package var timers: LoopTimers { loop.timers }

    package var isWritable: Bool {
        state == .started && pump.buffer.isEmpty && exchange?.isWritable ?? false
    }

    package var queuedBytes: Int { pump.buffer.bytes }

    /// Sends the head of an answer of unknown length. CORS and `Date` fields are added. Only the first `start` or
    /// `respond` counts.
    package func start(_ status: HTTPResponse.Status = .ok, _ headers: HTTPFields = [:]) {
        guard state == .waiting else { return }
        state = .started
        exchange?.writeHead(HTTPResponse(status: status, headerFields: fields(headers)))
        exchange?.flush()
    }

    /// Answers in one piece, instead of `start`.
    package func respond(_ status: HTTPResponse.Status, _ headers: HTTPFields = [:], body: ByteBuffer = ByteBuffer()) {
        guard state == .waiting else { return }
        var fields = fields(headers)
        fields[.contentLength] = String(body.readableBytes)
        state = .started
        exchange?.writeHead(HTTPResponse(status: status, headerFields: fields))
        pump.append(body)
        end()
    }

    /// Appends to the answer. Ignored before `start` and after `end`.
    package func write(_ bytes: ByteBuffer) {
        guard state == .started else { return }
        pump.append(bytes)
    }

    package func flush() {
        flushNow()
        checkLimit()
    }

    /// Ends the answer after what is queued. Without a `start` the connection is cut.
    package func end() {
        switch state {
        case .waiting:
            exchange?.abort()
        case .started:
            state = .ending
            closeTimer = loop.timers.schedule(in: loop.limits.closeTime, self, tag: Tag.close)
            flushNow()
        case .ending, .closed:
            break
        }
    }

    private func fields(_ headers: HTTPFields) -> HTTPFields {
        var fields = headers
        for field in corsFields { fields.append(field) }
        return fields
    }

    // MARK: Called by the exchange

    func open() {
        loop.counters.streamsOpened.add()
        loop.add(self)
        tell { $0.opened(self) }
    }

    func channelBecameWritable() {
        guard !isFlushing else { return }
        let wasBehind = pump.isBehind
        flushNow()
        checkLimit()
        if wasBehind, pump.buffer.isEmpty, state == .started {
            tell { $0.becameWritable() }
        }
    }

    /// The answer has ended, or the channel is gone.
    func finish() {
        guard state != .closed else { return }
        state = .closed
        loop.timers.cancel(stallTimer)
        loop.timers.cancel(closeTimer)
        loop.remove(self)
        loop.counters.streamsClosed.add()
        pump.close(loop.door.budget)
        if let admission { loop.door.addresses.release(admission) }
        let session = session
        self.session = nil
        session?.closed()
    }

    private func tell(_ body: (any StreamSession) -> Void) {
        guard let session, state != .closed else { return }
        depth += 1
        body(session)
        depth -= 1
        if depth == 0, !pump.buffer.isEmpty { flush() }
    }

    // MARK: Sending

    var isOpen: Bool { state == .started }
    var channelIsWritable: Bool { exchange?.isWritable ?? false }

    func writeToChannel(_ chunk: ByteBuffer) { exchange?.writeBody(chunk) }

    func flushChannel() { exchange?.flush() }

    private func flushNow() {
        guard !isFlushing, state == .started || state == .ending else { return }
        pumpOut()
        if state == .ending, pump.buffer.isEmpty { exchange?.writeEnd() }
    }

    func cutOff(_ limit: OutboundLimit) {
        guard state == .started, let session else { return }
        loop.door.metrics.count(.slowConsumer)
        let goodbye = session.limitExceeded(limit)
        guard state == .started else { return }
        pump.dropUnsent(loop.door.budget)
        pump.append(goodbye)
        end()
    }
}

extension HTTPStream {
    package func timerFired(_ tag: UInt8) {
        if tag == PumpTag.stall { checkStall() } else { exchange?.abort() }
    }
}

extension HTTPStream: DoorMember {
    func drain(deadline: NIODeadline) {
        if state == .waiting || state == .started { tell { $0.draining(deadline: deadline) } }
    }

    func cut() {
        exchange?.abort()
    }
}

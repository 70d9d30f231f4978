import NIOCore
import WireWebSocket

/// One open WebSocket, over HTTP/1.1 or HTTP/2. *Lives on*: its channel's event loop.
///
/// It is both what a session talks to and the only handler left in its pipeline (besides TLS): an idle connection has no
/// parser state, no queue, no task, and one entry in the loop's timer wheel. Control frames are its own business: it
/// answers pings, asks silent peers for a sign of life, and does the closing handshake.
package final class WebSocketConnection: PumpedQueue {
    package let eventLoop: any EventLoop
    package let remote: RemoteClient
    package let subprotocol: String?
    /// What was agreed on compression: `nil` when frames may not be compressed. Part of a session's dialect.
    package let deflate: PermessageDeflate.Agreement?

    let loop: DoorLoop
    private var session: (any WebSocketSession)?
    private var decoder: WebSocketDecoder
    var pump = OutboundPump()
    var context: ChannelHandlerContext?
    private var state = State.open
    /// Calls from the door into the session that have not returned; what is written meanwhile is flushed at their end.
    private var depth = 0
    var isFlushing = false
    private var isReadingPaused = false
    private var readIsWanted = false
    private var isDecoding = false
    private var lastHeard: NIODeadline
    private var timer = LoopTimers.Token.none
    var stallTimer = LoopTimers.Token.none
    private let admission: NetworkAddress?
    /// Whether no guard of a shared connection counts the bytes that come in.
    private let isAlone: Bool

    private enum State {
        case open
        /// Our close frame is out; the peer's is awaited.
        case closing
        /// Both close frames are through; the last bytes are on their way.
        case leaving
        case closed
    }

    private enum Tag {
        static let idle: UInt8 = 0
        static let close: UInt8 = 2
    }

    /// - Parameters:
    ///   - admission: the address whose place in the limiter this connection gives back at its end.
    ///   - isAlone: whether it has its TCP connection for itself (HTTP/1.1).
    init(
        loop: DoorLoop, remote: RemoteClient, session: any WebSocketSession, limits: WebSocketLimits,
        subprotocol: String?, deflate: PermessageDeflate.Agreement?, admission: NetworkAddress?, isAlone: Bool
    ) {
        self.loop = loop
        eventLoop = loop.eventLoop
        self.remote = remote
        self.session = session
        self.subprotocol = subprotocol
        self.deflate = deflate
        self.admission = admission
        self.isAlone = isAlone
        decoder = WebSocketDecoder(role: .server, limits: limits, deflate: deflate)
        lastHeard = loop.eventLoop.now
    }

    /// Bounds on what the peer may send; raised after login, for instance.
    package var limits: WebSocketLimits {
        get { decoder.limits }
        set { decoder.limits = newValue }
    }

    /// The coarse timers of the connection's loop, for the session's own use.
    package var timers: LoopTimers { loop.timers }

    package var isWritable: Bool {
        state == .open && pump.buffer.isEmpty && context?.channel.isWritable ?? false
    }

    package var queuedBytes: Int { pump.buffer.bytes }

    /// Appends frames as `WebSocketFrame.write` makes them for a server. Ignored once the connection is closing.
    package func write(_ frames: ByteBuffer) {
        guard state == .open else { return }
        pump.append(frames)
    }

    package func flush() {
        pumpOut()
        checkLimit()
    }

    /// Says goodbye: sends a close frame, waits for the peer's, then closes. Further writes are ignored.
    package func close(_ code: WebSocketCloseCode = .normalClosure, reason: String = "") {
        guard state == .open else { return }
        sendClose(code, reason: reason)
        state = .closing
        pumpOut()
        armClose()
        // The peer's close frame is behind all that it has said.
        resumeReading()
    }

    /// Stops reading from the peer until `resumeReading`: the way to hold back a peer that asks for more than can be
    /// done for it. No message comes meanwhile, not even one that has arrived already. While it lasts, silence is not held
    /// against the peer.
    package func pauseReading() {
        isReadingPaused = true
    }

    /// Reads on. What has arrived meanwhile comes after the caller's turn.
    package func resumeReading() {
        guard isReadingPaused else { return }
        isReadingPaused = false
        lastHeard = eventLoop.now
        if decoder.hasInput, !isDecoding {
            let box = NIOLoopBound(self, eventLoop: eventLoop)
            eventLoop.execute { box.value.decodeOn() }
        }
        if readIsWanted {
            readIsWanted = false
            context?.read()
        }
    }

    private func decodeOn() {
        decode()
        flushIfOutermost()
    }

    // MARK: Calls into the session

    private func tell(_ body: (any WebSocketSession) -> Void) {
        guard let session, state != .closed else { return }
        depth += 1
        body(session)
        depth -= 1
        flushIfOutermost()
    }

    private func flushIfOutermost() {
        guard depth == 0, !pump.buffer.isEmpty else { return }
        flush()
    }

    /// Begins, once the handshake has been answered and the connection stands alone in its pipeline.
    func start() {
        guard state == .open else { return }
        loop.counters.webSocketsOpened.add()
        loop.add(self)
        timer = loop.timers.schedule(in: loop.limits.pingAfter, self, tag: Tag.idle)
        tell { $0.opened(self) }
    }

    /// The handshake could not be carried through: the session was never told of a connection, nor is it now.
    func abandon() {
        state = .closed
        session = nil
        if let admission { loop.door.addresses.release(admission) }
    }

    private func finish() {
        guard state != .closed else { return }
        state = .closed
        context = nil
        loop.timers.cancel(timer)
        loop.timers.cancel(stallTimer)
        loop.remove(self)
        loop.counters.webSocketsClosed.add()
        pump.close(loop.door.budget)
        if let admission { loop.door.addresses.release(admission) }
        let session = session
        self.session = nil
        session?.closed()
    }

    // MARK: Sending

    var isOpen: Bool { state == .open }
    var channelIsWritable: Bool { context?.channel.isWritable ?? false }

    func writeToChannel(_ chunk: ByteBuffer) { context?.write(NIOAny(chunk), promise: nil) }

    func flushChannel() { context?.flush() }

    func cutOff(_ limit: OutboundLimit) {
        guard state == .open, let session else { return }
        loop.door.metrics.count(.slowConsumer)
        let goodbye = session.limitExceeded(limit)
        guard state == .open else { return }
        pump.dropUnsent(loop.door.budget)
        close(goodbye.code, reason: goodbye.reason)
    }

    private func sendClose(_ code: WebSocketCloseCode?, reason: String) {
        var frame = ByteBuffer()
        WebSocketFrame.writeClose(code, reason: reason, into: &frame)
        pump.append(frame)
    }

    private func armClose() {
        loop.timers.cancel(timer)
        timer = loop.timers.schedule(in: loop.limits.closeTime, self, tag: Tag.close)
    }

    /// Closes the channel once the last bytes are out, or after `closeTime`.
    private func leave() {
        state = .leaving
        armClose()
        pumpOut()
        closeWhenSent()
    }

    private func closeWhenSent() {
        guard state == .leaving, pump.buffer.isEmpty, let context else { return }
        // Closing drops what the channel still holds, so a last, empty write tells when all is gone.
        let written = eventLoop.makePromise(of: Void.self)
        let box = NIOLoopBound(context, eventLoop: eventLoop)
        written.futureResult.whenComplete { _ in box.value.close(promise: nil) }
        context.writeAndFlush(NIOAny(ByteBuffer()), promise: written)
    }

    // MARK: Receiving

    private func decode() {
        guard !isDecoding else { return }
        isDecoding = true
        depth += 1
        do {
            while mayDecode, let input = try decoder.next() { received(input) }
        } catch {
            violated(error)
        }
        depth -= 1
        isDecoding = false
    }

    private var mayDecode: Bool {
        switch state {
        case .open: !isReadingPaused
        case .closing: true
        case .leaving, .closed: false
        }
    }

    private func received(_ input: WebSocketInput) {
        switch input {
        case .text(let bytes):
            loop.counters.messagesReceived.add()
            if state == .open { tell { $0.received(text: bytes) } }
        case .binary(let bytes):
            loop.counters.messagesReceived.add()
            if state == .open { tell { $0.received(binary: bytes) } }
        case .ping(let bytes):
            guard state == .open else { return }
            var frame = ByteBuffer()
            WebSocketFrame.write(.pong, bytes, into: &frame)
            pump.append(frame)
        case .pong:
            break
        case .close(let code, _):
            // RFC 6455 section 5.5.1: the answer repeats the code.
            if state == .open { sendClose(code, reason: "") }
            leave()
        }
    }

    private func violated(_ violation: WebSocketViolation) {
        loop.door.metrics.count(.webSocketViolation)
        if state == .open {
            loop.door.logger.debug(
                "WebSocket peer broke the protocol",
                metadata: ["client": "\(remote)", "reason": "\(violation.message)"])
            sendClose(violation.code, reason: violation.message)
        }
        leave()
    }
}

// MARK: - The channel's side

extension WebSocketConnection: ChannelDuplexHandler {
    package typealias InboundIn = ByteBuffer
    package typealias OutboundIn = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    package func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        finish()
    }

    package func channelInactive(context: ChannelHandlerContext) {
        finish()
        context.fireChannelInactive()
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        if isAlone { loop.counters.bytesReceived.add(bytes.readableBytes) }
        lastHeard = eventLoop.now
        guard state == .open || state == .closing else { return }
        decoder.append(bytes)
        decode()
    }

    package func channelReadComplete(context: ChannelHandlerContext) {
        flushIfOutermost()
        context.fireChannelReadComplete()
    }

    package func read(context: ChannelHandlerContext) {
        if isReadingPaused, state == .open {
            readIsWanted = true
        } else {
            context.read()
        }
    }

    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable, !isFlushing {
            let wasBehind = pump.isBehind
            pumpOut()
            checkLimit()
            if wasBehind, pump.buffer.isEmpty {
                if state == .leaving {
                    closeWhenSent()
                } else if state == .open {
                    tell { $0.becameWritable() }
                }
            }
        }
        context.fireChannelWritabilityChanged()
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // The peer has ended its side. After its close frame our answer is on its way, and closes when it is out; without
        // one there is nobody left to talk to.
        if case .some(.inputClosed) = event as? ChannelEvent {
            if state != .leaving { context.close(promise: nil) }
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        loop.door.logger.debug("WebSocket failed", metadata: ["client": "\(remote)", "error": "\(error)"])
        context.close(promise: nil)
    }
}

// MARK: - Time

extension WebSocketConnection {
    package func timerFired(_ tag: UInt8) {
        switch tag {
        case Tag.idle: checkSilence()
        case PumpTag.stall: checkStall()
        default: context?.close(promise: nil)
        }
    }

    private func checkSilence() {
        let limits = loop.limits
        let silence = isReadingPaused ? .zero : eventLoop.now - lastHeard
        if silence >= limits.silence {
            loop.door.metrics.count(.silent)
            context?.close(promise: nil)
            return
        }
        var next = limits.pingAfter - silence
        if silence >= limits.pingAfter {
            next = limits.silence - silence
            var frame = ByteBuffer()
            WebSocketFrame.write(.ping, ByteBuffer(), into: &frame)
            pump.append(frame)
            flush()
        }
        guard state == .open else { return }
        timer = loop.timers.schedule(in: next, self, tag: Tag.idle)
    }
}

extension WebSocketConnection: DoorMember {
    func drain(deadline: NIODeadline) {
        if state == .open { tell { $0.draining(deadline: deadline) } }
    }

    func cut() {
        context?.close(promise: nil)
    }
}

import NIOCore
import NIOHTTP2

/// Keeps one HTTP/2 connection: asks a silent peer for a sign of life, closes an unused connection, says GOAWAY when the
/// server goes down, and ends the connection on a violation. *Lives on*: its channel's event loop. RFC 9113.
final class HTTP2Keeper: ChannelInboundHandler, TimerTarget {
    typealias InboundIn = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    private let loop: DoorLoop
    private let connection: ConnectionGuard
    private var context: ChannelHandlerContext?
    private var openStreams = 0
    private var lastStream = HTTP2StreamID.rootStream
    private var unusedSince: NIODeadline
    private var isGoingAway = false
    private var timer = LoopTimers.Token.none

    init(loop: DoorLoop, connection: ConnectionGuard) {
        self.loop = loop
        self.connection = connection
        unusedSince = loop.eventLoop.now
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        timer = loop.timers.schedule(in: loop.limits.pingAfter, self)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        loop.timers.cancel(timer)
    }

    func streamOpened(_ id: HTTP2StreamID) {
        connection.requestBegan()
        openStreams += 1
        lastStream = max(lastStream, id)
    }

    func streamClosed() {
        openStreams -= 1
        guard openStreams == 0 else { return }
        unusedSince = loop.eventLoop.now
        // Later, as the frame that ended the stream may not be flushed yet.
        if isGoingAway, let context {
            let box = NIOLoopBound(context, eventLoop: loop.eventLoop)
            loop.eventLoop.execute { box.value.close(promise: nil) }
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is DoorDrainEvent {
            goAway()
        } else if case .some(.inputClosed) = event as? ChannelEvent {
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    /// nio-http2 has told the peer why by GOAWAY, as far as it could.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if !(error is NIOHTTP2Errors.StreamError) {
            loop.door.metrics.count(.http2Violation)
            loop.door.logger.debug("HTTP/2 connection failed", metadata: ["error": "\(error)"])
            context.flush()
            context.close(promise: nil)
        }
    }

    func timerFired(_ tag: UInt8) {
        guard let context else { return }
        let limits = loop.limits
        let now = loop.eventLoop.now
        let silence = now - connection.lastHeard
        if silence >= limits.silence {
            loop.door.metrics.count(.silent)
            context.close(promise: nil)
            return
        }
        if openStreams == 0, now - unusedSince >= limits.keepAliveTime { goAway() }
        if silence >= limits.pingAfter {
            let ping = HTTP2Frame(streamID: .rootStream, payload: .ping(HTTP2PingData(withInteger: 0), ack: false))
            context.writeAndFlush(wrapOutboundOut(ping), promise: nil)
        }
        timer = loop.timers.schedule(in: min(limits.pingAfter, limits.silence - silence), self)
    }

    private func goAway() {
        guard !isGoingAway, let context else { return }
        isGoingAway = true
        let frame = HTTP2Frame(
            streamID: .rootStream,
            payload: .goAway(lastStreamID: lastStream, errorCode: .noError, opaqueData: nil))
        let written = loop.eventLoop.makePromise(of: Void.self)
        if openStreams == 0 {
            let box = NIOLoopBound(context, eventLoop: loop.eventLoop)
            written.futureResult.whenComplete { _ in box.value.close(promise: nil) }
        }
        context.writeAndFlush(wrapOutboundOut(frame), promise: written)
    }
}

/// Tells a keeper of its connection's streams. *Lives on*: the connection's event loop.
struct HTTP2StreamWatch: NIOHTTP2StreamDelegate {
    private let keeper: NIOLoopBound<HTTP2Keeper>

    init(_ keeper: HTTP2Keeper, eventLoop: any EventLoop) {
        self.keeper = NIOLoopBound(keeper, eventLoop: eventLoop)
    }

    func streamCreated(_ id: HTTP2StreamID, channel: any Channel) {
        keeper.value.streamOpened(id)
    }

    func streamClosed(_ id: HTTP2StreamID, channel: any Channel) {
        keeper.value.streamClosed()
    }
}

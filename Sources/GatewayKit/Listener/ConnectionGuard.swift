import NIOCore

/// Watches one TCP connection for time: the first complete request head, the next one, and silence in between.
/// *Lives on*: its channel's event loop.
///
/// It stands first in the pipeline, ahead of TLS. A WebSocket over HTTP/1.1 takes over its duties and removes it.
final class ConnectionGuard: ChannelInboundHandler, RemovableChannelHandler, TimerTarget, DoorMember {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    enum Tag {
        static let head: UInt8 = 0
        static let idle: UInt8 = 1
        static let close: UInt8 = 2
    }

    private enum Phase {
        /// A head is awaited, from accept or from its first byte.
        case head
        /// Between two requests, without a byte of the next.
        case idle
        /// A request is being served, or an HTTP/2 connection is in use.
        case busy
    }

    private let loop: DoorLoop
    private let channel: any Channel
    private var phase = Phase.head
    private var timer = LoopTimers.Token.none

    /// When the peer was last heard, on the wire.
    private(set) var lastHeard: NIODeadline

    init(loop: DoorLoop, channel: any Channel) {
        self.loop = loop
        self.channel = channel
        lastHeard = loop.eventLoop.now
    }

    var isBetweenRequests: Bool { phase != .busy }

    func handlerAdded(context: ChannelHandlerContext) {
        loop.add(self)
        arm(.head, after: loop.limits.headTime, tag: Tag.head)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        loop.timers.cancel(timer)
        loop.remove(self)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        lastHeard = loop.eventLoop.now
        loop.counters.bytesReceived.add(unwrapInboundIn(data).readableBytes)
        if phase == .idle { arm(.head, after: loop.limits.headTime, tag: Tag.head) }
        context.fireChannelRead(data)
    }

    /// A head is complete: whoever serves the request watches the rest.
    func requestBegan() {
        phase = .busy
        loop.timers.cancel(timer)
        timer = .none
    }

    /// The answer is out; the connection may carry another request.
    func requestEnded() {
        arm(.idle, after: loop.limits.keepAliveTime, tag: Tag.idle)
    }

    private func arm(_ phase: Phase, after time: TimeAmount, tag: UInt8) {
        self.phase = phase
        loop.timers.cancel(timer)
        timer = loop.timers.schedule(in: time, self, tag: tag)
    }

    func timerFired(_ tag: UInt8) {
        if tag == Tag.head { loop.door.metrics.count(.slowHead) }
        channel.close(promise: nil)
    }

    func drain(deadline: NIODeadline) {
        if phase == .busy {
            // HTTP/2 says goodbye; HTTP/1 closes with its answer.
            channel.pipeline.fireUserInboundEventTriggered(DoorDrainEvent())
        } else {
            channel.close(promise: nil)
        }
    }

    func cut() {
        channel.close(promise: nil)
    }
}

/// Tells the handlers of a connection that the server is going down.
struct DoorDrainEvent: Sendable {}

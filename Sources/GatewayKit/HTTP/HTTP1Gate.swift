import HTTPTypes
import NIOCore
import NIOHTTP1

/// The rules of an HTTP/1 connection that the shared HTTP types do not know: versions, persistence, smuggling, errors of
/// the parser. *Lives on*: its channel's event loop.
///
/// It stands behind NIO's pipeline handler, so there is one request at a time, and ahead of the codec to the shared
/// types, which an `HTTPExchange` follows.
final class HTTP1Gate: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// Whether the connection ends with the current answer.
    var closesAfterResponse = false

    private let loop: DoorLoop
    private let connection: ConnectionGuard
    private var version = HTTPVersion.http1_1
    private var method = HTTPMethod.GET
    private var isFirst = true
    private var requestEnded = true
    /// Nothing more is looked at: a last answer is out, or the peer is being waited for to close.
    private var isLeaving = false
    private var leaveTimer = LoopTimers.Token.none

    init(loop: DoorLoop, connection: ConnectionGuard) {
        self.loop = loop
        self.connection = connection
    }

    /// The HTTP version of the current request.
    var requestVersion: (major: Int, minor: Int) { (version.major, version.minor) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isLeaving else { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            isFirst = false
            requestEnded = false
            version = head.version
            method = head.method
            // The parser takes what follows such a request for another protocol.
            closesAfterResponse = !head.isKeepAlive || head.method == .CONNECT || head.headers.contains(name: "upgrade")
            connection.requestBegan()
            if let fault = RequestChecks.check(head, loop.limits) {
                fail(context, fault)
            } else {
                context.fireChannelRead(data)
            }
        case .body:
            context.fireChannelRead(data)
        case .end:
            requestEnded = true
            context.fireChannelRead(data)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard !isLeaving else { return }
        guard let error = error as? HTTPParserError else {
            context.fireErrorCaught(error)
            return
        }
        if error == .invalidEOFState {
            context.close(promise: nil)
        } else {
            requestEnded = false
            fail(context, RequestFault(error, isFirst: isFirst))
        }
    }

    private func fail(_ context: ChannelHandlerContext, _ fault: RequestFault) {
        closesAfterResponse = true
        connection.requestBegan()
        context.fireErrorCaught(fault)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .some(.inputClosed) = event as? ChannelEvent {
            if isLeaving || connection.isBetweenRequests {
                context.close(promise: nil)
            } else {
                closesAfterResponse = true
                context.fireUserInboundEventTriggered(event)
            }
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head):
            head.version = version
            if head.status.code >= 200 { setConnection(&head) }
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body:
            context.write(data, promise: promise)
        case .end:
            guard closesAfterResponse else {
                connection.requestEnded()
                context.write(data, promise: promise)
                return
            }
            let written = promise ?? context.eventLoop.makePromise(of: Void.self)
            let box = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            written.futureResult.whenComplete { _ in box.value.0.leave(box.value.1) }
            isLeaving = true
            context.write(data, promise: written)
        }
    }

    private func setConnection(_ head: inout HTTPResponseHead) {
        if loop.isDraining { closesAfterResponse = true }
        // The encoder ends an answer of unknown length by a last chunk, which an answer to HEAD must not have.
        if method == .HEAD, !head.headers.contains(name: "content-length") { closesAfterResponse = true }
        // An answer of unknown length to HTTP/1.0 ends with the connection.
        if version.isBefore11, !head.headers.contains(name: "content-length") { closesAfterResponse = true }
        if closesAfterResponse {
            head.headers.replaceOrAdd(name: "connection", value: "close")
        } else if version.isBefore11 {
            head.headers.replaceOrAdd(name: "connection", value: "keep-alive")
        }
    }

    /// Closes after the last answer. A peer that is still sending is first given the chance to read it: a plain close
    /// would reset the connection and could destroy the answer on its way (RFC 9112 section 9.6).
    private func leave(_ context: ChannelHandlerContext) {
        if requestEnded || !context.channel.isActive {
            context.close(promise: nil)
            return
        }
        leaveTimer = loop.timers.schedule(in: loop.limits.closeTime, connection, tag: ConnectionGuard.Tag.close)
        context.close(mode: .output, promise: nil)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        loop.timers.cancel(leaveTimer)
    }
}

extension HTTPVersion {
    /// HTTP/1.0, which knows neither chunks nor Host.
    var isBefore11: Bool { (major, minor) < (1, 1) }
}

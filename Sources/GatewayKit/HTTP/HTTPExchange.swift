import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Serves requests, one at a time, on an HTTP/1 connection or on one HTTP/2 stream: decides whether a stream route, a
/// WebSocket route or the router answers. *Lives on*: its channel's event loop.
final class HTTPExchange: ChannelDuplexHandler, RemovableChannelHandler, TimerTarget {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// What answers the current request.
    private enum Server {
        case none
        case router(RouterCall)
        case stream(HTTPStream)
        /// Waits for the end of its (empty) request.
        case streamRequest(HTTPRequest, RemoteClient, StreamRoute)
        case handshake(HTTPRequest, RemoteClient, WebSocketRoute)
        /// The door has answered, or the answer has ended; the rest of the request is dropped.
        case answered
    }

    private enum Tag {
        static let end: UInt8 = 0
        static let send: UInt8 = 1
    }

    let loop: DoorLoop
    let routes: DoorRoutes
    private let way: ConnectionWay
    let gate: HTTP1Gate?
    private(set) var context: ChannelHandlerContext?
    private var server = Server.none
    private var isHead = false
    private var requestEnded = false
    private var headIsWritten = false
    private var endTimer = LoopTimers.Token.none
    /// The answer has ended, but the peer has not taken all of it.
    private var isEnding = false
    private var sendTimer = LoopTimers.Token.none
    private var isReadingHeld = false
    private var readIsWanted = false

    /// - Parameter gate: of the HTTP/1 connection; `nil` on an HTTP/2 stream.
    init(loop: DoorLoop, routes: DoorRoutes, way: ConnectionWay, gate: HTTP1Gate?) {
        self.loop = loop
        self.routes = routes
        self.way = way
        self.gate = gate
    }

    var isWritable: Bool { context?.channel.isWritable ?? false }

    // MARK: Events of the channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        stop()
        self.context = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        stop()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let request): received(request)
        case .body(let bytes): received(bytes)
        case .end: receivedEnd()
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if case .router(let call) = server { call.readComplete() }
        context.fireChannelReadComplete()
    }

    func read(context: ChannelHandlerContext) {
        if isReadingHeld {
            readIsWanted = true
        } else {
            context.read()
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            if isEnding { armSending() }
            switch server {
            case .router(let call): call.becameWritable()
            case .stream(let stream): stream.channelBecameWritable()
            default: break
            }
        }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // Whoever reads a stream does not end its own side first: it is gone.
        if case .some(.inputClosed) = event as? ChannelEvent, case .stream = server {
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let fault = error as? RequestFault {
            fail(fault)
        } else {
            context.close(promise: nil)
        }
    }

    // MARK: The request

    private func received(_ request: HTTPRequest) {
        loop.counters.requests.add()
        isHead = request.method == .head
        requestEnded = false
        headIsWritten = false
        server = .none
        if let fault = RequestChecks.check(request, loop.limits) { return fail(fault) }
        let remote = way.remote(for: request, loop.door.configuration)
        if remote.isProxied, !way.isKnownProxy { noticeProxy(remote) }
        if request.extendedConnectProtocol != nil { return connect(request, remote) }
        if request.method == .connect { return fail(.badRequest("this is no proxy")) }
        if let route = routes.webSocket(for: request), request.method == .get || request.headerFields[.upgrade] != nil {
            return awaitEnd(.handshake(request, remote, route))
        }
        if let route = routes.stream(for: request) {
            return awaitEnd(.streamRequest(request, remote, route))
        }

        let allowance = routes.bodyAllowance(request)
        let limit = allowance.bytes(forPath: request.path ?? "", loop.limits)
        if let text = request.headerFields[.contentLength], limit < .max, Int(text) ?? .max > limit {
            return fail(.bodyTooLarge)
        }
        guard let place = admit(remote, isNew: false) else { return }
        if allowance != .dropped, request.headerFields[.expect]?.lowercased() == "100-continue" {
            write(.head(HTTPResponse(status: .continue)))
            flush()
        }
        let call = RouterCall(exchange: self, request: request, remote: remote, body: allowance, place: place)
        server = .router(call)
        call.headReceived()
    }

    /// Without its name the limits per client mean all of the proxy's clients at once, and none of them is local.
    private func noticeProxy(_ remote: RemoteClient) {
        guard loop.door.proxyNotice.hasCome(now: loop.eventLoop.now) else { return }
        loop.door.logger.warning(
            "a proxy on this machine is not in proxy.trusted: its clients are not told apart",
            metadata: ["proxy": "\(remote)"])
    }

    /// What has no body ends with its head; one that does not is no better than a slow head.
    private func awaitEnd(_ server: Server) {
        self.server = server
        endTimer = loop.timers.schedule(in: loop.limits.headTime, self, tag: Tag.end)
    }

    func timerFired(_ tag: UInt8) {
        if tag == Tag.send {
            loop.door.metrics.count(.slowConsumer)
            abort()
        } else {
            fail(RequestFault(.requestTimeout, .slowBody, "the request does not end"))
        }
    }

    private func received(_ bytes: ByteBuffer) {
        switch server {
        case .router(let call): call.received(bytes)
        case .handshake: fail(.badRequest("a WebSocket handshake has no body"))
        case .none, .stream, .streamRequest, .answered: break
        }
    }

    private func receivedEnd() {
        requestEnded = true
        loop.timers.cancel(endTimer)
        switch server {
        case .router(let call): call.receivedEnd()
        case .streamRequest(let request, let remote, let route): stream(request, remote, route)
        case .handshake(let request, let remote, let route): handshake(request, remote, route)
        case .none, .stream, .answered: break
        }
    }

    // MARK: Places of proxied clients

    /// What a request gives back to the limiter when it is over.
    enum Place {
        /// The client's connection itself is counted.
        case none
        case held(NetworkAddress)

        var address: NetworkAddress? {
            if case .held(let address) = self { address } else { nil }
        }
    }

    /// Behind a proxy connections say nothing about clients, so requests are counted in their place.
    /// - Returns: `nil` when there was no place and the request has been answered.
    func admit(_ remote: RemoteClient, isNew: Bool) -> Place? {
        guard !way.isCounted, let address = remote.address else { return Place.none }
        if let refusal = loop.door.addresses.admit(address, isNew: isNew, now: loop.eventLoop.now) {
            fail(RequestFault(.tooManyRequests, refusal, "too many requests from this address"))
            return nil
        }
        return .held(address)
    }

    // MARK: Streams

    private func stream(_ request: HTTPRequest, _ remote: RemoteClient, _ route: StreamRoute) {
        let origins = loop.door.configuration.origins
        let verdict = origins.verdict(on: request, isSecure: remote.isSecure)
        guard verdict != .refused else { return fail(.foreignOrigin) }
        guard let place = admit(remote, isNew: true) else { return }
        let stream = HTTPStream(
            exchange: self, loop: loop, remote: remote, session: route.open(request, remote),
            corsFields: OriginPolicy.answerFields(verdict, origin: request.headerFields[.origin]),
            admission: place.address)
        server = .stream(stream)
        stream.open()
    }

    // MARK: The answer

    /// Answers in the door's own name; the connection or stream ends with it.
    func fail(_ fault: RequestFault) {
        loop.door.metrics.count(fault.refusal)
        loop.door.logger.debug("request refused", metadata: ["reason": "\(fault.message)"])
        stop()
        gate?.closesAfterResponse = true
        if fault.isSilent || headIsWritten {
            abort()
        } else {
            let fields: HTTPFields = fault.retryAfter.map { [.retryAfter: String($0)] } ?? [:]
            answer(fault.status, fields, body: fault.message + "\n")
        }
    }

    func answer(_ status: HTTPResponse.Status, _ headers: HTTPFields, body: String) {
        var fields = headers
        let bytes = ByteBuffer(string: body)
        fields[.contentLength] = String(bytes.readableBytes)
        if bytes.readableBytes > 0, fields[.contentType] == nil { fields[.contentType] = "text/plain; charset=utf-8" }
        server = .answered
        writeHead(HTTPResponse(status: status, headerFields: fields), isLast: true)
        if bytes.readableBytes > 0 { writeBody(bytes) }
        writeEnd()
    }

    /// - Parameter isLast: whether nothing more of the request is waited for, as the answer is complete already.
    func writeHead(_ head: HTTPResponse, isLast: Bool = false) {
        if isLast, !requestEnded { gate?.closesAfterResponse = true }
        var head = head
        if head.headerFields[.date] == nil { head.headerFields[.date] = loop.dateHeader }
        headIsWritten = true
        write(.head(head))
    }

    func writeBody(_ bytes: ByteBuffer) {
        if !isHead { write(.body(bytes)) }
    }

    /// Ends the answer, and with it the use of this exchange by whatever served it.
    func writeEnd(_ trailers: HTTPFields? = nil) {
        // What is left of the request is not waited for: HTTP/1 ends the connection, HTTP/2 the stream.
        if !requestEnded { gate?.closesAfterResponse = true }
        stop()
        // What comes next on the connection, be it malformed, has an answer of its own.
        headIsWritten = false
        isHead = false
        if gate == nil {
            endStream(trailers)
        } else {
            write(.end(trailers))
            flush()
        }
    }

    /// On HTTP/2 the peer says how much may be sent: the last bytes are waited for as for all others.
    private func endStream(_ trailers: HTTPFields?) {
        guard let context else { return }
        let sent = loop.eventLoop.makePromise(of: Void.self)
        let box = NIOLoopBound(self, eventLoop: loop.eventLoop)
        isEnding = true
        sent.futureResult.whenComplete { _ in box.value.endIsSent() }
        context.write(wrapOutboundOut(.end(trailers)), promise: sent)
        context.flush()
        if !requestEnded { context.close(promise: nil) }
        if isEnding { armSending() }
    }

    private func armSending() {
        loop.timers.cancel(sendTimer)
        sendTimer = loop.timers.schedule(in: loop.limits.outboundStall, self, tag: Tag.send)
    }

    private func endIsSent() {
        isEnding = false
        loop.timers.cancel(sendTimer)
    }

    func write(_ part: HTTPResponsePart) {
        context?.write(wrapOutboundOut(part), promise: nil)
    }

    func flush() {
        context?.flush()
    }

    /// Ends the connection or stream without an (or in the middle of its) answer.
    func abort() {
        context?.close(promise: nil)
    }

    /// Takes the request away from whatever was to serve it: the channel is about to be handed over.
    func markAnswered() {
        server = .answered
    }

    /// Lets go of whatever serves the current request.
    private func stop() {
        let last = server
        server = .answered
        loop.timers.cancel(endTimer)
        holdReading(false)
        switch last {
        case .router(let call): call.finish()
        case .stream(let stream): stream.finish()
        case .none, .streamRequest, .handshake, .answered: break
        }
    }

    /// Back-pressure from whoever reads the request's body.
    func holdReading(_ held: Bool) {
        guard isReadingHeld != held else { return }
        isReadingHeld = held
        if !held, readIsWanted {
            readIsWanted = false
            context?.read()
        }
    }
}

extension RequestFault {
    static var bodyTooLarge: Self { Self(.contentTooLarge, .bodyTooLarge, "the body is too large") }
    static var bodyBudget: Self {
        var fault = Self(.serviceUnavailable, .bodyBudget, "there is no room for more requests at the moment")
        fault.retryAfter = 5
        return fault
    }
    static var foreignOrigin: Self { Self(.forbidden, .origin, "this origin may not come in") }
}

import NIOCore
import WireWebSocket

/// What becomes of one WebSocket connection. Called on its event loop.
package protocol SocketObserver: AnyObject {
    /// The handshake is done.
    func socketOpened(_ socket: SocketConnection)
    func socket(_ socket: SocketConnection, received text: ByteBuffer)
    /// Once and last, also when the handshake failed.
    func socketClosed(_ socket: SocketConnection, code: UInt16?, reason: String)
}

/// The client's end of one WebSocket connection, from the handshake over HTTP/1.1 on. RFC 6455.
///
/// *Lives on*: its channel's event loop.
package final class SocketConnection: ChannelInboundHandler {
    package typealias InboundIn = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    private enum State {
        case waiting
        /// The answer's head, as far as it has come.
        case handshake(ByteBuffer)
        case open
        case closed
    }
    private static let headLimit = 16 << 10
    private let request: WebSocketHandshake.Request
    private let head: ByteBuffer
    private let observer: any SocketObserver
    private var state = State.waiting
    private var decoder = WebSocketDecoder(role: .client)
    private var context: ChannelHandlerContext?
    private var pendingFlush = false
    private var isReading = false
    private var closeCode: UInt16?
    private var closeReason = "the connection was lost"
    /// When something was heard last, for the one who watches over silence.
    package private(set) var lastHeard = NIODeadline.now()

    /// - Parameters:
    ///   - path: of the request, with the leading slash.
    ///   - headers: besides those of the handshake.
    package init(
        path: String, authority: String, headers: [(name: String, value: String)], offersDeflate: Bool,
        observer: any SocketObserver
    ) {
        request = WebSocketHandshake.Request(offersDeflate: offersDeflate)
        var head = ByteBuffer()
        head.writeString("GET \(path) HTTP/1.1\r\nHost: \(authority)\r\n")
        for (name, value) in request.headers + headers { head.writeString("\(name): \(value)\r\n") }
        head.writeString("\r\n")
        self.head = head
        self.observer = observer
    }

    // MARK: Sending

    /// Sends a text message; frames of one turn of the loop leave in one write.
    package func send(_ text: ByteBuffer) {
        guard case .open = state, let context else { return }
        var frame = context.channel.allocator.buffer(capacity: text.readableBytes + 14)
        WebSocketFrame.write(.text, text, masking: .random, into: &frame)
        context.write(wrapOutboundOut(frame), promise: nil)
        flushSoon(context)
    }

    private func flushSoon(_ context: ChannelHandlerContext) {
        guard !isReading else { return pendingFlush = true }
        guard !pendingFlush else { return }
        pendingFlush = true
        let box = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.execute { box.value.flushNow() }
    }

    private func flushNow() {
        guard pendingFlush else { return }
        pendingFlush = false
        context?.flush()
    }

    /// Says goodbye and closes; ``SocketObserver/socketClosed(_:code:reason:)`` follows.
    package func close(_ code: WebSocketCloseCode = .normalClosure, reason: String) {
        closeReason = reason
        guard let context else { return }
        if case .open = state {
            var frame = ByteBuffer()
            WebSocketFrame.writeClose(code, reason: reason, masking: .random, into: &frame)
            let box = NIOLoopBound(context, eventLoop: context.eventLoop)
            context.writeAndFlush(wrapOutboundOut(frame)).whenComplete { _ in box.value.close(promise: nil) }
        } else {
            context.close(promise: nil)
        }
    }

    /// Stops and resumes reading: the way to hold back a server that says more than is wanted.
    package func setReading(_ isOn: Bool) {
        guard let channel = context?.channel else { return }
        channel.setOption(.autoRead, value: isOn).whenFailure { _ in }
    }

    // MARK: The channel's side

    package func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { start(context) }
    }

    package func channelActive(context: ChannelHandlerContext) {
        start(context)
        context.fireChannelActive()
    }

    private func start(_ context: ChannelHandlerContext) {
        guard case .waiting = state else { return }
        state = .handshake(ByteBuffer())
        context.writeAndFlush(wrapOutboundOut(head), promise: nil)
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        lastHeard = .now()
        isReading = true
        var bytes = unwrapInboundIn(data)
        switch state {
        case .handshake(var answer):
            answer.writeBuffer(&bytes)
            state = .handshake(answer)
            finishHandshake(answer, context)
        case .open:
            decoder.append(bytes)
            drain(context)
        case .waiting, .closed: break
        }
    }

    package func channelReadComplete(context: ChannelHandlerContext) {
        isReading = false
        flushNow()
        context.fireChannelReadComplete()
    }

    private func finishHandshake(_ answer: ByteBuffer, _ context: ChannelHandlerContext) {
        guard let end = answer.readableBytesView.firstRange(of: Array("\r\n\r\n".utf8)) else {
            if answer.readableBytes > Self.headLimit { fail("the answer's head is too long", context) }
            return
        }
        let text = String(decoding: answer.readableBytesView[..<end.lowerBound], as: UTF8.self)
        let lines = text.split(separator: "\r\n", omittingEmptySubsequences: false)
        let words = (lines.first ?? "").split(separator: " ", maxSplits: 2)
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else {
            return fail("the answer is not HTTP", context)
        }
        var headers: WebSocketHandshake.Headers = []
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { return fail("the answer is not HTTP", context) }
            headers.append((String(line[..<colon]), String(line[line.index(after: colon)...])))
        }
        do {
            let agreement = try request.agreement(status: status, headers: headers)
            decoder = WebSocketDecoder(
                role: .client, limits: WebSocketLimits(maxMessageBytes: 64 << 20, maxFragments: 4_096),
                deflate: agreement.deflate)
            state = .open
            observer.socketOpened(self)
            var rest = ByteBuffer(answer.readableBytesView[end.upperBound...])
            if rest.readableBytes > 0 {
                decoder.append(rest)
                rest.clear()
                drain(context)
            }
        } catch {
            let body = String(decoding: answer.readableBytesView[end.upperBound...].prefix(300), as: UTF8.self)
            fail(body.isEmpty || status == 101 ? error.message : "\(error.message): \(body)", context)
        }
    }

    private func drain(_ context: ChannelHandlerContext) {
        do {
            while case .open = state, let input = try decoder.next() {
                switch input {
                case .text(let text): observer.socket(self, received: text)
                case .ping(let payload):
                    var frame = ByteBuffer()
                    WebSocketFrame.write(.pong, payload, masking: .random, into: &frame)
                    context.write(wrapOutboundOut(frame), promise: nil)
                    flushSoon(context)
                case .binary, .pong: break
                case .close(let code, let reason):
                    closeCode = code?.rawValue
                    closeReason = reason.isEmpty ? "the server closed the connection" : reason
                    close(code ?? .normalClosure, reason: closeReason)
                    return
                }
            }
        } catch {
            close(error.code, reason: "the server broke the protocol: \(error.message)")
        }
    }

    private func fail(_ reason: String, _ context: ChannelHandlerContext) {
        closeReason = reason
        context.close(promise: nil)
    }

    package func channelInactive(context: ChannelHandlerContext) {
        finish()
        context.fireChannelInactive()
    }

    package func handlerRemoved(context: ChannelHandlerContext) { finish() }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        closeReason = "\(error)"
        context.close(promise: nil)
    }

    private func finish() {
        if case .closed = state { return }
        state = .closed
        context = nil
        observer.socketClosed(self, code: closeCode, reason: closeReason)
    }
}

import NIOCore
import NIOPosix
import NIOSSL
import Synchronization
import WireWebSocket

/// A TCP (or TLS) client of bytes.
final class RawClient: Sendable {
    let channel: any Channel
    private let inbox: Inbox

    private final class Inbox: Sendable {
        let state = Mutex((bytes: ByteBuffer(), isClosed: false))
    }

    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        let inbox: Inbox

        init(_ inbox: Inbox) { self.inbox = inbox }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let bytes = unwrapInboundIn(data)
            inbox.state.withLock { _ = $0.bytes.writeImmutableBuffer(bytes) }
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if case .some(.inputClosed) = event as? ChannelEvent { inbox.state.withLock { $0.isClosed = true } }
        }

        func channelInactive(context: ChannelHandlerContext) { inbox.state.withLock { $0.isClosed = true } }
        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            inbox.state.withLock { $0.isClosed = true }
            context.close(promise: nil)
        }
    }

    private init(_ channel: any Channel, _ inbox: Inbox) {
        self.channel = channel
        self.inbox = inbox
    }

    static func connect(
        _ port: Int, tls: NIOSSLContext? = nil, receiveBuffer: Int? = nil, host: String = "127.0.0.1"
    ) async throws -> RawClient {
        let inbox = Inbox()
        var bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        try channel.pipeline.syncOperations.addHandler(
                            NIOSSLClientHandler(context: tls, serverHostname: nil))
                    }
                    try channel.pipeline.syncOperations.addHandler(Collector(inbox))
                }
            }
        if let receiveBuffer {
            bootstrap = bootstrap.channelOption(.socketOption(.so_rcvbuf), value: .init(receiveBuffer))
        }
        return RawClient(try await bootstrap.connect(host: host, port: port).get(), inbox)
    }

    func send(_ text: String) async throws { try await send(ByteBuffer(string: text)) }
    func send(_ bytes: ByteBuffer) async throws { try await channel.writeAndFlush(bytes) }

    /// Writes without waiting, and without caring whether it works.
    func push(_ text: String) { channel.writeAndFlush(ByteBuffer(string: text), promise: nil) }

    var received: ByteBuffer { inbox.state.withLock { $0.bytes } }
    var text: String { String(buffer: received) }
    var isClosed: Bool { inbox.state.withLock { $0.isClosed } }

    /// Waits until the condition holds for what has been received, or the connection is closed, or time is up.
    @discardableResult
    func wait(seconds: Double = 5, until condition: (String) -> Bool = { _ in false }) async -> String {
        let deadline = NIODeadline.now() + .milliseconds(Int64(seconds * 1000))
        while NIODeadline.now() < deadline {
            if condition(text) || isClosed { break }
            try? await Task.sleep(for: .milliseconds(5))
        }
        return text
    }

    /// Takes the bytes that have come so far.
    func take() -> ByteBuffer {
        inbox.state.withLock { state in
            defer { state.bytes = ByteBuffer() }
            return state.bytes
        }
    }

    func close() async { try? await channel.close() }

    /// Sends a request and returns the whole connection's answer once `isDone` or closed.
    static func exchange(_ port: Int, _ request: String, tls: NIOSSLContext? = nil) async throws -> String {
        let client = try await connect(port, tls: tls)
        client.push(request)
        let answer = await client.wait()
        await client.close()
        return answer
    }
}

/// Waits until a condition holds, or time is up.
func eventually(seconds: Double = 5, _ condition: () async throws -> Bool) async rethrows -> Bool {
    let deadline = NIODeadline.now() + .milliseconds(Int64(seconds * 1000))
    while NIODeadline.now() < deadline {
        if try await condition() { return true }
        try? await Task.sleep(for: .milliseconds(5))
    }
    return try await condition()
}

/// A WebSocket client over HTTP/1.1.
final class WebSocketClient {
    let client: RawClient
    private var decoder: WebSocketDecoder
    let head: String

    /// Does the handshake; `decoder` gets what follows it.
    init(
        _ port: Int, path: String = "/ws", headers: String = "", tls: NIOSSLContext? = nil, receiveBuffer: Int? = nil
    ) async throws {
        client = try await RawClient.connect(port, tls: tls, receiveBuffer: receiveBuffer)
        try await client.send(Self.handshake(path, headers))
        await client.wait { $0.contains("\r\n\r\n") }
        var bytes = client.take()
        let text = String(buffer: bytes)
        let end = text.firstRange(of: "\r\n\r\n")?.upperBound ?? text.endIndex
        head = String(text[..<end])
        bytes.moveReaderIndex(forwardBy: head.utf8.count)
        let deflates = head.lowercased().contains("permessage-deflate")
        decoder = WebSocketDecoder(role: .client, deflate: deflates ? .init() : nil)
        decoder.append(bytes)
    }

    static func handshake(_ path: String = "/ws", _ headers: String = "") -> String {
        """
        GET \(path) HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\(headers)\r\n
        """
    }

    static func frame(_ opcode: WebSocketOpcode, _ text: String, isFinal: Bool = true) -> ByteBuffer {
        var frame = ByteBuffer()
        WebSocketFrame.write(opcode, ByteBuffer(string: text), isFinal: isFinal, masking: .random, into: &frame)
        return frame
    }

    func send(_ text: String) async throws { try await client.send(Self.frame(.text, text)) }

    /// The next message or control frame; `nil` when the connection ends or nothing comes.
    func next(seconds: Double = 5) async throws -> WebSocketInput? {
        let deadline = NIODeadline.now() + .milliseconds(Int64(seconds * 1000))
        while true {
            let wasClosed = client.isClosed
            decoder.append(client.take())
            if let input = try decoder.next() { return input }
            if wasClosed || NIODeadline.now() > deadline { return nil }
            try await Task.sleep(for: .milliseconds(2))
        }
    }
}

import NIOCore
import NIOPosix
import Synchronization
import WireJSON
import WireWebSocket

/// A TCP client of bytes.
final class TestConnection: Sendable {
    private let channel: any Channel
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

        func channelInactive(context: ChannelHandlerContext) { inbox.state.withLock { $0.isClosed = true } }
    }

    /// - Parameter reads: whether what comes is read, so that the peer can go on sending.
    init(_ port: Int, reads: Bool = true) async throws {
        let inbox = Inbox()
        self.inbox = inbox
        channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.socketOption(.so_rcvbuf), value: reads ? 1 << 20 : 4_096)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Collector(inbox))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
    }

    var isClosed: Bool { inbox.state.withLock { $0.isClosed } }
    var text: String { inbox.state.withLock { String(buffer: $0.bytes) } }

    func send(_ text: String) async throws { try await channel.writeAndFlush(ByteBuffer(string: text)) }
    func send(_ bytes: ByteBuffer) async throws { try await channel.writeAndFlush(bytes) }
    func close() async { try? await channel.close() }
    func setReading(_ reads: Bool) async throws { try await channel.setOption(.autoRead, value: reads).get() }

    func take() -> ByteBuffer {
        inbox.state.withLock { state in
            defer { state.bytes = ByteBuffer() }
            return state.bytes
        }
    }

    /// Waits until the condition holds for what came, the connection is closed, or time is up.
    @discardableResult
    func wait(seconds: Double = 10, until condition: (String) -> Bool = { _ in false }) async -> String {
        let deadline = NIODeadline.now() + .milliseconds(Int64(seconds * 1_000))
        while NIODeadline.now() < deadline, !condition(text), !isClosed {
            try? await Task.sleep(for: .milliseconds(2))
        }
        return text
    }
}

/// A client's end of `/v1/socket`. To be used by one task at a time.
final class TestSocket {
    let connection: TestConnection
    /// Of the handshake's answer.
    let head: String
    private var decoder: WebSocketDecoder
    /// Every frame that came, as text.
    private(set) var log: [String] = []
    private(set) var close: (code: UInt16, reason: String)?

    init(_ port: Int, headers: String = "", path: String = "/v1/socket", readsAll: Bool = true) async throws {
        connection = try await TestConnection(port, reads: readsAll)
        try await connection.send(
            "GET \(path) HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\(headers)\r\n")
        await connection.wait { $0.contains("\r\n\r\n") }
        var bytes = connection.take()
        let text = String(buffer: bytes)
        let end = text.firstRange(of: "\r\n\r\n")?.upperBound ?? text.endIndex
        head = String(text[..<end])
        bytes.moveReaderIndex(forwardBy: min(head.utf8.count, bytes.readableBytes))
        let deflates = head.lowercased().contains("permessage-deflate")
        decoder = WebSocketDecoder(
            role: .client, limits: WebSocketLimits(maxMessageBytes: 16 << 20), deflate: deflates ? .init() : nil)
        decoder.append(bytes)
    }

    /// Signed in and ready.
    static func ready(
        _ port: Int, as token: String, cursor: String? = nil, headers: String = ""
    ) async throws -> TestSocket {
        let socket = try await TestSocket(port, headers: headers)
        var hello: [JSONValue.Member] = [.init("type", "hello"), .init("token", .string(token))]
        if let cursor { hello.append(.init("cursor", .string(cursor))) }
        try await socket.send(.object(hello))
        _ = try await socket.next("welcome")
        if cursor == nil { _ = try await socket.next("ready") }
        return socket
    }

    func send(_ frame: JSONValue) async throws { try await send(text: frame.description) }

    func send(text: String, _ opcode: WebSocketOpcode = .text) async throws {
        var bytes = ByteBuffer()
        WebSocketFrame.write(opcode, ByteBuffer(string: text), masking: .random, into: &bytes)
        try await connection.send(bytes)
    }

    /// The next frame; nil when the connection ended or nothing came.
    func next(seconds: Double = 10) async throws -> JSONValue? {
        let deadline = NIODeadline.now() + .milliseconds(Int64(seconds * 1_000))
        while true {
            let wasClosed = connection.isClosed
            decoder.append(connection.take())
            while let input = try decoder.next() {
                switch input {
                case .text(let bytes):
                    log.append(String(buffer: bytes))
                    return try JSONValue(parsing: bytes)
                case .close(let code, let reason):
                    close = (code?.rawValue ?? 1_005, reason)
                    return nil
                case .binary, .ping, .pong: continue
                }
            }
            if wasClosed || NIODeadline.now() > deadline { return nil }
            try await Task.sleep(for: .milliseconds(1))
        }
    }

    /// The next frame of a type, and what came before it is passed over.
    func next(_ type: String, where matches: (JSONValue) -> Bool = { _ in true }) async throws -> JSONValue {
        while let frame = try await next() {
            if frame["type"]?.text == type, matches(frame) { return frame }
        }
        throw FixtureError("no \(type) came; there was: \(log.suffix(5)), close: \(String(describing: close))")
    }

    /// Asks, and gives the reply.
    func ask(_ type: String, id: String, _ members: [JSONValue.Member] = []) async throws -> JSONValue {
        try await send(.object([.init("type", .string(type)), .init("id", .string(id))] + members))
        return try await next("reply") { $0["id"]?.text == id }
    }

    func closeCode() async throws -> UInt16? {
        while try await next() != nil {}
        return close?.code
    }
}

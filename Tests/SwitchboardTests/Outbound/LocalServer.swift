import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// Answers whatever comes by the beginning of an answer, and by a byte every quarter of a second from then on.
enum DrippingServer {
    static func with(_ beginning: String, _ body: (_ port: Int) async throws -> Void) async throws {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    channel.writeAndFlush(ByteBuffer(string: beginning), promise: nil)
                    channel.eventLoop.scheduleRepeatedTask(
                        initialDelay: .milliseconds(250), delay: .milliseconds(250)
                    ) { task in
                        if channel.isActive {
                            channel.writeAndFlush(ByteBuffer(string: "x"), promise: nil)
                        } else {
                            task.cancel()
                        }
                    }
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        do {
            try await body(channel.localAddress?.port ?? 0)
        } catch {
            try await channel.close()
            throw error
        }
        try await channel.close()
    }
}

/// An HTTP server on loopback that writes down what it is asked and answers as a test says.
final class LocalServer: Sendable {
    struct Request: Sendable {
        let method: String
        let target: String
        let headers: HTTPHeaders
        let body: [UInt8]
        /// Which connection it came by, counted from one.
        let connection: Int

        var text: String { String(decoding: body, as: UTF8.self) }
    }

    struct Answer: Sendable {
        var status = HTTPResponseStatus.ok
        var headers = HTTPHeaders()
        var body = ""
    }

    private struct State {
        var requests: [Request] = []
        var answers: [Answer] = []
        var connections = 0
    }
    private let state = Mutex(State())
    private let channel = Mutex<(any Channel)?>(nil)

    var requests: [Request] { state.withLock { $0.requests } }
    var port: Int { channel.withLock { $0?.localAddress?.port ?? 0 } }

    /// The next answers; without an order it is 200 with an empty body.
    func answer(with answers: Answer...) { state.withLock { $0.answers += answers } }

    static func with(_ body: (LocalServer) async throws -> Void) async throws {
        let server = LocalServer()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Handler(server))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        server.channel.withLock { $0 = channel }
        do {
            try await body(server)
        } catch {
            try await channel.close()
            throw error
        }
        try await channel.close()
    }

    func wait(for count: Int) async throws -> [Request] {
        for _ in 0..<5_000 where requests.count < count { try await Task.sleep(for: .milliseconds(1)) }
        return requests
    }

    private func take(_ request: Request) -> Answer {
        state.withLock { state in
            state.requests.append(request)
            return state.answers.isEmpty ? Answer() : state.answers.removeFirst()
        }
    }

    private func nextConnection() -> Int {
        state.withLock { state in
            state.connections += 1
            return state.connections
        }
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let server: LocalServer
        private let connection: Int
        private var head: HTTPRequestHead?
        private var body: [UInt8] = []

        init(_ server: LocalServer) {
            self.server = server
            connection = server.nextConnection()
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head): (self.head, body) = (head, [])
            case .body(let part): body += Array(part.readableBytesView)
            case .end:
                guard let head else { return }
                let answer = server.take(
                    Request(
                        method: head.method.rawValue, target: head.uri, headers: head.headers, body: body,
                        connection: connection))
                var headers = answer.headers
                headers.replaceOrAdd(name: "content-length", value: "\(answer.body.utf8.count)")
                context.write(
                    wrapOutboundOut(.head(.init(version: .http1_1, status: answer.status, headers: headers))),
                    promise: nil)
                context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: answer.body)))), promise: nil)
                context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            }
        }
    }
}

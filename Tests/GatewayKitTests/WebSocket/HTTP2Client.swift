import HTTPTypes
import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOHTTPTypes
import NIOHTTPTypesHTTP2
import NIOPosix
import NIOSSL
import Synchronization

/// An HTTP/2 client for a few streams at a time.
struct HTTP2Client: Sendable {
    let channel: any Channel
    private let multiplexer: NIOHTTP2Handler.StreamMultiplexer
    /// Frames of the connection itself.
    let frames: FrameLog

    final class FrameLog: ChannelInboundHandler, Sendable {
        typealias InboundIn = HTTP2Frame
        let state = Mutex([String]())
        var lines: [String] { state.withLock { $0 } }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let frame = unwrapInboundIn(data)
            switch frame.payload {
            case .goAway(_, let code, _): state.withLock { $0.append("goaway \(code.networkCode)") }
            case .settings(.settings(let settings)):
                for (name, parameter) in [
                    (3, HTTP2SettingsParameter.maxConcurrentStreams), (8, .enableConnectProtocol),
                ] {
                    for setting in settings where setting.parameter == parameter {
                        state.withLock { $0.append("setting \(name)=\(setting.value)") }
                    }
                }
            case .ping(_, let isAnswer): state.withLock { $0.append("ping \(isAnswer)") }
            default: break
            }
        }
    }

    static func connect(_ port: Int, tls: NIOSSLContext? = nil) async throws -> HTTP2Client {
        let frames = FrameLog()
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let tls { try pipeline.addHandler(NIOSSLClientHandler(context: tls, serverHostname: nil)) }
                    try pipeline.addHandler(
                        NIOHTTP2Handler(mode: .client, eventLoop: channel.eventLoop) { $0.close() })
                    try pipeline.addHandler(frames)
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        let multiplexer = try await channel.eventLoop.submit {
            try channel.pipeline.syncOperations.handler(type: NIOHTTP2Handler.self).syncMultiplexer()
        }.get()
        // Extended CONNECT may be used only once the server has said that it knows it.
        _ = await eventually { frames.lines.contains { $0.hasPrefix("setting 8") } }
        return HTTP2Client(channel: channel, multiplexer: multiplexer, frames: frames)
    }

    /// Opens a stream and sends a request head.
    func open(_ request: HTTPRequest, ends: Bool = true) async throws -> Stream {
        let inbox = Stream.Inbox()
        let opened = channel.eventLoop.makePromise(of: (any Channel).self)
        multiplexer.createStreamChannel(promise: opened) { stream in
            stream.eventLoop.makeCompletedFuture {
                try stream.pipeline.syncOperations.addHandlers([
                    HTTP2FramePayloadToHTTPClientCodec(), Stream.Collector(inbox),
                ])
            }
        }
        let stream = Stream(channel: try await opened.futureResult.get(), inbox: inbox)
        // The door may answer a head, and close the stream, before it has seen the end.
        stream.channel.write(HTTPRequestPart.head(request), promise: nil)
        if ends { stream.channel.write(HTTPRequestPart.end(nil), promise: nil) }
        stream.channel.flush()
        return stream
    }

    func get(_ path: String, _ fields: HTTPFields = [:]) async throws -> Stream {
        try await open(
            HTTPRequest(method: .get, scheme: "http", authority: "localhost", path: path, headerFields: fields))
    }

    struct Stream: Sendable {
        let channel: any Channel
        fileprivate let inbox: Inbox

        fileprivate final class Inbox: Sendable {
            let state = Mutex((head: HTTPResponse?.none, body: ByteBuffer(), isEnded: false, isClosed: false))
        }

        fileprivate final class Collector: ChannelInboundHandler {
            typealias InboundIn = HTTPResponsePart
            let inbox: Inbox
            init(_ inbox: Inbox) { self.inbox = inbox }

            func channelRead(context: ChannelHandlerContext, data: NIOAny) {
                let part = unwrapInboundIn(data)
                inbox.state.withLock { state in
                    switch part {
                    case .head(let head): state.head = head
                    case .body(let bytes): state.body.writeImmutableBuffer(bytes)
                    case .end: state.isEnded = true
                    }
                }
            }

            func channelInactive(context: ChannelHandlerContext) { inbox.state.withLock { $0.isClosed = true } }
            func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
        }

        var status: Int? { inbox.state.withLock { $0.head?.status.code } }
        var head: HTTPResponse? { inbox.state.withLock { $0.head } }
        var text: String { inbox.state.withLock { String(buffer: $0.body) } }
        var isEnded: Bool { inbox.state.withLock { $0.isEnded || $0.isClosed } }
        func take() -> ByteBuffer {
            inbox.state.withLock { state in
                defer { state.body = ByteBuffer() }
                return state.body
            }
        }

        /// The whole answer.
        func answer() async -> String {
            _ = await eventually { isEnded }
            return text
        }

        func send(_ bytes: ByteBuffer) async throws {
            try await channel.writeAndFlush(HTTPRequestPart.body(bytes))
        }
    }
}

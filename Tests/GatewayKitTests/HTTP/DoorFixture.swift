import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization
import Testing
import WireWebSocket

@testable import GatewayKit

/// A door on loopback for the length of one test.
struct DoorFixture: Sendable {
    let door: HTTPDoor
    let port: Int
    let ports: [Int]
    let service: ServiceGroup
    var metrics: DoorMetrics.Snapshot { door.metrics.snapshot }

    /// Begins the graceful shutdown; `with` waits for its end.
    func shutDown() async {
        await service.triggerGracefulShutdown()
    }

    static func router() -> Router<DoorRequestContext> {
        let router = Router(context: DoorRequestContext.self)
        router.get("/hello") { _, _ in "hello" }
        router.get("/whoami") { _, context in "\(context.remote) \(context.remote.isSecure) \(context.remote.isLocal)" }
        router.post("/echo") { request, _ in try await String(buffer: request.body.collect(upTo: 1 << 22)) }
        router.post("/count") { request, _ in
            var count = 0
            for try await part in request.body { count += part.readableBytes }
            return "\(count)"
        }
        router.get("/fault") { _, _ -> String in throw CancellationError() }
        router.get("/long") { _, _ in
            Response(
                status: .ok,
                body: .init { writer in
                    for number in 0..<5 { try await writer.write(ByteBuffer(string: "part \(number);")) }
                    try await writer.finish(nil)
                })
        }
        router.get("/large") { _, _ in
            Response(status: .ok, body: .init(byteBuffer: ByteBuffer(repeating: 7, count: 64 << 20)))
        }
        router.get("/slow") { _, _ in
            try await Task.sleep(for: .milliseconds(400))
            return "slow"
        }
        return router
    }

    static func with(
        _ listeners: [DoorListener] = [DoorListener(.ip(host: "127.0.0.1", port: 0))],
        limits: DoorLimits = DoorLimits(),
        trustedProxies: [String] = [],
        origins: OriginPolicy = OriginPolicy(),
        drainWindow: TimeAmount = .milliseconds(200),
        drainDeadline: TimeAmount = .seconds(3),
        webSockets: [WebSocketRoute] = [EchoSession.route()],
        streams: [StreamRoute] = [TickSession.route()],
        bodyAllowance: @escaping @Sendable (HTTPRequest) -> BodyAllowance = { _ in .standard },
        tls: TLSContextStore? = nil,
        log: RecordedLog? = nil,
        _ body: @Sendable @escaping (DoorFixture) async throws -> Void
    ) async throws {
        let configuration = DoorConfiguration(
            listeners: listeners, limits: limits,
            trustedProxies: trustedProxies.compactMap { NetworkRange(parsing: $0) },
            origins: origins, drainWindow: drainWindow, drainDeadline: drainDeadline)
        var logger = Logger(label: "door")
        logger.logLevel = .critical
        if let log { logger = log.logger }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let door = HTTPDoor(
            configuration: configuration, responder: router().buildResponder(), webSockets: webSockets,
            streams: streams, bodyAllowance: bodyAllowance, tls: tls, group: group, logger: logger)
        let service = ServiceGroup(configuration: .init(services: [door], logger: logger))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await service.run() }
            let addresses = try await door.addresses
            let ports = addresses.map { $0.port ?? 0 }
            let fixture = DoorFixture(door: door, port: ports.first ?? 0, ports: ports, service: service)
            do {
                try await body(fixture)
            } catch {
                await service.triggerGracefulShutdown()
                throw error
            }
            await service.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
        try await group.shutdownGracefully()
    }
}

/// Sends back what it receives.
final class EchoSession: WebSocketSession {
    private var connection: WebSocketConnection?
    private let log: SessionLog?

    init(log: SessionLog? = nil) {
        self.log = log
    }

    static func route(path: String = "/ws", log: SessionLog? = nil, limits: WebSocketLimits = .init()) -> WebSocketRoute
    {
        WebSocketRoute(path: path, subprotocols: ["echo.v1"], limits: limits) { opening in
            log?.add("opening \(opening.remote) \(opening.subprotocol ?? "-")")
            return .accept(EchoSession(log: log))
        }
    }

    func opened(_ connection: WebSocketConnection) {
        self.connection = connection
        log?.add("opened")
        log?.keep(connection)
    }

    func received(text: ByteBuffer) {
        if String(buffer: text) == "close me" { connection?.close(.init(rawValue: 4000), reason: "as you wish") }
        send(.text, text)
    }

    func received(binary: ByteBuffer) { send(.binary, binary) }

    private func send(_ opcode: WebSocketOpcode, _ payload: ByteBuffer) {
        var frame = ByteBuffer()
        WebSocketFrame.write(opcode, payload, into: &frame)
        connection?.write(frame)
    }

    func becameWritable() { log?.add("writable") }

    func limitExceeded(_ limit: OutboundLimit) -> WebSocketGoodbye {
        log?.add("limit \(limit.rawValue)")
        return WebSocketGoodbye(.init(rawValue: 4008), "too slow")
    }

    func draining(deadline: NIODeadline) {
        log?.add("draining")
        connection?.close(.serviceRestart, reason: "restarting")
    }

    func closed() {
        log?.add("closed")
        log?.drop(connection)
        connection = nil
    }
}

/// What the door has logged.
final class RecordedLog: Sendable {
    private let state = Mutex([(level: Logger.Level, text: String)]())

    var lines: [(level: Logger.Level, text: String)] { state.withLock { $0 } }
    var logger: Logger { Logger(label: "door") { _ in Handler(log: self) } }

    private struct Handler: LogHandler {
        let log: RecordedLog
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.debug

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: Logging.LogEvent) {
            log.state.withLock { $0.append((event.level, "\(event.message)")) }
        }
    }
}

/// What sessions were told, and the connections that are open, for the test to write to.
final class SessionLog: Sendable {
    private struct State {
        var lines: [String] = []
        var connections: [ObjectIdentifier: (NIOLoopBound<WebSocketConnection>, any EventLoop)] = [:]
    }

    private let state = Mutex(State())

    var lines: [String] { state.withLock { $0.lines } }
    func add(_ line: String) { state.withLock { $0.lines.append(line) } }

    func keep(_ connection: WebSocketConnection) {
        let entry = (NIOLoopBound(connection, eventLoop: connection.eventLoop), connection.eventLoop)
        state.withLock { $0.connections[ObjectIdentifier(connection)] = entry }
    }

    func drop(_ connection: WebSocketConnection?) {
        guard let connection else { return }
        state.withLock { $0.connections[ObjectIdentifier(connection)] = nil }
    }

    /// Runs on the loop of each open connection.
    func each(_ body: @escaping @Sendable (WebSocketConnection) -> Void) async throws {
        for (box, loop) in state.withLock({ Array($0.connections.values) }) {
            try await loop.submit { body(box.value) }.get()
        }
    }
}

/// A stream of server-sent events: three at once, then the end; with `?hold`, it stays open.
final class TickSession: StreamSession {
    private let request: HTTPRequest
    private var stream: HTTPStream?
    private let log: SessionLog?

    init(_ request: HTTPRequest, log: SessionLog? = nil) {
        self.request = request
        self.log = log
    }

    static func route(log: SessionLog? = nil) -> StreamRoute {
        StreamRoute(path: "/events") { request, _ in TickSession(request, log: log) }
    }

    func opened(_ stream: HTTPStream) {
        self.stream = stream
        let query = request.path?.split(separator: "?").last ?? ""
        if query == "refuse" {
            stream.respond(.unauthorized, body: ByteBuffer(string: "who are you"))
            return
        }
        stream.start(.ok, [.contentType: "text/event-stream"])
        for number in 0..<3 { stream.write(ByteBuffer(string: "data: \(number)\n\n")) }
        if query == "flood" {
            let block = ByteBuffer(repeating: UInt8(ascii: "x"), count: 64 << 10)
            for _ in 0..<200 { stream.write(block) }
        } else if query != "hold" {
            stream.end()
        }
    }

    func becameWritable() {}

    func limitExceeded(_ limit: OutboundLimit) -> ByteBuffer {
        log?.add("limit \(limit.rawValue)")
        return ByteBuffer(string: "event: slow\n\n")
    }

    func draining(deadline: NIODeadline) {
        stream?.write(ByteBuffer(string: "event: bye\n\n"))
        stream?.end()
    }

    func closed() {
        log?.add("stream closed")
        stream = nil
    }
}

import NIOCore
import SwitchboardClient
import WireJSON

/// One WebSocket of the load generator: no more than it takes to count.
///
/// *Lives on*: its event loop.
final class BenchConnection: SocketObserver {
    enum Stage { case connecting, greeting, ready, closed }
    private let token: String
    private(set) var stage = Stage.connecting
    private(set) var events = 0
    private(set) var failure: String?
    private var socket: SocketConnection?
    private var sent: [UInt64: NIODeadline] = [:]
    private var nextID: UInt64 = 0
    private let refPrefix = String(UInt64.random(in: .min ... .max), radix: 36)
    /// Nanoseconds from sending to the acceptance.
    private(set) var latencies: [Int64] = []
    private(set) var rejections = 0
    var onReady: () -> Void = {}
    var onEvent: () -> Void = {}
    var onReply: () -> Void = {}
    var onClosed: () -> Void = {}

    init(token: String) { self.token = token }

    func connect(_ connector: SocketConnector, on eventLoop: any EventLoop) {
        socket = connector.connect(on: eventLoop, offersDeflate: false, observer: self)
    }

    func close() { socket?.close(reason: "the measurement is over") }

    /// Posts; ``onReply`` is called when it is on the server's disk.
    func post(_ text: String, in conversation: String) {
        nextID += 1
        let id = nextID
        sent[id] = .now()
        let frame = JSONWriter.write { writer in
            writer.object { writer in
                writer.field("type", "post")
                writer.field("id", String(id))
                writer.field("ref", "\(refPrefix)-\(id)")
                writer.field("conversation", conversation)
                writer.field("text", text)
            }
        }
        socket?.send(frame)
    }

    func socketOpened(_ socket: SocketConnection) {
        stage = .greeting
        let hello = JSONWriter.write { writer in
            writer.object { writer in
                writer.field("type", "hello")
                writer.field("token", token)
                writer.field("presence", "offline")
            }
        }
        socket.send(hello)
    }

    private static let eventStart = Array("{\"type\":\"event\"".utf8)

    func socket(_ socket: SocketConnection, received text: ByteBuffer) {
        if text.readableBytesView.starts(with: Self.eventStart) {
            events += 1
            return onEvent()
        }
        let type: String?
        do {
            type = try JSONReader.read(text) { reader throws(JSONError) in try self.read(&reader) }
        } catch {
            failure = "\(error)"
            return socket.close(reason: "not JSON")
        }
        if type == "ready", stage == .greeting {
            stage = .ready
            onReady()
        }
    }

    /// Takes a reply into account, and gives the frame's type.
    private func read(_ reader: inout JSONReader) throws(JSONError) -> String? {
        var type: String?
        var id: UInt64?
        var isError = false
        var message: String?
        try reader.object { key, value throws(JSONError) in
            switch key {
            case "type": type = try value.string()
            case "id": id = UInt64(try value.string())
            case "error":
                isError = true
                message = try value.rawValue()
            case "code" where type == "error": message = try value.rawValue()
            default: try value.skip()
            }
        }
        if type == "error" { failure = message }
        guard type == "reply", let id, let start = sent.removeValue(forKey: id) else { return type }
        if isError {
            rejections += 1
            failure = message
        } else {
            latencies.append((NIODeadline.now() - start).nanoseconds)
        }
        onReply()
        return type
    }

    func socketClosed(_ socket: SocketConnection, code: UInt16?, reason: String) {
        if stage != .ready { failure = failure ?? reason }
        stage = .closed
        self.socket = nil
        onClosed()
    }
}

/// Many connections of one event loop.
///
/// *Lives on*: that event loop.
final class BenchCrowd {
    private(set) var connections: [BenchConnection] = []
    let eventLoop: any EventLoop
    private let connector: SocketConnector
    private let tokens: [String]

    init(_ connector: SocketConnector, tokens: [String], on eventLoop: any EventLoop) {
        self.connector = connector
        self.tokens = tokens
        self.eventLoop = eventLoop
    }

    /// Opens so many, at most 200 at a time; done when all are ready, or the first has failed.
    func open(_ count: Int) -> EventLoopFuture<Void> {
        let promise = eventLoop.makePromise(of: Void.self)
        var ready = 0
        var isDone = false
        func begin() {
            guard connections.count < count, !tokens.isEmpty else { return }
            let connection = BenchConnection(token: tokens[connections.count % tokens.count])
            connections.append(connection)
            connection.onReady = {
                ready += 1
                if ready == count, !isDone {
                    isDone = true
                    promise.succeed()
                }
                begin()
            }
            connection.onClosed = { [unowned connection] in
                guard !isDone else { return }
                isDone = true
                promise.fail(Failure(.unavailable, "a connection was refused: \(connection.failure ?? "closed")"))
            }
            connection.connect(connector, on: eventLoop)
        }
        for _ in 0..<min(count, 200) { begin() }
        if count == 0 { promise.succeed() }
        return promise.futureResult
    }

    func close() { for connection in connections { connection.close() } }
}

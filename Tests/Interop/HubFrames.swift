import HTTPTypes
import Hub
import Hummingbird
import NIOCore
import TestKit
import WireJSON

@testable import ClientAPI
@testable import GatewayKit

/// The client API without a connection: operations go through its router, frames come from a session of the hub.
final class HubFrames: FrameConnection {
    private let house: Playhouse
    private let eventLoop: any EventLoop
    private let frames: AsyncStream<String>
    private let inbound: AsyncStream<String>.Continuation
    private let state = State()

    /// Who is connected; set by `hello`.
    private actor State {
        var token: String?
        var session: NIOLoopBound<Session>?
        func begin(_ token: String, _ session: NIOLoopBound<Session>) {
            self.token = token
            self.session = session
        }
    }

    init(house: Playhouse) {
        self.house = house
        eventLoop = house.sockets.next()
        (frames, inbound) = AsyncStream.makeStream(of: String.self)
    }

    func receive() async throws -> String? {
        for await frame in frames { return frame }
        return nil
    }

    func close() async {
        let (hub, eventLoop) = (house.hub, eventLoop)
        if let session = await state.session {
            _ = try? await eventLoop.submit { hub.audience(on: eventLoop)?.detach(session.value) }.get()
        }
        inbound.finish()
    }

    func send(_ frame: String) async throws {
        let request = try JSONValue(parsing: frame)
        guard let type = request["type"]?.text else { throw PlayFailure("a frame without a type") }
        switch type {
        case "hello": try await hello(request)
        case "presence":
            let wanted = Presence.State(name: request["state"]?.text ?? "")
            if let wanted, let session = await state.session {
                let (id, actor) = try await eventLoop.submit { (session.value.id, session.value.actor) }.get()
                try house.hub.setPresence(wanted, of: id, by: actor)
            }
            reply(request, ok: .object([]))
        case "attend":
            if let session = await state.session, let name = request["conversation"]?.text,
                let actor = await house.tokens.actor(await state.token ?? "")
            {
                let conversation = try await house.hub.read { reader throws(Rejection) in
                    try reader.conversation(named: name, for: actor)
                }
                let id = try await eventLoop.submit { session.value.id }.get()
                try house.hub.attend(conversation, id, by: actor, present: request["present"] == .bool(true))
            }
            reply(request, ok: .object([]))
        default: try await operation(type, request)
        }
    }

    private func reply(_ request: JSONValue, ok: JSONValue) {
        inbound.yield(reply(request, "ok", ok))
    }

    private func reply(_ request: JSONValue, _ key: String, _ value: JSONValue) -> String {
        JSONValue.object([
            JSONValue.Member("type", "reply"), JSONValue.Member("id", request["id"] ?? .null),
            JSONValue.Member(key, value),
        ]).description
    }

    private func hello(_ request: JSONValue) async throws {
        guard let token = request["token"]?.text, let actor = await house.tokens.actor(token) else {
            throw PlayFailure("hello without a known token")
        }
        let cursor = request["cursor"]?.text.flatMap { Cursor($0) }
        let (hub, eventLoop, inbound) = (house.hub, eventLoop, inbound)
        let session = try await eventLoop.submit {
            let dialect = Dialect("play") { [epoch = hub.epoch] delivery, buffer in
                Framing.json(delivery.frameType, into: &buffer) { delivery.writeMembers(&$0, epoch: epoch) }
                buffer.writeString("\n")
            }
            guard let audience = hub.audience(on: eventLoop) else { throw PlayFailure("the hub is shut down") }
            return NIOLoopBound(
                audience.attach(StreamSink(inbound), as: actor, dialect: dialect, from: cursor, presence: .online),
                eventLoop: eventLoop)
        }.get()
        await state.begin(token, session)
    }

    private func operation(_ type: String, _ request: JSONValue) async throws {
        guard case .object(let members) = request, let operation = Operations.all.first(where: { $0.name == type })
        else { throw PlayFailure("there is no operation \(type)") }
        let fields = members.filter { $0.key != "type" && $0.key != "id" }
        let isRead = operation.way == .read
        var path = "/v1/\(type)"
        if isRead {
            path +=
                "?"
                + fields.map { "\($0.key)=\(Self.escaped($0.value.text ?? $0.value.description))" }
                .joined(separator: "&")
        }
        var headers: HTTPFields = [.authorization: "Bearer \(await state.token ?? "")"]
        if !isRead { headers[.contentType] = "application/json" }
        let head = HTTPRequest(
            method: isRead ? .get : .post, scheme: "http", authority: "localhost", path: path, headerFields: headers)
        let body = isRead ? ByteBuffer() : ByteBuffer(string: JSONValue.object(fields).description)
        let source = DoorRequestSource(
            logger: .silent, remote: RemoteClient(address: nil, isSecure: false, isProxied: false), eventLoop: eventLoop
        )
        let response = try await house.responder.respond(
            to: Request(head: head, body: RequestBody(buffer: body)), context: DoorRequestContext(source: source))
        let collector = BodyCollector()
        try await response.body.write(collector)
        let answer = try JSONValue(parsing: collector.text.isEmpty ? "{}" : collector.text)
        if let error = answer["error"] {
            inbound.yield(reply(request, "error", error))
        } else {
            reply(request, ok: answer)
        }
    }

    private static func escaped(_ text: String) -> String {
        text.utf8.map { byte in
            let isPlain = byte.isASCIILetterOrDigit || byte == UInt8(ascii: "~") || byte == UInt8(ascii: "-")
            return isPlain ? String(UnicodeScalar(byte)) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
    }
}

/// What the hub gives a session, line by line.
private final class StreamSink: SessionSink {
    private let inbound: AsyncStream<String>.Continuation
    init(_ inbound: AsyncStream<String>.Continuation) { self.inbound = inbound }

    var isWritable: Bool { true }
    func write(_ frames: ByteBuffer) {
        for line in String(buffer: frames).split(separator: "\n") { inbound.yield(String(line)) }
    }
    func flush() {}
    func caughtUp(to cursor: Cursor) { inbound.yield(#"{"type":"ready","cursor":"\#(cursor)"}"#) }
    func continuityLost() { inbound.yield(#"{"type":"resync"}"#) }
    func ended(_ reason: SessionEnd) { inbound.finish() }
}

private final class BodyCollector: ResponseBodyWriter {
    private var bytes = ByteBuffer()
    var text: String { String(buffer: bytes) }
    func write(_ buffer: ByteBuffer) async throws { bytes.writeImmutableBuffer(buffer) }
    func finish(_ trailingHeaders: HTTPFields?) async throws {}
}

extension JSONValue {
    var text: String? { if case .string(let text) = self { text } else { nil } }
}

extension UInt8 {
    fileprivate var isASCIILetterOrDigit: Bool {
        (0x30...0x39).contains(self) || (0x41...0x5A).contains(self) || (0x61...0x7A).contains(self)
    }
}

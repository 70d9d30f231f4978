import NIOCore
import WireJSON

/// What a client remembers over its connections, and what it does next: pure, no clock and no socket.
///
/// Invariant: a change that was submitted is answered exactly once, by the server's reply to it (or to a repeat of it
/// under the same `ref` on a later connection) or by the client's end; so nothing is lost and nothing happens twice.
package struct ClientMachine: Sendable {
    /// Where the connection stands.
    enum State: Sendable { case apart, greeting, open, finished }

    package enum Action: Sendable {
        /// A text frame.
        case send(ByteBuffer)
        case tell(ClientEvent)
        case answer(id: UInt64, Result<ClientValue, ClientError>)
        /// Close the socket; the reason is for people.
        case hangUp(String)
        /// Nothing will come any more.
        case finish(ClientError?)
    }

    private(set) var state = State.apart
    /// The newest cursor that the server gave.
    package private(set) var cursor: String?
    /// What the server asked to be waited before coming back, in milliseconds.
    package private(set) var retryAfter: Int64 = 0
    private let token: String?
    private let presence: String?
    private let refPrefix: String
    /// Requests without an answer, as they are sent and sent again.
    private var pending: [UInt64: ByteBuffer] = [:]
    private var lastID: UInt64 = 0
    private var sequences: [String: Int64] = [:]
    private var failure: ClientError?

    /// - Parameter refPrefix: unique to this client: the refs that it makes begin with it.
    package init(token: String?, cursor: String?, presence: String?, refPrefix: String) {
        self.token = token
        self.cursor = cursor
        self.presence = presence
        self.refPrefix = refPrefix
    }

    package var pendingCount: Int { pending.count }

    // MARK: What the program asks

    /// Takes a request; it is answered by ``Action/answer(id:_:)`` with the id given back here.
    package mutating func submit(
        _ operation: String, _ fields: ClientFields, isChange: Bool, _ actions: inout [Action]
    ) -> UInt64 {
        lastID += 1
        let id = lastID
        guard state != .finished else {
            actions.append(.answer(id: id, .failure(failure ?? .closed)))
            return id
        }
        var fields = fields
        fields["type"] = .string(operation)
        fields["id"] = .string(String(id))
        if isChange, fields["ref"] == nil { fields["ref"] = .string("\(refPrefix)-\(id)") }
        let frame = ClientMachine.encode(fields)
        pending[id] = frame
        if state == .open { actions.append(.send(frame)) }
        return id
    }

    /// Sends what is worth something only now, or drops it.
    package mutating func signal(_ operation: String, _ fields: ClientFields, _ actions: inout [Action]) {
        guard state == .open else { return }
        var fields = fields
        fields["type"] = .string(operation)
        actions.append(.send(ClientMachine.encode(fields)))
    }

    /// Ends everything; nothing that waits will be answered by the server.
    package mutating func finish(_ error: ClientError?, _ actions: inout [Action]) {
        guard state != .finished else { return }
        state = .finished
        failure = error
        for id in pending.keys.sorted() { actions.append(.answer(id: id, .failure(error ?? .closed))) }
        pending = [:]
        actions.append(.hangUp("the client was closed"))
        actions.append(.finish(error))
    }

    // MARK: What the network does

    package mutating func connected(_ actions: inout [Action]) {
        guard state == .apart else { return }
        state = .greeting
        retryAfter = 0
        var hello: ClientFields = ["type": "hello"]
        if let token { hello["token"] = .string(token) }
        if let cursor { hello["cursor"] = .string(cursor) }
        if let presence { hello["presence"] = .string(presence) }
        actions.append(.send(ClientMachine.encode(hello)))
    }

    /// - Parameter code: of the close frame; nil when there was none.
    package mutating func disconnected(code: UInt16?, _ actions: inout [Action]) {
        guard state != .finished else { return }
        state = .apart
        // 4001: signed out or not signed in. 4003: refused. 1008: a foreign origin, or no hello. RFC 6455 section 7.4.
        guard let code, code == 4001 || code == 4003 else { return }
        finish(
            failure ?? .rejected(code: "unauthenticated", message: "the server ended the session", retryAfter: nil),
            &actions)
    }

    package mutating func received(_ text: ByteBuffer, _ actions: inout [Action]) {
        let value: JSONValue
        do {
            value = try JSONValue(
                parsing: text, limits: JSONLimits(bytes: 64 << 20, depth: 64, stringBytes: 4 << 20, elements: 100_000))
        } catch {
            return actions.append(.hangUp("a frame is not JSON: \(error)"))
        }
        guard case .string(let type)? = value["type"] else {
            return actions.append(.hangUp("a frame has no type"))
        }
        receive(type, ClientValue(value), &actions)
    }

    private mutating func receive(_ type: String, _ frame: ClientValue, _ actions: inout [Action]) {
        switch type {
        case "reply": reply(frame, &actions)
        case "error":
            failure = ClientMachine.error(frame)
            // Before `welcome` an error is the end of the session; the close frame that follows says whether for good.
            if state == .open { actions.append(.tell(.other(type: type, frame: frame))) }
        case "welcome": welcome(frame, &actions)
        case "goodbye": retryAfter = frame["retryAfter"]?.int ?? 0
        case "pong": break
        default: deliver(type, frame, &actions)
        }
        if let text = frame["cursor"]?.string, type != "welcome" || cursor == nil { cursor = text }
    }

    private mutating func welcome(_ frame: ClientValue, _ actions: inout [Action]) {
        guard state == .greeting else { return actions.append(.hangUp("a second welcome")) }
        state = .open
        failure = nil
        actions.append(
            .tell(
                .connected(
                    account: frame["account"]?.string ?? "", server: frame["server"]?.string ?? "",
                    device: frame["device"]?.string ?? "")))
        for id in pending.keys.sorted() {
            if let frame = pending[id] { actions.append(.send(frame)) }
        }
    }

    private mutating func reply(_ frame: ClientValue, _ actions: inout [Action]) {
        guard let text = frame["id"]?.string, let id = UInt64(text), pending.removeValue(forKey: id) != nil else {
            return
        }
        if let ok = frame["ok"] {
            actions.append(.answer(id: id, .success(ok)))
        } else {
            actions.append(.answer(id: id, .failure(ClientMachine.error(frame["error"] ?? .null))))
        }
    }

    private mutating func deliver(_ type: String, _ frame: ClientValue, _ actions: inout [Action]) {
        switch type {
        case "event":
            guard let event = ConversationEvent(frame) else {
                return actions.append(.hangUp("an event without its envelope"))
            }
            // After a resumption the server may repeat itself.
            if let last = sequences[event.conversation], event.sequence <= last { return }
            sequences[event.conversation] = event.sequence
            actions.append(.tell(.event(event)))
        case "ready": actions.append(.tell(.ready(cursor: frame["cursor"]?.string ?? "")))
        case "resync":
            sequences = [:]
            actions.append(.tell(.resync(cursor: frame["cursor"]?.string ?? "")))
        case "gap":
            actions.append(
                .tell(.gap(conversation: frame["conversation"]?.string ?? "", first: frame["first"]?.int ?? 0)))
        case "conversation": actions.append(.tell(.conversation(frame)))
        case "typing":
            actions.append(
                .tell(
                    .typing(
                        conversation: frame["conversation"]?.string ?? "", account: frame["account"]?.string ?? "",
                        active: frame["active"]?.bool ?? false)))
        default: actions.append(.tell(.other(type: type, frame: frame)))
        }
    }

    // MARK: Texts

    static func error(_ value: ClientValue) -> ClientError {
        .rejected(
            code: value["code"]?.string ?? "fault", message: value["message"]?.string ?? "",
            retryAfter: value["retryAfter"]?.int)
    }

    private static func encode(_ fields: ClientFields) -> ByteBuffer {
        JSONWriter.write { writer in fields.object.write(to: &writer) }
    }
}

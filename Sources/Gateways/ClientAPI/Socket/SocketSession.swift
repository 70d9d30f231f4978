import Hub
import NIOCore
import WireWebSocket

/// One client's side of a socket, as a pure machine: frames and outcomes in, actions out; no I/O, no clock. Section
/// «The socket» of docs/protocols/client-api.md.
///
/// Whoever drives it gives it an input and then does what ``next()`` says until that is nil. Frames are begun in the order
/// in which they came, one at a time: a frame that can't be begun yet (nobody is signed in, too much is outstanding, a
/// change before it still has to find its place) waits, with all that follow it, and reading pauses.
struct SocketSession {
    /// Operations that may have begun and are not answered.
    static let maxOutstanding = 256

    /// What is to be done, in order.
    enum Action: Sendable {
        /// Find out who has this token, and say so by ``authenticated(_:)``.
        case authenticate(bearer: String)
        /// Attach to the hub, and say so by ``attached(_:)``.
        case attach(Actor, from: Cursor?, presence: Presence.State)
        /// Begin an operation, and say by ``finished(_:_:)`` how it ended; meanwhile ``hold()`` if the next frames must
        /// wait until ``release()``.
        case perform(ClientFrame)
        case send(ServerFrame)
        /// Whether more is read from the peer.
        case setReading(Bool)
        /// The session has begun: the time limit for `hello` is off.
        case welcomed
        case close(WebSocketCloseCode, reason: String)
    }

    private enum State {
        /// Nothing was said yet.
        case silent
        case authenticating(Cursor?, Presence.State)
        case signedIn(Actor, Cursor?)
        case ended
    }

    private let decoder: ArgumentDecoder
    private let serverName: ServerName
    /// Of the upgrade request.
    private let bearer: String?
    private var state = State.silent
    private var frames = Queue<ByteBuffer>()
    private var actions = Queue<Action>()
    private var outstanding = 0
    private var holds = 0
    private var isReading = true
    private var hasLostContinuity = false

    init(serverName: ServerName, bearer: String?) {
        decoder = ArgumentDecoder(home: serverName)
        self.serverName = serverName
        self.bearer = bearer
    }

    // MARK: Inputs

    /// A text message. While reading is off none comes, so what waits here is one frame or two.
    mutating func received(_ frame: ByteBuffer) {
        if case .ended = state { return }
        frames.append(frame)
    }

    mutating func receivedBinary() { end(nil, .unsupportedData, "frames are text") }

    mutating func authenticated(_ result: Result<Actor, Rejection>) {
        guard case .authenticating(let cursor, let presence) = state else { return }
        switch result {
        case .success(let actor):
            state = .signedIn(actor, cursor)
            actions.append(.welcomed)
            actions.append(.attach(actor, from: cursor, presence: presence))
        case .failure(let rejection):
            refuse(rejection)
        }
    }

    mutating func attached(_ session: SessionID) {
        guard case .signedIn(let actor, let cursor) = state else { return }
        let welcome = ServerFrame.Welcome(server: serverName, actor: actor, session: session, cursor: cursor)
        actions.append(.send(.welcome(welcome)))
    }

    mutating func continuityLost() { hasLostContinuity = true }

    mutating func caughtUp(to cursor: Cursor) {
        guard case .signedIn = state else { return }
        if hasLostContinuity { actions.append(.send(.resync(cursor))) }
        actions.append(.send(.ready(cursor)))
    }

    /// An operation ended.
    mutating func finished(_ frame: ClientFrame, _ outcome: Outcome) {
        outstanding -= 1
        if case .ended = state { return }
        answer(frame.correlation, outcome)
    }

    /// How an operation ends.
    enum Outcome: Sendable {
        case accepted(Acceptance, epoch: Int64)
        case answered(OperationResult)
        case refused(Rejection)
    }

    /// No frame is begun until ``release()``, once for each.
    mutating func hold() { holds += 1 }
    mutating func release() { holds -= 1 }

    /// `hello` did not come in time.
    mutating func timedOut() {
        switch state {
        case .silent, .authenticating: end(nil, .policyViolation, "no hello in time")
        case .signedIn, .ended: break
        }
    }

    /// The hub has let go of the session.
    mutating func sessionEnded(_ reason: SessionEnd) {
        switch reason {
        case .revoked: refuse(Rejection(.unauthenticated, "this device was signed out"))
        case .rejected(let rejection): refuse(rejection)
        }
    }

    /// The server goes down.
    mutating func draining(cursor: Cursor?, retryAfter: Int64) {
        end(.goodbye(reason: "restart", cursor: cursor, retryAfter: retryAfter), .serviceRestart, "restart")
    }

    /// The connection is gone.
    mutating func closed() {
        state = .ended
        frames.removeAll()
        actions.removeAll()
    }

    // MARK: Actions

    /// What is to be done now; nil when there is nothing until the next input.
    mutating func next() -> Action? {
        while true {
            if let action = actions.popFirst() { return action }
            if mayBegin, let frame = frames.popFirst() {
                begin(frame)
                continue
            }
            guard shouldRead != isReading, !isEnded else { return nil }
            isReading = shouldRead
            return .setReading(shouldRead)
        }
    }

    /// What comes behind `hello` is read when it is known who speaks: by the limits that hold then.
    private var shouldRead: Bool {
        if case .authenticating = state { false } else { frames.isEmpty }
    }

    private var isEnded: Bool {
        if case .ended = state { true } else { false }
    }

    private var mayBegin: Bool {
        switch state {
        case .silent: true
        case .signedIn: holds == 0 && outstanding < SocketSession.maxOutstanding
        case .authenticating, .ended: false
        }
    }

    private mutating func begin(_ bytes: ByteBuffer) {
        let frame: ClientFrame
        do throws(FrameRefusal) {
            frame = try decoder.frame(bytes)
        } catch {
            let refusal = ServerFrame.refused(id: error.correlation, error.error)
            if case .silent = state { end(refusal, .sessionRefused) } else { actions.append(.send(refusal)) }
            return
        }
        switch state {
        case .silent: beginSession(frame)
        case .signedIn(let actor, _): begin(frame, by: actor)
        case .authenticating, .ended: break
        }
    }

    private mutating func beginSession(_ frame: ClientFrame) {
        guard case .session(.hello) = frame.operation.handler else {
            let error = APIError(.outOfOrder, "the first frame is hello")
            return end(.refused(id: frame.correlation, error), .policyViolation)
        }
        do throws(Rejection) {
            let presence = try frame.arguments.optionalText("presence").flatMap(Presence.State.init(name:)) ?? .online
            guard let token = try frame.arguments.optionalText("token") ?? bearer else {
                return refuse(Rejection(.unauthenticated, "there is no token"))
            }
            state = .authenticating(try frame.arguments.optionalCursor("cursor"), presence)
            actions.append(.authenticate(bearer: token))
        } catch {
            refuse(error)
        }
    }

    private mutating func begin(_ frame: ClientFrame, by actor: Actor) {
        let operation = frame.operation
        if let rejection = operation.admits(actor) { return answer(frame.correlation, .refused(rejection)) }
        guard operation.places.contains(.socket) else {
            let error = APIError(.unknownOperation, "\(operation.name) is for HTTP only")
            return actions.append(.send(.refused(id: frame.correlation, error)))
        }
        switch operation.handler {
        case .session(.hello):
            let error = APIError(.outOfOrder, "the session has begun already")
            actions.append(.send(.refused(id: frame.correlation, error)))
        case .session(.ping):
            actions.append(.send(.pong(id: frame.correlation)))
        case .session(.presence), .session(.attend), .command, .signal, .task, .open:
            outstanding += 1
            actions.append(.perform(frame))
        }
    }

    private mutating func answer(_ id: String?, _ outcome: Outcome) {
        switch (outcome, id) {
        case (.accepted(let acceptance, let epoch), let id?):
            actions.append(.send(.accepted(id: id, acceptance, epoch: epoch)))
        case (.answered(.members(let members)), let id?):
            actions.append(.send(.answered(id: id, members)))
        case (.answered(.stream), _):
            actions.append(.send(.refused(id: id, APIError(.unknownOperation, "this answer is for HTTP only"))))
        case (.accepted, nil), (.answered, nil):
            break
        case (.refused(let rejection), _):
            actions.append(.send(.refused(id: id, APIError(rejection))))
        }
    }

    // MARK: The end

    private mutating func refuse(_ rejection: Rejection) {
        let code: WebSocketCloseCode = rejection.code == .unauthenticated ? .signedOut : .sessionRefused
        end(.refused(id: nil, APIError(rejection)), code, rejection.code.rawValue)
    }

    private mutating func end(_ frame: ServerFrame?, _ code: WebSocketCloseCode, _ reason: String = "") {
        if case .ended = state { return }
        state = .ended
        frames.removeAll()
        if let frame { actions.append(.send(frame)) }
        actions.append(.close(code, reason: reason))
    }
}

extension WebSocketCloseCode {
    /// Signed out, or not signed in.
    static let signedOut = WebSocketCloseCode(rawValue: 4_001)
    /// The session was refused; the error frame before says why.
    static let sessionRefused = WebSocketCloseCode(rawValue: 4_003)
    /// Too slow: reconnect with the last cursor.
    static let tooSlow = WebSocketCloseCode(rawValue: 4_008)
}

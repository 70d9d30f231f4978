import GatewayKit
import Hub
import NIOCore
import Testing
import WireWebSocket

@testable import ClientAPI

/// The socket's machine by transcripts: text in, actions out. Section «The socket» of docs/protocols/client-api.md.
@Suite struct SocketTranscriptTests {
    // MARK: Beginning

    @Test func theFirstFrameIsHello() {
        var script = Script()
        #expect(
            script.send(#"{"type":"hello","token":"sbd_x","cursor":"1-4711","presence":"away"}"#)
                == ["authenticate sbd_x", "stop reading"])
        #expect(script.authenticated() == ["welcomed", "attach alice from 1-4711 away", "go on reading"])
        #expect(
            script.attached() == [
                #"send {"type":"welcome","server":"example.org","account":"alice","device":"4","session":"17","cursor":"1-4711"}"#
            ])
        #expect(script.caughtUp("1-4712") == [#"send {"type":"ready","cursor":"1-4712"}"#])
    }

    @Test func theTokenMayComeWithTheUpgrade() {
        var script = Script(bearer: "of-the-upgrade")
        #expect(script.send(#"{"type":"hello"}"#) == ["authenticate of-the-upgrade", "stop reading"])
        #expect(script.authenticated() == ["welcomed", "attach alice from now online", "go on reading"])
        #expect(
            script.attached() == [
                #"send {"type":"welcome","server":"example.org","account":"alice","device":"4","session":"17"}"#
            ])

        var both = Script(bearer: "of-the-upgrade")
        #expect(
            both.send(#"{"type":"hello","token":"of-the-frame"}"#) == ["authenticate of-the-frame", "stop reading"])
    }

    @Test func withoutATokenTheSessionEndsWith4001() {
        var script = Script()
        #expect(
            script.send(#"{"type":"hello"}"#) == [
                #"send {"type":"error","code":"unauthenticated","message":"there is no token"}"#,
                "close 4001 unauthenticated",
            ])
        #expect(script.send(#"{"type":"hello","token":"x"}"#) == [], "nothing is heard after the end")
    }

    @Test func aTokenThatOpensNothingEndsItWith4001() {
        var script = Script()
        _ = script.send(#"{"type":"hello","token":"x"}"#)
        #expect(
            script.authenticated(.failure(Rejection(.unauthenticated, "no such token"))) == [
                #"send {"type":"error","code":"unauthenticated","message":"no such token"}"#,
                "close 4001 unauthenticated",
            ])
    }

    @Test func otherRefusalsEndItWith4003() {
        var script = Script()
        _ = script.send(#"{"type":"hello","token":"x"}"#)
        #expect(
            script.authenticated(.failure(Rejection(.rateLimited, "slowly", retryAfter: 900))) == [
                #"send {"type":"error","code":"rate-limited","message":"slowly","retryAfter":900}"#,
                "close 4003 rate-limited",
            ])
        var limited = Script.live()
        #expect(
            limited.ended(.rejected(Rejection(.limitReached, "20 sessions at most"))) == [
                #"send {"type":"error","code":"limit-reached","message":"20 sessions at most"}"#,
                "close 4003 limit-reached",
            ])
    }

    @Test(arguments: [
        #"{"type":"post","id":"1","conversation":"lobby","text":"x"}"#, #"{"type":"ping"}"#,
        #"{"type":"typing","conversation":"lobby","active":true}"#,
    ])
    func anythingElseFirstEndsItWith1008(frame: String) {
        var script = Script()
        let actions = script.send(frame)
        #expect(actions.count == 2 && actions[0].contains("out-of-order") && actions[1].hasPrefix("close 1008"))
    }

    @Test(arguments: [
        ("{", "bad-json"), ("[]", "invalid-value"), (#"{"type":"hello","cursor":"soon"}"#, "invalid-value"),
        (#"{"type":"hello","presence":"bored"}"#, "invalid-value"), (#"{"type":"nonsense"}"#, "unknown-operation"),
        (#"{"type":"hello","type":"hello"}"#, "bad-json"), (#"{"token":"x"}"#, "invalid-value"),
    ])
    func aBrokenFirstFrameEndsItWith4003(frame: String, code: String) {
        var script = Script()
        let actions = script.send(frame)
        #expect(actions.count == 2)
        #expect(actions.first?.contains(#""code":"\#(code)""#) ?? false, "\(actions)")
        #expect(actions.last?.hasPrefix("close 4003") ?? false)
    }

    @Test func noHelloInTimeEndsItWith1008() {
        var script = Script()
        #expect(script.timeOut() == ["close 1008 no hello in time"])
        var slow = Script()
        _ = slow.send(#"{"type":"hello","token":"x"}"#)
        #expect(slow.timeOut() == ["close 1008 no hello in time"], "nor was it found out who it is")
        #expect(slow.authenticated() == [])
        var live = Script.live()
        #expect(live.timeOut() == [])
    }

    @Test func thereIsOneHelloOnly() {
        var script = Script.live()
        #expect(
            script.send(#"{"type":"hello","id":"2","token":"x"}"#) == [
                #"send {"type":"reply","id":"2","error":{"code":"out-of-order","message":"the session has begun already"}}"#
            ])
    }

    /// «A client may send on before it was welcomed»: what comes behind `hello` is read when it is known who speaks.
    @Test func framesBehindHelloWait() {
        var script = Script()
        #expect(script.send(#"{"type":"hello","token":"x"}"#) == ["authenticate x", "stop reading"])
        #expect(script.send(#"{"type":"ping","id":"1"}"#) == [])
        #expect(script.send(#"{"type":"ping","id":"2"}"#) == [])
        #expect(
            script.authenticated() == [
                "welcomed", "attach alice from now online", #"send {"type":"pong","id":"1"}"#,
                #"send {"type":"pong","id":"2"}"#, "go on reading",
            ])
    }

    // MARK: Operations

    @Test func anOperationIsBegunAndAnswered() {
        var script = Script.live()
        #expect(
            script.send(#"{"type":"post","id":"1","ref":"a7","conversation":"lobby","text":"Hello"}"#)
                == ["perform post as 1"])
        let acceptance = Acceptance(
            conversation: ConversationID(rawValue: 1),
            event: EventReference(id: Sample.id(9), sequence: .init(rawValue: 10)),
            position: Position(rawValue: 4_713), time: Timestamp(rawValue: 5), isRepeat: false)
        #expect(
            script.finish(0, .accepted(acceptance, epoch: 1)) == [
                #"send {"type":"reply","id":"1","ok":{"conversation":"~1","id":"00000000000000000000000009","#
                    + #""sequence":10,"cursor":"1-4713","at":5}}"#
            ])
    }

    @Test func repliesComeInOrderOfCompletion() {
        var script = Script.live()
        _ = script.send(#"{"type":"history","id":"1","conversation":"~1"}"#)
        _ = script.send(#"{"type":"history","id":"2","conversation":"~1"}"#)
        #expect(script.finish(1, .answered(.nothing)) == [#"send {"type":"reply","id":"2","ok":{}}"#])
        #expect(script.finish(0, .answered(.nothing)) == [#"send {"type":"reply","id":"1","ok":{}}"#])
    }

    @Test func aFrameWithoutAnIDIsAnsweredOnlyByErrors() {
        var script = Script.live()
        _ = script.send(#"{"type":"typing","conversation":"~1","active":true}"#)
        #expect(script.finish(0, .answered(.nothing)) == [])
        _ = script.send(#"{"type":"typing","conversation":"~1","active":true}"#)
        #expect(
            script.finish(1, .refused(Rejection(.forbidden, "no")))
                == [#"send {"type":"error","code":"forbidden","message":"no"}"#])
    }

    @Test func membersMayComeInAnyOrder() {
        var script = Script.live()
        #expect(
            script.send(#"{"text":"Hello","id":"1","conversation":"lobby","unknown":[{"a":1}],"type":"post"}"#)
                == ["perform post as 1"])
        #expect(script.text(of: 0) == "Hello")
    }

    @Test func whoWaitsForAnAnswerGetsItsErrorToo() {
        var script = Script.live()
        // The error is met before the id is.
        #expect(
            script.send(#"{"type":"post","conversation":5,"id":"9"}"#) == [
                #"send {"type":"reply","id":"9","error":{"code":"invalid-value","message":"conversation: expected a string (byte 30)"}}"#
            ])
        #expect(
            script.send(#"{"type":"post","id":"9","conversation":"lobby"}"#) == ["perform post as 9"],
            "that there is nothing to say is found by the operation")
        #expect(
            script.send(#"{"type":"nonsense","id":"9"}"#) == [
                #"send {"type":"reply","id":"9","error":{"code":"unknown-operation","message":"there is no such operation"}}"#
            ])
        #expect(
            script.send(#"{"type":"sync","id":"9"}"#) == [
                #"send {"type":"reply","id":"9","error":{"code":"unknown-operation","message":"sync is for HTTP only"}}"#
            ])
        #expect(
            script.send(#"{"type":"redact","id":"9","conversation":"lobby"}"#) == [
                #"send {"type":"reply","id":"9","error":{"code":"invalid-value","message":"event: missing"}}"#
            ])
    }

    @Test func thingsThatAreForSomeOnly() {
        var script = Script.live(kind: .guest)
        #expect(
            script.send(#"{"type":"create","id":"1","kind":"group"}"#) == [
                #"send {"type":"reply","id":"1","error":{"code":"forbidden","message":"a guest can't do this"}}"#
            ])
    }

    @Test func pingAndPresence() {
        var script = Script.live()
        #expect(script.send(#"{"type":"ping"}"#) == [#"send {"type":"pong"}"#])
        #expect(script.send(#"{"type":"presence","id":"1","state":"away"}"#) == ["perform presence as 1"])
        #expect(script.finish(0, .answered(.nothing)) == [#"send {"type":"reply","id":"1","ok":{}}"#])
    }

    // MARK: Order and limits

    @Test func atMost256OperationsAreOutstanding() {
        var script = Script.live()
        for number in 0..<256 {
            #expect(script.send(#"{"type":"pins","id":"\#(number)","conversation":"~1"}"#).count == 1)
        }
        #expect(script.send(#"{"type":"pins","id":"x","conversation":"~1"}"#) == ["stop reading"])
        #expect(script.send(#"{"type":"ping"}"#) == [])
        #expect(
            script.finish(5, .answered(.nothing)) == [
                #"send {"type":"reply","id":"5","ok":{}}"#, "perform pins as x",
            ])
        #expect(
            script.finish(6, .answered(.nothing)) == [
                #"send {"type":"reply","id":"6","ok":{}}"#, #"send {"type":"pong"}"#, "go on reading",
            ])
    }

    @Test func framesWaitForAChangeThatFindsItsPlace() {
        var script = Script.live()
        _ = script.send(#"{"type":"post","id":"1","conversation":"@bob","text":"x"}"#)
        script.machine.hold()
        #expect(script.send(#"{"type":"post","id":"2","conversation":"@bob","text":"y"}"#) == ["stop reading"])
        script.machine.release()
        #expect(script.drain() == ["perform post as 2", "go on reading"])
    }

    // MARK: The end

    @Test func aRevokedDeviceIsToldAndClosedWith4001() {
        var script = Script.live()
        #expect(
            script.ended(.revoked) == [
                #"send {"type":"error","code":"unauthenticated","message":"this device was signed out"}"#,
                "close 4001 unauthenticated",
            ])
        #expect(script.finish(nil, .answered(.nothing)) == [])
    }

    @Test func aServerThatGoesDownSaysFromWhereToResume() {
        var script = Script.live()
        script.machine.draining(cursor: Cursor(epoch: 1, position: Position(rawValue: 9)), retryAfter: 700)
        #expect(
            script.drain() == [
                #"send {"type":"goodbye","reason":"restart","cursor":"1-9","retryAfter":700}"#, "close 1012 restart",
            ])
    }

    @Test func aCursorOfAnotherLogMeansResync() {
        var script = Script.live()
        script.machine.continuityLost()
        #expect(
            script.caughtUp("2-7")
                == [#"send {"type":"resync","cursor":"2-7"}"#, #"send {"type":"ready","cursor":"2-7"}"#])
    }

    @Test func binaryMessagesAreNotSpoken() {
        var script = Script.live()
        script.machine.receivedBinary()
        #expect(script.drain() == ["close 1003 frames are text"])
    }
}

/// Plays one side of the machine and writes down its actions.
struct Script {
    var machine: SocketSession
    private var performed: [ClientFrame] = []

    init(bearer: String? = nil) {
        machine = SocketSession(serverName: Sample.serverName, bearer: bearer)
    }

    static func actor(_ kind: Account.Kind = .person) -> Actor {
        Actor(
            party: Party(id: AccountID(rawValue: 1), address: Sample.address("alice")), device: DeviceID(rawValue: 4),
            isAdministrator: false, kind: kind)
    }

    static func live(kind: Account.Kind = .person) -> Script {
        var script = Script()
        _ = script.send(#"{"type":"hello","token":"x"}"#)
        _ = script.authenticated(.success(actor(kind)))
        _ = script.attached()
        _ = script.caughtUp("1-1")
        return script
    }

    mutating func send(_ text: String) -> [String] {
        machine.received(ByteBuffer(string: text))
        return drain()
    }

    mutating func authenticated(_ result: Result<Actor, Rejection> = .success(actor())) -> [String] {
        machine.authenticated(result)
        return drain()
    }

    mutating func attached() -> [String] {
        machine.attached(SessionID(rawValue: 17))
        return drain()
    }

    mutating func caughtUp(_ cursor: String) -> [String] {
        if let cursor = Cursor(cursor) { machine.caughtUp(to: cursor) }
        return drain()
    }

    mutating func ended(_ reason: SessionEnd) -> [String] {
        machine.sessionEnded(reason)
        return drain()
    }

    mutating func timeOut() -> [String] {
        machine.timedOut()
        return drain()
    }

    mutating func finish(_ number: Int?, _ outcome: SocketSession.Outcome) -> [String] {
        if let number { machine.finished(performed[number], outcome) }
        return drain()
    }

    func text(of number: Int) -> String? { try? performed[number].arguments.optionalText("text") }

    mutating func drain() -> [String] {
        var lines: [String] = []
        while let action = machine.next() {
            if case .perform(let frame) = action { performed.append(frame) }
            lines.append(Script.line(action))
        }
        return lines
    }

    static func line(_ action: SocketSession.Action) -> String {
        switch action {
        case .authenticate(let bearer): return "authenticate \(bearer)"
        case .attach(let actor, let cursor, let presence):
            return "attach \(actor.party.address) from \(cursor?.description ?? "now") \(presence.name)"
        case .perform(let frame): return "perform \(frame.operation.name) as \(frame.correlation ?? "-")"
        case .send(let frame):
            var buffer = ByteBuffer()
            Framing.list.append(frame, to: &buffer)
            return "send " + String(buffer: buffer).dropFirst()
        case .setReading(let reads): return reads ? "go on reading" : "stop reading"
        case .welcomed: return "welcomed"
        case .close(let code, let reason): return "close \(code.rawValue) \(reason)"
        }
    }
}

extension Sample {
    static var serverName: ServerName {
        guard let name = ServerName("example.org") else { return Sample.serverName }
        return name
    }
}

/// Names that Foundation has too.
typealias APIOperation = Operation
typealias LogSequence = Sequence

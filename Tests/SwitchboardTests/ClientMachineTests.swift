import NIOCore
import Testing
import WireJSON

@testable import SwitchboardClient

/// What a client remembers over its connections.
struct ClientMachineTests {
    private var machine = ClientMachine(token: "sbd_x", cursor: "1-5", presence: nil, refPrefix: "r")

    private func sent(_ actions: [ClientMachine.Action]) throws -> [JSONValue] {
        try actions.compactMap { action in
            if case .send(let text) = action { try JSONValue(parsing: text) } else { nil }
        }
    }
    private mutating func receive(_ text: String) -> [ClientMachine.Action] {
        var actions: [ClientMachine.Action] = []
        machine.received(ByteBuffer(string: text), &actions)
        return actions
    }
    private mutating func open() -> [ClientMachine.Action] {
        var actions: [ClientMachine.Action] = []
        machine.connected(&actions)
        return actions
            + receive(#"{"type":"welcome","server":"s","account":"alice","device":"4","session":"1","cursor":"1-5"}"#)
    }
    private mutating func submit(_ operation: String, isChange: Bool = true) -> (UInt64, [ClientMachine.Action]) {
        var actions: [ClientMachine.Action] = []
        let id = machine.submit(operation, ["text": "x"], isChange: isChange, &actions)
        return (id, actions)
    }
    private mutating func disconnect(_ code: UInt16? = nil) -> [ClientMachine.Action] {
        var actions: [ClientMachine.Action] = []
        machine.disconnected(code: code, &actions)
        return actions
    }

    @Test mutating func helloComesFirstWithTokenAndCursor() throws {
        var actions: [ClientMachine.Action] = []
        machine.connected(&actions)
        let hello = try #require(try sent(actions).first)
        #expect(hello["type"] == "hello")
        #expect(hello["token"] == "sbd_x")
        #expect(hello["cursor"] == "1-5")
    }

    @Test mutating func whatIsAskedBeforeTheWelcomeIsSentAfterIt() throws {
        let (_, before) = submit("post")
        #expect(try sent(before).isEmpty)
        let posts = try sent(open()).filter { $0["type"] == "post" }
        #expect(posts.count == 1)
    }

    @Test mutating func aChangeIsSentAgainUnderTheSameRef() throws {
        _ = open()
        let first = try #require(try sent(submit("post").1).first)
        _ = disconnect()
        let again = try sent(open()).filter { $0["type"] == "post" }
        #expect(again == [first])
        #expect(first["ref"] != nil)
        let id = try #require(first["id"])
        let answers = receive("{\"type\":\"reply\",\"id\":\(id),\"ok\":{\"sequence\":1}}")
        guard case .answer(_, .success(let ok)) = answers.first else { throw ClientError.closed }
        #expect(ok["sequence"]?.int == 1)
        _ = disconnect()
        #expect(try sent(open()).filter { $0["type"] == "post" }.isEmpty)
    }

    @Test mutating func everyRequestIsAnsweredExactlyOnce() {
        _ = open()
        let (id, _) = submit("post")
        let reply = "{\"type\":\"reply\",\"id\":\"\(id)\",\"ok\":{}}"
        #expect(receive(reply).count == 1)
        #expect(receive(reply).isEmpty)
        let (other, _) = submit("history", isChange: false)
        var actions: [ClientMachine.Action] = []
        machine.finish(nil, &actions)
        machine.finish(nil, &actions)
        let answered = actions.filter { if case .answer(other, .failure(.closed)) = $0 { true } else { false } }
        #expect(answered.count == 1)
    }

    @Test mutating func signalsAreNotKept() throws {
        var actions: [ClientMachine.Action] = []
        machine.signal("typing", [:], &actions)
        #expect(actions.isEmpty)
        _ = open()
        machine.signal("typing", [:], &actions)
        #expect(try sent(actions).count == 1)
        _ = disconnect()
        #expect(try sent(open()).filter { $0["type"] == "typing" }.isEmpty)
    }

    @Test mutating func repeatedEventsAreDropped() {
        _ = open()
        func event(_ sequence: Int) -> String {
            #"{"type":"event","cursor":"1-\#(sequence + 5)","conversation":"~1","sequence":\#(sequence),"id":"e\#(sequence)","author":"bob","at":1,"kind":"message","body":{"text":"x"}}"#
        }
        #expect(receive(event(1)).count == 1)
        #expect(receive(event(2)).count == 1)
        #expect(machine.cursor == "1-7")
        _ = disconnect()
        _ = open()
        #expect(receive(event(2)).isEmpty)
        #expect(receive(event(3)).count == 1)
        _ = receive(#"{"type":"resync","cursor":"2-1"}"#)
        #expect(receive(event(1)).count == 1)
    }

    @Test mutating func theCursorOfTheWelcomeDoesNotReplaceOurs() {
        _ = open()
        #expect(machine.cursor == "1-5")
        _ = receive(#"{"type":"ready","cursor":"1-9"}"#)
        #expect(machine.cursor == "1-9")
    }

    @Test(arguments: [UInt16(4_001), 4_003])
    mutating func aRefusalIsTheEnd(_ code: UInt16) {
        var actions: [ClientMachine.Action] = []
        machine.connected(&actions)
        _ = receive(#"{"type":"error","code":"unauthenticated","message":"no"}"#)
        let ends = disconnect(code).contains { action in
            if case .finish(.rejected(code: "unauthenticated", message: "no", retryAfter: nil)?) = action {
                true
            } else {
                false
            }
        }
        #expect(ends)
    }

    @Test mutating func aGoodbyeSaysWhenToComeBack() {
        _ = open()
        _ = receive(#"{"type":"goodbye","reason":"restart","cursor":"1-6","retryAfter":1500}"#)
        #expect(machine.retryAfter == 1_500)
        #expect(machine.cursor == "1-6")
        #expect(disconnect(1_012).isEmpty)
    }

    @Test(arguments: ["", "x", "[]", "{}", #"{"type":1}"#, #"{"type":"event"}"#, "{\"type\":\"event\",\"type\":\"x\"}"])
    mutating func whatIsNoFrameEndsTheConnection(_ text: String) {
        _ = open()
        let hangsUp = receive(text).contains { if case .hangUp = $0 { true } else { false } }
        #expect(hangsUp)
    }

    @Test func theBackoffGrowsToItsLimitWithFullJitter() {
        var backoff = Backoff(first: .milliseconds(100), longest: .seconds(5))
        var longest: [Int64] = []
        for _ in 0..<10 { longest.append(backoff.next(unit: 1).nanoseconds / 1_000_000) }
        #expect(longest == [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000, 5_000])
        #expect(backoff.next(unit: 0) == .zero)
        #expect(backoff.next(unit: 0.5, atLeast: .seconds(2)) == .milliseconds(4_500))
        backoff.reset()
        #expect(backoff.next(unit: 1) == .milliseconds(100))
    }

    @Test(arguments: [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"), ("https://chat.example.org/", "https://chat.example.org"),
        ("http://[::1]:8080", "http://[::1]:8080"), ("https://x.org/sub/", "https://x.org/sub"),
        ("unix:/tmp/a", "unix:/tmp/a"),
        ("http://x.org/#secret", "http://x.org"),
    ])
    func addresses(_ text: String, _ canonical: String) throws {
        #expect(try ServerAddress(text).description == canonical)
    }

    @Test(arguments: [
        "", "x", "ftp://x", "http://", "http://:80", "http://x:0", "http://x:99999", "http://[::1", "unix:",
        "http://u@x", "http://a b",
    ])
    func badAddresses(_ text: String) { #expect(throws: ClientError.self) { try ServerAddress(text) } }
}

import GatewayKit
import Hub
import NIOCore
import Testing
import WireJSON
import WireWebSocket

@testable import ClientAPI

/// Section «Frames» of docs/protocols/client-api.md: every frame, letter by letter.
@Suite struct FrameGoldenTests {
    private static let alice = Party(id: AccountID(rawValue: 1), address: Sample.address("alice"))
    private static let bob = Party(id: AccountID(rawValue: 2), address: Sample.address("bob@remote.example"))
    private static let target = EventReference(id: Sample.id(7), sequence: Sequence(rawValue: 7))

    static func frame(_ delivery: Delivery) -> String {
        var buffer = ByteBuffer()
        Framing.list.append(delivery, epoch: 3, to: &buffer)
        return String(String(buffer: buffer).dropFirst())
    }

    private static func event(_ content: Content, token: String? = nil, previous: Int64? = nil) -> String {
        frame(.event(Sample.event(content, token: token), previous: previous.map(Sequence.init(rawValue:))))
    }

    /// What every golden event begins with.
    private static func head(_ kind: String, between: String = "", ref: String = "") -> String {
        #"{"type":"event","cursor":"3-4712","conversation":"~1","sequence":9,"# + between
            + #""id":"00000000000000000000000009","author":"alice","at":1763712000000,"# + ref + #""kind":"\#(kind)""#
    }

    @Test func messages() {
        #expect(
            Self.event(.message(Message(body: Body(text: "Hi")))) == Self.head("message") + #","body":{"text":"Hi"}}"#)
        let body = Body(
            text: "a\"b\n",
            spans: [
                Span(kind: .bold, start: 0, length: 1), Span(kind: .link, start: 1, length: 2, value: "https://x.y"),
            ],
            attachments: [Attachment(reference: "r1", name: "n", mediaType: "image/png", size: 12)],
            mentions: [Self.alice.address, Self.bob.address], extras: ["x/b": "[1, 2]", "x/a": "{\"k\" : null}"])
        let message = Message(body: body, replyTo: Self.target, thread: Self.target)
        #expect(
            Self.event(.message(message), token: "a7", previous: 5)
                == Self.head("message", between: #""previous":5,"#, ref: #""ref":"a7","#)
                + #","body":{"text":"a\"b\n","spans":[{"kind":"bold","start":0,"length":1},"#
                + #"{"kind":"link","start":1,"length":2,"value":"https://x.y"}],"#
                + #""attachments":[{"reference":"r1","name":"n","mediaType":"image/png","size":12}],"#
                + #""mentions":["alice","bob@remote.example"],"extras":{"x/a":{"k":null},"x/b":[1,2]}},"#
                + #""replyTo":{"id":"00000000000000000000000007","sequence":7},"#
                + #""thread":{"id":"00000000000000000000000007","sequence":7}}"#)
    }

    @Test func whatIsDoneToMessages() {
        let target = #""target":{"id":"00000000000000000000000007","sequence":7}"#
        #expect(
            Self.event(.edit(target: Self.target, body: Body(text: "x")))
                == Self.head("edit") + ",\(target)" + #","body":{"text":"x"}}"#)
        #expect(
            Self.event(.redaction(target: Self.target, reason: nil)) == Self.head("redaction") + ",\(target)}")
        #expect(
            Self.event(.redaction(target: Self.target, reason: "spam"))
                == Self.head("redaction") + ",\(target)" + #","reason":"spam"}"#)
        #expect(
            Self.event(.reaction(target: Self.target, key: "👍", removed: true))
                == Self.head("reaction") + ",\(target)" + #","key":"👍","removed":true}"#)
        #expect(
            Self.event(.pin(target: Self.target, removed: false))
                == Self.head("pin") + ",\(target)" + #","removed":false}"#)
        #expect(Self.event(.erased(.message)) == Self.head("message") + #","erased":true}"#)
    }

    @Test func whatConversationsBecome() {
        #expect(
            Self.event(
                .membership(MembershipChange(subject: Self.bob, standing: .joined, rank: .moderator, reason: "hi")))
                == Self.head("membership")
                + #","member":{"account":"bob@remote.example","standing":"joined","rank":50,"role":"moderator"},"#
                + #""reason":"hi"}"#)
        #expect(
            Self.event(.state(StateChange(key: .subject, value: "Roses")))
                == Self.head("state") + #","state":{"namespace":"","type":"subject","key":"","value":"Roses"}}"#)
        #expect(
            Self.event(.state(StateChange(key: StateKey(namespace: "x", type: "y", key: "z"), value: nil)))
                == Self.head("state") + #","state":{"namespace":"x","type":"y","key":"z","value":null}}"#)
    }

    @Test func otherKinds() {
        #expect(
            Self.event(.call(CallChange(call: "c1", step: .ended, duration: 5_000)))
                == Self.head("call") + #","call":{"id":"c1","step":"ended","duration":5000}}"#)
        #expect(
            Self.event(.sealed(scheme: "mls", bytes: [0, 255, 1]))
                == Self.head("sealed") + #","sealed":{"scheme":"mls","bytes":"AP8B"}}"#)
        #expect(
            Self.event(.custom(namespace: "x", type: "y", payload: "{ \"a\" : [1] }"))
                == Self.head("custom") + #","custom":{"namespace":"x","type":"y","payload":{"a":[1]}}}"#)
        #expect(
            Self.event(.custom(namespace: "x", type: "y", payload: "not\njson"))
                == Self.head("custom") + #","custom":{"namespace":"x","type":"y","payload":"not\njson"}}"#,
            "what another door let in can't break a frame")
    }

    @Test func receiptsAndProfiles() {
        let receipt = Receipt(
            conversation: ConversationID(rawValue: 12), party: Self.bob, thread: Sequence(rawValue: 3),
            deliveredUpTo: Sequence(rawValue: 9), readUpTo: Sequence(rawValue: 8), position: Position(rawValue: 5),
            time: Timestamp(rawValue: 6))
        #expect(
            Self.frame(.receipt(receipt))
                == #"{"type":"receipt","cursor":"3-5","conversation":"~12","account":"bob@remote.example","thread":3,"#
                + #""deliveredUpTo":9,"readUpTo":8,"at":6}"#)
        let profile = AccountProfile(
            party: Self.alice, profile: Profile(displayName: "Alice", statusText: "away\u{2028}"),
            position: Position(rawValue: 8))
        #expect(
            Self.frame(.profile(profile))
                == #"{"type":"profile","cursor":"3-8","account":"alice","displayName":"Alice","statusText":"away\u2028"}"#
        )
        #expect(
            Self.frame(.gap(ConversationID(rawValue: 4), first: Sequence(rawValue: 100)))
                == #"{"type":"gap","conversation":"~4","first":100}"#)
    }

    @Test func signals() throws {
        let place = ConversationSignal(conversation: ConversationID(rawValue: 2), party: Self.alice)
        let inThread = ConversationSignal(
            conversation: ConversationID(rawValue: 2), party: Self.alice, thread: Sample.id(7))
        let head = #""conversation":"~2","account":"alice""#
        #expect(
            Self.frame(.signal(.typing(inThread, active: true)))
                == #"{"type":"typing","# + head + #","thread":"00000000000000000000000007","active":true}"#)
        let steps: [LiveText.Step] = [
            .reset("ab"), .insert(at: 2, text: "c"), .erase(at: 3, count: 2), .cancel,
        ]
        let live = LiveText(token: try #require(Token("r1")), number: 4, steps: steps)
        #expect(
            Self.frame(.signal(.liveText(place, live)))
                == #"{"type":"live","# + head + #","ref":"r1","number":4,"steps":[{"reset":"ab"},"#
                + #"{"insert":"c","at":2},{"erase":2,"at":3},{"cancel":true}]}"#)
        #expect(
            Self.frame(.signal(.ringing(place, call: "c1"))) == #"{"type":"ringing","# + head + #","call":"c1"}"#)
        #expect(
            Self.frame(.signal(.presence(Self.alice, Presence(state: .offline, lastSeen: Timestamp(rawValue: 9)))))
                == #"{"type":"presence","account":"alice","state":"offline","lastSeen":9}"#)
        #expect(
            Self.frame(.signal(.attendance(ConversationID(rawValue: 2), Self.alice, present: false)))
                == #"{"type":"attendance","# + head + #","present":false}"#)
    }

    @Test func places() {
        var state = ConversationState(
            identity: ConversationIdentity(
                id: ConversationID(rawValue: 12), kind: .group, address: Sample.address("garden"), pair: nil,
                sealing: nil, created: Timestamp(rawValue: 1)),
            lastSequence: Sequence(rawValue: 40), values: [.name: "The garden", .access: "public"])
        let member = Member(
            party: Self.alice, standing: .invited, rank: .member, intervals: [], since: .init(rawValue: 1))
        #expect(
            Self.frame(.seat(SeatRow(state, member: member)))
                == #"{"type":"conversation","id":"~12","kind":"group","address":"garden","name":"The garden","#
                + #""access":"public","history":"members","firstSequence":1,"lastSequence":40,"#
                + #""standing":"invited","rank":0,"role":"member"}"#)
        state = ConversationState(
            identity: ConversationIdentity(
                id: ConversationID(rawValue: 13), kind: .direct, address: nil,
                pair: .init(AccountID(rawValue: 1), AccountID(rawValue: 2)), sealing: nil, created: .init(rawValue: 1)),
            members: [
                AccountID(rawValue: 2): Member(
                    party: Self.bob, standing: .joined, rank: .member, intervals: [], since: .init(rawValue: 1))
            ])
        #expect(
            Self.frame(.seat(SeatRow(state, member: member)))
                == #"{"type":"conversation","id":"~13","kind":"direct","address":"@bob@remote.example","#
                + #""with":"bob@remote.example","access":"private","history":"members","firstSequence":1,"#
                + #""lastSequence":0,"standing":"invited","rank":0,"role":"member"}"#)
    }

    @Test func whatTheServerSaysItself() throws {
        let actor = Actor(party: Self.alice, device: DeviceID(rawValue: 4), isAdministrator: false, kind: .person)
        let cursor = Cursor(epoch: 3, position: Position(rawValue: 4_711))
        let server = try #require(ServerName("localhost"))
        let acceptance = Acceptance(
            conversation: ConversationID(rawValue: 1), event: Self.target, position: Position(rawValue: 13),
            time: Timestamp(rawValue: 5), isRepeat: true)
        let frames: [(ServerFrame, String)] = [
            (
                .welcome(.init(server: server, actor: actor, session: SessionID(rawValue: 17), cursor: cursor)),
                #"{"type":"welcome","server":"localhost","account":"alice","device":"4","session":"17","cursor":"3-4711"}"#
            ),
            (.ready(cursor), #"{"type":"ready","cursor":"3-4711"}"#),
            (.resync(cursor), #"{"type":"resync","cursor":"3-4711"}"#),
            (
                .accepted(id: "1", acceptance, epoch: 3),
                #"{"type":"reply","id":"1","ok":{"conversation":"~1","id":"00000000000000000000000007","sequence":7,"#
                    + #""cursor":"3-13","at":5,"repeat":true}}"#
            ),
            (.answered(id: "2", { $0.field("a", 1) }), #"{"type":"reply","id":"2","ok":{"a":1}}"#),
            (
                .refused(id: "3", APIError(Rejection(.rateLimited, "no", retryAfter: 20))),
                #"{"type":"reply","id":"3","error":{"code":"rate-limited","message":"no","retryAfter":20}}"#
            ),
            (
                .refused(id: nil, APIError(.badJSON, "no")), #"{"type":"error","code":"bad-json","message":"no"}"#
            ),
            (
                .goodbye(reason: "restart", cursor: cursor, retryAfter: 700),
                #"{"type":"goodbye","reason":"restart","cursor":"3-4711","retryAfter":700}"#
            ),
            (.pong(id: nil), #"{"type":"pong"}"#), (.pong(id: "9"), #"{"type":"pong","id":"9"}"#),
        ]
        for (frame, text) in frames {
            var buffer = ByteBuffer()
            Framing.list.append(frame, to: &buffer)
            #expect(String(buffer: buffer) == "," + text)
            #expect(SchemaCheck.faults(frame: try JSONValue(parsing: text)).isEmpty)
        }
    }

    @Test func numbersAtTheirEnds() {
        for position in [0, 1, 9, 10, Int64.max] {
            var buffer = ByteBuffer()
            Framing.list.append(.ready(Cursor(epoch: .max, position: Position(rawValue: position))), to: &buffer)
            #expect(String(buffer: buffer) == #",{"type":"ready","cursor":"9223372036854775807-\#(position)"}"#)
        }
    }

    // MARK: Framings

    @Test func aSocketFrameIsOneTextMessage() throws {
        for length in [0, 1, 40, 60, 125, 126, 200, 65_000, 70_000] {
            var buffer = ByteBuffer()
            let event = Sample.event(.message(Message(body: Body(text: String(repeating: "x", count: length)))))
            Framing.socket.append(.event(event, previous: nil), epoch: 3, to: &buffer)
            var decoder = WebSocketDecoder(role: .client, limits: WebSocketLimits(maxMessageBytes: 1 << 20))
            decoder.append(buffer)
            #expect(try decoder.next() == .text(ByteBuffer(string: Self.frame(.event(event, previous: nil)))))
            #expect(try decoder.next() == nil)
        }
    }

    @Test func aCompressedFrameSaysTheSame() throws {
        let compressor = Compressor(deflater: Deflater(), windowBits: 15)
        var buffer = ByteBuffer()
        let delivery = Delivery.event(
            Sample.event(.message(Message(body: Body(text: String(repeating: "again ", count: 50))))), previous: nil)
        for _ in 0..<3 { compressor.append(delivery.frameType, to: &buffer) { delivery.writeMembers(&$0, epoch: 3) } }
        var decoder = WebSocketDecoder(role: .client, deflate: .init())
        decoder.append(buffer)
        #expect(buffer.readableBytes < 3 * 250)
        for _ in 0..<3 { #expect(try decoder.next() == .text(ByteBuffer(string: Self.frame(delivery)))) }
    }

    /// HTML standard, section 9.2.6: CR, LF and CRLF end a line of a stream.
    @Test func nothingInABodyEndsALineOfAStream() throws {
        let text = "a\r\nb\rc\nd\u{2028}e\u{2029}f\u{85}g\u{0B}\u{0C}\u{1E}data: x\n\nevent: y"
        var buffer = ByteBuffer()
        let body = Body(text: text, extras: ["x/y": "[\n1,\r\n\"\\n\"]"])
        Framing.stream.append(.event(Sample.event(.message(Message(body: body))), previous: nil), epoch: 3, to: &buffer)
        let stream = String(buffer: buffer)
        #expect(!stream.utf8.contains(UInt8(ascii: "\r")))
        let lines = stream.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map {
            String(Substring($0))
        }
        #expect(lines.count == 5 && lines[3] == "" && lines[4] == "")
        #expect(lines[0] == "event: event" && lines[1] == "id: 3-4712" && lines[2].hasPrefix("data: {"))
        let json = try JSONValue(parsing: String(lines[2].dropFirst("data: ".count)))
        #expect(json["body"]?["text"] == .string(text))
    }

    @Test func onlyDurableFramesOfAStreamHaveAnID() {
        let place = ConversationSignal(conversation: ConversationID(rawValue: 2), party: Self.alice)
        var buffer = ByteBuffer()
        Framing.stream.append(.signal(.typing(place, active: true)), epoch: 3, to: &buffer)
        #expect(
            String(buffer: buffer)
                == "event: typing\ndata: {\"type\":\"typing\",\"conversation\":\"~2\",\"account\":\"alice\",\"active\":true}\n\n"
        )
    }
}

/// Values that tests have in common.
enum Sample {
    static func address(_ text: String) -> Address {
        guard let home = ServerName("example.org"), let address = Address(text, home: home) else {
            return Address(handle: handle("unknown"))
        }
        return address
    }

    private static func handle(_ text: String) -> Handle {
        guard let handle = Handle(text) else { return Sample.handle("x") }
        return handle
    }

    static func id(_ number: UInt64) -> EventID { EventID(high: 0, low: number) }

    static func event(_ content: Content, token: String? = nil) -> Event {
        Event(
            position: Position(rawValue: 4_712), conversation: ConversationID(rawValue: 1),
            sequence: Sequence(rawValue: 9), id: id(9),
            author: Party(id: AccountID(rawValue: 1), address: address("alice")), device: DeviceID(rawValue: 1),
            time: Timestamp(rawValue: 1_763_712_000_000), token: token.flatMap { Token($0) }, content: content)
    }
}

import Hub
import NIOCore
import TestKit
import Testing
import WireJSON

@testable import ClientAPI

/// Frames that nobody sends in good faith: each has a clear answer, and the session goes on.
@Suite struct HostileFrameTests {
    @Test(arguments: [
        ("", "bad-json"), ("{", "bad-json"), (#"{"type":"post""#, "bad-json"), ("xyz", "bad-json"),
        ("nonsense", "invalid-value"),
        ("\u{FEFF}{}", "bad-json"), ("{}{}", "bad-json"), ("null", "invalid-value"), ("42", "invalid-value"),
        (#""post""#, "invalid-value"), ("[]", "invalid-value"), ("{}", "invalid-value"),
        (#"{"type":7}"#, "invalid-value"), (#"{"type":null}"#, "invalid-value"),
        (#"{"type":"post","type":"post"}"#, "bad-json"),
        (#"{"type":"post","conversation":"a","conversation":"b","text":"x"}"#, "bad-json"),
        (#"{"type":"post","conversation":"a","text":"x","text":"x"}"#, "bad-json"),
        (#"{"type":"post","conversation":"lobby","text":5}"#, "invalid-value"),
        (#"{"type":"post","conversation":["lobby"],"text":"x"}"#, "invalid-value"),
        (#"{"type":"post","conversation":"","text":"x"}"#, "invalid-value"),
        (#"{"type":"post","conversation":"~","text":"x"}"#, "invalid-value"),
        (#"{"type":"post","conversation":"~0","text":"x"}"#, "invalid-value"),
        (#"{"type":"post","conversation":"~-1","text":"x"}"#, "invalid-value"),
        (#"{"type":"post","conversation":"~99999999999999999999","text":"x"}"#, "invalid-value"),
        (#"{"type":"post","conversation":"@","text":"x"}"#, "invalid-value"),
        (#"{"type":"post","conversation":"two words","text":"x"}"#, "invalid-value"),
        (#"{"type":"post","conversation":"lobby","text":"x","ref":""}"#, "invalid-value"),
        (#"{"type":"post","conversation":"lobby","text":"x","ref":"a b"}"#, "invalid-value"),
        (#"{"type":"post","conversation":"lobby","text":"\ud800"}"#, "bad-json"),
        (
            #"{"type":"post","conversation":"lobby","text":"x","spans":[{"kind":"blink","start":0,"length":1}]}"#,
            "invalid-value"
        ),
        (#"{"type":"post","conversation":"lobby","text":"x","spans":[{"kind":"bold","start":0}]}"#, "invalid-value"),
        (#"{"type":"post","conversation":"lobby","text":"x","mentions":["two words"]}"#, "invalid-value"),
        (#"{"type":"post","conversation":"lobby","text":"x","replyTo":"short"}"#, "invalid-value"),
        (#"{"type":"post","conversation":"lobby","body":{"spans":[]}}"#, "invalid-value"),
        (#"{"type":"read","conversation":"lobby","readUpTo":1.5}"#, "invalid-value"),
        (#"{"type":"read","conversation":"lobby","readUpTo":-1}"#, "invalid-value"),
        (#"{"type":"read","conversation":"lobby","readUpTo":1e400}"#, "invalid-value"),
        (#"{"type":"read","conversation":"lobby","readUpTo":99999999999999999999999}"#, "invalid-value"),
        (#"{"type":"history","conversation":"lobby","limit":0}"#, "invalid-value"),
        (#"{"type":"history","conversation":"lobby","limit":1001}"#, "invalid-value"),
        (#"{"type":"history","conversation":"lobby","before":-1}"#, "invalid-value"),
        (#"{"type":"history","conversation":"lobby","before":9223372036854775807}"#, "invalid-value"),
        (#"{"type":"sealed","conversation":"lobby","scheme":"x","bytes":"a"}"#, "invalid-value"),
        (#"{"type":"sealed","conversation":"lobby","scheme":"x","bytes":"YQ"}"#, "invalid-value"),
        (
            #"{"type":"live","conversation":"lobby","ref":"r","number":0,"steps":[{"reset":"a","cancel":true}]}"#,
            "invalid-value"
        ),
        (#"{"type":"live","conversation":"lobby","ref":"r","number":0,"steps":[{"erase":1,"at":0}]}"#, "invalid-value"),
        (
            #"{"type":"live","conversation":"lobby","ref":"r","number":0,"steps":[{"erase":-1,"at":5}]}"#,
            "invalid-value"
        ),
        (
            #"{"type":"live","conversation":"lobby","ref":"r","number":0,"steps":[{"insert":"x","at":-1}]}"#,
            "invalid-value"
        ),
        (#"{"type":"live","conversation":"lobby","ref":"r","number":-1,"steps":[]}"#, "invalid-value"),
        (#"{"type":"live","conversation":"lobby","ref":"r","number":0,"steps":[{}]}"#, "invalid-value"),
        (#"{"type":"set","conversation":"lobby","permission":{"fly":0}}"#, "invalid-value"),
        (#"{"type":"set","conversation":"lobby","permission":{"post":101}}"#, "invalid-value"),
        (#"{"type":"set","conversation":"lobby","state":{"namespace":"x","type":"y"}}"#, "invalid-value"),
        (#"{"type":"rank","conversation":"lobby","account":"bob","rank":1000}"#, "invalid-value"),
        (#"{"type":"post","id":5,"conversation":"lobby","text":"x"}"#, "invalid-value"),
    ])
    func isRefusedAndTheSessionGoesOn(frame: String, code: String) {
        var script = Script.live()
        let actions = script.send(frame)
        #expect(actions.count == 1 && actions[0].contains(#""code":"\#(code)""#), "\(frame) → \(actions)")
        #expect(script.send(#"{"type":"ping"}"#) == [#"send {"type":"pong"}"#])
    }

    @Test func depthAndLengthAreBounded() {
        for (frame, code) in [
            (
                #"{"type":"custom","conversation":"a","namespace":"n","kind":"k","payload":"#
                    + String(repeating: "[", count: 100_000), "bad-json"
            ),
            (#"{"type":"post","x":"# + String(repeating: "{\"a\":", count: 1_000), "bad-json"),
            (
                #"{"type":"post","conversation":"a","text":""# + String(repeating: "x", count: 600_000) + "\"}",
                "too-large"
            ),
            ("{" + (0..<2_000).map { "\"k\($0)\":0" }.joined(separator: ",") + "}", "too-large"),
            (#"{"type":"post","mentions":["# + String(repeating: "\"a\",", count: 20_000) + "\"a\"]}", "invalid-value"),
            (#"{"type":"ping","id":""# + String(repeating: "x", count: 65) + "\"}", "invalid-value"),
        ] {
            var script = Script.live()
            let actions = script.send(frame)
            #expect(
                actions.count == 1 && actions[0].contains(#""code":"\#(code)""#), "\(frame.prefix(60)) → \(actions)")
            #expect((actions.first?.utf8.count ?? 0) < 600, "an answer is short")
        }
    }

    @Test func unknownFieldsAreIgnored() {
        var script = Script.live()
        #expect(
            script.send(#"{"x":{"y":[1,{"z":null}]},"type":"post","q":1e99,"conversation":"lobby","text":"a","w":"é"}"#)
                == ["perform post as -"])
    }

    @Test func nullIsAsGoodAsNothing() {
        var script = Script.live()
        #expect(
            script.send(#"{"type":"post","conversation":"lobby","text":"a","replyTo":null,"spans":null,"ref":null}"#)
                == ["perform post as -"])
        #expect(
            script.send(#"{"type":"post","conversation":null,"text":"a"}"#).first?.contains("invalid-value") ?? false)
    }

    /// Any cut of a frame and any byte changed: an answer or a beginning, never a trap, and the machine goes on.
    @Test(arguments: 1...60) func mutatedFrames(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        let frames = [
            #"{"type":"post","id":"1","ref":"a7","conversation":"lobby","text":"Hé\u00e9llo","replyTo":"01jd0000000000000000000000"}"#,
            #"{"type":"live","conversation":"~1","ref":"r","number":3,"steps":[{"insert":"x","at":2},{"erase":1,"at":3}]}"#,
            #"{"type":"set","conversation":"garden","name":null,"permission":{"post":0},"state":{"namespace":"a","type":"b","value":"c"}}"#,
            #"{"type":"history","conversation":"@bob","around":"01jd0000000000000000000000","limit":50}"#,
        ]
        for _ in 0..<200 {
            var script = Script.live()
            var bytes = Array((frames.randomElement(using: &random) ?? "").utf8)
            for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
                case 1: bytes.remove(at: place)
                case 2: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: place)
                default: bytes = Array(bytes[..<place])
                }
            }
            script.machine.received(ByteBuffer(bytes: bytes))
            let actions = script.drain()
            #expect(actions.count == 1, "\(String(decoding: bytes, as: UTF8.self)) → \(actions)")
            #expect(script.send(#"{"type":"ping"}"#) == [#"send {"type":"pong"}"#])
        }
    }

    // MARK: Queries

    @Test func queries() throws {
        let decoder = ArgumentDecoder(home: Sample.serverName)
        let history = try #require(Operations.named("history"))
        let arguments = try decoder.arguments(of: history, query: "conversation=%40bob&before=12&limit=5&unknown=x")
        #expect(try arguments.conversation() == .direct(Sample.address("bob")))
        #expect(try arguments.optionalPlace("before") == .sequence(Sequence(rawValue: 12)))
        #expect(try arguments.limit(50) == 5)
        let search = try #require(Operations.named("search"))
        #expect(try decoder.arguments(of: search, query: "text=a+b%2Bc%20d%C3%A9").text("text") == "a b+c dé")
        let presence = try #require(Operations.named("presence-of"))
        #expect(
            try decoder.arguments(of: presence, query: "accounts=alice,bob%40example.org").accounts("accounts")
                == [Sample.address("alice"), Sample.address("bob")])
    }

    @Test(arguments: [
        ("conversation=a&conversation=b", "bad-query"), ("conversation=%", "bad-query"),
        ("conversation=%4", "bad-query"), ("conversation=%zz", "bad-query"), ("conversation=%ff", "bad-query"),
        ("", "invalid-value"), ("conversation=", "invalid-value"), ("conversation=a&limit=x", "invalid-value"),
        ("conversation=a&limit=", "invalid-value"), ("conversation=a&limit=99999999999999999999", "invalid-value"),
        ("conversation=a&before=soon", "invalid-value"), ("conversation", "invalid-value"),
    ])
    func brokenQueries(query: String, code: String) throws {
        let history = try #require(Operations.named("history"))
        let error = #expect(throws: APIError.self) {
            try ArgumentDecoder(home: Sample.serverName).arguments(of: history, query: Substring(query))
        }
        #expect(error?.code.text == code, "\(query)")
    }

    @Test func everyFormHasItsPlaceInTheTable() {
        for operation in Operations.all {
            let names = operation.parameters.map(\.name)
            #expect(Set(names).count == names.count, "\(operation.name)")
            #expect(!names.contains("type") && !names.contains("id"), "\(operation.name): these belong to the frame")
            if case .command = operation.handler { #expect(names.contains("conversation")) }
            if case .signal = operation.handler { #expect(names.contains("conversation")) }
            guard operation.way == .read else { continue }
            for parameter in operation.parameters {
                switch parameter.kind {
                case .json, .body, .spans, .attachments, .extras, .steps, .bytes, .state, .ranks:
                    Issue.record("\(operation.name).\(parameter.name) can't stand in a query")
                default: break
                }
            }
        }
        #expect(Set(Operations.all.map(\.name)).count == Operations.all.count)
    }

    @Test func bearerTokens() {
        #expect(BearerToken.parse("Bearer sbd_x") == "sbd_x")
        #expect(BearerToken.parse("bearer  a.b.c") == "a.b.c")
        for text in ["", "Bearer", "Bearer ", "Basic eA==", "Bearer a b", "Bearer é", "Bearerx", "sbd_x"] {
            #expect(BearerToken.parse(text) == nil, "\(text)")
        }
    }
}

import GatewayKit
import Hub
import NIOCore
import Testing
import WireJSON
import WireWebSocket

@testable import ClientAPI

/// Sockets over a real door: two sessions that talk, and how they begin, end and begin again.
@Suite struct SocketTests {
    /// The limit before `welcome` is one of what a message inflates to, and it is inflated no further.
    @Test func aStrangersMessageIsNotInflatedBeyondTheLimit() async throws {
        try await APIFixture.with { api in
            let deflater = Deflater()
            for (size, code) in [(1 << 20, 1_009), ((32 << 10) + 1, 1_009), (32 << 10, 4_003)] as [(Int, UInt16)] {
                let socket = try await TestSocket(
                    api.port, headers: "Sec-WebSocket-Extensions: permessage-deflate\r\n")
                let spaces = ByteBuffer(repeating: UInt8(ascii: " "), count: size)
                let deflated = try #require(deflater.compress(spaces))
                #expect(deflated.readableBytes < 2_000)
                var frame = ByteBuffer()
                WebSocketFrame.write(.text, deflated, isCompressed: true, masking: .random, into: &frame)
                try await socket.connection.send(frame)
                #expect(try await socket.closeCode() == code, "\(size)")
            }
        }
    }

    @Test func twoSessionsTalk() async throws {
        try await APIFixture.with { api in
            for name in ["alice", "bob"] { try await api.account(name) }
            try await api.group("garden", "alice", "bob")
            let alice = try await TestSocket.ready(api.port, as: "alice")
            let bob = try await TestSocket.ready(api.port, as: "bob")

            let reply = try await alice.ask(
                "post", id: "1", [.init("conversation", "garden"), .init("text", "Hello"), .init("ref", "r1")])
            let id = try #require(reply["ok"]?["id"]?.text)
            let heard = try await bob.next("event")
            #expect(heard["id"] == .string(id) && heard["body"]?["text"] == "Hello" && heard["author"] == "alice")
            #expect(heard["ref"] == "r1" && heard["sequence"] == reply["ok"]?["sequence"])
            #expect(alice.log.contains { $0.contains("\"type\":\"event\"") }, "the author hears it too")

            try await bob.send(["type": "typing", "conversation": "garden", "active": true])
            #expect(try await alice.next("typing")["account"] == "bob")
            try await bob.send([
                "type": "live", "conversation": "garden", "ref": "l1", "number": 0, "steps": [["reset": "I am wri"]],
            ])
            #expect(try await alice.next("live")["steps"] == [["reset": "I am wri"]])
            try await bob.send(["type": "ring", "conversation": "garden", "call": "c1"])
            #expect(try await alice.next("ringing")["call"] == "c1")
            try await bob.send(["type": "presence", "state": "away"])
            #expect(try await alice.next("presence")["state"] == "away")
            try await bob.send(["type": "attend", "conversation": "garden", "present": true])
            #expect(try await alice.next("attendance")["present"] == true)
            let there = try await alice.ask("attendance", id: "2", [.init("conversation", "garden")])
            #expect(there["ok"]?["accounts"] == ["bob"])

            _ = try await bob.ask(
                "react", id: "3",
                [
                    .init("conversation", "garden"), .init("event", .string(id)), .init("key", "🌻"),
                ])
            #expect(try await alice.next("event")["key"] == "🌻")
            _ = try await bob.ask("read", id: "4", [.init("conversation", "garden"), .init("readUpTo", 3)])
            #expect(try await alice.next("receipt")["readUpTo"] == 3)
            for text in alice.log + bob.log {
                #expect(SchemaCheck.faults(frame: try JSONValue(parsing: text)).isEmpty, "\(text)")
            }
        }
    }

    /// A conversation that one enters is described before its first event.
    @Test func aNewPlaceIsToldBeforeItsEvents() async throws {
        try await APIFixture.with { api in
            for name in ["alice", "bob"] { try await api.account(name) }
            let bob = try await TestSocket.ready(api.port, as: "bob")
            let post = try await api.post("post", as: "alice", ["conversation": "@bob", "text": "psst"])
            let place = try #require(try await bob.next())
            #expect(place["type"] == "conversation" && place["address"] == "@alice")
            #expect(place["id"] == post.json["conversation"])
            #expect(try await bob.next("event") { $0["kind"] == "message" }["body"]?["text"] == "psst")

            // The same when it catches up.
            let late = try await TestSocket.ready(api.port, as: "bob", cursor: "1-0")
            #expect(try await late.next()?["type"] == "conversation")
        }
    }

    @Test func resumesByCursorWithNothingMissingAndNothingTwice() async throws {
        try await APIFixture.with { api in
            for name in ["alice", "bob"] { try await api.account(name) }
            try await api.group("garden", "alice", "bob")
            let first = try await TestSocket.ready(api.port, as: "bob")
            _ = try await api.post("post", as: "alice", ["conversation": "garden", "text": "m0"])
            let cursor = try #require(try await first.next("event")["cursor"]?.text)
            await first.connection.close()
            let alice = try await TestSocket.ready(api.port, as: "alice")
            for number in 1...2_500 {
                try await alice.send(["type": "post", "conversation": "garden", "text": .string("m\(number)")])
            }
            _ = try await alice.ask("ping-nothing", id: "end")
            _ = try await alice.next("event") { $0["body"]?["text"] == "m2500" }
            let second = try await TestSocket.ready(api.port, as: "bob", cursor: cursor)
            var texts: [String] = []
            while let frame = try await second.next(), frame["type"] != "ready" {
                if let text = frame["body"]?["text"]?.text { texts.append(text) }
            }
            #expect(texts == (1...2_500).map { "m\($0)" })
            _ = try await api.post("post", as: "alice", ["conversation": "garden", "text": "after"])
            #expect(try await second.next("event")["body"]?["text"] == "after")
        }
    }

    @Test func aCursorOfAnotherLogMeansResync() async throws {
        try await APIFixture.with { api in
            try await api.account("alice")
            for cursor in ["9-1", "1-999"] {
                let socket = try await TestSocket.ready(api.port, as: "alice", cursor: cursor)
                #expect(try await socket.next()?["type"] == "resync")
                #expect(try await socket.next()?["type"] == "ready")
            }
        }
    }

    /// What a client sends in an order happens in that order, however long its names take to be found.
    @Test func changesKeepTheirOrder() async throws {
        try await APIFixture.with { api in
            for name in ["alice", "bob"] { try await api.account(name) }
            let socket = try await TestSocket.ready(api.port, as: "alice")
            var frames = #"{"type":"create","id":"c","kind":"group","handle":"garden"}"#
            try await socket.send(text: frames)
            for number in 0..<200 {
                let name = ["garden", "@bob", "garden@example.org"][number % 3]
                frames = #"{"type":"post","id":"\#(number)","conversation":"\#(name)","text":"m\#(number)"}"#
                try await socket.send(text: frames)
            }
            _ = try await socket.next("reply") { $0["id"] == "199" }
            let replies = try socket.log.map { try JSONValue(parsing: $0) }.filter { $0["type"] == "reply" }
            #expect(replies.allSatisfy { $0["ok"] != nil }, "\(replies.first { $0["ok"] == nil } ?? .null)")
            for name in ["garden", "@bob"] {
                let history = try await api.get("history", as: "alice", [("conversation", name), ("limit", "500")])
                let numbers = (history.json["events"]?.elements ?? [])
                    .compactMap { $0["body"]?["text"]?.text?.dropFirst() }.compactMap { Int($0) }
                #expect(numbers == numbers.sorted() && numbers.count >= 66)
            }
        }
    }

    @Test func compressedSessionsHearTheSame() async throws {
        try await APIFixture.with { api in
            for name in ["alice", "bob"] { try await api.account(name) }
            try await api.group("garden", "alice", "bob")
            let socket = try await TestSocket.ready(
                api.port, as: "bob", headers: "Sec-WebSocket-Extensions: permessage-deflate\r\n")
            #expect(socket.head.lowercased().contains("permessage-deflate"))
            let text = String(repeating: "again and ", count: 200)
            _ = try await api.post("post", as: "alice", ["conversation": "garden", "text": .string(text)])
            #expect(try await socket.next("event")["body"]?["text"] == .string(text))
            let reply = try await socket.ask("history", id: "1", [.init("conversation", "garden")])
            #expect(reply["ok"]?["events"]?.elements.last?["body"]?["text"] == .string(text))
        }
    }

    // MARK: Who comes in, and how it ends

    @Test func credentials() async throws {
        try await APIFixture.with { api in
            try await api.account("alice")
            let byHeader = try await TestSocket(api.port, headers: "Authorization: Bearer alice\r\n")
            try await byHeader.send(["type": "hello"])
            #expect(try await byHeader.next()?["account"] == "alice")

            let unknown = try await TestSocket(api.port)
            try await unknown.send(["type": "hello", "token": "mallory"])
            #expect(try await unknown.next()?["code"] == "unauthenticated")
            #expect(try await unknown.closeCode() == 4_001)

            let malformed = try await TestSocket(api.port, headers: "Authorization: Basic eA==\r\n")
            #expect(malformed.head.hasPrefix("HTTP/1.1 401 "))
            let foreign = try await TestSocket(api.port, headers: "Origin: https://elsewhere.example\r\n")
            #expect(foreign.head.hasPrefix("HTTP/1.1 403 "))
        }
    }

    @Test func aRevokedDeviceIsGone() async throws {
        try await APIFixture.with { api in
            let alice = try await api.account("alice")
            let socket = try await TestSocket.ready(api.port, as: "alice")
            #expect(try await api.hub.revoke(alice.device, of: alice.account))
            #expect(try await socket.next("error")["code"] == "unauthenticated")
            #expect(try await socket.closeCode() == 4_001)
        }
    }

    @Test func tooManySessions() async throws {
        var limits = Limits.unlimited
        limits.sessionsPerAccount = 1
        try await APIFixture.with(limits: limits) { api in
            try await api.account("alice")
            let first = try await TestSocket.ready(api.port, as: "alice")
            let second = try await TestSocket(api.port)
            try await second.send(["type": "hello", "token": "alice"])
            #expect(try await second.next("error")["code"] == "limit-reached")
            #expect(try await second.closeCode() == 4_003)
            #expect(try await first.ask("conversations", id: "1")["ok"] != nil)
        }
    }

    @Test func brokenFramesAndBinaryMessages() async throws {
        try await APIFixture.with { api in
            try await api.account("alice")
            let socket = try await TestSocket.ready(api.port, as: "alice")
            try await socket.send(text: "{\"type\":")
            #expect(try await socket.next("error")["code"] == "bad-json")
            #expect(try await socket.ask("conversations", id: "1")["ok"] != nil, "the session goes on")
            try await socket.send(text: "x", .binary)
            #expect(try await socket.closeCode() == 1_003)

            let large = try await TestSocket(api.port)
            try await large.send(text: String(repeating: " ", count: 40 << 10))
            #expect(try await large.closeCode() == 1_009, "nobody is signed in yet")
            let signedIn = try await TestSocket.ready(api.port, as: "alice")
            try await signedIn.send(text: #"{"type":"ping","x":""# + String(repeating: " ", count: 200 << 10) + "\"}")
            #expect(try await signedIn.next("pong")["type"] == "pong")
        }
    }

    /// 4008: what waited is dropped, and the client resumes by its last cursor.
    @Test func whoIsTooSlowIsCutOff() async throws {
        var doorLimits = DoorLimits()
        doorLimits.outboundBytes = 64 << 10
        try await APIFixture.with(doorLimits: doorLimits) { api in
            for name in ["alice", "bob"] { try await api.account(name) }
            try await api.group("garden", "alice", "bob")
            let slow = try await TestSocket(api.port, readsAll: false)
            try await slow.send(["type": "hello", "token": "bob"])
            _ = try await slow.next("ready")
            try await slow.connection.setReading(false)
            let text = JSONValue.string(String(repeating: "x", count: 60_000))
            for _ in 0..<200 where await api.hub.sessionCount() > 0 {
                _ = try await api.post("post", as: "alice", ["conversation": "garden", "text": text])
            }
            #expect(await api.hub.sessionCount() == 0)
            try await slow.connection.setReading(true)
            #expect(try await slow.closeCode() == 4_008)
            let sequences = try slow.log.compactMap { try JSONValue(parsing: $0)["sequence"]?.number }
            #expect(sequences == Array((sequences.first ?? 0)..<(sequences.first ?? 0) + Int64(sequences.count)))
        }
    }

    @Test func aDrainSaysGoodbyeWithTheLastCursor() async throws {
        try await APIFixture.with { api in
            for name in ["alice", "bob"] { try await api.account(name) }
            try await api.group("garden", "alice", "bob")
            let socket = try await TestSocket.ready(api.port, as: "bob")
            _ = try await api.post("post", as: "alice", ["conversation": "garden", "text": "last words"])
            let event = try await socket.next("event")
            await api.service.triggerGracefulShutdown()
            let goodbye = try await socket.next("goodbye")
            #expect(goodbye["reason"] == "restart" && goodbye["cursor"] == event["cursor"])
            #expect(500...5_000 ~= goodbye["retryAfter"]?.number ?? 0)
            #expect(try await socket.closeCode() == 1_012)
        }
    }
}

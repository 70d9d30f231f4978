import Hub
import Testing
import WireJSON

@testable import ClientAPI

/// `GET /v1/stream` and `GET /v1/sync` over a real door.
@Suite struct StreamTests {
    // MARK: Server-Sent Events

    /// What a stream said, event by event.
    private struct Streamed: Equatable {
        var event = ""
        var id: String?
        var data = JSONValue.null
    }

    /// The events of a stream as the HTML standard, section 9.2.6, reads them.
    private static func events(_ text: String) throws -> [Streamed] {
        var events: [Streamed] = []
        var current = Streamed()
        for line in dechunked(text).split(separator: "\n", omittingEmptySubsequences: false) {
            if line.isEmpty {
                if current != Streamed() { events.append(current) }
                current = Streamed()
            } else if line.hasPrefix("event: ") {
                current.event = String(line.dropFirst(7))
            } else if line.hasPrefix("id: ") {
                current.id = String(line.dropFirst(4))
            } else if line.hasPrefix("data: ") {
                current.data = try JSONValue(parsing: String(line.dropFirst(6)))
            }
        }
        return events
    }

    /// The body of an answer in chunks, as far as it came. RFC 9112 section 7.1.
    private static func dechunked(_ text: String) -> String {
        guard let head = text.firstRange(of: "\r\n\r\n") else { return "" }
        var rest = Array(text[head.upperBound...].utf8)[...]
        var body: [UInt8] = []
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")),
            let size = Int(String(decoding: rest[..<end].dropLast(), as: UTF8.self), radix: 16), size > 0,
            rest.count >= end - rest.startIndex + 1 + size
        {
            body += rest.dropFirst(end - rest.startIndex + 1).prefix(size)
            rest = rest.dropFirst(end - rest.startIndex + 1 + size + 2)
        }
        return String(decoding: body, as: UTF8.self)
    }

    private static func open(
        _ api: APIFixture, _ target: String = "/v1/stream", as token: String? = "bob", headers: String = ""
    ) async throws -> TestConnection {
        let connection = try await TestConnection(api.port)
        let authorization = token.map { "Authorization: Bearer \($0)\r\n" } ?? ""
        try await connection.send("GET \(target) HTTP/1.1\r\nHost: localhost\r\n\(authorization)\(headers)\r\n")
        return connection
    }

    @Test func framesComeAsEvents() async throws {
        try await APIFixture.with { api in
            for name in ["alice", "bob"] { try await api.account(name) }
            try await api.group("garden", "alice", "bob")
            let stream = try await Self.open(api)
            let head = await stream.wait { $0.contains("event: ready") }
            #expect(head.hasPrefix("HTTP/1.1 200 OK\r\n"))
            let lower = head.lowercased()
            #expect(lower.contains("content-type: text/event-stream"))
            #expect(lower.contains("cache-control: no-store") && lower.contains("x-content-type-options: nosniff"))
            #expect(head.contains("retry: "))

            let text = "line\r\nbreaks\u{2028}and\n\nmore: \u{0085}"
            let post = try await api.post("post", as: "alice", ["conversation": "garden", "text": .string(text)])
            let all = await stream.wait { $0.contains("event: event") && $0.hasSuffix("\n\n\r\n") }
            let events = try Self.events(all)
            #expect(events.map(\.event) == ["welcome", "ready", "event"])
            #expect(events[1].id == events[1].data["cursor"]?.text)
            #expect(events[2].id == post.json["cursor"]?.text)
            #expect(events[2].data["body"]?["text"] == .string(text))
            for event in events { #expect(SchemaCheck.faults(frame: event.data).isEmpty, "\(event.data)") }
        }
    }

    @Test func resumesByLastEventIDBeforeSince() async throws {
        try await APIFixture.with { api in
            for name in ["alice", "bob"] { try await api.account(name) }
            try await api.group("garden", "alice", "bob")
            var cursors: [String] = []
            for number in 1...3 {
                let post = try await api.post(
                    "post", as: "alice", ["conversation": "garden", "text": .string("m\(number)")])
                cursors.append(try #require(post.json["cursor"]?.text))
            }
            for (target, headers, expected) in [
                ("/v1/stream?since=\(cursors[0])", "", ["m2", "m3"]),
                ("/v1/stream?since=\(cursors[0])", "Last-Event-ID: \(cursors[1])\r\n", ["m3"]),
                ("/v1/stream", "Last-Event-ID: \(cursors[2])\r\n", []), ("/v1/stream", "", []),
            ] {
                let stream = try await Self.open(api, target, headers: headers)
                let text = await stream.wait { $0.contains("event: ready") && $0.hasSuffix("\n\n\r\n") }
                let texts = try Self.events(text).compactMap { $0.data["body"]?["text"]?.text }
                #expect(texts == expected)
            }
            let other = try await Self.open(api, headers: "Last-Event-ID: 7-1\r\n")
            let text = await other.wait { $0.contains("event: ready") && $0.hasSuffix("\n\n\r\n") }
            #expect(try Self.events(text).map(\.event) == ["welcome", "resync", "ready"])
        }
    }

    @Test func streamsAreRefusedInJSON() async throws {
        try await APIFixture.with { api in
            try await api.account("bob")
            for (target, token, headers, status, code) in [
                ("/v1/stream", nil, "", 401, "unauthenticated"),
                ("/v1/stream", "mallory", "", 401, "unauthenticated"),
                ("/v1/stream?since=soon", "bob", "", 400, "invalid-value"),
                ("/v1/stream?since=%ff", "bob", "", 400, "bad-query"),
                ("/v1/stream?presence=bored", "bob", "", 400, "invalid-value"),
                ("/v1/stream", "bob", "Last-Event-ID: soon\r\n", 400, "invalid-value"),
            ] as [(String, String?, String, Int, String)] {
                let stream = try await Self.open(api, target, as: token, headers: headers)
                let text = await stream.wait { $0.contains("}}") }
                #expect(text.hasPrefix("HTTP/1.1 \(status) "), "\(target): \(text)")
                #expect(text.contains(#"{"error":{"code":"\#(code)""#), "\(target): \(text)")
                #expect(text.lowercased().contains("www-authenticate: bearer") == (status == 401))
            }
        }
    }

    @Test func streamsEndWithTheDeviceAndWithTheServer() async throws {
        try await APIFixture.with { api in
            let alice = try await api.account("alice")
            try await api.account("bob")
            let revoked = try await Self.open(api, as: "alice")
            await revoked.wait { $0.contains("event: ready") }
            _ = try await api.hub.revoke(alice.device, of: alice.account)
            let end = await revoked.wait { $0.contains("event: error") && $0.hasSuffix("0\r\n\r\n") }
            #expect(end.contains(#""code":"unauthenticated""#) && end.hasSuffix("0\r\n\r\n"))

            let drained = try await Self.open(api)
            await drained.wait { $0.contains("event: ready") }
            await api.service.triggerGracefulShutdown()
            let goodbye = await drained.wait { $0.contains("event: goodbye") && $0.hasSuffix("0\r\n\r\n") }
            #expect(goodbye.contains(#""reason":"restart","cursor":"1-"#))
        }
    }

    // MARK: Long-poll

    @Test func aPollGivesWhatThereIsAndWhereToGoOn() async throws {
        try await APIFixture.with { api in
            for name in ["alice", "bob"] { try await api.account(name) }
            try await api.group("garden", "alice", "bob")
            for number in 1...25 {
                _ = try await api.post("post", as: "alice", ["conversation": "garden", "text": .string("m\(number)")])
            }
            var cursor = "1-0"
            var texts: [String] = []
            var first: JSONValue?
            for _ in 0..<20 {
                let answer = try await api.get("sync", as: "bob", [("since", cursor), ("limit", "4")])
                first = first ?? answer.json["frames"]?[0]
                texts += (answer.json["frames"]?.elements ?? []).compactMap { $0["body"]?["text"]?.text }
                cursor = try #require(answer.json["next"]?.text)
                if answer.json["caughtUp"] == true { break }
            }
            #expect(texts == (1...25).map { "m\($0)" })
            #expect(cursor == "1-\(try api.store.head().position)")
            let now = try await api.get("sync", as: "bob")
            #expect(now.json["next"] == .string(cursor) && now.json["frames"] == [])
            let other = try await api.get("sync", as: "bob", [("since", "9-1"), ("wait", "5")])
            #expect(other.json["resync"] == true && other.json["next"] == .string(cursor))
            let ahead = try await api.get("sync", as: "bob", [("since", "1-9999"), ("wait", "5")])
            #expect(ahead.json["resync"] == true)
        }
    }

    @Test func aPlaceIsDescribedBeforeItsEvents() async throws {
        try await APIFixture.with { api in
            for name in ["alice", "bob"] { try await api.account(name) }
            let start = try #require(try await api.get("sync", as: "bob").json["next"]?.text)
            _ = try await api.post("post", as: "alice", ["conversation": "@bob", "text": "psst"])
            let answer = try await api.get("sync", as: "bob", [("since", start)])
            #expect(answer.json["frames"]?[0]?["type"] == "conversation")
            #expect(answer.json["frames"]?[0]?["address"] == "@alice")
            #expect(answer.json["frames"]?.elements.last?["body"]?["text"] == "psst")
        }
    }

    @Test func aPollWaitsForWhatHappens() async throws {
        try await APIFixture.with { api in
            for name in ["alice", "bob"] { try await api.account(name) }
            try await api.group("garden", "alice", "bob")
            let start = try #require(try await api.get("sync", as: "bob").json["next"]?.text)
            async let waiting = api.get("sync", as: "bob", [("since", start), ("wait", "30")])
            while await api.hub.sessionCount() == 0 { try await Task.sleep(for: .milliseconds(2)) }
            _ = try await api.post("post", as: "alice", ["conversation": "garden", "text": "now"])
            let answer = try await waiting
            #expect(answer.json["frames"]?.elements.compactMap { $0["body"]?["text"] } == ["now"])
            #expect(answer.json["next"] == answer.json["frames"]?[0]?["cursor"])
            while await api.hub.sessionCount() != 0 { try await Task.sleep(for: .milliseconds(2)) }
            let nothing = try await api.get(
                "sync", as: "bob", [("since", answer.json["next"]?.text ?? ""), ("wait", "1")])
            #expect(nothing.json["frames"] == [] && nothing.json["next"] == answer.json["next"])
        }
    }

    @Test func aServerThatGoesDownLetsNobodyWait() async throws {
        try await APIFixture.with { api in
            try await api.account("bob")
            let start = try #require(try await api.get("sync", as: "bob").json["next"]?.text)
            async let waiting = api.get("sync", as: "bob", [("since", start), ("wait", "60")])
            while await api.hub.sessionCount() == 0 { try await Task.sleep(for: .milliseconds(2)) }
            api.api.drain()
            #expect(try await waiting.json["next"] == .string(start))
            let later = try await api.get("sync", as: "bob", [("since", start), ("wait", "60")])
            #expect(later.json["frames"] == [])
        }
    }

    /// Posts at every moment of polling: each comes once and in order.
    @Test func pollsLoseNothingAndDoubleNothing() async throws {
        try await APIFixture.with { api in
            for name in ["alice", "bob"] { try await api.account(name) }
            try await api.group("garden", "alice", "bob")
            let start = try #require(try await api.get("sync", as: "bob").json["next"]?.text)
            async let posting: Void = {
                for number in 0..<300 {
                    _ = try await api.post(
                        "post", as: "alice", ["conversation": "garden", "text": .string("\(number)")])
                    if number % 7 == 0 { try await Task.sleep(for: .milliseconds(Int64(number % 5))) }
                }
            }()
            var cursor = start
            var texts: [String] = []
            while texts.count < 300 {
                let answer = try await api.get("sync", as: "bob", [("since", cursor), ("wait", "5"), ("limit", "3")])
                #expect(answer.status == 200)
                let new = (answer.json["frames"]?.elements ?? []).compactMap { $0["body"]?["text"]?.text }
                if new.isEmpty, answer.json["next"] == .string(cursor) { break }
                texts += new
                cursor = try #require(answer.json["next"]?.text)
            }
            try await posting
            #expect(texts == (0..<300).map(String.init))
        }
    }
}

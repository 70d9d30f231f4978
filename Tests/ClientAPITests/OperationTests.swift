import Hub
import Testing
import WireJSON

@testable import ClientAPI

/// Every operation against a hub in memory, through the router: it answers what its table says.
@Suite struct OperationTests {
    /// A conversation of Alice (owner), Bob (member) and Carol (not in it) in which everything is asked for once.
    @Test func everyOperationAnswersAsItsTableSays() async throws {
        try await APIFixture.with { api in
            var run = TableRun(api)
            try await run.prepare()
            try await run.messages()
            try await run.conversations()
            try await run.reading()
            try await run.signals()
            let groups = Operations.messages + Operations.conversations + Operations.reading + Operations.signals
            let expected = Set(groups.filter { $0.places.contains(.http) }.map(\.name))
            #expect(run.asked == expected, "not asked for: \(expected.subtracting(run.asked))")
        }
    }

    @Test func aRefGivesTheFirstAcceptanceAgain() async throws {
        try await APIFixture.with { api in
            try await api.account("alice")
            try await api.group("garden", "alice")
            let body: JSONValue = ["conversation": "garden", "text": "once", "ref": "r1"]
            let first = try await api.post("post", as: "alice", body)
            let second = try await api.post("post", as: "alice", body)
            #expect(first.status == 200 && second.status == 200)
            #expect(first.json["repeat"] == nil && second.json["repeat"] == true)
            #expect(first.json["id"] == second.json["id"] && first.json["sequence"] == second.json["sequence"])
            let other = try await api.post(
                "post", as: "alice", ["conversation": "garden", "text": "other", "ref": "r1"])
            #expect(other.status == 409 && other.code == "token-conflict")
        }
    }

    @Test func conversationsAreNamedInThreeWays() async throws {
        try await APIFixture.with { api in
            try await api.account("alice")
            try await api.account("bob")
            try await api.group("garden", "alice", "bob")
            let direct = try await api.post("post", as: "alice", ["conversation": "@bob", "text": "psst"])
            #expect(direct.status == 200, "the direct conversation is opened by the first word")
            let again = try await api.post("post", as: "bob", ["conversation": "@alice", "text": "yes?"])
            #expect(again.json["conversation"] == direct.json["conversation"])
            let id = try #require(direct.json["conversation"]?.text)
            let history = try await api.get("history", as: "bob", [("conversation", id)])
            #expect(history.json["events"]?.elements.compactMap { $0["body"]?["text"] } == ["psst", "yes?"])
            for name in ["garden", "garden@example.org", "GARDEN"] {
                #expect(
                    try await api.get("conversation", as: "bob", [("conversation", name)]).json["address"] == "garden")
            }
            let nobody = try await api.get("history", as: "alice", [("conversation", "@carol")])
            #expect(nobody.status == 404 && nobody.code == "not-found")
        }
    }

    @Test func readingMakesNothing() async throws {
        try await APIFixture.with { api in
            try await api.account("alice")
            try await api.account("bob")
            #expect(try await api.get("history", as: "alice", [("conversation", "@bob")]).status == 404)
            #expect(try await api.get("conversations", as: "alice").json["conversations"] == [])
        }
    }

    @Test func whatOneMayNotSeeIsNotThere() async throws {
        try await APIFixture.with { api in
            for name in ["alice", "bob"] { try await api.account(name) }
            _ = try await api.post("create", as: "alice", ["kind": "group", "handle": "secret", "access": "private"])
            for operation in [
                "conversation", "history", "members", "pins", "state", "receipts", "unread", "attendance",
            ] {
                let answer = try await api.get(operation, as: "bob", [("conversation", "secret")])
                #expect(answer.status == 404 && answer.code == "not-found", "\(operation): \(answer.text)")
            }
            let post = try await api.post("post", as: "bob", ["conversation": "secret", "text": "x"])
            #expect(post.status == 404)
            let presence = try await api.get("presence-of", as: "bob", [("accounts", "alice,bob")])
            #expect(presence.json["presence"]?.elements.compactMap { $0["account"] } == ["bob"])
        }
    }

    @Test func historyByPages() async throws {
        try await APIFixture.with { api in
            try await api.account("alice")
            try await api.group("garden", "alice")
            for number in 1...30 {
                _ = try await api.post("post", as: "alice", ["conversation": "garden", "text": .string("m\(number)")])
            }
            func texts(_ query: [(String, String)]) async throws -> (texts: [String], more: Bool) {
                let answer = try await api.get(
                    "history", as: "alice", [("conversation", "garden"), ("limit", "5")] + query)
                #expect(answer.status == 200, "\(answer.text)")
                return (
                    (answer.json["events"]?.elements ?? []).compactMap { $0["body"]?["text"]?.text },
                    answer.json["more"] == true
                )
            }
            #expect(try await texts([]).texts == ["m26", "m27", "m28", "m29", "m30"])
            #expect(try await texts([("before", "28")]).texts == ["m21", "m22", "m23", "m24", "m25"])
            #expect(try await texts([("after", "28")]).texts == ["m27", "m28", "m29", "m30"])
            #expect(try await texts([("after", "28")]).more == false)
            #expect(try await texts([("around", "12")]).texts.contains("m10"))
            let around = try await api.get("history", as: "alice", [("conversation", "garden"), ("limit", "1")])
            let id = try #require(around.json["events"]?[0]?["id"]?.text)
            #expect(try await texts([("around", id)]).texts.contains("m30"))
            let both = try await api.get(
                "history", as: "alice", [("conversation", "garden"), ("before", "3"), ("after", "1")])
            #expect(both.status == 400 && both.code == "invalid-value")
        }
    }

    @Test func ratesAreToldWithTheTimeToWait() async throws {
        var limits = Limits.unlimited
        limits.commandsPerSecond = 1
        limits.commandBurst = 2
        try await APIFixture.with(limits: limits) { api in
            try await api.account("alice")
            _ = try await api.post("create", as: "alice", ["kind": "group", "handle": "garden"])
            _ = try await api.post("post", as: "alice", ["conversation": "garden", "text": "x"])
            let refused = try await api.post("post", as: "alice", ["conversation": "garden", "text": "y"])
            #expect(refused.status == 429 && refused.code == "rate-limited")
            #expect(refused.json["error"]?["retryAfter"]?.number ?? 0 > 0)
            #expect(refused.headers[.retryAfter] == "1")
        }
    }

    @Test func questionsHaveARateToo() async throws {
        var limits = Limits.unlimited
        limits.readsPerSecond = 0.01
        limits.readBurst = 2
        try await APIFixture.with(limits: limits) { api in
            try await api.account("alice")
            try await api.account("bob")
            for _ in 0..<2 { #expect(try await api.get("conversations", as: "alice").status == 200) }
            let refused = try await api.get("conversations", as: "alice")
            #expect(refused.status == 429 && refused.code == "rate-limited")
            #expect(try await api.get("conversations", as: "bob").status == 200)
        }
    }
}

/// Asks for every operation once and compares each answer with the table.
private struct TableRun {
    let api: APIFixture
    private(set) var asked: Set<String> = []
    private var event = ""
    private var first = ""

    init(_ api: APIFixture) { self.api = api }

    mutating func prepare() async throws {
        for name in ["alice", "bob", "carol", "dave"] { try await api.account(name) }
        _ = try await api.post("create", as: "alice", ["kind": "group", "handle": "garden"])
    }

    @discardableResult
    private mutating func change(
        _ operation: String, as token: String = "alice", _ members: JSONValue = [:]
    ) async throws -> JSONValue {
        check(operation, try await api.post(operation, as: token, members))
    }

    @discardableResult
    private mutating func read(
        _ operation: String, as token: String = "alice", _ query: [(String, String)] = []
    ) async throws -> JSONValue {
        check(operation, try await api.get(operation, as: token, query))
    }

    private mutating func check(_ name: String, _ answer: APIFixture.Answer) -> JSONValue {
        asked.insert(name)
        #expect(answer.status == 200, "\(name): \(answer.text)")
        #expect(answer.headers[.contentType] == "application/json")
        guard let operation = Operations.named(name) else {
            Issue.record("there is no operation \(name)")
            return answer.json
        }
        let faults = SchemaCheck.faults(answer.json, operation.result)
        #expect(faults.isEmpty, "\(name): \(faults) in \(answer.text)")
        return answer.json
    }

    mutating func messages() async throws {
        try await change("join", as: "bob", ["conversation": "garden"])
        let post = try await change("post", ["conversation": "garden", "text": "Hello", "mentions": ["bob"]])
        first = try #require(post["id"]?.text)
        let reply = try await change(
            "post",
            [
                "conversation": "garden", "replyTo": .string(first), "thread": .string(first),
                "body": [
                    "text": "see it", "spans": [["kind": "bold", "start": 0, "length": 3]],
                    "attachments": [["reference": "r", "name": "n", "mediaType": "text/plain", "size": 4]],
                    "extras": ["x/y": ["a": 1]],
                ],
            ])
        event = try #require(reply["id"]?.text)
        try await change("edit", ["conversation": "garden", "event": .string(event), "text": "see this"])
        try await change("react", as: "bob", ["conversation": "garden", "event": .string(first), "key": "👍"])
        try await change("pin", ["conversation": "garden", "event": .string(first)])
        try await change("call", ["conversation": "garden", "call": "c1", "step": "ended", "duration": 4_000])
        try await change("sealed", ["conversation": "garden", "scheme": "mls", "bytes": "AP8B"])
        try await change(
            "custom", ["conversation": "garden", "namespace": "x", "kind": "y", "payload": ["a": [1, nil]]])
        try await change("report", as: "bob", ["conversation": "garden", "event": .string(first), "reason": "rude"])
        let gone = try await change("post", ["conversation": "garden", "text": "a slip"])
        try await change(
            "redact", ["conversation": "garden", "event": gone["id"] ?? .null, "reason": "a slip of the tongue"])
        try await change("read", as: "bob", ["conversation": "garden", "readUpTo": 3, "deliveredUpTo": 5])
        try await change(
            "read", as: "bob", ["conversation": "garden", "readUpTo": 4, "thread": .string(first)])
    }

    mutating func conversations() async throws {
        try await change(
            "create",
            [
                "kind": "broadcast", "handle": "news", "name": "News", "subject": "what is new", "access": "public",
                "history": "everyone", "invite": ["carol"], "ref": "c1",
            ])
        try await change("create", ["kind": "group"])
        try await change("direct", ["account": "bob"])
        try await change("invite", ["conversation": "garden", "account": "carol"])
        try await change("join", as: "carol", ["conversation": "garden"])
        try await change("kick", ["conversation": "garden", "account": "carol", "reason": "noise"])
        try await change("ban", ["conversation": "garden", "account": "carol"])
        try await change("unban", ["conversation": "garden", "account": "carol"])
        try await change("rank", ["conversation": "garden", "account": "bob", "role": "moderator"])
        try await change("rank", ["conversation": "garden", "account": "bob", "rank": 1])
        try await change("knock", as: "carol", ["conversation": "garden", "reason": "please"])
        try await change("join", as: "dave", ["conversation": "garden"])
        try await change("leave", as: "dave", ["conversation": "garden", "reason": "bye"])
        let set = try await change(
            "set",
            [
                "conversation": "garden", "name": "The garden", "subject": "Roses", "avatar": "a", "access": "unlisted",
                "history": "since-joined", "slowMode": 5, "retentionAge": 86_400_000, "retentionCount": 1_000,
                "state": ["namespace": "x", "type": "y", "key": "z", "value": "v"],
                "permission": ["pin": 0, "invite": 50],
            ])
        #expect(set["events"]?.elements.count == 11)
        let removed = try await change(
            "set", ["conversation": "garden", "avatar": nil, "slowMode": nil, "access": "public", "history": "members"])
        #expect(removed["events"]?.elements.count == 4)
        let once: JSONValue = ["conversation": "garden", "name": "Once", "subject": "Beans", "ref": "s1"]
        let first = try await change("set", once)
        try await change("set", ["conversation": "garden", "subject": "Peas"])
        #expect(try await change("set", once)["events"] == first["events"], "a repeat changes nothing")
        let kept = try await read("state", [("conversation", "garden")])
        #expect(kept["state"]?.elements.contains { $0["type"] == "subject" && $0["value"] == "Peas" } == true)
        let state = try await read("state", [("conversation", "garden")])
        #expect(state["state"]?.elements.contains { $0["type"] == "avatar" } == false)
    }

    mutating func reading() async throws {
        let list = try await read("conversations")
        #expect(list["conversations"]?.elements.count == 4)
        #expect(list["conversations"]?.elements.contains { $0["address"] == "@bob" } == true)
        try await read("conversations", as: "bob")
        try await read("conversation", as: "bob", [("conversation", "garden")])
        let browse = try await read("browse", [("text", "gar"), ("limit", "10")])
        #expect(browse["conversations"]?.elements.first?["address"] == "garden")
        let members = try await read("members", as: "bob", [("conversation", "garden")])
        #expect(members["members"]?.elements.first?["account"] == "alice")
        #expect(members["members"]?.elements.first?["presence"]?["state"] == "offline")
        try await read("state", [("conversation", "garden"), ("asOf", "3")])
        let history = try await read("history", as: "bob", [("conversation", "garden"), ("limit", "100")])
        #expect(history["events"]?.elements.contains { $0["erased"] == true } == true)
        #expect(history["events"]?.elements.contains { $0["edit"]?["body"]?["text"] == "see this" } == true)
        let one = try await read("event", [("conversation", "garden"), ("event", first)])
        #expect(one["reactions"]?[0]?["by"] == ["bob"])
        let thread = try await read("thread", [("conversation", "garden"), ("event", first)])
        #expect(thread["events"]?.elements.count == 1)
        let pins = try await read("pins", [("conversation", "garden")])
        #expect(pins["events"]?.elements.count == 1)
        let receipts = try await read("receipts", [("conversation", "garden")])
        #expect(receipts["receipts"]?.elements.count == 2)
        let unread = try await read("unread", as: "bob", [("conversation", "garden")])
        #expect(unread["marker"] == 3)
        try await read("attendance", [("conversation", "garden")])
        let presence = try await read("presence-of", [("accounts", "bob,carol,nobody")])
        #expect(presence["presence"]?.elements.compactMap { $0["account"] } == ["bob"])
        let profiles = try await read("profiles", [("accounts", "bob,carol,nobody")])
        #expect(profiles["profiles"]?.elements.count == 2)
        try await read("search", [("text", "hello"), ("conversation", "garden")])
        let sync = try await read("sync", [])
        #expect(sync["frames"] == [])
        let all = try await read("sync", [("since", "1-0"), ("limit", "1000")])
        #expect(all["frames"]?.elements.isEmpty == false)
        for frame in all["frames"]?.elements ?? [] { #expect(SchemaCheck.faults(frame: frame).isEmpty, "\(frame)") }
    }

    mutating func signals() async throws {
        try await change("typing", ["conversation": "garden", "active": true])
        try await change(
            "live",
            ["conversation": "garden", "ref": "l1", "number": 0, "steps": [["reset": "a"], ["insert": "b", "at": 1]]])
        try await change("ring", ["conversation": "garden", "call": "c2"])
    }
}

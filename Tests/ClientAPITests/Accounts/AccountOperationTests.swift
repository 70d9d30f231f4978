import GatewayKit
import Hub
import Testing
import WireJSON

@testable import ClientAPI

/// Accounts, administration and webhooks over plain HTTP.
@Suite struct AccountOperationTests {
    /// Asks for every operation of these groups once, and compares each answer with its table.
    @Test func everyOperationAnswersAsItsTableSays() async throws {
        let fixture = try await AccountsFixture { $0.registration = .open }
        var run = AccountTableRun(fixture, boss: try await fixture.boss())
        run.asked.insert("redeem")
        try await run.administration()
        try await run.signIn()
        try await run.account()
        try await run.webhooks()
        try await run.leaving()
        let groups = Operations.signIn + Operations.account + Operations.administration + Operations.webhooks
        let expected = Set(groups.map(\.name))
        #expect(run.asked == expected, "not asked for: \(expected.subtracting(run.asked))")
    }

    @Test func loginsAreAnsweredAlikeForAllWhoAreNotLetIn() async throws {
        let fixture = try await AccountsFixture()
        _ = try await fixture.person("alice")
        var texts: Set<String> = []
        for (name, password) in [("alice", "wrong"), ("nobody", "wrong"), ("NOT A HANDLE", "wrong")] {
            let answer = try await fixture.post(
                "login", nil, ["handle": .string(name), "password": .string(password), "device": "d"])
            #expect(answer.status == 401)
            texts.insert(answer.text)
        }
        #expect(texts.count == 1)
    }

    @Test func scramOverTwoRequests() async throws {
        let fixture = try await AccountsFixture()
        _ = try await fixture.person("alice")
        var client = ScramClient(
            mechanism: .sha512, username: "alice", password: try OpaqueString("password of alice"))
        let first = try await fixture.post(
            "scram", nil,
            ["mechanism": "SCRAM-SHA-512", "message": .string(StrictBase64.encode(client.first()))])
        #expect(SchemaCheck.faults(first.json, try #require(Operations.named("scram")).result).isEmpty)
        let serverFirst = try #require(first.json["message"]?.text.flatMap { StrictBase64.decode($0) })
        let final = try client.receive(serverFirst: serverFirst)
        let second = try await fixture.post(
            "scram", nil,
            [
                "state": first.json["state"] ?? .null, "message": .string(StrictBase64.encode(final)),
                "device": "phone",
            ])
        try client.receive(
            serverFinal: try #require(second.json["message"]?.text.flatMap { StrictBase64.decode($0) }))
        let token = try #require(second.json["token"]?.text)
        #expect(try await fixture.get("me", token).json["account"] == "alice")
    }

    @Test func operationsOfAdministratorsAreForThemAlone() async throws {
        let fixture = try await AccountsFixture()
        let alice = try await fixture.person("alice")
        for operation in Operations.administration + Operations.webhooks where operation.access == .administrator {
            let answer =
                operation.way == .read
                ? try await fixture.get(operation.name, alice) : try await fixture.post(operation.name, alice)
            #expect(answer.status == 403, "\(operation.name): \(answer.text)")
        }
        for operation in Operations.account {
            let answer =
                operation.way == .read
                ? try await fixture.get(operation.name, nil) : try await fixture.post(operation.name, nil)
            #expect(answer.status == 401, "\(operation.name): \(answer.text)")
        }
    }

    @Test func aRevokedTokenIsWorthNothing() async throws {
        let fixture = try await AccountsFixture()
        let alice = try await fixture.person("alice")
        #expect(try await fixture.post("logout", alice).status == 200)
        #expect(try await fixture.get("me", alice).status == 401)
    }

    @Test func anIncomingWebhooksAddressIsAllThatItTakes() async throws {
        let fixture = try await AccountsFixture()
        let boss = try await fixture.boss()
        _ = try await fixture.post("create", boss, ["kind": "group", "handle": "garden"])
        let hook = try await fixture.post("webhook-add", boss, ["conversation": "garden", "bot": "builder"])
        let url = try #require(hook.json["url"]?.text)
        let path = try #require(url.split(separator: "/v1/").last.map(String.init))
        let posted = try await fixture.post(path, nil, ["text": "green", "ref": "build-1"])
        #expect(posted.status == 200)
        let again = try await fixture.post(path, nil, ["text": "green", "ref": "build-1"])
        #expect(again.json["repeat"] == true && again.json["id"] == posted.json["id"])
        let history = try await fixture.get("history", boss, "conversation=garden&limit=1")
        #expect(history.json["events"]?[0]?["author"] == "builder")
        #expect(history.json["events"]?[0]?["body"]?["text"] == "green")
        #expect(try await fixture.post("hooks/nonsense", nil, ["text": "x"]).status == 404)
        #expect(try await fixture.post("hooks/", nil, ["text": "x"]).status == 404)
        // The token opens nothing else, and a device's token is no webhook's.
        let secret = try #require(hook.json["secret"]?.text)
        #expect(try await fixture.get("me", secret).status == 401)
        #expect(try await fixture.post("hooks/\(boss)", nil, ["text": "x"]).status == 404)
    }

    @Test func aGuestBecomesAnAccountByAnInvitation() async throws {
        let fixture = try await AccountsFixture()
        let boss = try await fixture.boss()
        let guest = try await fixture.post("guest", nil, ["name": "Visitor"])
        let token = try #require(guest.json["token"]?.text)
        let refused = try await fixture.post(
            "upgrade", token, ["handle": "dora", "password": "password of dora"])
        #expect(refused.status == 403)
        let link = try await fixture.post("invite-link", boss)
        let upgraded = try await fixture.post(
            "upgrade", token,
            ["handle": "dora", "password": "password of dora", "secret": link.json["secret"] ?? .null])
        #expect(upgraded.json["account"] == "dora")
        #expect(try await fixture.get("me", token).status == 401)
        #expect(try await fixture.get("me", try #require(upgraded.json["token"]?.text)).json["accountKind"] == "person")
    }
}

/// One run through the tables.
private struct AccountTableRun {
    let fixture: AccountsFixture
    let boss: String
    var asked: Set<String> = []

    init(_ fixture: AccountsFixture, boss: String) {
        self.fixture = fixture
        self.boss = boss
    }

    @discardableResult
    private mutating func ask(_ name: String, _ token: String?, _ body: JSONValue = [:]) async throws -> JSONValue {
        let operation = try #require(Operations.named(name))
        asked.insert(name)
        let answer =
            operation.way == .read ? try await fixture.get(name, token) : try await fixture.post(name, token, body)
        #expect(answer.status == 200, "\(name): \(answer.text)")
        let faults = SchemaCheck.faults(answer.json, operation.result)
        #expect(faults.isEmpty, "\(name): \(faults) in \(answer.text)")
        return answer.json
    }

    mutating func administration() async throws {
        try await ask("account-add", boss, ["handle": "alice", "password": "password of alice", "name": "Alice"])
        let bot = try await ask("account-add", boss, ["handle": "robot", "kind": "bot"])
        #expect(bot["token"]?.text?.hasPrefix("sbb_") ?? false)
        try await ask("account-token", boss, ["account": "robot"])
        try await ask("account-set", boss, ["account": "alice", "disabled": false, "administrator": true])
        #expect(try await ask("accounts", boss)["accounts"]?.elements.count == 3)
        try await ask("account-password", boss, ["account": "alice", "password": "another password"])
        let reset = try await ask("account-reset", boss, ["account": "alice"])
        #expect(reset["link"]?.text?.contains("/#sbr_") ?? false)
        let done = try await ask("redeem", nil, ["secret": reset["secret"] ?? .null, "password": "password of alice"])
        #expect(done["account"] == "alice" && done["token"] == nil)
        try await ask("stats", boss)
        try await ask("create", boss, ["kind": "group", "handle": "garden"])
        let posted = try await ask("post", boss, ["conversation": "garden", "text": "rude"])
        try await ask("report", boss, ["conversation": "garden", "event": posted["id"] ?? .null, "reason": "rude"])
        #expect(try await ask("reports", boss)["reports"]?[0]?["reporter"] == "boss")
        asked.subtract(["create", "post", "report"])
    }

    mutating func signIn() async throws {
        try await ask("login", nil, ["handle": "alice", "password": "password of alice", "device": "phone"])
        let client = ScramClient(mechanism: .sha256, username: "alice", password: try OpaqueString("x"))
        try await ask(
            "scram", nil, ["mechanism": "SCRAM-SHA-256", "message": .string(StrictBase64.encode(client.first()))])
        let guest = try await ask("guest", nil, ["name": "Visitor"])
        try await ask(
            "upgrade", guest["token"]?.text, ["handle": "dora", "password": "password of dora", "device": "browser"])
        let emil = try await ask("register", nil, ["handle": "emil", "password": "password of emil"])
        let token = emil["token"]?.text
        let link = try await ask("invite-link", boss, ["conversations": ["garden"], "uses": 2, "hours": 1])
        let joined = try await ask("accept", token, ["secret": link["secret"] ?? .null])
        #expect(joined["joined"]?.elements.count == 1)
        let own = try await ask("exchange", token, ["device": "second"])
        try await ask("logout", own["token"]?.text)
    }

    mutating func account() async throws {
        let alice = try await ask(
            "login", nil, ["handle": "alice", "password": "password of alice", "device": "laptop"])
        let token = alice["token"]?.text
        try await ask("profile", token, ["displayName": "Alice A.", "statusText": "in the garden"])
        try await ask("profile", token, ["statusText": nil])
        let me = try await ask("me", token)
        #expect(me["displayName"] == "Alice A." && me["statusText"] == nil && me["account"] == "alice")
        try await ask(
            "password", token, ["old": "password of alice", "new": "password of alice 2", "signOutOthers": true])
        let devices = try await ask("devices", token)["devices"]?.elements ?? []
        #expect(devices.map { $0["current"] } == [true])
        let second = try await ask(
            "login", nil, ["handle": "alice", "password": "password of alice 2", "device": "tablet"])
        try await ask("revoke", token, ["device": second["device"] ?? .null])
        try await ask(
            "setting", token, ["state": ["namespace": "web", "type": "theme", "key": "", "value": "dark"]])
        try await ask("block", token, ["account": "emil"])
        #expect(try await ask("settings", token)["settings"]?.elements.count == 2)
        try await ask("block", token, ["account": "emil", "removed": true])
        let export = try await ask("export", token)
        #expect(export["account"]?["handle"] == "alice")
    }

    mutating func webhooks() async throws {
        let incoming = try await ask("webhook-add", boss, ["conversation": "garden"])
        try await ask("webhook-add", boss, ["conversation": "garden", "url": "https://93.184.216.34/hook"])
        let list = try await ask("webhooks", boss)["webhooks"]?.elements ?? []
        #expect(Set(list.compactMap { $0["direction"]?.text }) == ["incoming", "outgoing"])
        #expect(list.contains { $0["target"] == "https://93.184.216.34/…" })
        try await ask("hook", nil, ["token": incoming["secret"] ?? .null, "text": "hello"])
        try await ask("webhook-delete", boss, ["webhook": incoming["webhook"] ?? .null])
    }

    mutating func leaving() async throws {
        let emil = try await ask(
            "login", nil, ["handle": "emil", "password": "password of emil", "device": "laptop"])
        try await ask("close-account", emil["token"]?.text, ["password": "password of emil", "erase": true])
        try await ask("account-delete", boss, ["account": "dora"])
    }
}

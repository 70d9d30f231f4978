import ClientAPI
import Hub
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import TestKit
import Testing
import WireJSON

@testable import GatewayKit
@testable import Switchboard

/// Webhooks and key sets over real connections, to a server on loopback that the policy of the test allows.
@Suite struct OutboundHTTPTests {
    private func with(
        _ body: (LocalServer, OutboundHTTP, OutboundPolicy) async throws -> Void
    ) async throws {
        try await LocalServer.with { server in
            // Hundreds of tests share two threads: what is not about a time limit must not meet one.
            let http = OutboundHTTP(
                group: MultiThreadedEventLoopGroup.singleton, callTime: .minutes(5), lookUpTime: .minutes(5))
            let policy = OutboundPolicy(
                allowedRanges: [NetworkRange(parsing: "127.0.0.0/8")].compactMap { $0 }, allowsPlainHTTP: true,
                extraPorts: [server.port])
            do {
                try await body(server, http, policy)
            } catch {
                try await http.shutdown()
                throw error
            }
            try await http.shutdown()
        }
    }

    private func call(_ url: String, _ policy: OutboundPolicy, port: Int, body: String = "{}") throws -> WebhookCall {
        WebhookCall(
            url: try OutboundURL(checking: url, by: policy),
            address: try SocketAddress(ipAddress: "127.0.0.1", port: port),
            headers: [("content-type", "application/json"), ("webhook-id", "1")], body: ByteBuffer(string: body))
    }

    /// The name is in the request, and the checked address is what is connected to: no second look-up decides.
    @Test func theAddressIsConnectedToAndTheNameIsAskedFor() async throws {
        try await with { server, http, policy in
            let url = "http://hooks.no-such-name-anywhere.com:\(server.port)/a/b?c=d"
            let status = try await http.post(try call(url, policy, port: server.port, body: "hello"))
            #expect(status == 200)
            let request = try #require(server.requests.first)
            #expect(request.method == "POST" && request.target == "/a/b?c=d" && request.text == "hello")
            #expect(request.headers["host"] == ["hooks.no-such-name-anywhere.com:\(server.port)"])
            #expect(request.headers["webhook-id"] == ["1"])
        }
    }

    @Test func connectionsAreUsedAgain() async throws {
        try await with { server, http, policy in
            for _ in 0..<5 {
                _ = try await http.post(try call("http://127.0.0.1:\(server.port)/", policy, port: server.port))
            }
            #expect(Set(server.requests.map(\.connection)) == [1])
        }
    }

    @Test func redirectsAreNotFollowed() async throws {
        try await with { server, http, policy in
            server.answer(
                with: .init(status: .found, headers: ["location": "http://127.0.0.1:\(server.port)/elsewhere"]))
            let status = try await http.post(
                try call("http://127.0.0.1:\(server.port)/", policy, port: server.port))
            #expect(status == 302)
            #expect(server.requests.map(\.target) == ["/"])
        }
    }

    @Test func aDocumentIsReadToALimit() async throws {
        try await with { server, http, policy in
            server.answer(
                with: .init(body: "keys"), .init(body: String(repeating: "x", count: 101)), .init(status: .gone))
            let get = { () async throws -> [UInt8] in
                try await http.get(
                    "http://127.0.0.1:\(server.port)/k", by: policy, limit: 100, timeout: .minutes(5))
            }
            let document = try await get()
            #expect(document == Array("keys".utf8))
            await #expect(throws: (any Error).self) { try await get() }
            await #expect(throws: (any Error).self) { try await get() }
            await #expect(throws: OutboundRefusal.self) {
                try await http.get(
                    "https://127.0.0.1/k", by: OutboundPolicy(), limit: 100, timeout: .minutes(5))
            }
        }
    }

    /// A receiver that keeps a connection alive by a byte now and then.
    @Test func theTimeLimitIsForTheWholeAnswer() async throws {
        for (beginning, status) in [
            ("", nil), ("HTTP/1.1 200 OK\r\nX: ", nil), ("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", 200),
        ] as [(String, Int?)] {
            try await DrippingServer.with(beginning) { port in
                let http = OutboundHTTP(group: MultiThreadedEventLoopGroup.singleton, callTime: .seconds(1))
                let policy = OutboundPolicy(
                    allowedRanges: [NetworkRange(parsing: "127.0.0.0/8")].compactMap { $0 }, allowsPlainHTTP: true,
                    extraPorts: [port])
                let url = "http://127.0.0.1:\(port)/"
                let start = NIODeadline.now()
                await #expect(throws: (any Error).self) {
                    try await http.get(url, by: policy, limit: 10_000, timeout: .seconds(1))
                }
                // What a webhook's receiver says behind its status does not matter.
                let found = try? await http.post(try call(url, policy, port: port))
                #expect(found == status, "\(beginning)")
                // All of it would take four minutes.
                #expect(NIODeadline.now() - start < .seconds(60))
                try await http.shutdown()
            }
        }
    }

    @Test func whatCantBeCancelledIsNotWaitedFor() async throws {
        let blocked = BlockedWork()
        await #expect(throws: TimeLimit.Exceeded.self) {
            try await TimeLimit.run(until: .now() + .milliseconds(100)) {
                await withCheckedContinuation { continuation in blocked.waiting.withLock { $0 = continuation } }
            }
        }
        // It may not have begun when it was given up.
        while blocked.waiting.withLock({ $0 == nil }) { try await Task.sleep(for: .milliseconds(1)) }
        blocked.waiting.withLock { $0.take() }?.resume()
        #expect(try await TimeLimit.run(until: .now() + .minutes(5)) { 7 } == 7)
        let cancelled = Task {
            try await TimeLimit.run(until: .now() + .seconds(60)) { try await Task.sleep(for: .seconds(90)) }
        }
        cancelled.cancel()
        await #expect(throws: CancellationError.self) { try await cancelled.value }
    }

    @Test func theSystemsResolverAnswersWithAddressesAndPorts() async throws {
        try await with { _, http, _ in
            let found = try await http.resolve("localhost", port: 4_711)
            #expect(!found.isEmpty)
            #expect(found.allSatisfy { $0.port == 4_711 })
            await #expect(throws: (any Error).self) { try await http.resolve("no-such-name.invalid", port: 1) }
        }
    }

    // MARK: The whole way

    @Test func eventsReachARealServerInOrderSignedAndAgainAfterAFailure() async throws {
        try await with { server, http, policy in
            let deployment = try await WebhookDeployment(http, policy)
            let url = "http://127.0.0.1:\(server.port)/hook"
            let issued = try await deployment.webhooks.add(
                to: deployment.garden, url: url, bot: "robot", by: .operator)
            server.answer(with: .init(status: .serviceUnavailable))
            for number in 0..<10 { try await deployment.post("m\(number)") }
            let requests = try await server.wait(for: 11)
            let texts = try requests.map { try JSONValue(parsing: $0.text)["body"]?["text"] }
            #expect(texts == [0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map { .string("m\($0)") })
            #expect(
                requests.prefix(2).map { $0.headers["webhook-id"] }.reduce(into: Set()) { $0.insert($1) }.count == 1)
            let secret = try #require(WebhookSignature.Secret(parsing: issued.secret))
            let signature = try #require(WebhookSignature(secrets: [secret]))
            for request in requests {
                let header = { request.headers[$0].first ?? "" }
                try signature.verify(
                    .init(
                        id: header("webhook-id"), timestamp: header("webhook-timestamp"),
                        signature: header("webhook-signature")),
                    body: request.body, now: deployment.clock.now.rawValue / 1_000)
                #expect(header("content-type") == "application/json")
            }
            let first = try JSONValue(parsing: try #require(requests.first).text)
            #expect(first["type"] == "event" && first["author"] == "owner" && first["kind"] == "message")
            try await deployment.stop()
        }
    }

    /// Set up while it was allowed; then the operator withdraws that.
    @Test func aPrivateAddressIsNotCalled() async throws {
        try await with { server, http, policy in
            let allowed = Mutex(policy)
            let deployment = try await WebhookDeployment(http) { allowed.withLock { $0 } }
            _ = try await deployment.webhooks.add(
                to: deployment.garden, url: "http://127.0.0.1:\(server.port)/", bot: nil, by: .operator)
            allowed.withLock { $0.allowedRanges = [] }
            try await deployment.post("private")
            try await deployment.waitForPauses(2)
            #expect(server.requests.isEmpty)
            allowed.withLock { $0 = policy }
            let requests = try await server.wait(for: 1)
            #expect(!requests.isEmpty)
            try await deployment.stop()
        }
    }
}

/// A hub with accounts and webhooks that are at work.
private final class WebhookDeployment: Sendable {
    private static let passwords = PasswordPool()
    let clock = ManualClock()
    let hub: Hub
    let webhooks: WebhookService
    let garden: ConversationID
    private let owner: Actor
    private let running: Task<Void, Never>
    private let counter = PauseCounter()

    convenience init(_ http: OutboundHTTP, _ policy: OutboundPolicy) async throws {
        try await self.init(http) { policy }
    }

    init(_ http: OutboundHTTP, _ policy: @escaping @Sendable () -> OutboundPolicy) async throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let store = MemoryStore()
        let random = Mutex(SeededGenerator(seed: 2))
        let name = try #require(ServerName("example.org"))
        let clock = clock
        hub = try Hub(
            serverName: name, stores: Stores(log: store, archive: store, directory: store, search: nil),
            lane: MultiThreadedEventLoopGroup.singleton.next(), loops: [MultiThreadedEventLoopGroup.singleton.next()],
            readers: ReaderPool { $0() }, limits: .unlimited, clock: { clock.now },
            random: { random.withLock { $0.next() } }, logger: logger)
        let accounts = try await AccountService.open(
            hub: hub, configuration: AccountConfiguration(), passwords: WebhookDeployment.passwords, logger: logger)
        let account = try await accounts.addPerson(
            "owner", password: nil, displayName: nil, isAdministrator: false, by: .operator)
        owner = account.actor(DeviceID(rawValue: 0))
        garden = try await hub.submit(
            .create(NewConversation(kind: .group, handle: Handle("garden"), access: .public)), by: owner, token: nil
        ).conversation
        let counter = counter
        webhooks = WebhookService(
            accounts: accounts, policy: policy, transport: http,
            encode: ClientAPI.eventEncoder(epoch: hub.epoch), logger: logger,
            sleep: { _ in
                counter.count.withLock { $0 += 1 }
                try await Task.sleep(for: .milliseconds(1))
            })
        running = Task { [webhooks] in await webhooks.run() }
    }

    func post(_ text: String) async throws {
        _ = try await hub.submit(
            .conversation(garden, .post(Draft(body: Body(text: text)))), by: owner, token: nil)
    }

    func waitForPauses(_ count: Int) async throws {
        for _ in 0..<5_000 where counter.count.withLock({ $0 }) < count { try await Task.sleep(for: .milliseconds(1)) }
    }

    func stop() async throws {
        running.cancel()
        await running.value
        hub.shutdown()
    }
}

private final class BlockedWork: Sendable {
    let waiting = Mutex<CheckedContinuation<Void, Never>?>(nil)
}

private final class PauseCounter: Sendable {
    let count = Mutex(0)
}

import HTTPTypes
import Hub
import Hummingbird
import Logging
import NIOCore
import NIOPosix
import Synchronization
import TestKit
import WireJSON

@testable import ClientAPI
@testable import GatewayKit

/// The client API with real accounts behind it, asked in process.
struct AccountsFixture: Sendable {
    private static let passwords = PasswordPool()

    let clock = ManualClock()
    let store = MemoryStore()
    let hub: Hub
    let accounts: AccountService
    private let router: any HTTPResponder<DoorRequestContext>
    private let eventLoop: any EventLoop

    init(_ configure: (inout AccountConfiguration) -> Void = { _ in }) async throws {
        guard let name = ServerName("example.org") else { throw FixtureError("a test's server name") }
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let random = Mutex(SeededGenerator(seed: 5))
        let clock = clock
        hub = try Hub(
            serverName: name, stores: Stores(log: store, archive: store, directory: store, search: store),
            lane: MultiThreadedEventLoopGroup.singleton.next(), loops: [loop], readers: ReaderPool { $0() },
            limits: .unlimited, clock: { clock.now }, random: { random.withLock { $0.next() } }, logger: .silent)
        var configuration = AccountConfiguration()
        configuration.iterations = PasswordVerifier.iterationRange.lowerBound
        configure(&configuration)
        accounts = try await AccountService.open(
            hub: hub, configuration: configuration, passwords: AccountsFixture.passwords, logger: .silent)
        let webhooks = WebhookService(
            accounts: accounts, policy: { OutboundPolicy() }, transport: NoNetwork(),
            encode: ClientAPI.eventEncoder(epoch: hub.epoch), logger: .silent)
        let api = ClientAPI(
            services: APIServices(
                hub: hub, authenticator: ServiceAuthenticator(accounts: accounts), accounts: accounts,
                webhooks: webhooks))
        let router = Router(context: DoorRequestContext.self)
        api.addRoutes(to: router, origins: OriginPolicy())
        self.router = router.buildResponder()
        eventLoop = loop
    }

    /// The whole first answer: an administrator called «boss».
    func boss() async throws -> String {
        guard let link = try await accounts.firstAdministratorLink() else { throw FixtureError("there is one already") }
        let answer = try await post(
            "redeem", nil, ["secret": .string(link.secret.reveal()), "handle": "boss", "password": "password of boss"])
        guard let token = answer.json["token"]?.text else { throw FixtureError("no administrator: \(answer.text)") }
        return token
    }

    /// A person with the password «password of NAME»; the token of a device.
    func person(_ name: String) async throws -> String {
        _ = try await accounts.addPerson(
            name, password: "password of \(name)", displayName: nil, isAdministrator: false, by: .operator)
        let answer = try await post(
            "login", nil,
            ["handle": .string(name), "password": .string("password of \(name)"), "device": "test"])
        guard let token = answer.json["token"]?.text else { throw FixtureError("not let in: \(answer.text)") }
        return token
    }

    func post(_ operation: String, _ token: String?, _ body: JSONValue = [:]) async throws -> APIFixture.Answer {
        try await request(.post, "/v1/\(operation)", token, body: body.description)
    }

    func get(_ operation: String, _ token: String?, _ query: String = "") async throws -> APIFixture.Answer {
        try await request(.get, "/v1/\(operation)\(query.isEmpty ? "" : "?\(query)")", token, body: nil)
    }

    private func request(
        _ method: HTTPRequest.Method, _ path: String, _ token: String?, body: String?
    ) async throws -> APIFixture.Answer {
        var fields = HTTPFields()
        if let token { fields[.authorization] = "Bearer \(token)" }
        if body != nil { fields[.contentType] = "application/json" }
        let head = HTTPRequest(
            method: method, scheme: "http", authority: "localhost", path: path, headerFields: fields)
        let source = DoorRequestSource(
            logger: .silent, remote: RemoteClient(address: nil, isSecure: false, isProxied: false),
            eventLoop: eventLoop)
        let response = try await router.respond(
            to: Request(head: head, body: RequestBody(buffer: ByteBuffer(string: body ?? ""))),
            context: DoorRequestContext(source: source))
        let collector = WholeBody()
        try await response.body.write(collector)
        let text = collector.text.withLock { $0 }
        return APIFixture.Answer(
            status: response.status.code, headers: response.headers, text: text,
            json: (try? JSONValue(parsing: text)) ?? .null)
    }
}

private struct ServiceAuthenticator: Authenticator {
    let accounts: AccountService

    func authenticate(bearer: String, remote: RemoteClient) async -> Result<Actor, Rejection> {
        await accounts.authenticate(bearer: bearer, remote: remote)
    }
}

private struct NoNetwork: WebhookTransport {
    struct Unreachable: Error {}
    func resolve(_ name: String, port: Int) async throws -> [SocketAddress] { throw Unreachable() }
    func post(_ call: WebhookCall) async throws -> Int { throw Unreachable() }
}

private final class WholeBody: ResponseBodyWriter {
    let text = Mutex("")
    func write(_ buffer: ByteBuffer) async throws { text.withLock { $0 += String(buffer: buffer) } }
    func finish(_ trailingHeaders: HTTPFields?) async throws {}
}

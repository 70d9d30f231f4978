import HTTPTypes
import Hub
import Hummingbird
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization
import TestKit
import WireJSON

@testable import ClientAPI
@testable import GatewayKit

/// A hub in memory behind the client API, on real event loops and a door on loopback, for the length of one test.
struct APIFixture: Sendable {
    let clock: ManualClock
    let store: MemoryStore
    let hub: Hub
    let api: ClientAPI
    let authenticator: ListAuthenticator
    let port: Int
    let service: ServiceGroup
    private let router: any HTTPResponder<DoorRequestContext>
    private let eventLoop: any EventLoop

    static func with(
        limits: Limits = .unlimited, origins: OriginPolicy = OriginPolicy(), doorLimits: DoorLimits = DoorLimits(),
        _ body: @Sendable @escaping (APIFixture) async throws -> Void
    ) async throws {
        let clock = ManualClock()
        let store = MemoryStore()
        let sockets = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let lane = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let readers = NIOThreadPool(numberOfThreads: 2)
        readers.start()
        let random = Mutex(SeededGenerator(seed: 11))
        guard let name = ServerName("example.org") else { return }
        let hub = try Hub(
            serverName: name, stores: Stores(log: store, archive: store, directory: store, search: store),
            lane: lane.next(), loops: Array(sockets.makeIterator()),
            readers: ReaderPool { work in readers.submit { _ in work() } }, limits: limits, clock: { clock.now },
            random: { random.withLock { $0.next() } }, logger: .silent)
        let authenticator = ListAuthenticator()
        let api = ClientAPI(services: APIServices(hub: hub, authenticator: authenticator))
        let router = Router(context: DoorRequestContext.self)
        api.addRoutes(to: router, origins: origins)
        let configuration = DoorConfiguration(
            listeners: [DoorListener(.ip(host: "127.0.0.1", port: 0))], limits: doorLimits, origins: origins,
            drainWindow: .milliseconds(100), drainDeadline: .seconds(2))
        let responder = router.buildResponder()
        let door = HTTPDoor(
            configuration: configuration, responder: responder, webSockets: [api.webSocketRoute],
            streams: [api.streamRoute], bodyAllowance: { api.bodyAllowance(for: $0) }, group: sockets, logger: .silent)
        let service = ServiceGroup(configuration: .init(services: [door], logger: .silent))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await service.run() }
            let port = try await door.addresses.first?.port ?? 0
            let fixture = APIFixture(
                clock: clock, store: store, hub: hub, api: api, authenticator: authenticator, port: port,
                service: service, router: responder, eventLoop: sockets.next())
            do {
                try await body(fixture)
            } catch {
                await service.triggerGracefulShutdown()
                throw error
            }
            await service.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
        hub.shutdown()
        try await sockets.shutdownGracefully()
        try await lane.shutdownGracefully()
        try await readers.shutdownGracefully()
    }

    // MARK: Accounts

    /// An account with a device, whose token is its name.
    @discardableResult
    func account(
        _ name: String, administrator: Bool = false, kind: Account.Kind = .person
    ) async throws -> Actor {
        guard let handle = Handle(name) else { throw FixtureError("not a handle: \(name)") }
        let now = clock.now
        let actor = try await hub.write { directory throws(StoreError) in
            let account = try directory.create(
                NewAccount(
                    address: Address(handle: handle), kind: kind, displayName: nil, isAdministrator: administrator,
                    created: now, expires: nil))
            let device = try directory.createDevice(
                of: account.id, name: "test", tokenHash: Array(name.utf8), at: now)
            return Actor(
                party: account.party, device: device.id, isAdministrator: administrator, kind: kind)
        }
        authenticator.add(name, actor)
        return actor
    }

    // MARK: HTTP, in process

    struct Answer: Sendable {
        let status: Int
        let headers: HTTPFields
        let text: String
        /// The body; null if it is no JSON.
        let json: JSONValue
        var code: JSONValue? { json["error"]?["code"] }
    }

    /// The router's answer, middleware included.
    func request(
        _ method: HTTPRequest.Method, _ path: String, as token: String? = nil, headers: HTTPFields = [:],
        body: String? = nil
    ) async throws -> Answer {
        var fields = headers
        if let token { fields[.authorization] = "Bearer \(token)" }
        if body != nil, fields[.contentType] == nil { fields[.contentType] = "application/json" }
        let head = HTTPRequest(method: method, scheme: "http", authority: "localhost", path: path, headerFields: fields)
        let source = DoorRequestSource(
            logger: .silent, remote: RemoteClient(address: nil, isSecure: false, isProxied: false), eventLoop: eventLoop
        )
        let response = try await router.respond(
            to: Request(head: head, body: RequestBody(buffer: ByteBuffer(string: body ?? ""))),
            context: DoorRequestContext(source: source))
        let collector = CollectingWriter()
        try await response.body.write(collector)
        let text = collector.text
        let json = (try? JSONValue(parsing: text)) ?? .null
        return Answer(status: response.status.code, headers: response.headers, text: text, json: json)
    }

    /// A reading operation; a list of values in a query is separated by commas.
    func get(_ operation: String, as token: String, _ query: [(String, String)] = []) async throws -> Answer {
        let text = query.map { "\($0)=\(APIFixture.escaped($1))" }.joined(separator: "&")
        return try await request(.get, "/v1/\(operation)" + (text.isEmpty ? "" : "?\(text)"), as: token)
    }

    /// A changing operation.
    func post(_ operation: String, as token: String, _ body: JSONValue = [:]) async throws -> Answer {
        try await request(.post, "/v1/\(operation)", as: token, body: body.description)
    }

    static func escaped(_ text: String) -> String {
        text.utf8.map { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "~"):
                String(UnicodeScalar(byte))
            default: "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
        }.joined()
    }

    /// A public group with these members, the first of whom owns it.
    func group(_ handle: String, _ members: String...) async throws {
        guard let owner = members.first else { return }
        _ = try await post("create", as: owner, ["kind": "group", "handle": .string(handle)])
        for member in members.dropFirst() { _ = try await post("join", as: member, ["conversation": .string(handle)]) }
    }
}

struct FixtureError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Knows tokens by a list.
final class ListAuthenticator: Authenticator {
    private let actors = Mutex<[String: Actor]>([:])

    func add(_ token: String, _ actor: Actor) { actors.withLock { $0[token] = actor } }

    func remove(_ token: String) { actors.withLock { $0[token] = nil } }

    func authenticate(bearer: String, remote: RemoteClient) async -> Result<Actor, Rejection> {
        guard let actor = actors.withLock({ $0[bearer] }) else {
            return .failure(Rejection(.unauthenticated, "the token is not valid, or no longer"))
        }
        return .success(actor)
    }
}

private final class CollectingWriter: ResponseBodyWriter {
    private var bytes = ByteBuffer()
    var text: String { String(buffer: bytes) }
    func write(_ buffer: ByteBuffer) async throws { bytes.writeImmutableBuffer(buffer) }
    func finish(_ trailingHeaders: HTTPFields?) async throws {}
}

extension Logger {
    static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
}

extension JSONValue {
    var text: String? {
        if case .string(let text) = self { text } else { nil }
    }
    var number: Int64? {
        if case .int(let number) = self { number } else { nil }
    }
    var elements: [JSONValue] {
        if case .array(let elements) = self { elements } else { [] }
    }
    var keys: [String] {
        if case .object(let members) = self { members.map(\.key) } else { [] }
    }
}

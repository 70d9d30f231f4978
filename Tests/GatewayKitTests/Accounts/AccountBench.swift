import Hub
import Logging
import NIOCore
import NIOPosix
import Synchronization
import TestKit

@testable import GatewayKit

/// A hub on a store in memory, and an account service on it; time stands until a test moves it.
final class AccountBench: Sendable {
    static let iterations = PasswordVerifier.iterationRange.lowerBound
    private static let passwords = PasswordPool()

    let clock: ManualClock
    let store: MemoryStore
    let directory: RecordingDirectory
    let loop: any EventLoop
    let hub: Hub
    let service: AccountService

    /// - Parameter store: of an earlier bench, to begin again as after a crash.
    init(
        continuing earlier: AccountBench? = nil, clock: ManualClock? = nil, passwords: PasswordPool? = nil,
        _ configure: (inout AccountConfiguration) -> Void = { _ in }
    ) async throws {
        let clock = earlier?.clock ?? clock ?? ManualClock()
        let store = earlier?.store ?? MemoryStore()
        // Ids are made of time and chance, and chance begins anew.
        if earlier != nil { clock.advance(milliseconds: 1_000) }
        self.clock = clock
        self.store = store
        directory = RecordingDirectory(store)
        loop = MultiThreadedEventLoopGroup.singleton.next()
        let random = Mutex(SeededGenerator(seed: 11))
        guard let name = ServerName("example.org") else { throw StoreError.constraint("a test's server name") }
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        hub = try Hub(
            serverName: name, stores: Stores(log: store, archive: store, directory: directory, search: store),
            lane: MultiThreadedEventLoopGroup.singleton.next(), loops: [loop], readers: ReaderPool { $0() },
            limits: .unlimited, clock: { clock.now }, random: { random.withLock { $0.next() } }, logger: logger)
        var configuration = AccountConfiguration()
        configuration.iterations = AccountBench.iterations
        configure(&configuration)
        let limiter = { SharedAttemptLimiter { .uptimeNanoseconds(UInt64(clock.now.rawValue) * 1_000_000) } }
        service = try await AccountService.open(
            hub: hub, configuration: configuration, passwords: passwords ?? AccountBench.passwords,
            limiters: (limiter(), limiter()), logger: logger)
    }

    deinit { hub.shutdown() }

    func advance(seconds: Int64) { clock.advance(milliseconds: seconds * 1_000) }

    // MARK: People

    /// An account with a password («password of NAME») and a device.
    @discardableResult
    func person(_ name: String, administrator: Bool = false) async throws -> SignIn {
        let account = try await service.addPerson(
            name, password: "password of \(name)", displayName: nil, isAdministrator: administrator, by: .operator)
        return try await service.enrol(account, device: "test")
    }

    func login(
        _ name: String, password: String? = nil, from remote: RemoteClient = .near
    ) async -> Result<SignIn, Rejection> {
        await outcome { () throws(Rejection) in
            try await service.login(
                handle: name, password: password ?? "password of \(name)", device: "phone", remote: remote)
        }
    }

    func actor(_ token: String) async -> Result<Actor, Rejection> {
        await service.authenticate(bearer: token, remote: .near)
    }

    func group(_ name: String, by owner: Actor, access: Access = .public) async throws -> ConversationID {
        let new = NewConversation(kind: .group, handle: Handle(name), access: access)
        return try await hub.submit(.create(new), by: owner, token: nil).conversation
    }

    @discardableResult
    func post(_ text: String, in conversation: ConversationID, by actor: Actor) async throws -> Acceptance {
        try await hub.submit(
            .conversation(conversation, .post(Draft(body: Body(text: text)))), by: actor, token: nil)
    }

    func member(_ account: AccountID, of conversation: ConversationID) throws -> Member? {
        try store.membership(of: account, in: conversation)?.member
    }

    func attach(_ actor: Actor) async throws -> AttachedSession {
        try await AttachedSession(hub, actor, on: loop)
    }
}

extension AccountService {
    /// One round of what ``AccountService/run()`` does, one after the other.
    func tick(endsGuests: Bool) async {
        await endExpiredHostSessions()
        if endsGuests { await sweepGuests() }
        await finishClosings()
        await writeLastSeen()
    }
}

/// What an asynchronous call that throws a rejection came to.
func outcome<T: Sendable>(_ body: () async throws(Rejection) -> T) async -> Result<T, Rejection> {
    do throws(Rejection) {
        return .success(try await body())
    } catch {
        return .failure(error)
    }
}

extension Result where Failure == Rejection {
    var code: Rejection.Code? {
        if case .failure(let rejection) = self { rejection.code } else { nil }
    }
}

extension RemoteClient {
    static let near = RemoteClient(address: NetworkAddress(plain: "127.0.0.1"), isSecure: false, isProxied: false)
    static let far = RemoteClient(address: NetworkAddress(plain: "198.51.100.7"), isSecure: true, isProxied: false)
    static func at(_ address: String) -> RemoteClient {
        RemoteClient(address: NetworkAddress(plain: address), isSecure: true, isProxied: false)
    }
}

/// A session that a test looks at from outside its loop.
final class AttachedSession: Sendable {
    private let box: NIOLoopBoundBox<RecordingSink>
    private let loop: any EventLoop

    init(_ hub: Hub, _ actor: Actor, on loop: any EventLoop) async throws {
        self.loop = loop
        box = try await loop.submit {
            let sink = RecordingSink()
            sink.session = hub.audience(on: loop)?
                .attach(sink, as: actor, dialect: .plain, from: nil, presence: .online)
            return NIOLoopBoundBox(sink, eventLoop: loop)
        }.get()
        try await wait { $0.readyAt != nil }
    }

    /// Waits until the sink is as wanted; false if it is not after some seconds.
    @discardableResult
    func wait(until isSo: @escaping @Sendable (RecordingSink) -> Bool) async throws -> Bool {
        for _ in 0..<5_000 {
            if try await loop.submit({ [box] in isSo(box.value) }).get() { return true }
            try await Task.sleep(for: .milliseconds(1))
        }
        return false
    }

    func isRevoked() async throws -> Bool { try await wait { $0.end == .revoked } }
    func isOpen() async throws -> Bool { try await loop.submit { [box] in box.value.end == nil }.get() }
}

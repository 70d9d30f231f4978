import Hub
import Logging
import NIOCore
import Synchronization
import TestKit
import WireJSON

@testable import GatewayKit

/// Calls `body` with a webhook service at work, which ends with it, whatever it throws. Returns the bench, to go on from.
@discardableResult
func withWebhookBench(
    continuing earlier: WebhookBench? = nil, _ body: (WebhookBench) async throws -> Void
) async throws -> WebhookBench {
    let bench = try await WebhookBench(continuing: earlier)
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
            await bench.service.run()
            bench.end.withLock { $0 = true }
        }
        defer { group.cancelAll() }
        try await body(bench)
    }
    return bench
}

/// A webhook service, with a group to talk in and a network that answers as a test says. Made by
/// ``withWebhookBench(continuing:_:)``.
final class WebhookBench: Sendable {
    typealias PauseAction = @Sendable (AccountBench) async -> Void

    let accounts: AccountBench
    let service: WebhookService
    let network = ScriptedNetwork()
    let garden: ConversationID
    let owner: SignIn
    fileprivate let end = Mutex(false)
    private let book = PauseBook()

    var hub: Hub { accounts.hub }
    /// The service's work is over.
    var hasEnded: Bool { end.withLock { $0 } }
    /// Milliseconds that workers paused.
    var pauses: [Int64] { book.pauses.withLock { $0 } }

    fileprivate init(continuing earlier: WebhookBench?) async throws {
        let accounts = try await AccountBench(continuing: earlier?.accounts)
        self.accounts = accounts
        if let earlier {
            (owner, garden) = (earlier.owner, earlier.garden)
        } else {
            owner = try await accounts.person("owner")
            garden = try await accounts.group("garden", by: owner.actor, access: .private)
        }
        service = WebhookService(
            accounts: accounts.service, policy: { ScriptedNetwork.policy }, transport: network,
            encode: WebhookBench.encode, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            sleep: { [book] duration in try await book.sleep(duration, accounts) })
    }

    func onPause(_ action: @escaping PauseAction) { book.action.withLock { $0 = action } }

    func outgoing(_ url: String = "https://hooks.shop.com/secret/path") async throws -> IssuedWebhook {
        try await service.add(to: garden, url: url, bot: nil, by: .operator)
    }

    @discardableResult
    func post(_ text: String) async throws -> Acceptance {
        try await accounts.post(text, in: garden, by: owner.actor)
    }

    private static let encode: EventEncoder = { event in
        let text: String
        switch event.content {
        case .message(let message): text = message.body.text
        case .erased: text = "erased"
        default: text = event.content.kind.name
        }
        return JSONWriter.write { writer in writer.object { writer in writer.field("text", text) } }
    }
}

/// Pauses take a moment only, are written down, and give a test its turn. After many, somebody spins: they take long.
private final class PauseBook: Sendable {
    private static let capacity = 1_000
    let pauses = Mutex<[Int64]>([])
    let action = Mutex<WebhookBench.PauseAction?>(nil)

    func sleep(_ duration: Duration, _ accounts: AccountBench) async throws {
        let (seconds, attoseconds) = duration.components
        let isFull = pauses.withLock { pauses in
            guard pauses.count < PauseBook.capacity else { return true }
            pauses.append(seconds * 1_000 + attoseconds / 1_000_000_000_000_000)
            return false
        }
        if let action = action.withLock({ $0 }) { await action(accounts) }
        try await Task.sleep(for: isFull ? .seconds(1) : .milliseconds(1))
    }
}

/// A network whose answers a test orders in advance; without an order everything is taken.
///
/// Bounded: more calls than any test makes break.
final class ScriptedNetwork: WebhookTransport {
    private static let capacity = 1_000
    struct Call: Sendable {
        let url: String
        let address: String
        let id: String
        let timestamp: String
        let signature: String
        let body: [UInt8]

        var text: String? {
            guard case .string(let text)? = try? JSONValue(parsing: ByteBuffer(bytes: body))["text"] else { return nil }
            return text
        }
    }

    struct Unreachable: Error {}

    private struct State {
        var calls: [Call] = []
        var answers: [Int?] = []
        var held: String?
        var addresses = ["203.0.113.5"]
        var lookUps = 0
    }
    private let state = Mutex(State())

    /// The addresses of documentation stand for the internet.
    static let policy = OutboundPolicy(allowedRanges: [NetworkRange(parsing: "203.0.113.0/24")].compactMap { $0 })

    var calls: [Call] { state.withLock { $0.calls } }
    var lookUps: Int { state.withLock { $0.lookUps } }

    /// The next answers; nil: the connection breaks.
    func answer(with statuses: [Int?]) { state.withLock { $0.answers += statuses } }
    func resolve(to addresses: [String]) { state.withLock { $0.addresses = addresses } }
    /// Calls of this address wait for their answer.
    func hold(_ url: String) { state.withLock { $0.held = url } }
    func release() { state.withLock { $0.held = nil } }

    func resolve(_ name: String, port: Int) async throws -> [SocketAddress] {
        let addresses = state.withLock { state in
            state.lookUps += 1
            return state.addresses
        }
        return try addresses.map { try SocketAddress(ipAddress: $0, port: port) }
    }

    func post(_ call: WebhookCall) async throws -> Int {
        let headers = Dictionary(call.headers, uniquingKeysWith: { first, _ in first })
        let recorded = Call(
            url: "\(call.url)", address: "\(call.address.ipAddress ?? "?"):\(call.address.port ?? 0)",
            id: headers["webhook-id"] ?? "", timestamp: headers["webhook-timestamp"] ?? "",
            signature: headers["webhook-signature"] ?? "", body: Array(call.body.readableBytesView))
        let isFull = state.withLock { state in
            guard state.calls.count < ScriptedNetwork.capacity else { return true }
            state.calls.append(recorded)
            return false
        }
        if isFull { throw Unreachable() }
        while state.withLock({ $0.held == recorded.url }) { try await Task.sleep(for: .milliseconds(1)) }
        let answer = state.withLock { $0.answers.isEmpty ? 200 : $0.answers.removeFirst() }
        guard let answer else { throw Unreachable() }
        return answer
    }

    /// The calls, as soon as there are so many; whatever there is after some seconds.
    func wait(for count: Int) async throws -> [Call] { try await wait { $0.count >= count } }

    func wait(until isEnough: ([Call]) -> Bool) async throws -> [Call] {
        for _ in 0..<5_000 where !isEnough(calls) { try await Task.sleep(for: .milliseconds(1)) }
        return calls
    }
}

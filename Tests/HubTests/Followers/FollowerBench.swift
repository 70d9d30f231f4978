import Hub
import Logging
import NIOCore
import NIOPosix
import Synchronization
import TestKit

/// A hub that runs by itself, for what follows its log from tasks; time stands until a test moves it.
final class FollowerBench: Sendable {
    let clock = ManualClock()
    let store = MemoryStore()
    let index = RecordingIndex()
    let hub: Hub
    let owner: Actor
    let garden: ConversationID
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    init() async throws {
        let random = Mutex(SeededGenerator(seed: 3))
        guard let name = ServerName("example.org"), let handle = Handle("owner") else {
            throw StoreError.constraint("names of a test")
        }
        let clock = clock
        hub = try Hub(
            serverName: name, stores: Stores(log: store, archive: store, directory: store, search: index),
            lane: MultiThreadedEventLoopGroup.singleton.next(), loops: [MultiThreadedEventLoopGroup.singleton.next()],
            readers: ReaderPool { $0() }, limits: .unlimited, clock: { clock.now },
            random: { random.withLock { $0.next() } }, logger: logger)
        let account = try store.create(
            NewAccount(
                address: Address(handle: handle), kind: .person, displayName: nil, isAdministrator: false,
                created: clock.now, expires: nil))
        let device = try store.createDevice(
            of: account.id, name: "test", tokenHash: Array(repeating: 1, count: 32), at: clock.now)
        owner = Actor(party: account.party, device: device.id, isAdministrator: false, kind: .person)
        garden = try await hub.submit(
            .create(NewConversation(kind: .group, handle: Handle("garden"), access: .public)), by: owner, token: nil
        ).conversation
    }

    deinit { hub.shutdown() }

    @discardableResult
    func submit(_ command: ConversationCommand) async throws -> EventReference? {
        try await hub.submit(.conversation(garden, command), by: owner, token: nil).event
    }

    @discardableResult
    func post(_ text: String) async throws -> EventReference? {
        try await submit(.post(Draft(body: Body(text: text))))
    }

    /// Many at once: they share batches of the lane.
    func post(count: Int) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<count { group.addTask { try await self.post("m\(number)") } }
            try await group.waitForAll()
        }
    }

    func set(_ key: StateKey, _ value: String?) async throws {
        try await submit(.setState(StateChange(key: key, value: value)))
    }

    /// The texts of the messages that the log has now, by sequence.
    func texts() throws -> [SearchKey: String] {
        var texts: [SearchKey: String] = [:]
        for entry in try store.page(garden, .after(.zero), limit: 10_000) {
            guard case .message(let message) = entry.event.content else { continue }
            let text = entry.edit?.body.text ?? message.body.text
            texts[SearchKey(conversation: garden, sequence: entry.event.sequence)] = text.isEmpty ? nil : text
        }
        return texts
    }

    func head() throws -> ConversationHead {
        guard let head = try store.head(of: garden) else { throw StoreError.constraint("no such conversation") }
        return head
    }
}

/// An index that keeps what it is given, counts, and fails on demand.
final class RecordingIndex: SearchIndex {
    private struct State {
        var documents: [SearchKey: SearchDocument] = [:]
        var cursor = Position.zero
        var updates: [Int] = []
        var faults = 0
    }
    private let state = Mutex(State())

    var texts: [SearchKey: String] { state.withLock { $0.documents.mapValues(\.text) } }
    var documents: [SearchKey: SearchDocument] { state.withLock { $0.documents } }
    /// How many documents each update brought.
    var updates: [Int] { state.withLock { $0.updates } }
    /// The next updates fail.
    func fail(times: Int) { state.withLock { $0.faults = times } }

    func cursor() throws(StoreError) -> Position { state.withLock { $0.cursor } }

    func update(
        _ documents: [SearchDocument], removed: [SearchKey], through: Position
    ) throws(StoreError) {
        try state.withLock { (state) throws(StoreError) in
            if state.faults > 0 {
                state.faults -= 1
                throw .unavailable("disk full")
            }
            for document in documents { state.documents[document.key] = document }
            for key in removed { state.documents[key] = nil }
            state.cursor = through
            state.updates.append(documents.count)
        }
    }

    func search(
        _ query: String, in conversations: [ConversationID], before: Position?, limit: Int
    ) throws(StoreError) -> [SearchHit] { [] }
}

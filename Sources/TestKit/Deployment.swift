import Hub
import Logging
import NIOCore
import Synchronization

/// A whole hub in one thread, whose time and turns belong to the test: nothing happens until ``run()``.
package final class Deployment {
    package let clock = ManualClock()
    package let store = MemoryStore()
    /// What stands before the store: fails on demand, counts batches.
    package let log: ScriptedLog
    package let lane = TestLoop()
    package let loops: [TestLoop]
    package let readers = HeldReaders()
    package let hub: Hub
    private var devices: UInt64 = 0

    package init(loops count: Int = 2, limits: Limits = .unlimited) throws {
        log = ScriptedLog(store)
        let random = Mutex(SeededGenerator(seed: 7))
        loops = (0..<count).map { _ in TestLoop() }
        guard let name = ServerName("example.org") else { throw StoreError.constraint("a test's server name") }
        hub = try Hub(
            serverName: name, stores: Stores(log: log, archive: store, directory: store, search: store), lane: lane,
            loops: loops, readers: ReaderPool { [readers] in readers.submit($0) }, limits: limits,
            clock: { [clock] in clock.now },
            random: { random.withLock { $0.next() } }, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    deinit { hub.shutdown() }

    /// Lets every loop work until nothing is left to do.
    package func run() {
        for _ in 0..<64 {
            lane.run()
            for loop in loops { loop.run() }
        }
    }

    /// An account with one device.
    package func account(
        _ name: String, administrator: Bool = false, kind: Account.Kind = .person
    ) throws -> Actor {
        guard let handle = Handle(name) else { throw StoreError.constraint("not a handle: \(name)") }
        let account = try store.create(
            NewAccount(
                address: Address(handle: handle), kind: kind, displayName: nil, isAdministrator: administrator,
                created: clock.now, expires: nil))
        return try device(of: account)
    }

    package func device(of account: Account) throws -> Actor {
        devices += 1
        let hash = withUnsafeBytes(of: devices.bigEndian) { [UInt8](repeating: 0, count: 24) + Array($0) }
        let device = try store.createDevice(of: account.id, name: "test", tokenHash: hash, at: clock.now)
        return Actor(
            party: account.party, device: device.id, isAdministrator: account.isAdministrator, kind: account.kind)
    }

    /// Submits without running: the answer comes with a later ``run()``.
    package func begin(_ command: Command, by actor: Actor, token: String? = nil, on loop: Int = 0) -> Answer {
        let answer = Answer()
        hub.submit(command, by: actor, token: token.flatMap { Token($0) }, on: loops[loop]) { answer.set($0) }
        return answer
    }

    /// Submits and runs.
    @discardableResult
    package func submit(
        _ command: Command, by actor: Actor, token: String? = nil, on loop: Int = 0
    ) throws -> Acceptance {
        let answer = begin(command, by: actor, token: token, on: loop)
        run()
        guard let result = answer.result else { throw StoreError.unavailable("no answer came") }
        return try result.get()
    }

    @discardableResult
    package func post(_ text: String, in conversation: ConversationID, by actor: Actor) throws -> Acceptance {
        try submit(.conversation(conversation, .post(Draft(body: Body(text: text)))), by: actor)
    }

    package func group(
        _ name: String, by owner: Actor, access: Access = .public, history: HistoryVisibility = .members
    ) throws -> ConversationID {
        try submit(
            .create(NewConversation(kind: .group, handle: Handle(name), access: access, history: history)), by: owner
        ).conversation
    }

    package func attach(
        _ actor: Actor, from cursor: Cursor? = nil, on loop: Int = 0, dialect: Dialect = .plain
    ) -> RecordingSink {
        let sink = RecordingSink()
        sink.session = hub.audience(on: loops[loop])?
            .attach(sink, as: actor, dialect: dialect, from: cursor, presence: .online)
        return sink
    }

    package func detach(_ sink: RecordingSink, on loop: Int = 0) {
        if let session = sink.session { hub.audience(on: loops[loop])?.detach(session) }
    }
}

extension Limits {
    /// Rates that no test reaches by accident.
    package static var unlimited: Limits {
        var limits = Limits()
        limits.commandsPerSecond = 1_000_000
        limits.commandBurst = 1_000_000
        limits.signalsPerSecond = 1_000_000
        limits.readsPerSecond = 1_000_000
        limits.readBurst = 1_000_000
        limits.signalBurst = 1_000_000
        limits.inbox = 1_000_000
        return limits
    }
}

/// Readers that work at once, or when a test lets them.
package final class HeldReaders: Sendable {
    private struct State {
        var isHeld = false
        var waiting: [@Sendable () -> Void] = []
    }
    private let state = Mutex(State())

    func submit(_ work: @escaping @Sendable () -> Void) {
        let isHeld = state.withLock { state in
            if state.isHeld { state.waiting.append(work) }
            return state.isHeld
        }
        if !isHeld { work() }
    }

    package func hold() { state.withLock { $0.isHeld = true } }

    package func release() {
        let waiting = state.withLock { state in
            defer { state = State() }
            return state.waiting
        }
        for work in waiting { work() }
    }
}

/// The answer to a command, when it has come.
package final class Answer: Sendable {
    package init() {}
    private let box = Mutex<Result<Acceptance, Rejection>?>(nil)
    package var result: Result<Acceptance, Rejection>? { box.withLock { $0 } }
    package var rejection: Rejection? {
        if case .failure(let rejection)? = result { rejection } else { nil }
    }
    package func set(_ result: Result<Acceptance, Rejection>) { box.withLock { $0 = result } }
}

/// A sink that writes down what it is given, a line per delivery of ``Dialect/plain``.
package final class RecordingSink: SessionSink {
    package var session: Session?
    package private(set) var lines: [String] = []
    package private(set) var readyAt: Cursor?
    package private(set) var lostContinuity = false
    package private(set) var end: SessionEnd?
    package private(set) var writes = 0
    package private(set) var flushes = 0
    package var isWritable = true

    package init() {}
    package func write(_ frames: ByteBuffer) {
        writes += 1
        lines += String(buffer: frames).split(separator: "\n").map(String.init)
    }
    package func flush() { flushes += 1 }
    package func caughtUp(to cursor: Cursor) { readyAt = cursor }
    package func continuityLost() { lostContinuity = true }
    package func ended(_ reason: SessionEnd) { end = reason }

    /// The lines since the last call.
    package func take() -> [String] {
        defer { lines = [] }
        return lines
    }
}

extension Dialect {
    /// A line of text per delivery.
    package static let plain = Dialect("plain") { delivery, out in out.writeString(line(for: delivery) + "\n") }

    package static func line(for delivery: Delivery) -> String {
        switch delivery {
        case .event(let event, let previous):
            "@\(event.position) ~\(event.conversation.rawValue) #\(event.sequence) "
                + (previous.map { "after #\($0) " } ?? "") + "\(event.author.address) \(text(of: event.content))"
        case .receipt(let receipt):
            "@\(receipt.position) ~\(receipt.conversation.rawValue) \(receipt.party.address) read #\(receipt.readUpTo) "
                + "delivered #\(receipt.deliveredUpTo)"
        case .profile(let profile): "@\(profile.position) profile \(profile.party.address)"
        case .seat(let row): "seat ~\(row.identity.id.rawValue) \(row.member.standing)"
        case .gap(let conversation, let first): "gap ~\(conversation.rawValue) from #\(first)"
        case .signal(let signal): text(of: signal)
        }
    }

    private static func text(of content: Content) -> String {
        switch content {
        case .message(let message): "says \(message.body.text)"
        case .edit(let target, let body): "edits #\(target.sequence) \(body.text)"
        case .redaction(let target, _): "redacts #\(target.sequence)"
        case .reaction(let target, let key, let removed):
            "\(removed ? "unreacts" : "reacts") #\(target.sequence) \(key)"
        case .pin(let target, let removed): "\(removed ? "unpins" : "pins") #\(target.sequence)"
        case .membership(let change): "\(change.subject.address) is \(change.standing) \(change.rank)"
        case .state(let change): "sets \(change.key) \(change.value ?? "nothing")"
        case .call(let change): "call \(change.step)"
        case .sealed(let scheme, _): "sealed \(scheme)"
        case .custom(let namespace, let type, _): "custom \(namespace)/\(type)"
        case .erased(let kind): "erased \(kind)"
        }
    }

    private static func text(of signal: Signal) -> String {
        switch signal {
        case .typing(let place, let active): "\(place.party.address) \(active ? "types" : "rests")"
        case .liveText(let place, let live): "\(place.party.address) live \(live.number)"
        case .ringing(let place, let call): "\(place.party.address) rings \(call)"
        case .presence(let party, let presence): "\(party.address) is \(presence.state.name)"
        case .attendance(_, let party, let present): "\(party.address) \(present ? "attends" : "goes")"
        }
    }
}

import Synchronization

/// Why the door turned something away.
package enum DoorRefusal: String, CaseIterable, Sendable {
    /// The subscriber has too many connections open.
    case addressConnections = "address_connections"
    /// The subscriber opens connections too quickly.
    case addressRate = "address_rate"
    /// TLS was not agreed.
    case tls
    /// A PROXY header was missing, malformed, or not from a trusted proxy.
    case proxyHeader = "proxy_header"
    /// The first bytes belong to no protocol of this port.
    case wrongProtocol = "wrong_protocol"
    /// No complete request head in time.
    case slowHead = "slow_head"
    /// A request body came too slowly.
    case slowBody = "slow_body"
    /// A malformed or ambiguous request.
    case badRequest = "bad_request"
    /// Too many or too large header fields, or too long a target.
    case headTooLarge = "head_too_large"
    case bodyTooLarge = "body_too_large"
    /// The bodies of all requests together held `DoorLimits.inboundBudget` already.
    case bodyBudget = "body_budget"
    case origin
    /// A WebSocket handshake that the protocol or the route refused.
    case webSocketHandshake = "websocket_handshake"
    /// A WebSocket peer broke the protocol or a limit.
    case webSocketViolation = "websocket_violation"
    /// An HTTP/2 peer broke the protocol or a limit.
    case http2Violation = "http2_violation"
    /// A peer gave no sign of life.
    case silent
    case slowConsumer = "slow_consumer"
    /// The route failed: our bug.
    case fault
}

/// What the door counts. *Lives on*: any thread; each event loop writes to counters of its own.
package final class DoorMetrics: Sendable {
    /// One consistent enough view, for rendering.
    package struct Snapshot: Hashable, Sendable {
        package var connectionsAccepted = 0
        package var connectionsOpen = 0
        package var requests = 0
        package var webSocketsOpened = 0
        package var webSocketsOpen = 0
        package var streamsOpened = 0
        package var streamsOpen = 0
        /// As they came over the wire, TLS and all; of a WebSocket over HTTP/1.1, what was inside.
        package var bytesReceived = 0
        /// What sessions and routes have sent, without heads, framing of HTTP/2, and TLS.
        package var bytesSent = 0
        package var messagesReceived = 0
        /// Bytes that wait for peers which do not keep up.
        package var outboundQueued = 0
        package var refused: [DoorRefusal: Int] = [:]
    }

    private let loops: Mutex<[LoopCounters]> = Mutex([])
    private let refusals: Mutex<[DoorRefusal: Int]> = Mutex([:])
    private let budgets: Mutex<[ByteBudget]> = Mutex([])

    package init() {}

    package var snapshot: Snapshot {
        var snapshot = Snapshot()
        for loop in loops.withLock({ $0 }) {
            snapshot.connectionsAccepted += loop.accepted.value
            snapshot.connectionsOpen += loop.accepted.value - loop.closed.value
            snapshot.requests += loop.requests.value
            snapshot.webSocketsOpened += loop.webSocketsOpened.value
            snapshot.webSocketsOpen += loop.webSocketsOpened.value - loop.webSocketsClosed.value
            snapshot.streamsOpened += loop.streamsOpened.value
            snapshot.streamsOpen += loop.streamsOpened.value - loop.streamsClosed.value
            snapshot.bytesReceived += loop.bytesReceived.value
            snapshot.bytesSent += loop.bytesSent.value
            snapshot.messagesReceived += loop.messagesReceived.value
        }
        snapshot.outboundQueued = budgets.withLock { $0.reduce(0) { $0 + $1.bytes } }
        snapshot.refused = refusals.withLock { $0 }
        return snapshot
    }

    func count(_ refusal: DoorRefusal) {
        refusals.withLock { $0[refusal, default: 0] += 1 }
    }

    func makeLoopCounters() -> LoopCounters {
        let counters = LoopCounters()
        loops.withLock { $0.append(counters) }
        return counters
    }

    func watch(_ budget: ByteBudget) {
        budgets.withLock { $0.append(budget) }
    }
}

/// A number that one thread adds to and any thread reads.
struct Counter: ~Copyable, Sendable {
    private let number = Atomic<Int>(0)

    var value: Int { number.load(ordering: .relaxed) }

    /// Only for the counter's one writer: a load and a store cost no locked instruction.
    func add(_ amount: Int = 1) {
        number.store(number.load(ordering: .relaxed) + amount, ordering: .relaxed)
    }
}

/// The counters of one event loop, which alone writes them.
final class LoopCounters: Sendable {
    let accepted = Counter()
    let closed = Counter()
    let requests = Counter()
    let webSocketsOpened = Counter()
    let webSocketsClosed = Counter()
    let streamsOpened = Counter()
    let streamsClosed = Counter()
    let bytesReceived = Counter()
    let bytesSent = Counter()
    let messagesReceived = Counter()
}

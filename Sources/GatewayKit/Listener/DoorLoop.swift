import Logging
import NIOCore

/// Something of one event loop that must be told when the server goes down: a session, an exchange, a connection.
protocol DoorMember: AnyObject {
    /// Say goodbye and close by the deadline.
    func drain(deadline: NIODeadline)
    /// Close now, without a word.
    func cut()
}

/// What all connections of one event loop share. *Lives on*: that event loop.
final class DoorLoop {
    let eventLoop: any EventLoop
    let timers: LoopTimers
    let counters: LoopCounters
    let door: DoorShared
    /// Set when the server begins to go down; what is opened from then on is told at once.
    private(set) var drainDeadline: NIODeadline?
    private var members: [ObjectIdentifier: any DoorMember] = [:]
    private var date = HTTPDate()

    var limits: DoorLimits { door.configuration.limits }
    var isDraining: Bool { drainDeadline != nil }

    init(eventLoop: any EventLoop, door: DoorShared) {
        self.eventLoop = eventLoop
        self.door = door
        timers = LoopTimers(eventLoop: eventLoop)
        counters = door.metrics.makeLoopCounters()
    }

    func add(_ member: any DoorMember) {
        members[ObjectIdentifier(member)] = member
        if let drainDeadline {
            let box = NIOLoopBound(member, eventLoop: eventLoop)
            eventLoop.execute { box.value.drain(deadline: drainDeadline) }
        }
    }

    func remove(_ member: any DoorMember) {
        members[ObjectIdentifier(member)] = nil
    }

    /// The current value of the `Date` header.
    var dateHeader: String { date.text() }

    // MARK: Going down

    /// Tells all members, a share of them every 100 ms, so that the last is told when `window` ends.
    func drain(window: TimeAmount, deadline: NIODeadline) {
        guard drainDeadline == nil else { return }
        drainDeadline = deadline
        let step = TimeAmount.milliseconds(100)
        let steps = Int(max(min(window.nanoseconds / step.nanoseconds, 10_000), 1))
        let waiting = Array(members.keys)
        for share in 0..<steps {
            let ids = waiting[(waiting.count * share / steps)..<(waiting.count * (share + 1) / steps)]
            guard !ids.isEmpty else { continue }
            let box = NIOLoopBound((self, Array(ids)), eventLoop: eventLoop)
            eventLoop.scheduleTask(in: step * share) {
                let (loop, ids) = box.value
                for id in ids { loop.members[id]?.drain(deadline: deadline) }
            }
        }
    }

    /// Cuts what is still there.
    func cutAll() {
        for member in Array(members.values) { member.cut() }
    }
}

/// What the whole door shares. *Lives on*: any thread.
struct DoorShared: Sendable {
    let configuration: DoorConfiguration
    let metrics: DoorMetrics
    /// Of outbound queues.
    let budget: ByteBudget
    /// Of request bodies.
    let bodies: ByteBudget
    let addresses: AddressLimiter
    let logger: Logger
    /// When to say again that a proxy is not listed.
    let proxyNotice = Occasion(every: .minutes(1))
}

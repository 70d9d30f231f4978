import NIOCore
import Synchronization

/// How many connections there may be in all, over all listeners. *Lives on*: any thread.
final class ConnectionSlots: Sendable {
    let limit: Int
    private let used = Atomic<Int>(0)
    private let waiting = Mutex([@Sendable () -> Void]())

    init(limit: Int) {
        self.limit = limit
    }

    var isFull: Bool { used.load(ordering: .relaxed) >= limit }

    func take() {
        used.wrappingAdd(1, ordering: .relaxed)
    }

    func giveBack() {
        let left = used.wrappingSubtract(1, ordering: .relaxed).newValue
        // Not at the first free place, or a full door would be woken for each connection.
        if left <= limit - max(limit / 64, 1) { wakeAll() }
    }

    /// Calls `wake` once, when there is room again.
    func wait(_ wake: @escaping @Sendable () -> Void) {
        waiting.withLock { $0.append(wake) }
        // Room may have come up in between.
        if !isFull { wakeAll() }
    }

    private func wakeAll() {
        let wake = waiting.withLock { waiting in
            defer { waiting = [] }
            return waiting
        }
        for wake in wake { wake() }
    }
}

/// Stops a listener from accepting while there is no place for more connections, instead of failing again and again for
/// lack of file descriptors. *Lives on*: the listening channel's event loop.
final class AcceptGate: ChannelOutboundHandler {
    typealias OutboundIn = Channel

    private let slots: ConnectionSlots

    init(slots: ConnectionSlots) {
        self.slots = slots
    }

    func read(context: ChannelHandlerContext) {
        guard slots.isFull else { return context.read() }
        let box = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let loop = context.eventLoop
        slots.wait {
            loop.execute {
                let (gate, context) = box.value
                if context.channel.isActive { gate.read(context: context) }
            }
        }
    }
}

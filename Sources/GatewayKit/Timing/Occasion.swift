import NIOCore
import Synchronization

/// Comes round once in a while at most, for what must not fill the log. *Lives on*: any thread.
final class Occasion: Sendable {
    private let pause: TimeAmount
    private let next = Atomic<UInt64>(0)

    init(every pause: TimeAmount) {
        self.pause = pause
    }

    /// Whether it is time; if so, not again before the pause is over.
    func hasCome(now: NIODeadline = .now()) -> Bool {
        let due = next.load(ordering: .relaxed)
        guard now.uptimeNanoseconds >= due else { return false }
        return next.compareExchange(
            expected: due, desired: (now + pause).uptimeNanoseconds, ordering: .relaxed
        ).exchanged
    }
}

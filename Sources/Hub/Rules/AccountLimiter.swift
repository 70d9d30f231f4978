import Synchronization

/// How fast accounts and conversations go, summed over all doors.
///
/// Lives on no loop: guarded by its lock, held for one bucket at a time. Memory is bounded: buckets that are full again
/// are forgotten.
package final class AccountLimiter: Sendable {
    private struct State {
        var limits: Limits
        var commands: [AccountID: TokenBucket] = [:]
        var signals: [AccountID: TokenBucket] = [:]
        var reads: [AccountID: TokenBucket] = [:]
        var conversations: [ConversationID: TokenBucket] = [:]
    }
    private static let buckets = 50_000
    private let state: Mutex<State>
    private let clock: @Sendable () -> Timestamp

    init(limits: Limits, clock: @escaping @Sendable () -> Timestamp) {
        state = Mutex(State(limits: limits))
        self.clock = clock
    }

    func setLimits(_ limits: Limits) { state.withLock { $0.limits = limits } }

    /// The server itself (device zero) is not limited.
    func takeCommand(_ actor: Actor) -> Rejection? {
        guard !actor.isServer else { return nil }
        let now = clock()
        let wait = state.withLock { state in
            let (rate, burst) = (state.limits.commandsPerSecond, state.limits.commandBurst)
            return AccountLimiter.take(&state.commands, actor.account, rate, burst, now)
        }
        return wait.map { Rejection(.rateLimited, "too many commands", retryAfter: $0) }
    }

    func takeSignal(_ actor: Actor) -> Rejection? {
        let now = clock()
        let wait = state.withLock { state in
            let (rate, burst) = (state.limits.signalsPerSecond, state.limits.signalBurst)
            return AccountLimiter.take(&state.signals, actor.account, rate, burst, now)
        }
        return wait.map { Rejection(.rateLimited, "too many signals", retryAfter: $0) }
    }

    /// For what is asked of reader threads: everybody's sign-in waits in the same queue.
    package func takeRead(_ actor: Actor) -> Rejection? {
        guard !actor.isServer else { return nil }
        let now = clock()
        let wait = state.withLock { state in
            let (rate, burst) = (state.limits.readsPerSecond, state.limits.readBurst)
            return AccountLimiter.take(&state.reads, actor.account, rate, burst, now)
        }
        return wait.map { Rejection(.rateLimited, "too many questions", retryAfter: $0) }
    }

    func takeConversation(_ conversation: ConversationID, at now: Timestamp) throws(Rejection) {
        let wait = state.withLock { state -> Int64? in
            let rate = state.limits.conversationCommandsPerSecond
            guard rate > 0 else { return nil }
            return AccountLimiter.take(&state.conversations, conversation, rate, max(1, rate * 3), now)
        }
        if let wait { throw Rejection(.rateLimited, "too much is happening in this conversation", retryAfter: wait) }
    }

    private static func take<Key: Hashable>(
        _ buckets: inout [Key: TokenBucket], _ key: Key, _ rate: Double, _ burst: Double, _ now: Timestamp
    ) -> Int64? {
        if buckets.count >= Self.buckets, buckets[key] == nil {
            buckets = buckets.filter { !$0.value.isFull(rate: rate, burst: burst, at: now) }
        }
        return buckets[key, default: TokenBucket(full: burst, at: now)].take(rate: rate, burst: burst, at: now)
    }
}

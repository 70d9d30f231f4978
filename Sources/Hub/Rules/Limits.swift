/// What one command may carry, and how fast an account may go: configuration, one immutable value.
package struct Limits: Hashable, Sendable {
    /// UTF-8 bytes of a message's text.
    package var textBytes = 64 * 1024
    package var spans = 1_000
    package var attachments = 20
    package var mentions = 100
    package var extrasBytes = 16 * 1024
    package var reactionKeyBytes = 64
    package var reasonBytes = 1_024
    package var nameBytes = 200
    package var subjectBytes = 4_096
    package var stateValueBytes = 16 * 1024
    package var stateKeys = 1_000
    package var sealedBytes = 256 * 1024
    package var customBytes = 64 * 1024
    package var members = 10_000
    package var conversationsPerAccount = 1_000
    package var sessionsPerAccount = 20
    /// Durable commands per second and account over all doors, and how many may come at once.
    package var commandsPerSecond = 10.0
    package var commandBurst = 30.0
    /// The same for one conversation, all accounts together; zero: no limit.
    package var conversationCommandsPerSecond = 0.0
    package var signalsPerSecond = 20.0
    package var signalBurst = 60.0
    /// Questions per second and account (history, search, lists …), and how many may come at once.
    package var readsPerSecond = 100.0
    package var readBurst = 400.0
    /// Commands that wait for the lane before new ones are refused as busy.
    package var inbox = 20_000
    package var batch = 500

    package init() {}
}

/// A rate with a burst, filled by time. A value: the clock is given.
package struct TokenBucket: Hashable, Sendable {
    private var level: Double
    private var filled: Timestamp

    package init(full burst: Double, at now: Timestamp) {
        level = burst
        filled = now
    }

    /// Takes one, or says after how many milliseconds one will be there. A clock that steps back gives nothing.
    package mutating func take(rate: Double, burst: Double, at now: Timestamp) -> Int64? {
        let elapsed = Double(max(0, now.rawValue - filled.rawValue)) / 1_000
        level = min(burst, level + elapsed * rate)
        filled = now
        guard level < 1 else {
            level -= 1
            return nil
        }
        guard rate > 0 else { return 60_000 }
        return Int64(((1 - level) / rate * 1_000).rounded(.up))
    }

    package func isFull(rate: Double, burst: Double, at now: Timestamp) -> Bool {
        level + Double(max(0, now.rawValue - filled.rawValue)) / 1_000 * rate >= burst
    }
}

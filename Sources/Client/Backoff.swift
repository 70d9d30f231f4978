import NIOCore

/// How long to wait before trying again: exponential with full jitter, so that clients which lost their server together
/// do not come back together.
package struct Backoff: Sendable {
    package let first: TimeAmount
    package let longest: TimeAmount
    private var attempts = 0

    package init(first: TimeAmount = .milliseconds(250), longest: TimeAmount = .seconds(30)) {
        self.first = first
        self.longest = longest
    }

    /// The next pause. `unit` is a random number in 0…1.
    ///
    /// - Parameter atLeast: what the server asked for; the jitter comes on top.
    package mutating func next(unit: Double, atLeast: TimeAmount = .zero) -> TimeAmount {
        let doubled = attempts < 20 ? first.nanoseconds << Int64(attempts) : longest.nanoseconds
        attempts = min(attempts + 1, 20)
        let ceiling = Double(min(doubled, longest.nanoseconds))
        return atLeast + .nanoseconds(Int64(ceiling * min(max(unit, 0), 1)))
    }

    /// A connection has proved itself.
    package mutating func reset() { attempts = 0 }
}

import NIOCore

/// Believes or refuses the tokens of one host application, and keeps its published keys fresh.
///
/// *Lives on* its own executor: a login is control plane, not hot path.
///
/// Keys from an address are fetched when first needed, again when a token names a key that is not there (the
/// application has rotated), and again when they are ten minutes old (so that a key that was withdrawn there stops
/// working here). Never more often than once a minute, whatever is sent to us, and whether or not the last try
/// succeeded. A fetch that fails changes nothing: the old keys stay.
package actor HostTokenVerifier {
    /// Gets the body of the key set's address. The caller's duty: the ``OutboundPolicy``, a deadline of a few seconds, a
    /// limit of ``HostKeySet/maximumLength`` bytes, no redirects to other hosts.
    package typealias Fetch = @Sendable () async throws -> [UInt8]

    /// The clocks: seconds since 1970 for the claims, a monotonic one for the intervals.
    package struct Clock: Sendable {
        package let seconds: @Sendable () -> Int64
        package let uptime: @Sendable () -> NIODeadline

        package init(
            seconds: @escaping @Sendable () -> Int64,
            uptime: @escaping @Sendable () -> NIODeadline = { NIODeadline.now() }
        ) {
            self.seconds = seconds
            self.uptime = uptime
        }
    }

    /// What became of a fetch, for the log.
    package enum Refresh: Sendable, Equatable {
        case updated(keys: Int)
        case failed(reason: String)
    }

    package static let minimumInterval: TimeAmount = .seconds(60)
    package static let maximumAge: TimeAmount = .minutes(10)

    private let rules: HostTokenRules
    private let clock: Clock
    private let fetch: Fetch?
    private let report: @Sendable (Refresh) -> Void
    private var keys: HostKeySet?
    private var fetchedAt: NIODeadline?
    private var triedAt: NIODeadline?
    private var running: Task<Void, Never>?

    /// Keys from a file: fixed until the configuration is loaded again.
    package init(rules: HostTokenRules, keys: HostKeySet, clock: Clock) {
        self.rules = rules
        self.clock = clock
        self.keys = keys
        fetch = nil
        report = { _ in }
    }

    /// Keys from an address.
    ///
    /// - Parameter report: told of each fetch.
    package init(
        rules: HostTokenRules, clock: Clock, report: @escaping @Sendable (Refresh) -> Void = { _ in },
        fetch: @escaping Fetch
    ) {
        self.rules = rules
        self.clock = clock
        self.fetch = fetch
        self.report = report
    }

    package func verify(_ token: String) async throws(HostTokenRefusal) -> HostClaims {
        guard token.utf8.count <= HostTokenRules.maximumLength else { throw .malformed }
        if isStale {
            await refresh()
        }
        do {
            return try check(token)
        } catch {
            guard error == .unknownKey, fetch != nil else { throw error }
            await refresh()
            return try check(token)
        }
    }

    private func check(_ token: String) throws(HostTokenRefusal) -> HostClaims {
        guard let keys else { throw .unknownKey }
        return try rules.check(token, keys: keys, now: clock.seconds())
    }

    private var isStale: Bool {
        guard fetch != nil else { return false }
        guard let fetchedAt else { return true }
        return clock.uptime() - fetchedAt >= Self.maximumAge
    }

    /// Fetches unless it is too early; those who come while a fetch runs wait for that one.
    private func refresh() async {
        if let running {
            return await running.value
        }
        guard let fetch else { return }
        if let triedAt, clock.uptime() - triedAt < Self.minimumInterval { return }
        triedAt = clock.uptime()
        // Unstructured on purpose: the fetch serves all who wait, so it must not end with the one who started it.
        let task = Task {
            do {
                let set = try HostKeySet(parsing: try await fetch(), from: .address)
                keys = set
                fetchedAt = clock.uptime()
                report(.updated(keys: set.keys.count))
            } catch {
                report(.failed(reason: "\(error)"))
            }
            running = nil
        }
        running = task
        await task.value
    }
}

import NIOCore

/// Believes or refuses the tokens of one host application, and keeps its published keys fresh.
///
/// *Lives on* its own executor: a login is control plane, not hot path.
///
/// Keys from an address are fetched when first needed, again when a token names a key that is not there (the
/// application has rotated), and again when they are ten minutes old (so that a key that was withdrawn there stops
/// working here). Never more often than once a minute, whatever is sent to us, and whether or not the last try
/// succeeded. A fetch that fails changes nothing: the old keys stay.
///
/// A login waits for a fetch only where it can't do without: with no keys, with a key that is unknown, and once after a
/// quiet time in which the keys have grown older than ``oldestUnasked``. Else it is decided by the keys at hand.
package actor HostTokenVerifier {
    /// Gets the body of the key set's address. The caller's duty: the ``OutboundPolicy``, an end when it is cancelled, a
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
    package static let oldestUnasked: TimeAmount = .minutes(20)
    /// For a fetch as a whole, however busy its server seems.
    package static let deadline = Duration.seconds(10)

    private struct Overdue: Error, CustomStringConvertible {
        var description: String { "the address took too long to answer" }
    }

    private let rules: HostTokenRules
    private let clock: Clock
    private let fetch: Fetch?
    private let report: @Sendable (Refresh) -> Void
    private let deadline: Duration
    private var keys: HostKeySet?
    private var fetchedAt: NIODeadline?
    private var triedAt: NIODeadline?
    private var hasFailed = false
    private var running: Task<Void, Never>?

    /// Keys from a file: fixed. Who reads the file again makes another one of these.
    package init(rules: HostTokenRules, keys: HostKeySet, clock: Clock) {
        self.rules = rules
        self.clock = clock
        self.keys = keys
        fetch = nil
        report = { _ in }
        deadline = Self.deadline
    }

    /// Keys from an address.
    ///
    /// - Parameters:
    ///   - deadline: injected by tests.
    ///   - report: told of each fetch.
    package init(
        rules: HostTokenRules, clock: Clock, deadline: Duration = HostTokenVerifier.deadline,
        report: @escaping @Sendable (Refresh) -> Void = { _ in }, fetch: @escaping Fetch
    ) {
        self.rules = rules
        self.clock = clock
        self.deadline = deadline
        self.fetch = fetch
        self.report = report
    }

    package func verify(_ token: String) async throws(HostTokenRefusal) -> HostClaims {
        guard token.utf8.count <= HostTokenRules.maximumLength else { throw .malformed }
        if age.map({ $0 >= Self.maximumAge }) ?? true {
            let fetching = refresh()
            if mustWait { await fetching?.value }
        }
        do {
            return try check(token)
        } catch {
            guard error == .unknownKey, let fetching = refresh() else { throw error }
            await fetching.value
            return try check(token)
        }
    }

    private func check(_ token: String) throws(HostTokenRefusal) -> HostClaims {
        guard let keys else { throw .unknownKey }
        return try rules.check(token, keys: keys, now: clock.seconds())
    }

    /// Of the keys that were fetched; nil where there are none.
    private var age: TimeAmount? { fetchedAt.map { clock.uptime() - $0 } }

    /// Keys that nobody has asked about for long may have been withdrawn long ago. But where the address is known to
    /// fail, nobody waits for it.
    private var mustWait: Bool {
        guard let age else { return true }
        return age >= Self.oldestUnasked && !hasFailed
    }

    /// Fetches unless it is too early. Returns the fetch that runs, an earlier one if there is one.
    private func refresh() -> Task<Void, Never>? {
        if let running { return running }
        guard let fetch else { return nil }
        if let triedAt, clock.uptime() - triedAt < Self.minimumInterval { return nil }
        triedAt = clock.uptime()
        // Unstructured on purpose: the fetch serves all who wait, so it must not end with the one who started it.
        let task = Task {
            do {
                let document = try await HostTokenVerifier.run(fetch, within: deadline)
                let set = try HostKeySet(parsing: document, from: .address)
                keys = set
                fetchedAt = clock.uptime()
                hasFailed = false
                report(.updated(keys: set.keys.count))
            } catch {
                hasFailed = true
                report(.failed(reason: "\(error)"))
            }
            running = nil
        }
        running = task
        return task
    }

    private static func run(_ fetch: @escaping Fetch, within deadline: Duration) async throws -> [UInt8] {
        try await withThrowingTaskGroup(of: [UInt8].self) { group in
            group.addTask { try await fetch() }
            group.addTask {
                try await Task.sleep(for: deadline)
                throw Overdue()
            }
            defer { group.cancelAll() }
            guard let document = try await group.next() else { throw Overdue() }
            return document
        }
    }
}

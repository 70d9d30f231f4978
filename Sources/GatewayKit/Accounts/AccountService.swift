import Hub
import Logging
import Synchronization

/// Who is who: accounts, devices, credentials and links, for every door.
///
/// *Lives on* no loop: all of it may be called from any task. Durable state is in the directory; what it keeps itself is
/// the configuration (behind a lock), and what ``AccountUpkeep`` holds. ``run()`` must be running for guests to end,
/// for accounts to be closed to the end, and for host sessions not to outlive their tokens.
package final class AccountService: Sendable {
    package let hub: Hub
    let passwords: PasswordPool
    /// Guesses at passwords.
    let attempts: SharedAttemptLimiter
    /// Accounts that are made and links that are tried, per address.
    let arrivals: SharedAttemptLimiter
    let upkeep = AccountUpkeep()
    let exchanges: ScramExchanges
    let logger: Logger
    private let decoySecret: SecretBytes
    private let state: Mutex<State>

    private struct State {
        var configuration: AccountConfiguration
        var decoys: DecoyVerifiers
    }

    /// Why a configuration can't be taken.
    package enum ConfigurationFault: Error, Hashable, Sendable {
        /// Outside ``PasswordVerifier/iterationRange``.
        case iterations(Int)
        case store(StoreError)
    }

    /// Opens the service; at the very first start it makes the secret of the decoys.
    ///
    /// - Parameter limiters: of guesses, and of arrivals; injected by tests for their clock.
    package static func open(
        hub: Hub, configuration: AccountConfiguration, passwords: PasswordPool,
        limiters: (attempts: SharedAttemptLimiter, arrivals: SharedAttemptLimiter) = (.init(), .init()), logger: Logger
    ) async throws(ConfigurationFault) -> AccountService {
        let secret: [UInt8]
        do throws(StoreError) {
            secret = try await hub.write { directory throws(StoreError) in
                if let known = try directory.secret("decoy-verifiers") { return known }
                let fresh = SecretBytes.random(count: 32).reveal()
                try directory.setSecret(fresh, named: "decoy-verifiers")
                return fresh
            }
        } catch {
            throw .store(error)
        }
        return try AccountService(
            hub: hub, configuration: configuration, passwords: passwords, limiters: limiters,
            decoySecret: SecretBytes(secret), logger: logger)
    }

    private init(
        hub: Hub, configuration: AccountConfiguration, passwords: PasswordPool,
        limiters: (attempts: SharedAttemptLimiter, arrivals: SharedAttemptLimiter), decoySecret: SecretBytes,
        logger: Logger
    ) throws(ConfigurationFault) {
        self.hub = hub
        self.passwords = passwords
        self.logger = logger
        self.decoySecret = decoySecret
        attempts = limiters.attempts
        arrivals = limiters.arrivals
        exchanges = ScramExchanges(clock: hub.clock)
        state = Mutex(try AccountService.state(configuration, decoySecret))
    }

    private static func state(
        _ configuration: AccountConfiguration, _ secret: SecretBytes
    ) throws(ConfigurationFault) -> State {
        guard let decoys = DecoyVerifiers(secret: secret, iterations: configuration.iterations) else {
            throw .iterations(configuration.iterations)
        }
        return State(configuration: configuration, decoys: decoys)
    }

    package var configuration: AccountConfiguration { state.withLock { $0.configuration } }
    var decoys: DecoyVerifiers { state.withLock { $0.decoys } }

    /// Takes a new configuration whole, or keeps the old one.
    package func setConfiguration(_ configuration: AccountConfiguration) throws(ConfigurationFault) {
        let fresh = try AccountService.state(configuration, decoySecret)
        state.withLock { $0 = fresh }
    }

    // MARK: Who carries a token

    /// The account and device of a bearer token: a device's (`sbd_`), a bot's (`sbb_`), or a signed token of a host
    /// application. Every reason of a refusal has the same answer.
    package func authenticate(bearer: String, remote: RemoteClient) async -> Result<Actor, Rejection> {
        do throws(Rejection) {
            if bearer.utf8.count == TokenSecret.textLength, let token = try? TokenSecret(parsing: bearer) {
                return .success(try await actor(of: token))
            }
            guard bearer.utf8.contains(UInt8(ascii: ".")) else { throw .notSignedIn }
            return .success(try await actor(ofHostToken: bearer))
        } catch {
            return .failure(error)
        }
    }

    private func actor(of token: TokenSecret) async throws(Rejection) -> Actor {
        guard token.kind == .device || token.kind == .bot else { throw .notSignedIn }
        let hash = token.hash.bytes
        let found = try await look { directory throws(StoreError) in try directory.device(tokenHash: hash) }
        guard let found, (found.account.kind == .bot) == (token.kind == .bot) else { throw .notSignedIn }
        if let refusal = found.account.refusal(at: hub.clock()) { throw refusal }
        await saw(found.device)
        return found.account.actor(found.device.id)
    }

    /// Remembers that a device was used, now and then.
    func saw(_ device: Device) async {
        let now = hub.clock()
        guard device.lastSeen.adding(milliseconds: AccountConfiguration.lastSeenStep) <= now else { return }
        await upkeep.saw(device.id, at: now)
    }

    // MARK: The directory

    /// Reads the directory on a reader thread.
    func look<T: Sendable>(
        _ body: @escaping @Sendable (any DirectoryAccess) throws(StoreError) -> T
    ) async throws(Rejection) -> T {
        let directory = hub.directory
        return try await hub.read { _ throws(Rejection) in
            do throws(StoreError) {
                return try body(directory)
            } catch {
                throw .unreadable
            }
        }
    }

    /// Writes the directory on the lane, in one transaction: all that `body` wrote is on disk when this returns, and
    /// nothing of it when this throws.
    func write<T: Sendable>(
        _ body: @escaping @Sendable (any DirectoryAccess) throws(StoreError) -> T
    ) async throws(Rejection) -> T {
        try await onLane { directory throws(StoreError) in try directory.transaction(body) }
    }

    /// The same for a body that can refuse: nothing is kept of one that does.
    func decide<T: Sendable>(
        _ body: @escaping @Sendable (any DirectoryAccess) throws(StoreError) -> Result<T, Rejection>
    ) async throws(Rejection) -> T {
        try await onLane { directory throws(StoreError) in try directory.decide(body) }.get()
    }

    private func onLane<T: Sendable>(
        _ body: @escaping @Sendable (any Directory) throws(StoreError) -> T
    ) async throws(Rejection) -> T {
        do throws(StoreError) {
            return try await hub.write(body)
        } catch {
            logger.error("the directory can't be written", metadata: ["reason": "\(error)"])
            throw Rejection(.unavailable, "the directory can't be written at the moment", retryAfter: 1_000)
        }
    }

    func account(_ id: AccountID) async throws(Rejection) -> Account {
        let found = try await look { directory throws(StoreError) in try directory.account(id) }
        guard let found else { throw Rejection(.notFound, "no such account") }
        return found
    }
}

extension Rejection {
    static let unreadable = Rejection(.unavailable, "the directory can't be read at the moment", retryAfter: 1_000)
}

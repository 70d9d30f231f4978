import Hub
import NIOPosix
import Synchronization

/// The threads on which passwords are hashed: two at once, and a short queue, so that logins can't take the machine.
///
/// *Lives on* its own threads. ``shutdown()`` must be called.
package final class PasswordPool: Sendable {
    /// Told of each derivation before it runs: for metrics, and for tests that count the work.
    package typealias Probe = @Sendable (ScramMechanism, _ iterations: Int) -> Void

    private let threads: NIOThreadPool
    private let queue: Int
    private let admitted = Atomic<Int>(0)
    private let probe: Probe

    /// - Parameters:
    ///   - threads: derivations at the same time.
    ///   - queue: those that may wait; one more is refused as `busy`.
    package init(threads: Int = 2, queue: Int = 100, probe: @escaping Probe = { _, _ in }) {
        self.threads = NIOThreadPool(numberOfThreads: threads)
        self.queue = threads + queue
        self.probe = probe
        self.threads.start()
    }

    package func shutdown() async throws { try await threads.shutdownGracefully() }

    /// Whether a password is a verifier's. The work depends on the verifier's iterations alone.
    func accepts(_ password: OpaqueString, _ verifier: PasswordVerifier) async throws(Rejection) -> Bool {
        try await run { [probe] in
            probe(verifier.mechanism, verifier.iterations)
            return verifier.accepts(password)
        }
    }

    /// What is stored for a new password, by the name that the directory keeps it under.
    func verifiers(
        for password: OpaqueString, _ mechanisms: Set<ScramMechanism>, iterations: Int
    ) async throws(Rejection) -> [String: String] {
        let made = try await run { [probe] in
            var made: [String: String] = [:]
            for mechanism in mechanisms.union([.sha256]) {
                probe(mechanism, iterations)
                let verifier = PasswordVerifier(password: password, mechanism: mechanism, iterations: iterations)
                made[mechanism.scheme] = verifier?.serialised()
            }
            return made
        }
        guard made[ScramMechanism.sha256.scheme] != nil else {
            throw Rejection(.fault, "the configured number of iterations is outside its limits")
        }
        return made
    }

    private func run<T: Sendable>(_ body: @escaping @Sendable () -> T) async throws(Rejection) -> T {
        guard admitted.add(1, ordering: .relaxed).newValue <= queue else {
            admitted.subtract(1, ordering: .relaxed)
            throw Rejection(.busy, "too many people sign in at this moment", retryAfter: 1_000)
        }
        defer { admitted.subtract(1, ordering: .relaxed) }
        let result: T? = await withCheckedContinuation { continuation in
            threads.submit { state in
                switch state {
                case .active: continuation.resume(returning: body())
                case .cancelled: continuation.resume(returning: nil)
                }
            }
        }
        guard let result else { throw Rejection(.unavailable, "the server is going down") }
        return result
    }
}

extension ScramMechanism {
    /// The name of a verifier in the directory: `scram-sha-256`.
    package var scheme: String { rawValue.lowercased() }
}

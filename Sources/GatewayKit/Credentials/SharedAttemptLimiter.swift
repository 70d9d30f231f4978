import NIOCore
import Synchronization

/// The one ``AttemptLimiter`` of a process, asked by all doors.
///
/// *Lives on* no executor: a lock, held for the length of three look-ups.
package final class SharedAttemptLimiter: Sendable {
    private let limiter: Mutex<AttemptLimiter>
    private let now: @Sendable () -> NIODeadline

    package init(
        limits: AttemptLimiter.Limits = AttemptLimiter.Limits(),
        now: @escaping @Sendable () -> NIODeadline = { NIODeadline.now() }
    ) {
        limiter = Mutex(AttemptLimiter(limits: limits))
        self.now = now
    }

    /// See ``AttemptLimiter/admit(account:address:now:)``.
    package func admit(account: String, address: NetworkAddress?) -> AttemptLimiter.Admission {
        limiter.withLock { $0.admit(account: account, address: address, now: now()) }
    }

    /// See ``AttemptLimiter/succeeded(account:address:now:)``.
    package func succeeded(account: String, address: NetworkAddress?) {
        limiter.withLock { $0.succeeded(account: account, address: address, now: now()) }
    }
}

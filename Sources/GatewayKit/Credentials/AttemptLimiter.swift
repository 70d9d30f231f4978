import NIOCore

/// Limits on guessing passwords: per account name and per network, summed over all doors.
///
/// An attempt takes one token from each of its buckets *before* the password is looked at, so a thousand parallel
/// attempts are no better than one after another; an attempt that succeeds gives them back. Names that do not exist
/// count like those that do. A refused attempt takes nothing, so trying goes on recovering.
///
/// Only logins by password come here. Device tokens, live sessions and resumption never ask: nobody can push an
/// account's owner out by guessing at the password, only delay the next login by password.
///
/// A value: no clock, no lock. ``SharedAttemptLimiter`` is what doors use.
package struct AttemptLimiter: Sendable {
    package struct Limits: Sendable {
        /// Attempts per ``period`` for one account, and for one IPv4 address or IPv6 /64.
        package var narrow = 10
        /// Attempts per ``period`` for the network around it: IPv4 /24, IPv6 /48. Wider, because it holds more people; not
        /// without bound, because one attacker may own it.
        package var wide = 40
        package var period: TimeAmount = .minutes(5)
        /// Buckets remembered; about 100 bytes each.
        package var capacity = 65_536

        package init() {}
    }

    package enum Admission: Sendable, Equatable {
        case allowed
        /// Come back after this long. The answer is the same for a name that does not exist.
        case limited(retryAfter: TimeAmount)
    }

    private enum Key: Sendable, Hashable {
        case account(String)
        /// Every name too long to be an account's, so that long names do not fill the memory.
        case overlongAccount
        case network(NetworkRange)
    }

    /// How many attempts a bucket lacks, and when that was counted. A full bucket need not be remembered.
    private struct Bucket: Sendable {
        var missing: Double
        var countedAt: NIODeadline
    }

    private let limits: Limits
    private var buckets: RecentlyUsed<Key, Bucket>

    package init(limits: Limits = Limits()) {
        self.limits = limits
        buckets = RecentlyUsed(capacity: limits.capacity)
    }

    /// Asks for leave to check one password.
    ///
    /// - Parameters:
    ///   - account: the name as folded for the look-up, existing or not.
    ///   - address: the client's own, behind proxies too; nil on a Unix socket.
    package mutating func admit(account: String, address: NetworkAddress?, now: NIODeadline) -> Admission {
        let keys = keys(account, address)
        var longest = TimeAmount.zero
        for (key, size) in keys {
            let excess = missing(key, now) + 1 - Double(size)
            // A rounding error of the refill must not turn an exact whole attempt away.
            if excess > 1e-6 {
                let wait = excess * Double(limits.period.nanoseconds) / Double(size)
                longest = max(longest, .nanoseconds(Int64(wait.rounded(.up))))
            }
        }
        guard longest == .zero else { return .limited(retryAfter: longest) }
        for (key, _) in keys {
            buckets[key] = Bucket(missing: missing(key, now) + 1, countedAt: now)
        }
        return .allowed
    }

    /// The admitted attempt was right: it is not counted. Earlier failures still are, or an attacker with one account
    /// could reset a network's count.
    package mutating func succeeded(account: String, address: NetworkAddress?, now: NIODeadline) {
        for (key, _) in keys(account, address) {
            buckets[key] = Bucket(missing: max(0, missing(key, now) - 1), countedAt: now)
        }
    }

    private func missing(_ key: Key, _ now: NIODeadline) -> Double {
        guard let bucket = buckets[key] else { return 0 }
        let size =
            switch key {
            case .account, .overlongAccount: limits.narrow
            case .network(let range): range.isWide ? limits.wide : limits.narrow
            }
        let elapsed = max(0, (now - bucket.countedAt).nanoseconds)
        return max(0, bucket.missing - Double(elapsed) * Double(size) / Double(limits.period.nanoseconds))
    }

    private func keys(_ account: String, _ address: NetworkAddress?) -> [(Key, size: Int)] {
        var keys: [(Key, size: Int)] = [
            (account.utf8.count <= 64 ? .account(account) : .overlongAccount, limits.narrow)
        ]
        if let address = address?.canonical {
            keys.append((.network(NetworkRange(address, bits: address.isIPv4 ? 32 : 64)), limits.narrow))
            keys.append((.network(NetworkRange(address, bits: address.isIPv4 ? 24 : 48)), limits.wide))
        }
        return keys
    }
}

extension NetworkRange {
    /// Whether a limiter's range is that of the network around an address, and not the address' own.
    fileprivate var isWide: Bool { bits == 24 || bits == 48 }
}

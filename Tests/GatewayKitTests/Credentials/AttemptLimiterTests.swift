import NIOCore
import Testing

@testable import GatewayKit

@Suite struct AttemptLimiterTests {
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

    private func address(_ text: String) throws -> NetworkAddress {
        try #require(NetworkAddress(parsing: text))
    }

    /// How many of `count` attempts are admitted.
    private func admitted(
        _ count: Int, _ limiter: inout AttemptLimiter, account: (Int) -> String,
        address: (Int) throws -> NetworkAddress?,
        now: NIODeadline
    ) rethrows -> Int {
        try (0..<count).filter {
            limiter.admit(account: account($0), address: try address($0), now: now) == .allowed
        }.count
    }

    @Test func tenFailuresPerAccount() throws {
        var limiter = AttemptLimiter()
        let count = try admitted(
            100, &limiter, account: { _ in "alice" }, address: { try address("198.51.\($0).1") }, now: start)
        #expect(count == 10)
        #expect(limiter.admit(account: "bob", address: try address("198.51.200.1"), now: start) == .allowed)
    }

    @Test func tenFailuresPerAddress() throws {
        var limiter = AttemptLimiter()
        let one = try address("198.51.100.7")
        #expect(admitted(100, &limiter, account: { "user\($0)" }, address: { _ in one }, now: start) == 10)
        #expect(limiter.admit(account: "x", address: try address("198.51.100.8"), now: start) == .allowed)
    }

    @Test func fortyFailuresPerNetwork() throws {
        var limiter = AttemptLimiter()
        let ipv4 = try admitted(
            200, &limiter, account: { "a\($0)" }, address: { try address("198.51.100.\($0)") }, now: start)
        #expect(ipv4 == 40)
        let ipv6 = try admitted(
            200, &limiter, account: { "b\($0)" }, address: { try address("2001:db8:1:\(String($0, radix: 16))::1") },
            now: start)
        #expect(ipv6 == 40)
    }

    @Test func anIPv6HostIsItsNetwork() throws {
        var limiter = AttemptLimiter()
        let count = try admitted(
            100, &limiter, account: { "a\($0)" }, address: { try address("2001:db8:1:2::\(String($0, radix: 16))") },
            now: start)
        #expect(count == 10)
    }

    @Test func formsOfOneAddressAreOne() throws {
        var limiter = AttemptLimiter()
        let forms = ["203.0.113.9", "::ffff:203.0.113.9", "2002:cb00:7109::1", "64:ff9b::cb00:7109", "::203.0.113.9"]
        let count = try admitted(
            100, &limiter, account: { "a\($0)" }, address: { try address(forms[$0 % forms.count]) }, now: start)
        #expect(count == 10)
    }

    @Test func unknownAccountsCountToo() {
        // The limiter knows no accounts: names are names. Overlong ones share one bucket.
        var limiter = AttemptLimiter()
        #expect(admitted(50, &limiter, account: { _ in "nobody" }, address: { _ in nil }, now: start) == 10)
        let long = String(repeating: "x", count: 65)
        #expect(admitted(50, &limiter, account: { long + "\($0)" }, address: { _ in nil }, now: start) == 10)
    }

    @Test func itTellsWhenToComeBack() throws {
        var limiter = AttemptLimiter()
        let one = try address("198.51.100.7")
        _ = admitted(10, &limiter, account: { _ in "alice" }, address: { _ in one }, now: start)
        #expect(limiter.admit(account: "alice", address: one, now: start) == .limited(retryAfter: .seconds(30)))
        let later = start + .seconds(29)
        #expect(limiter.admit(account: "alice", address: one, now: later) == .limited(retryAfter: .seconds(1)))
        #expect(limiter.admit(account: "alice", address: one, now: start + .seconds(30)) == .allowed)
        #expect(limiter.admit(account: "alice", address: one, now: start + .seconds(30)) != .allowed)
        // Refused attempts took nothing: after the whole period all is as at first.
        let count = admitted(
            100, &limiter, account: { _ in "alice" }, address: { _ in one }, now: start + .seconds(30) + .minutes(5))
        #expect(count == 10)
    }

    @Test func successIsNotCountedButFailuresStay() throws {
        var limiter = AttemptLimiter()
        let one = try address("198.51.100.7")
        for _ in 0..<1_000 {
            #expect(limiter.admit(account: "alice", address: one, now: start) == .allowed)
            limiter.succeeded(account: "alice", address: one, now: start)
        }
        for _ in 0..<9 {
            #expect(limiter.admit(account: "victim", address: one, now: start) == .allowed)
        }
        #expect(limiter.admit(account: "alice", address: one, now: start) == .allowed)
        limiter.succeeded(account: "alice", address: one, now: start)
        #expect(limiter.admit(account: "victim", address: one, now: start) == .allowed)
        #expect(limiter.admit(account: "victim", address: one, now: start) != .allowed)
    }

    @Test func parallelAttemptsAreNoWayAround() {
        // All are admitted or refused before any has failed.
        var limiter = AttemptLimiter()
        #expect(admitted(1_000, &limiter, account: { _ in "alice" }, address: { _ in nil }, now: start) == 10)
    }

    @Test func aClockThatGoesBackGivesNothing() {
        var limiter = AttemptLimiter()
        _ = admitted(10, &limiter, account: { _ in "alice" }, address: { _ in nil }, now: start)
        #expect(limiter.admit(account: "alice", address: nil, now: start - .hours(1)) != .allowed)
    }

    @Test func memoryIsBounded() {
        var table = RecentlyUsed<Int, Int>(capacity: 1_000)
        for key in 0..<100_000 {
            table[key] = key
            #expect(table.count <= 1_000)
        }
        #expect(table[99_999] == 99_999)
        #expect(table[0] == nil)
        for key in 0..<10_000 {
            table[-1] = -1
            table[key] = key
        }
        #expect(table[-1] == -1, "what is used stays")
        table[-1] = nil
        #expect(table[-1] == nil)
    }

    @Test func oneLimiterForAllDoors() async {
        let start = start
        let limiter = SharedAttemptLimiter(now: { start })
        let admitted = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<200 {
                group.addTask { limiter.admit(account: "alice", address: nil) == .allowed }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(admitted == 10)
        limiter.succeeded(account: "alice", address: nil)
        #expect(limiter.admit(account: "alice", address: nil) == .allowed)
        #expect(limiter.admit(account: "alice", address: nil) != .allowed)
    }
}

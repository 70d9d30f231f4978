import NIOCore
import Testing

@testable import GatewayKit

struct AddressLimiterTests {
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

    @Test func boundsOpenConnectionsPerSubscriber() throws {
        let limiter = AddressLimiter(maxOpen: 2, perMinute: 1000)
        let (one, neighbour) = (
            try #require(NetworkAddress(plain: "2001:db8::1")), try #require(NetworkAddress(plain: "2001:db8::ffff"))
        )
        let other = try #require(NetworkAddress(plain: "2001:db8:0:1::1"))
        #expect(limiter.admit(one, now: start) == nil)
        #expect(limiter.admit(neighbour, now: start) == nil)
        #expect(limiter.admit(one, now: start) == .addressConnections)
        #expect(limiter.admit(other, now: start) == nil)
        limiter.release(neighbour)
        #expect(limiter.admit(one, now: start) == nil)
    }

    @Test func boundsNewConnectionsPerMinute() throws {
        let limiter = AddressLimiter(maxOpen: 1000, perMinute: 60)
        let address = try #require(NetworkAddress(plain: "192.0.2.1"))
        for _ in 0..<60 { #expect(limiter.admit(address, now: start) == nil) }
        #expect(limiter.admit(address, now: start) == .addressRate)
        #expect(limiter.admit(address, isNew: false, now: start) == nil)
        // One more per second.
        #expect(limiter.admit(address, now: start + .milliseconds(1100)) == nil)
        #expect(limiter.admit(address, now: start + .milliseconds(1200)) == .addressRate)
        #expect(limiter.admit(address, now: start + .seconds(3)) == nil)
    }

    @Test func forgetsWhoIsGone() throws {
        let limiter = AddressLimiter(maxOpen: 4, perMinute: 10)
        for number in 0..<1000 {
            let address = NetworkAddress(ipv4: UInt32(number))
            #expect(limiter.admit(address, now: start) == nil)
            if number > 0 { limiter.release(address) }
        }
        #expect(limiter.count == 1000)
        #expect(limiter.admit(NetworkAddress(ipv4: 5000), now: start + .seconds(61)) == nil)
        // The one that stayed, and the new one.
        #expect(limiter.count == 2)
    }
}

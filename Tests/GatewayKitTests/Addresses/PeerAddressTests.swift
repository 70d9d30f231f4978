import Testing

@testable import GatewayKit

/// Addresses of peers and proxies, which programs and operators write.
@Suite struct PeerAddressTests {
    @Test(arguments: [
        ("192.0.2.1", "192.0.2.1"), ("::1", "::1"), ("2001:DB8::1", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"), ("::ffff:c000:201", "192.0.2.1"),
        ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"),
    ])
    func plainAddresses(_ text: String, _ canonical: String) {
        #expect(NetworkAddress(plain: text)?.description == canonical)
    }

    @Test(arguments: [
        "", "1", "1.2.3", "01.2.3.4", "1.2.3.4 ", "1.2.3.4.", "0x7f.0.0.1", "127.1", "2130706433", "::1%lo", "[::1]",
    ])
    func otherSpellingsAreRefused(_ text: String) {
        #expect(NetworkAddress(plain: text) == nil)
    }

    @Test func mappedFormsAreTheSameAddress() throws {
        #expect(NetworkAddress(plain: "127.0.0.1") == NetworkAddress(plain: "::ffff:127.0.0.1"))
        #expect(try #require(NetworkAddress(parsing: "::ffff:127.0.0.1")).isLoopback)
    }

    /// A tunnel's far end is not this machine, whatever address is inside.
    @Test(arguments: ["::127.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1", "128.0.0.1", "::2", "::"])
    func onlyLoopbackIsLoopback(_ text: String) throws {
        #expect(try !#require(NetworkAddress(plain: text)).isLoopback)
    }

    @Test func aSubscriberIsAnAddressOrASlash64() {
        #expect(NetworkAddress(plain: "2001:db8:1:2:3:4:5:6")?.subscriber.description == "2001:db8:1:2::/64")
        #expect(NetworkAddress(plain: "192.0.2.7")?.subscriber.description == "192.0.2.7/32")
    }

    @Test(arguments: [
        ("10.0.0.0/8", "10.255.1.2", true), ("10.0.0.0/8", "11.0.0.0", false), ("10.0.0.0/8", "::ffff:10.1.1.1", true),
        ("0.0.0.0/0", "8.8.8.8", true), ("0.0.0.0/0", "2001:db8::", false), ("::/0", "8.8.8.8", false),
        ("::ffff:10.0.0.1", "10.0.0.1", true), ("2001:db8::/33", "2001:db8:8000::1", false),
    ])
    func rangesOfProxies(_ range: String, _ address: String, _ expected: Bool) throws {
        let range = try #require(NetworkRange(parsing: range))
        #expect(range.contains(try #require(NetworkAddress(plain: address))) == expected)
    }
}

import NIOCore
import Testing

@testable import GatewayKit

@Suite struct OutboundPolicyTests {
    private let policy = OutboundPolicy()

    private func refusal(_ text: String, _ policy: OutboundPolicy? = nil, port: Int = 443) throws -> OutboundRefusal? {
        let address = try #require(NetworkAddress(parsing: text), "\(text)")
        return (policy ?? self.policy).refusal(of: address, port: port)
    }

    /// Each block of the registries: its first, second, middle and last address, and its two neighbours where public.
    static let forbidden = [
        "0.0.0.0", "0.0.0.1", "0.255.255.255", "10.0.0.0", "10.0.0.1", "10.255.255.255", "100.64.0.0",
        "100.100.100.200",
        "100.127.255.255", "127.0.0.0", "127.0.0.1", "127.1.2.3", "127.255.255.255", "168.63.129.16", "169.254.0.0",
        "169.254.169.254",
        "169.254.255.255", "172.16.0.0", "172.31.255.255", "192.0.0.0", "192.0.0.8", "192.0.0.9", "192.0.0.10",
        "192.0.0.170",
        "192.0.0.192", "192.0.0.255", "192.0.2.0", "192.0.2.255", "192.31.196.1", "192.52.193.1", "192.88.99.1",
        "192.168.0.0",
        "192.168.255.255", "192.175.48.6", "198.18.0.0", "198.19.255.255", "198.51.100.1", "203.0.113.255", "224.0.0.0",
        "224.0.0.251",
        "239.255.255.250", "239.255.255.255", "240.0.0.0", "255.255.255.254", "255.255.255.255",
        // IPv6
        "::", "::1", "::2", "100::", "100::1", "100:0:0:1::1", "2001::", "2001::1", "2001:1::1", "2001:2::1",
        "2001:3::1",
        "2001:4:112::1", "2001:10::1", "2001:20::1", "2001:30::1", "2001:1ff:ffff::1", "2001:db8::", "2001:db8:ffff::1",
        "2002::1",
        "2620:4f:8000::1", "3fff::1", "3fff:fff:ffff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fdff::1", "fe80::1",
        "febf::1",
        "fec0::1", "feff::1", "ff00::1", "ff02::1", "ff02::fb", "ff05::2", "ffff::1", "1::1", "4000::1", "8000::1",
        "::1:0:0:0",
        // Inside of others
        "::ffff:0.0.0.0", "::ffff:10.0.0.1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:192.168.1.1",
        "::ffff:7f00:1",
        "::10.0.0.1", "::127.0.0.1", "::169.254.169.254", "::ffff:0:127.0.0.1", "::ffff:0:8.8.8.8", "::fffe:127.0.0.1",
        "64:ff9b::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b::169.254.169.254", "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::127.0.0.1",
        "64:ff9b:1::8.8.8.8", "64:ff9b:1:ffff::10.0.0.1", "64:ff9b::1:8.8.8.8", "2002:7f00:1::", "2002:a9fe:a9fe::1",
        "2002:c0a8:101::1",
        "2002:808:808::1", "2001:0:808:808::f7f7:f7f7", "2001:0:1:2:3:4:80ff:fffe", "2001::5601:5601",
        // Spellings
        "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "0xA9FEA9FE", "2852039166", "0", "0x7f000001", "017700000001",
        "192.168.257",
    ]

    @Test(arguments: forbidden)
    func forbiddenAddresses(text: String) throws {
        guard case .specialPurpose(let address, _) = try refusal(text) else {
            Issue.record("\(text) is allowed")
            return
        }
        #expect(try refusal(address.description) != nil)
    }

    /// The public neighbours of each block, and well-known hosts.
    static let allowed = [
        "1.0.0.0", "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0", "168.63.129.15", "168.63.129.17", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0",
        "191.255.255.255", "192.0.1.0", "192.0.3.0", "192.31.195.255", "192.31.197.0", "192.52.192.255", "192.52.194.0",
        "192.88.98.255", "192.88.100.0", "192.167.255.255", "192.169.0.0", "192.175.47.255", "192.175.49.0",
        "198.17.255.255",
        "198.20.0.0", "198.51.99.255", "198.51.101.0", "203.0.112.255", "203.0.114.0", "223.255.255.255",
        "2000::1", "2001:200::1", "2001:4860:4860::8888", "2001:db7:ffff::1", "2001:db9::1", "2003::1",
        "2606:4700:4700::1111",
        "2620:4f:7fff::1", "2620:4f:8001::1", "2a00::1", "3ffe:ffff::1", "3fff:1000::1", "::ffff:8.8.8.8", "::8.8.8.8",
        "64:ff9b::8.8.8.8",
        "0x08080808", "134744072", "010.8.8.8",
    ]

    @Test(arguments: allowed)
    func publicAddresses(text: String) throws {
        #expect(try refusal(text) == nil)
    }

    @Test func thereAreEnoughCases() {
        #expect(Set(Self.forbidden).count == Self.forbidden.count)
        #expect(Set(Self.forbidden).count + Set(Self.allowed).count >= 170)
    }

    @Test func everyBlockIsTried() throws {
        let cases = try Self.forbidden.map { try #require(NetworkAddress(parsing: $0)) }
        for range in SpecialPurpose.ipv4 + SpecialPurpose.ipv6 {
            #expect(cases.contains(where: range.contains), "\(range)")
            #expect(range == NetworkRange(range.base, bits: range.bits), "no bits beyond the length")
        }
        let texts = (SpecialPurpose.ipv4 + SpecialPurpose.ipv6).map(\.description)
        #expect(
            texts == [
                "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16",
                "172.16.0.0/12",
                "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24",
                "192.168.0.0/16",
                "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
                "::/128", "::1/128", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64", "2001::/23", "2001:db8::/32",
                "2002::/16",
                "2620:4f:8000::/48", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
            ])
    }

    /// Whatever 32 bits are inside, no wrapping makes a forbidden address allowed.
    @Test func wrappingNeverHelps() {
        var generator = SeededGenerator(seed: 6052)
        for round in 0..<4_000 {
            var inner = UInt32(truncatingIfNeeded: generator.next())
            if round.isMultiple(of: 2), let range = SpecialPurpose.ipv4.randomElement(using: &generator) {
                inner = UInt32(truncatingIfNeeded: range.base.value) | inner >> UInt32(range.bits) % 32
            }
            let plain = policy.refusal(of: NetworkAddress(ipv4: inner), port: 443)
            let low = UInt128(inner)
            let wrappings: [UInt128] = [
                0xFFFF << 32 | low, low, 0x0064_FF9B << 96 | low, 0x0064_FF9B_0001 << 80 | low,
                0x2002 << 112 | low << 80,
                0x2001_0000 << 96 | UInt128(~inner),
            ]
            for wrapping in wrappings where plain != nil {
                #expect(policy.refusal(of: NetworkAddress(ipv6: wrapping), port: 443) != nil)
            }
        }
    }

    // MARK: Configuration

    @Test func allowedRanges() throws {
        let policy = OutboundPolicy(allowedRanges: [
            try #require(NetworkRange(parsing: "10.1.0.0/16")), try #require(NetworkRange(parsing: "fd00::/8")),
        ])
        for text in ["10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::10.1.2.3", "fd00::1"] {
            #expect(try refusal(text, policy) == nil, "\(text)")
        }
        for text in ["10.2.0.1", "::ffff:10.2.0.1", "2002:0a01:0203::1", "64:ff9b:1::10.1.2.3", "fc00::1", "127.0.0.1"]
        {
            #expect(try refusal(text, policy) != nil, "\(text)")
        }
    }

    @Test func anAllowedTunnelStillLeadsNowhereForbidden() throws {
        let policy = OutboundPolicy(allowedRanges: [
            try #require(NetworkRange(parsing: "2002::/16")), try #require(NetworkRange(parsing: "64:ff9b:1::/48")),
        ])
        #expect(try refusal("2002:808:808::1", policy) == nil)
        #expect(try refusal("2002:7f00:1::1", policy) != nil)
        #expect(try refusal("64:ff9b:1::8.8.8.8", policy) == nil)
        #expect(try refusal("64:ff9b:1::10.0.0.1", policy) != nil)
    }

    @Test func ownListenersAreRefusedEvenWhenAllowed() throws {
        let own = try #require(NetworkAddress(parsing: "127.0.0.1"))
        let wide = try #require(NetworkAddress(parsing: "203.0.114.5"))
        let policy = OutboundPolicy(
            allowedRanges: [try #require(NetworkRange(parsing: "127.0.0.0/8"))], extraPorts: [8080, 9000],
            ownEndpoints: [.init(address: own, port: 8080), .init(address: wide, port: 443)])
        #expect(try refusal("127.0.0.1", policy, port: 8080) == .ownAddress(own))
        #expect(try refusal("::ffff:127.0.0.1", policy, port: 8080) == .ownAddress(own))
        #expect(try refusal("127.0.0.1", policy, port: 9000) == nil)
        #expect(try refusal("203.0.114.5", policy, port: 443) == .ownAddress(wide))
        #expect(try refusal("203.0.114.5", policy, port: 80) == nil)
    }

    @Test func ports() throws {
        for port in [0, 1, 22, 25, 79, 81, 444, 5432, 6379, 8080, 65_535] {
            #expect(try refusal("8.8.8.8", port: port) == .port(port))
        }
        #expect(try refusal("8.8.8.8", port: 80) == nil)
        #expect(try refusal("8.8.8.8", OutboundPolicy(extraPorts: [8443]), port: 8443) == nil)
    }

    // MARK: Dialling

    private func sockets(_ texts: String..., port: Int = 443) throws -> [SocketAddress] {
        try texts.map { try SocketAddress(ipAddress: $0, port: port) }
    }

    @Test func theFirstPublicAddressIsDialled() throws {
        let resolved = try sockets("10.0.0.1", "::1", "8.8.8.8", "1.1.1.1")
        #expect(policy.dialable(resolved) == .success(resolved[2]))
        let ipv6 = try sockets("2606:4700:4700::1111")
        #expect(policy.dialable(ipv6) == .success(ipv6[0]))
    }

    @Test func rebindingFindsOnlyForbiddenAddresses() throws {
        guard
            case .failure(.specialPurpose(let address, let range)) = policy.dialable(
                try sockets("::ffff:10.0.0.1", "127.0.0.1"))
        else {
            Issue.record("dialled")
            return
        }
        #expect(address.description == "10.0.0.1")
        #expect(range.description == "10.0.0.0/8")
    }

    @Test func nothingToDial() throws {
        #expect(policy.dialable([]) == .failure(.noAddress))
        #expect(policy.dialable([try SocketAddress(unixDomainSocketPath: "/run/x")]) == .failure(.noAddress))
        #expect(policy.dialable(try sockets("8.8.8.8", port: 22)) == .failure(.port(22)))
    }
}

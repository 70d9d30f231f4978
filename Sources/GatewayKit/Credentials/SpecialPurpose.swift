/// The blocks that are not the public internet: the IANA special-purpose registries for IPv4 and IPv6 (RFC 6890 and
/// successors, all of them, also those marked globally reachable, since no host that people talk to is there),
/// multicast, everything in IPv6 that is not global unicast, and one address of a cloud provider.
package enum SpecialPurpose {
    /// The block that holds the address; nil for a public one.
    ///
    /// IPv4-mapped, IPv4-compatible and well-known NAT64 addresses are nil here, and judged by the address inside.
    package static func range(containing address: NetworkAddress) -> NetworkRange? {
        if address.isIPv4 { return ipv4.first { $0.contains(address) } }
        if address.canonical != address, transparent.contains(where: { $0.contains(address) }) { return nil }
        if let listed = ipv6.first(where: { $0.contains(address) }) { return listed }
        return globalUnicast.contains(address) ? nil : NetworkRange(address, bits: 3)
    }

    /// `2000::/3`
    private static let globalUnicast = NetworkRange(v6: 0x2000 << 48, 3)

    private static let transparent = [
        NetworkRange(NetworkAddress(ipv6: 0xFFFF << 32), bits: 96),
        NetworkRange(NetworkAddress(ipv6: 0), bits: 96),
        NetworkRange(v6: 0x0064_FF9B << 32, 96),
    ]

    package static let ipv4: [NetworkRange] = [
        NetworkRange(0x0000_0000, 8),  // this network, RFC 791
        NetworkRange(0x0A00_0000, 8),  // private, RFC 1918
        NetworkRange(0x6440_0000, 10),  // shared (carrier NAT), RFC 6598
        NetworkRange(0x7F00_0000, 8),  // loopback, RFC 1122
        NetworkRange(0xA83F_8110, 32),  // 168.63.129.16: Azure's host agent, reachable from guests only
        NetworkRange(0xA9FE_0000, 16),  // link-local, RFC 3927; cloud metadata
        NetworkRange(0xAC10_0000, 12),  // private
        NetworkRange(0xC000_0000, 24),  // protocol assignments, RFC 6890
        NetworkRange(0xC000_0200, 24),  // documentation, RFC 5737
        NetworkRange(0xC01F_C400, 24),  // AS112, RFC 7535
        NetworkRange(0xC034_C100, 24),  // AMT, RFC 7450
        NetworkRange(0xC058_6300, 24),  // 6to4 relay, RFC 7526
        NetworkRange(0xC0A8_0000, 16),  // private
        NetworkRange(0xC0AF_3000, 24),  // AS112, RFC 7534
        NetworkRange(0xC612_0000, 15),  // benchmarks, RFC 2544
        NetworkRange(0xC633_6400, 24),  // documentation
        NetworkRange(0xCB00_7100, 24),  // documentation
        NetworkRange(0xE000_0000, 4),  // multicast, RFC 5771
        NetworkRange(0xF000_0000, 4),  // reserved, RFC 1112; broadcast
    ]

    package static let ipv6: [NetworkRange] = [
        NetworkRange(NetworkAddress(ipv6: 0), bits: 128),  // unspecified, RFC 4291
        NetworkRange(NetworkAddress(ipv6: 1), bits: 128),  // loopback
        NetworkRange(v6: 0x0064_FF9B_0001_0000, 48),  // local NAT64, RFC 8215
        NetworkRange(v6: 0x0100_0000_0000_0000, 64),  // discard, RFC 6666
        NetworkRange(v6: 0x0100_0000_0000_0001, 64),  // dummy prefix, RFC 9780
        NetworkRange(v6: 0x2001_0000_0000_0000, 23),  // protocol assignments, RFC 2928: Teredo, ORCHID, DRIP and more
        NetworkRange(v6: 0x2001_0DB8_0000_0000, 32),  // documentation, RFC 3849
        NetworkRange(v6: 0x2002_0000_0000_0000, 16),  // 6to4, RFC 3056
        NetworkRange(v6: 0x2620_004F_8000_0000, 48),  // AS112, RFC 7534
        NetworkRange(v6: 0x3FFF_0000_0000_0000, 20),  // documentation, RFC 9637
        NetworkRange(v6: 0x5F00_0000_0000_0000, 16),  // segment routing, RFC 9602
        NetworkRange(v6: 0xFC00_0000_0000_0000, 7),  // unique local, RFC 4193
        NetworkRange(v6: 0xFE80_0000_0000_0000, 10),  // link-local, RFC 4291
        NetworkRange(v6: 0xFEC0_0000_0000_0000, 10),  // site-local, RFC 3879
        NetworkRange(v6: 0xFF00_0000_0000_0000, 8),  // multicast
    ]
}

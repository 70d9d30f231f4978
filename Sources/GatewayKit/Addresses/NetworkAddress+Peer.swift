/// What the doors ask of the address of whoever is at the other end.
extension NetworkAddress {
    /// Reads an address that a program or an operator wrote: four decimal parts, or RFC 4291 section 2.2 without
    /// brackets, and no zone. An IPv4-mapped address is read as the IPv4 address, so that no rule about one can be walked
    /// around by the other.
    package init?(plain text: some StringProtocol) {
        let text = String(text)
        guard let address = NetworkAddress(parsing: text), !text.hasPrefix("["),
            !address.isIPv4 || address.description == text
        else { return nil }
        self = address.unmapped
    }

    /// The IPv4 address of an IPv4-mapped one (RFC 4291 section 2.5.5.2), itself otherwise. Unlike ``canonical`` it knows
    /// nothing of tunnels: a peer at the other end of one is not what is inside.
    package var unmapped: NetworkAddress {
        !isIPv4 && value >> 32 == 0xFFFF ? NetworkAddress(ipv4: UInt32(truncatingIfNeeded: value)) : self
    }

    /// 127.0.0.0/8 and ::1.
    package var isLoopback: Bool {
        let plain = unmapped
        return plain.isIPv4 ? plain.value >> 24 == 127 : plain.value == 1
    }

    /// What one subscriber is likely to own: an IPv4 address, or the /64 of an IPv6 address.
    package var subscriber: NetworkRange { NetworkRange(self, bits: isIPv4 ? 32 : 64) }
}

/// A block of addresses, as in `10.0.0.0/8` or `2001:db8::/32`; a bare address is a block of one. RFC 4632, RFC 4291.
package struct AddressRange: Hashable, Sendable, CustomStringConvertible {
    /// The first address; all bits after `prefix` are zero.
    package let base: IPAddress
    /// Leading bits that count, 0…128, in the IPv6 form (an IPv4 `/8` is 104).
    package let prefix: Int

    /// - Returns: `nil` when the text is no block, or has bits set after the prefix, which is mostly a mistake.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let address = IPAddress(first) else { return nil }
        // An IPv4 block written with colons counts its bits in the IPv6 form.
        let isV4 = !first.contains(":")
        var length = isV4 ? 32 : 128
        if parts.count == 2 {
            guard let number = Int(parts[1]), String(number) == parts[1], (0...length).contains(number) else {
                return nil
            }
            length = number
        }
        self.init(address, prefix: isV4 ? length + 96 : length)
        guard base == address else { return nil }
    }

    private init(_ address: IPAddress, prefix: Int) {
        self.prefix = prefix
        base = Self.masked(address, prefix)
    }

    package func contains(_ address: IPAddress) -> Bool {
        Self.masked(address, prefix) == base
    }

    package var description: String {
        base.v4 != nil && prefix >= 96 ? "\(base)/\(prefix - 96)" : "\(base)/\(prefix)"
    }

    private static func masked(_ address: IPAddress, _ prefix: Int) -> IPAddress {
        // A shift by 64 or more gives zero.
        IPAddress(
            high: address.high & ~(UInt64.max >> UInt64(min(prefix, 64))),
            low: address.low & ~(UInt64.max >> UInt64(min(max(prefix - 64, 0), 64))))
    }
}

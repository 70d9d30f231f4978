/// A block of addresses: CIDR.
package struct NetworkRange: Sendable, Hashable {
    /// The lowest address.
    package let base: NetworkAddress
    package let bits: Int

    /// The block of that many leading bits around an address. Bits beyond the address' width mean the address alone.
    package init(_ address: NetworkAddress, bits: Int) {
        let kept = min(max(bits, 0), address.bitWidth)
        let free = UInt128(address.bitWidth - kept)
        let masked = free == 128 ? 0 : (address.value >> free) << free
        base = address.isIPv4 ? NetworkAddress(ipv4: UInt32(truncatingIfNeeded: masked)) : NetworkAddress(ipv6: masked)
        self.bits = kept
    }

    /// Reads `address/bits`, or an address alone. Strict, unlike addresses in URLs, because an operator writes it: four
    /// decimal parts, no bits set beyond the length.
    package init?(parsing text: String) {
        let halves = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard let first = halves.first, halves.count <= 2 else { return nil }
        guard let address = NetworkAddress(plain: Substring(first)) else { return nil }
        var bits = address.bitWidth
        if halves.count == 2 {
            guard let last = halves.last, (1...3).contains(last.count),
                last.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
                last.count == 1 || last.first != UInt8(ascii: "0"),
                let number = Int(String(Substring(last))), number <= address.bitWidth
            else { return nil }
            bits = number
        }
        self.init(address, bits: bits)
        guard base == address else { return nil }
    }

    /// For tables in source, which a test reads in full.
    init(_ ipv4: UInt32, _ bits: Int) {
        self.init(NetworkAddress(ipv4: ipv4), bits: bits)
    }

    /// For tables in source: the first 64 bits of an IPv6 block.
    init(v6 high: UInt64, _ bits: Int) {
        self.init(NetworkAddress(ipv6: UInt128(high) << 64), bits: bits)
    }

    /// Same family, same leading bits. An IPv4 address within an IPv6 one is not in an IPv4 range: make it canonical first.
    package func contains(_ address: NetworkAddress) -> Bool {
        address.isIPv4 == base.isIPv4 && NetworkRange(address, bits: bits).base == base
    }
}

extension NetworkRange: CustomStringConvertible {
    package var description: String { "\(base)/\(bits)" }
}

/// An internet address as a number, and the one reader for all spellings of it.
///
/// Everything that the server sends to an address that somebody else chose (webhooks, key sets, previews, push,
/// federation, TURN peers, SIP contacts), and every limit per address, goes through this type, because lists of
/// forbidden text have failed again and again where an address has many forms.
package struct NetworkAddress: Sendable, Hashable {
    /// IPv6 in full; IPv4 in the lowest 32 bits with ``isIPv4`` set.
    package let value: UInt128
    package let isIPv4: Bool

    package init(ipv4 value: UInt32) {
        self.value = UInt128(value)
        isIPv4 = true
    }

    package init(ipv6 value: UInt128) {
        self.value = value
        isIPv4 = false
    }

    /// From network byte order: 4 or 16 bytes, nil otherwise.
    package init?(bytes: some Collection<UInt8>) {
        let value = bytes.prefix(16).reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
        switch bytes.count {
        case 4: self.init(ipv4: UInt32(truncatingIfNeeded: value))
        case 16: self.init(ipv6: value)
        default: return nil
        }
    }

    /// Network byte order.
    package var bytes: [UInt8] {
        let width = isIPv4 ? 32 : 128
        return stride(from: width - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: value >> UInt128($0)) }
    }

    var bitWidth: Int { isIPv4 ? 32 : 128 }
}

// MARK: Addresses within addresses

extension NetworkAddress {
    /// The address that packets reach in the end: an IPv4 address where one of the transition mechanisms has one inside,
    /// itself otherwise.
    ///
    /// IPv4-mapped `::ffff:0:0/96`, IPv4-compatible `::/96`, NAT64 `64:ff9b::/96` and its local-use sibling
    /// `64:ff9b:1::/48` (address in the last 32 bits), 6to4 `2002::/16`, and Teredo `2001::/32` (the client's address,
    /// inverted). `::` and `::1` stay what they are.
    package var canonical: NetworkAddress {
        embedded.map { NetworkAddress(ipv4: $0) } ?? self
    }

    private var embedded: UInt32? {
        guard !isIPv4 else { return nil }
        let last = UInt32(truncatingIfNeeded: value)
        if value >> 32 == 0xFFFF { return last }
        if value >> 32 == 0 { return value > 1 ? last : nil }
        if value >> 32 == 0x0064_FF9B_0000_0000_0000_0000 { return last }
        if value >> 80 == 0x0064_FF9B_0001 { return last }
        if value >> 112 == 0x2002 { return UInt32(truncatingIfNeeded: value >> 80) }
        if value >> 96 == 0x2001_0000 { return ~last }
        return nil
    }
}

// MARK: Text

extension NetworkAddress {
    /// Reads every form in which a URL, a resolver or a configuration may write an address.
    ///
    /// IPv4: up to four parts, each decimal, octal (`0177`) or hexadecimal (`0x7f`), the last one filling what is left
    /// (`127.1`, `2130706433`), with one full stop behind it; as `inet_aton` and the WHATWG URL standard read it.
    /// IPv6: RFC 4291 section 2.2, with or without brackets, groups with leading zeros, an IPv4 tail in plain decimal.
    /// Zones (`%eth0`) are refused: they name an interface of ours.
    ///
    /// Nil for anything else. A name that merely *looks* like a number (``looksNumeric(_:)``) must then be refused, not
    /// looked up.
    package init?(parsing text: String) {
        let letters = Array(text.utf8.prefix(130))
        guard (1...128).contains(letters.count) else { return nil }
        var content = letters[...]
        if letters.first == UInt8(ascii: "[") {
            guard letters.last == UInt8(ascii: "]"), letters.count > 2 else { return nil }
            content = letters.dropFirst().dropLast()
            guard content.contains(UInt8(ascii: ":")) else { return nil }
        }
        if content.contains(UInt8(ascii: ":")) {
            guard let value = Self.ipv6(content) else { return nil }
            self.init(ipv6: value)
        } else {
            guard let value = Self.ipv4(content) else { return nil }
            self.init(ipv4: value)
        }
    }

    /// Whether a host is meant as a number by at least one reader in the world: its last part, before a final full
    /// stop, is all digits or `0x` and hexadecimal digits (WHATWG URL, "ends in a number").
    package static func looksNumeric(_ host: some Collection<UInt8>) -> Bool {
        var parts = host.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        if parts.count > 1, parts.last?.isEmpty == true { parts = parts.dropLast() }
        guard let last = parts.last, !last.isEmpty else { return false }
        if last.allSatisfy({ digit($0, radix: 10) != nil }) { return true }
        return isHexadecimal(last) && last.dropFirst(2).allSatisfy { digit($0, radix: 16) != nil }
    }

    private static func ipv4(_ text: ArraySlice<UInt8>) -> UInt32? {
        var parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        if parts.count > 1, parts.last?.isEmpty == true { parts = parts.dropLast() }
        guard (1...4).contains(parts.count), let last = parts.popLast() else { return nil }
        var value: UInt64 = 0
        for part in parts {
            guard let number = number(part), number <= 0xFF else { return nil }
            value = value << 8 | number
        }
        let remaining = UInt64(32 - 8 * parts.count)
        guard let tail = number(last), tail < 1 << remaining else { return nil }
        return UInt32(truncatingIfNeeded: value << remaining | tail)
    }

    /// One part of an IPv4 address, up to 2^32 - 1.
    private static func number(_ text: ArraySlice<UInt8>) -> UInt64? {
        var digits = text
        var radix: UInt64 = 10
        if isHexadecimal(text) {
            digits = text.dropFirst(2)
            radix = 16
            // `0x` alone is zero to browsers.
            if digits.isEmpty { return 0 }
        } else if text.count > 1, text.first == UInt8(ascii: "0") {
            digits = text.dropFirst()
            radix = 8
        }
        guard !digits.isEmpty else { return nil }
        var value: UInt64 = 0
        for letter in digits {
            guard let digit = digit(letter, radix: radix) else { return nil }
            value = value * radix + digit
            guard value <= UInt64(UInt32.max) else { return nil }
        }
        return value
    }

    private static func ipv6(_ text: ArraySlice<UInt8>) -> UInt128? {
        var groups: [UInt16] = []
        var gap: Int?
        var rest = text
        if rest.starts(with: "::".utf8) {
            gap = 0
            rest = rest.dropFirst(2)
        }
        while !rest.isEmpty {
            guard groups.count < 8 else { return nil }
            let end = rest.firstIndex(of: UInt8(ascii: ":")) ?? rest.endIndex
            let part = rest[..<end]
            if part.contains(UInt8(ascii: ".")) {
                guard end == rest.endIndex, groups.count <= 6, let tail = dottedDecimal(part) else { return nil }
                groups += [UInt16(truncatingIfNeeded: tail >> 16), UInt16(truncatingIfNeeded: tail)]
                rest = []
                break
            }
            guard let group = group(part) else { return nil }
            groups.append(group)
            rest = rest[end...]
            guard !rest.isEmpty else { break }
            if rest.starts(with: "::".utf8) {
                guard gap == nil else { return nil }
                gap = groups.count
                rest = rest.dropFirst(2)
            } else {
                rest = rest.dropFirst()
                // A single colon leads to another group.
                guard !rest.isEmpty else { return nil }
            }
        }
        if let gap {
            // `::` stands for at least one group (RFC 5952 section 4.2.2 for writers; RFC 4291 for readers).
            guard groups.count < 8 else { return nil }
            groups.insert(contentsOf: Array(repeating: 0, count: 8 - groups.count), at: gap)
        }
        guard groups.count == 8 else { return nil }
        return groups.reduce(UInt128(0)) { $0 << 16 | UInt128($1) }
    }

    private static func group(_ text: ArraySlice<UInt8>) -> UInt16? {
        guard (1...4).contains(text.count) else { return nil }
        var value: UInt64 = 0
        for letter in text {
            guard let digit = digit(letter, radix: 16) else { return nil }
            value = value << 4 | digit
        }
        return UInt16(truncatingIfNeeded: value)
    }

    /// The strict form within IPv6: four decimal parts without leading zeros.
    private static func dottedDecimal(_ text: ArraySlice<UInt8>) -> UInt32? {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var value: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.count), part.count == 1 || part.first != UInt8(ascii: "0"),
                part.allSatisfy({ digit($0, radix: 10) != nil }), let number = number(part), number <= 0xFF
            else { return nil }
            value = value << 8 | UInt32(number)
        }
        return value
    }

    private static func isHexadecimal(_ text: some Collection<UInt8>) -> Bool {
        text.starts(with: "0x".utf8) || text.starts(with: "0X".utf8)
    }

    private static func digit(_ letter: UInt8, radix: UInt64) -> UInt64? {
        let value: UInt64
        switch letter {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): value = UInt64(letter - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): value = UInt64(letter - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): value = UInt64(letter - UInt8(ascii: "A") + 10)
        default: return nil
        }
        return value < radix ? value : nil
    }
}

extension NetworkAddress: CustomStringConvertible {
    /// Dotted decimal, or the form of RFC 5952 (IPv4-mapped addresses with a dotted tail).
    package var description: String {
        if isIPv4 { return Self.dotted(UInt32(truncatingIfNeeded: value)) }
        if value >> 32 == 0xFFFF { return "::ffff:\(Self.dotted(UInt32(truncatingIfNeeded: value)))" }
        let groups = stride(from: 112, through: 0, by: -16).map { UInt16(truncatingIfNeeded: value >> UInt128($0)) }
        guard let zeros = Self.longestZeros(groups) else { return Self.joined(groups[...]) }
        return "\(Self.joined(groups[..<zeros.lowerBound]))::\(Self.joined(groups[zeros.upperBound...]))"
    }

    private static func dotted(_ value: UInt32) -> String {
        "\(value >> 24).\(value >> 16 & 0xFF).\(value >> 8 & 0xFF).\(value & 0xFF)"
    }

    private static func joined(_ groups: ArraySlice<UInt16>) -> String {
        groups.map { String($0, radix: 16) }.joined(separator: ":")
    }

    /// The first longest run of at least two zero groups.
    private static func longestZeros(_ groups: [UInt16]) -> Range<Int>? {
        var best: Range<Int>?
        var start: Int?
        for (index, group) in (groups + [1]).enumerated() {
            if group == 0 {
                start = start ?? index
            } else if let from = start {
                if index - from >= 2, index - from > best?.count ?? 0 { best = from..<index }
                start = nil
            }
        }
        return best
    }
}

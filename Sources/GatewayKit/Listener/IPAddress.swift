/// An IPv4 or IPv6 address in one form: an IPv4 address equals its IPv4-mapped IPv6 form (RFC 4291 section 2.5.5.2), so
/// that no rule about one can be walked around by the other.
package struct IPAddress: Hashable, Sendable {
    /// The address in network order, as two halves.
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    package init(v4: UInt32) {
        self.init(high: 0, low: 0xFFFF_0000_0000 | UInt64(v4))
    }

    /// The IPv4 address, if it is one.
    package var v4: UInt32? {
        high == 0 && low >> 32 == 0xFFFF ? UInt32(truncatingIfNeeded: low) : nil
    }

    /// 127.0.0.0/8 and ::1.
    package var isLoopback: Bool {
        if let v4 { return v4 >> 24 == 127 }
        return high == 0 && low == 1
    }

    /// What one subscriber is likely to own: an IPv4 address, or the /64 of an IPv6 address.
    package var subscriber: IPAddress {
        v4 == nil ? IPAddress(high: high, low: 0) : self
    }
}

// MARK: Text

extension IPAddress {
    /// Reads `192.0.2.1` or any form of RFC 4291 section 2.2, without zone, brackets, port or leading zeros in IPv4.
    package init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        if bytes.contains(UInt8(ascii: ":")) {
            self.init(v6Text: bytes[...])
        } else if let v4 = Self.v4(bytes[...]) {
            self.init(v4: v4)
        } else {
            return nil
        }
    }

    private static func v4(_ text: ArraySlice<UInt8>) -> UInt32? {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var value: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.count), part.count == 1 || part.first != UInt8(ascii: "0") else { return nil }
            var number: UInt32 = 0
            for digit in part {
                guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
                number = number * 10 + UInt32(digit - UInt8(ascii: "0"))
            }
            guard number <= 255 else { return nil }
            value = value << 8 | number
        }
        return value
    }

    private init?(v6Text text: ArraySlice<UInt8>) {
        guard text.count <= 45 else { return nil }
        let colon = UInt8(ascii: ":")
        let pieces = text.split(separator: colon, omittingEmptySubsequences: false)
        // An empty piece at either end is only legal as half of a leading or trailing "::".
        guard (3...9).contains(pieces.count) else { return nil }
        var groups: [UInt16] = []
        var gap: Int?
        for (place, piece) in pieces.enumerated() {
            if piece.isEmpty {
                let isFirst = place == 0
                let isLast = place == pieces.count - 1
                if isFirst, pieces.dropFirst().first?.isEmpty == true { continue }
                if isLast, pieces.dropLast().last?.isEmpty == true { continue }
                guard gap == nil, !isFirst, !isLast else { return nil }
                gap = groups.count
            } else if piece.contains(UInt8(ascii: ".")) {
                guard place == pieces.count - 1, let v4 = Self.v4(piece) else { return nil }
                groups.append(UInt16(truncatingIfNeeded: v4 >> 16))
                groups.append(UInt16(truncatingIfNeeded: v4))
            } else {
                guard piece.count <= 4, let group = Self.hexadecimal(piece) else { return nil }
                groups.append(group)
            }
        }
        if let gap {
            guard groups.count < 8 else { return nil }
            groups.insert(contentsOf: repeatElement(0, count: 8 - groups.count), at: gap)
        }
        guard groups.count == 8 else { return nil }
        high = groups.prefix(4).reduce(0) { $0 << 16 | UInt64($1) }
        low = groups.suffix(4).reduce(0) { $0 << 16 | UInt64($1) }
    }

    private static func hexadecimal(_ text: ArraySlice<UInt8>) -> UInt16? {
        var value: UInt16 = 0
        for digit in text {
            let nibble: UInt8
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): nibble = digit - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): nibble = digit - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): nibble = digit - UInt8(ascii: "A") + 10
            default: return nil
            }
            value = value << 4 | UInt16(nibble)
        }
        return value
    }
}

extension IPAddress: CustomStringConvertible {
    /// IPv4 with dots; IPv6 as RFC 5952 section 4 has it.
    package var description: String {
        if let v4 {
            return [24, 16, 8, 0].map { String(v4 >> UInt32($0) & 0xFF) }.joined(separator: ".")
        }
        let groups = [high, low].flatMap { half in [48, 32, 16, 0].map { UInt16(truncatingIfNeeded: half >> $0) } }
        var longest = 0..<0
        var start = 0
        for place in 0...8 {
            if place < 8, groups[place] == 0 { continue }
            if place - start > max(longest.count, 1) { longest = start..<place }
            start = place + 1
        }
        let text = { (part: ArraySlice<UInt16>) in part.map { String($0, radix: 16) }.joined(separator: ":") }
        guard !longest.isEmpty else { return text(groups[...]) }
        return text(groups[..<longest.lowerBound]) + "::" + text(groups[longest.upperBound...])
    }
}

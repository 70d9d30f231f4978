/// 128 bits, time-ordered, opaque: the same event has the same id in every protocol.
///
/// The first 48 bits are milliseconds since 1970, the rest is random with a carry, so ids made by one lane ascend.
/// Text form: 26 characters of Crockford's base 32 in lower case, legal in every protocol's identifiers.
package struct EventID: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    package static func < (a: Self, b: Self) -> Bool { a.high == b.high ? a.low < b.low : a.high < b.high }

    private static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)

    /// Reads the text form, in either case. Total: any other text is nil.
    package init?(_ text: some StringProtocol) {
        let characters = text.utf8
        guard characters.count == 26 else { return nil }
        var value: UInt128 = 0
        for (index, character) in characters.enumerated() {
            guard let digit = EventID.digit(character), index > 0 || digit < 8 else { return nil }
            value = value << 5 | UInt128(digit)
        }
        self.init(high: UInt64(truncatingIfNeeded: value >> 64), low: UInt64(truncatingIfNeeded: value))
    }

    private static func digit(_ character: UInt8) -> UInt8? {
        let folded = (0x41...0x5A).contains(character) ? character | 0x20 : character
        return alphabet.firstIndex(of: folded).map { UInt8(truncatingIfNeeded: $0) }
    }

    /// Writes the 26 characters without a String in between.
    package func withText<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
        withUnsafeTemporaryAllocation(byteCount: 26, alignment: 1) { out in
            var value = UInt128(high) << 64 | UInt128(low)
            for index in stride(from: 25, through: 0, by: -1) {
                out[index] = EventID.alphabet[Int(truncatingIfNeeded: value & 31)]
                value >>= 5
            }
            return body(UnsafeRawBufferPointer(out))
        }
    }

    package var description: String { withText { String(decoding: $0, as: UTF8.self) } }
}

/// Makes event ids that ascend even when the clock stands still or steps back.
///
/// *Lives on* its lane.
package struct EventIDGenerator: Sendable {
    private var last = EventID(high: 0, low: 0)
    private let random: @Sendable () -> UInt64

    package init(random: @escaping @Sendable () -> UInt64) { self.random = random }

    package mutating func next(at time: Timestamp) -> EventID {
        let milliseconds = UInt64(clamping: time.rawValue) & 0xFFFF_FFFF_FFFF
        var id = EventID(high: milliseconds << 16 | random() & 0xFFFF, low: random())
        if id <= last {
            let (low, carry) = last.low.addingReportingOverflow(1 + random() & 0xFFFF)
            id = EventID(high: carry ? last.high &+ 1 : last.high, low: low)
        }
        last = id
        return id
    }
}

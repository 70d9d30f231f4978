/// A number as the wire writes it in one way only.
enum PositiveDecimal {
    /// The value of one to nine digits without sign or leading zero (`posit-number` of RFC 5802 section 7; a port); nil
    /// for anything else.
    static func parse(_ digits: some Collection<UInt8>) -> Int? {
        guard (1...9).contains(digits.count), digits.first != UInt8(ascii: "0") else { return nil }
        var value = 0
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            value = value * 10 + Int(digit - UInt8(ascii: "0"))
        }
        return value
    }
}

/// A JSON number that has a fraction or an exponent, taken apart to see whether it is an integer after all.
struct JSONDecimal {
    /// The significant digits, without the zeros at their end.
    private(set) var mantissa: UInt64 = 0
    /// The power of ten by which to multiply `mantissa`.
    private(set) var exponent = 0

    /// Takes apart a number whose grammar has been checked; nil when 64 bits can't hold its significant digits.
    init?(_ text: JSONBytes) {
        var zeros = 0
        var isFraction = false
        for index in 0..<text.count {
            let byte = text.byte(at: index)
            switch byte {
            case UInt8(ascii: "-"):
                continue
            case UInt8(ascii: "."):
                isFraction = true
            case UInt8(ascii: "e"), UInt8(ascii: "E"):
                exponent += Self.exponent(text.slice(index + 1..<text.count)) + zeros
                return
            case UInt8(ascii: "0"):
                zeros += 1
                if isFraction { exponent -= 1 }
            default:
                guard scale(by: zeros + 1), add(byte) else { return nil }
                zeros = 0
                if isFraction { exponent -= 1 }
            }
        }
        exponent += zeros
    }

    /// The number, when it is an integer of at most 64 bits without its sign.
    var integer: Result<UInt64, JSONDecimal.Obstacle> {
        guard mantissa != 0 else { return .success(0) }
        guard exponent >= 0 else { return .failure(.fraction) }
        var scaled = self
        return scaled.scale(by: exponent) ? .success(scaled.mantissa) : .failure(.range)
    }

    enum Obstacle: Error {
        case fraction, range
    }

    private mutating func scale(by power: Int) -> Bool {
        guard mantissa != 0 else { return true }
        guard power < 20 else { return false }
        for _ in 0..<power {
            let (product, overflow) = mantissa.multipliedReportingOverflow(by: 10)
            guard !overflow else { return false }
            mantissa = product
        }
        return true
    }

    private mutating func add(_ byte: UInt8) -> Bool {
        let (sum, overflow) = mantissa.addingReportingOverflow(UInt64(byte - UInt8(ascii: "0")))
        mantissa = sum
        return !overflow
    }

    /// The value of what follows the `e`; so large that no number of digits can make up for it, it stops growing.
    private static func exponent(_ text: JSONBytes) -> Int {
        var value = 0
        var isNegative = false
        for index in 0..<text.count {
            switch text.byte(at: index) {
            case UInt8(ascii: "-"): isNegative = true
            case UInt8(ascii: "+"): continue
            case let digit: value = value > 1 << 48 ? value : value * 10 + Int(digit - UInt8(ascii: "0"))
            }
        }
        return isNegative ? -value : value
    }
}

/// Numbers (RFC 8259, section 6).
extension JSONReader {
    /// A number whose grammar has been checked.
    struct Number {
        let range: Range<Int>
        /// Whether it has neither a fraction nor an exponent.
        let isInteger: Bool
    }

    /// Reads a number that is exactly an integer of 64 bits; `1.0` and `1e3` are.
    package mutating func int64() throws(JSONError) -> Int64 {
        try int64(try number())
    }

    /// Reads a number that is exactly an unsigned integer of 64 bits; `1.0`, `1e3` and `-0` are.
    package mutating func uint64() throws(JSONError) -> UInt64 {
        let number = try number()
        let (isNegative, magnitude) = try magnitude(number)
        guard !isNegative || magnitude == 0 else { throw fail(.numberOutOfRange, at: number.range.lowerBound) }
        return magnitude
    }

    /// Reads a number that is exactly an integer and fits `Int`.
    package mutating func int() throws(JSONError) -> Int {
        guard let value = Int(exactly: try int64()) else { throw fail(.numberOutOfRange, at: valueOffset) }
        return value
    }

    /// Reads a number as the nearest `Double`; one too large for any is an error, one too small is zero.
    package mutating func double() throws(JSONError) -> Double {
        try double(try number())
    }

    /// Reads a number and checks its grammar.
    mutating func number() throws(JSONError) -> Number {
        let first = try beginValue()
        guard first == UInt8(ascii: "-") || isDigit(first) else { throw mismatch(.number) }
        let start = position
        if first == UInt8(ascii: "-") { position += 1 }
        if byte(at: position) == UInt8(ascii: "0") {
            position += 1
            guard !isDigit(byte(at: position)) else { throw fail(.invalidNumber, at: start) }
        } else {
            try digits(start)
        }
        var isInteger = true
        if byte(at: position) == UInt8(ascii: ".") {
            isInteger = false
            position += 1
            try digits(start)
        }
        if byte(at: position) | 0x20 == UInt8(ascii: "e") {
            isInteger = false
            position += 1
            let sign = byte(at: position)
            if sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { position += 1 }
            try digits(start)
        }
        guard position - start <= limits.numberBytes else { throw fail(.numberTooLong, at: start) }
        return Number(range: start..<position, isInteger: isInteger)
    }

    mutating func int64(_ number: Number) throws(JSONError) -> Int64 {
        let (isNegative, magnitude) = try magnitude(number)
        if isNegative, magnitude == Int64.min.magnitude { return .min }
        guard let value = Int64(exactly: magnitude) else {
            throw fail(.numberOutOfRange, at: number.range.lowerBound)
        }
        return isNegative ? -value : value
    }

    mutating func double(_ number: Number) throws(JSONError) -> Double {
        let value = Double(bytes.slice(number.range).text)
        guard let value, value.isFinite else { throw fail(.numberOutOfRange, at: number.range.lowerBound) }
        return value
    }

    /// Reads a number as what `JSONValue` makes of it.
    mutating func numberValue() throws(JSONError) -> JSONValue {
        let number = try number()
        if number.isInteger, let value = Int64(bytes.slice(number.range).text) {
            return .int(value)
        }
        return .double(try double(number))
    }

    /// Passes one digit or more.
    private mutating func digits(_ start: Int) throws(JSONError) {
        guard isDigit(byte(at: position)) else {
            throw position < bytes.count ? fail(.invalidNumber, at: start) : unexpected()
        }
        while isDigit(byte(at: position)) { position += 1 }
    }

    private func isDigit(_ byte: UInt8) -> Bool {
        byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
    }

    /// The sign and the absolute value of a number that is exactly an integer.
    private mutating func magnitude(_ number: Number) throws(JSONError) -> (isNegative: Bool, magnitude: UInt64) {
        let start = number.range.lowerBound
        let isNegative = byte(at: start) == UInt8(ascii: "-")
        guard number.isInteger else {
            switch JSONDecimal(bytes.slice(number.range))?.integer {
            case .success(let magnitude): return (isNegative, magnitude)
            case .failure(.fraction): throw fail(.notAnInteger, at: start)
            case .failure(.range), nil: throw fail(.numberOutOfRange, at: start)
            }
        }
        var magnitude: UInt64 = 0
        for index in (isNegative ? start + 1 : start)..<number.range.upperBound {
            let (shifted, overflow) = magnitude.multipliedReportingOverflow(by: 10)
            let (sum, carry) = shifted.addingReportingOverflow(UInt64(byte(at: index) - UInt8(ascii: "0")))
            guard !overflow, !carry else { throw fail(.numberOutOfRange, at: start) }
            magnitude = sum
        }
        return (isNegative, magnitude)
    }
}

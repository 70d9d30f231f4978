import Testing
import WireJSON

@Suite struct JSONNumberTests {
    private func code<Value>(
        _ text: String,
        _ read: (inout JSONReader) throws(JSONError) -> Value
    ) -> JSONError.Code? {
        do throws(JSONError) {
            _ = try JSONReader.read(text, read)
            return nil
        } catch {
            return error.code
        }
    }

    private func int64(_ text: String) throws(JSONError) -> Int64 {
        try JSONReader.read(text) { reader throws(JSONError) in try reader.int64() }
    }

    private func uint64(_ text: String) throws(JSONError) -> UInt64 {
        try JSONReader.read(text) { reader throws(JSONError) in try reader.uint64() }
    }

    @Test(
        arguments: [
            ("0", 0), ("-0", 0), ("-1", -1), ("9223372036854775807", .max), ("-9223372036854775808", .min), ("1.0", 1),
            ("-1.000", -1),
            ("1e3", 1_000), ("1E+3", 1_000), ("1000e-3", 1), ("1.5e1", 15), ("12.50e1", 125), ("0.001e3", 1),
            ("0e999999999999999999999", 0),
            ("0.000e-99", 0), ("9223372036854775807.0", .max), ("-922337203685477580.8e1", .min), ("100e-2", 1),
            ("10.0e0", 10),
            ("0.00000000000000000000001e23", 1), ("1000000000000000000000e-21", 1),
        ] as [(String, Int64)])
    func exactIntegers(text: String, expected: Int64) throws {
        #expect(try int64(text) == expected)
        #expect(try JSONReader.read(text) { reader throws(JSONError) in try reader.int() } == Int(expected))
        if expected >= 0 { #expect(try uint64(text) == UInt64(expected)) }
    }

    @Test(
        arguments: [
            ("9223372036854775808", .numberOutOfRange), ("-9223372036854775809", .numberOutOfRange),
            ("99999999999999999999", .numberOutOfRange), ("1e19", .numberOutOfRange),
            ("1e99999999999999999999999", .numberOutOfRange),
            ("0.5", .notAnInteger), ("1.5", .notAnInteger), ("1e-1", .notAnInteger), ("15e-1", .notAnInteger),
            ("1e-99999999999999999999999", .notAnInteger), ("1.00000000000000000001", .numberOutOfRange),
            ("922337203685477580.75", .numberOutOfRange), ("92233720368547758.5", .notAnInteger),
            ("123456789012345678901234567890.5", .numberOutOfRange),
        ] as [(String, JSONError.Code)])
    func notAnInt64(text: String, expected: JSONError.Code) {
        #expect(code(text) { reader throws(JSONError) in try reader.int64() } == expected)
        #expect(code(text) { reader throws(JSONError) in try reader.skip() } == nil)
    }

    @Test func unsigned() throws {
        #expect(try uint64("18446744073709551615") == .max)
        #expect(try uint64("1844674407370955161.5e1") == .max)
        for text in ["18446744073709551616", "-1", "-1.0", "-1e3", "1e20"] {
            #expect(code(text) { reader throws(JSONError) in try reader.uint64() } == .numberOutOfRange)
        }
    }

    @Test(arguments: [
        ("0.1", 0.1), ("1e308", 1e308), ("-0", -0.0),
        ("123456789012345678901234567890", 123456789012345678901234567890.0),
        ("5e-324", .leastNonzeroMagnitude), ("1e-400", 0),
        ("2.2250738585072011e-308", Double.leastNormalMagnitude.nextDown),
        ("0.1000000000000000055511151231257827021181583404541015625", 0.1),
    ])
    func doubles(text: String, expected: Double) throws {
        let value = try JSONReader.read(text) { reader throws(JSONError) in try reader.double() }
        #expect(value.bitPattern == expected.bitPattern)
    }

    @Test func doublesBeyondAllAreAnError() {
        for text in ["1e309", "-1e400", "1" + String(repeating: "0", count: 120) + "e200"] {
            #expect(code(text) { reader throws(JSONError) in try reader.double() } == .numberOutOfRange)
        }
    }

    /// A number written in a random of its many forms is read as the integer that it is.
    @Test func formsOfOneIntegerAreEqual() throws {
        var random = SeededRandom(11)
        for _ in 0..<3_000 {
            let magnitude = random.next() >> UInt64.random(in: 1..<64, using: &random)
            let negative = random.chance(50)
            let digits = String(magnitude)
            let shift = Int.random(in: 0...digits.count, using: &random)
            let zeros = String(repeating: "0", count: Int.random(in: 0...5, using: &random))
            let whole = digits.dropLast(shift)
            let fraction = digits.suffix(shift) + zeros
            var text = (negative ? "-" : "") + (whole.isEmpty ? "0" : whole)
            if !fraction.isEmpty { text += "." + fraction }
            text += ["e", "E", "e+", "E+0"].randomElement(using: &random) ?? "e"
            text += String(shift)
            #expect(try int64(text) == (negative ? -1 : 1) * Int64(magnitude), "\(text)")
        }
    }
}

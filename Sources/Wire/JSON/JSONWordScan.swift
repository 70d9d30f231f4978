/// Looks at eight bytes of a string at a time.
///
/// Each function sets the top bit of every byte that its name describes. Subtraction may borrow into the bytes
/// above a hit, so only the lowest hit is exact: take `trailingZeroBitCount / 8`.
enum JSONWordScan {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let spaces: UInt64 = 0x2020_2020_2020_2020
    private static let quotes: UInt64 = 0x2222_2222_2222_2222
    private static let backslashes: UInt64 = 0x5C5C_5C5C_5C5C_5C5C
    private static let tops: UInt64 = 0x8080_8080_8080_8080
    private static let leads: UInt64 = 0xE2E2_E2E2_E2E2_E2E2

    /// Bytes that the reader can't copy as they are without a closer look: `"`, `\`, controls, and non-ASCII.
    @inline(__always)
    static func needsLook(_ word: UInt64) -> UInt64 {
        (word | special(word)) & tops
    }

    /// Bytes that the writer can't copy as they are without a closer look: `"`, `\`, controls, and 0xE2, with which
    /// U+2028 and U+2029 begin.
    @inline(__always)
    static func mayNeedEscape(_ word: UInt64) -> UInt64 {
        (special(word) | zeros(word ^ leads)) & tops
    }

    @inline(__always)
    private static func special(_ word: UInt64) -> UInt64 {
        let controls = (word &- spaces) & ~word  // trap-ok: eight bytes of text, not a length
        return controls | zeros(word ^ quotes) | zeros(word ^ backslashes)
    }

    @inline(__always)
    private static func zeros(_ word: UInt64) -> UInt64 {
        (word &- ones) & ~word  // trap-ok: eight bytes of text, not a length
    }
}

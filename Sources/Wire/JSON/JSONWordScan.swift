/// Looks at eight bytes of a string at a time.
///
/// Each function sets the top bit of every byte that its name describes. Subtraction may borrow into the bytes
/// above a hit, so only the lowest hit is exact: take `trailingZeroBitCount / 8`.
enum JSONWordScan {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let tops: UInt64 = 0x8080_8080_8080_8080

    /// Bytes that the reader can't copy as they are without a closer look: `"`, `\`, controls, and non-ASCII.
    @inline(__always)
    static func needsLook(_ word: UInt64) -> UInt64 {
        (word | special(word)) & tops
    }

    /// Bytes that the writer can't copy as they are without a closer look: `"`, `\`, controls, and 0xE2, with which
    /// U+2028 and U+2029 begin.
    @inline(__always)
    static func mayNeedEscape(_ word: UInt64) -> UInt64 {
        (special(word) | equal(word, 0xE2)) & tops
    }

    @inline(__always)
    private static func special(_ word: UInt64) -> UInt64 {
        let controls = (word &- ones &* 0x20) & ~word
        return controls | equal(word, UInt8(ascii: "\"")) | equal(word, UInt8(ascii: "\\"))
    }

    @inline(__always)
    private static func equal(_ word: UInt64, _ byte: UInt8) -> UInt64 {
        let difference = word ^ (ones &* UInt64(byte))
        return (difference &- ones) & ~difference
    }
}

extension JSONWriter {
    /// Where the first byte from `index` on is that may need an escape; the end when there is none.
    static func plainEnd(of utf8: JSONBytes, from index: Int) -> Int {
        var index = index
        while let word = utf8.word(at: index) {
            let stops = JSONWordScan.mayNeedEscape(word)
            guard stops == 0 else { return index + stops.trailingZeroBitCount / 8 }
            index += 8
        }
        while index < utf8.count {
            switch utf8.byte(at: index) {
            case 0x00...0x1F, UInt8(ascii: "\""), UInt8(ascii: "\\"), 0xE2: return index
            default: index += 1
            }
        }
        return index
    }

    /// The escape for what begins at `index`, and how many bytes it stands for; nil when it needs none.
    static func escape(at index: Int, in utf8: JSONBytes) -> (text: StaticString, length: Int)? {
        let byte = utf8.byte(at: index)
        switch byte {
        case UInt8(ascii: "\""): return ("\\\"", 1)
        case UInt8(ascii: "\\"): return ("\\\\", 1)
        case 0x00...0x1F: return (controls[Int(byte)], 1)  // trap-ok: one entry for each of the 32
        case 0xE2 where utf8.byte(at: index + 1) == 0x80:
            switch utf8.byte(at: index + 2) {
            case 0xA8: return ("\\u2028", 3)
            case 0xA9: return ("\\u2029", 3)
            default: return nil
            }
        default: return nil
        }
    }

    private static let controls: [StaticString] = [
        "\\u0000", "\\u0001", "\\u0002", "\\u0003", "\\u0004", "\\u0005", "\\u0006", "\\u0007",
        "\\b", "\\t", "\\n", "\\u000b", "\\f", "\\r", "\\u000e", "\\u000f",
        "\\u0010", "\\u0011", "\\u0012", "\\u0013", "\\u0014", "\\u0015", "\\u0016", "\\u0017",
        "\\u0018", "\\u0019", "\\u001a", "\\u001b", "\\u001c", "\\u001d", "\\u001e", "\\u001f",
    ]
}

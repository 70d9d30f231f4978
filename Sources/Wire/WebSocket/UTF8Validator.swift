/// Checks UTF-8 that arrives in pieces, failing at the first byte that no valid text could hold.
///
/// The Unicode Standard, table 3-7: only the byte after the lead byte has bounds of its own (which shut out overlong
/// forms, surrogates and what lies beyond U+10FFFF); all later ones are 80–BF.
struct UTF8Validator {
    private var missing: UInt8 = 0
    private var lower: UInt8 = 0x80
    private var upper: UInt8 = 0xBF

    /// Whether the text may end here: no character is half said.
    var isAtBoundary: Bool { missing == 0 }

    /// Takes the next piece; false means that the text can never become valid.
    // trap-ok-function: every subscript is below `bytes.count`
    mutating func accept(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var offset = 0
        while offset < bytes.count {
            if missing == 0 {
                offset = Self.endOfASCII(in: bytes, from: offset)
                guard offset < bytes.count else { return true }
                guard start(bytes[offset]) else { return false }
            } else {
                let byte = bytes[offset]
                guard byte >= lower, byte <= upper else { return false }
                (lower, upper) = (0x80, 0xBF)
                missing -= 1
            }
            offset += 1
        }
        return true
    }

    private mutating func start(_ lead: UInt8) -> Bool {
        switch lead {
        case 0xC2...0xDF: missing = 1
        case 0xE0: (missing, lower) = (2, 0xA0)
        case 0xE1...0xEC, 0xEE...0xEF: missing = 2
        case 0xED: (missing, upper) = (2, 0x9F)
        case 0xF0: (missing, lower) = (3, 0x90)
        case 0xF1...0xF3: missing = 3
        case 0xF4: (missing, upper) = (3, 0x8F)
        default: return false
        }
        return true
    }

    // trap-ok-function: words are read only where eight bytes are left, a byte only below `bytes.count`
    private static func endOfASCII(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var offset = start
        while bytes.count - offset >= 8 {
            let word = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            guard word & 0x8080_8080_8080_8080 == 0 else { break }
            offset += 8
        }
        while offset < bytes.count, bytes[offset] < 0x80 { offset += 1 }
        return offset
    }
}

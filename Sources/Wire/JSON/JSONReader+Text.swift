import NIOCore

/// Strings and keys (RFC 8259, section 7).
extension JSONReader {
    /// Where the text of a string is, once its quotes and escapes are gone.
    enum Text {
        /// In the document itself: there was no escape.
        case document(Range<Int>)
        /// In `unescaped`, until the next string is read.
        case unescaped
    }

    /// Reads a string.
    package mutating func string() throws(JSONError) -> String {
        let text = try text()
        return withBytes(of: text) { bytes in bytes.text }
    }

    /// Reads the key of a member.
    mutating func key() throws(JSONError) -> JSONKeyStack.Key {
        guard byte(at: position) == UInt8(ascii: "\"") else { throw unexpected() }
        let text = try scanString()
        return withBytes(of: text) { bytes in JSONKeyStack.Key(bytes) }
    }

    /// Reads a string and says where it is.
    mutating func text() throws(JSONError) -> Text {
        guard try beginValue() == UInt8(ascii: "\"") else { throw mismatch(.string) }
        return try scanString()
    }

    @inline(__always)
    func withBytes<Result>(of text: Text, _ body: (JSONBytes) -> Result) -> Result {
        switch text {
        case .document(let range): body(bytes.slice(range))
        case .unescaped: JSONBytes.with(unescaped, body)
        }
    }

    /// Reads from the quote at `position` through the one that ends the string.
    private mutating func scanString() throws(JSONError) -> Text {
        let opening = position
        position += 1
        var runStart = position
        var hasEscapes = false
        while true {
            skipPlainASCII()
            switch byte(at: position) {
            case UInt8(ascii: "\""):
                let run = runStart..<position
                position += 1
                if hasEscapes { bytes.slice(run).append(to: &unescaped) }
                let count = hasEscapes ? unescaped.count : run.count
                guard count <= limits.stringBytes else { throw fail(.stringTooLong, at: opening) }
                return hasEscapes ? .unescaped : .document(run)
            case UInt8(ascii: "\\"):
                if !hasEscapes {
                    unescaped.removeAll(keepingCapacity: true)
                    hasEscapes = true
                }
                bytes.slice(runStart..<position).append(to: &unescaped)
                try scanEscape()
                guard unescaped.count <= limits.stringBytes else { throw fail(.stringTooLong, at: opening) }
                runStart = position
            case 0x80...:
                guard let length = scalarLength() else { throw fail(.invalidUTF8, at: position) }
                position += length
            case 0x00...0x1F:
                throw position < bytes.count ? fail(.controlCharacter, at: position) : unexpected()
            default:
                position += 1
            }
        }
    }

    /// Passes ASCII that is neither quote, backslash nor control.
    @inline(__always)
    private mutating func skipPlainASCII() {
        while let word = bytes.word(at: position) {
            let stops = JSONWordScan.needsLook(word)
            guard stops == 0 else {
                position += stops.trailingZeroBitCount / 8
                return
            }
            position += 8
        }
    }

    /// Replaces the escape at `position`.
    private mutating func scanEscape() throws(JSONError) {
        let start = position
        let letter = byte(at: position + 1)
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): unescaped.append(letter)
        case UInt8(ascii: "b"): unescaped.append(0x08)
        case UInt8(ascii: "f"): unescaped.append(0x0C)
        case UInt8(ascii: "n"): unescaped.append(0x0A)
        case UInt8(ascii: "r"): unescaped.append(0x0D)
        case UInt8(ascii: "t"): unescaped.append(0x09)
        case UInt8(ascii: "u"):
            let scalar = try scanUnicodeEscape(start)
            for unit in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter {
                unescaped.append(unit)
            }
            return
        default:
            throw fail(start + 1 < bytes.count ? .invalidEscape : .unexpectedEnd, at: start)
        }
        position += 2
    }

    /// Reads `\uXXXX` at `position`, or the two of them that are a surrogate pair.
    private mutating func scanUnicodeEscape(_ start: Int) throws(JSONError) -> Unicode.Scalar {
        let first = try scanHexUnit()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard UTF16.isLeadSurrogate(first) else { throw fail(.loneSurrogate, at: start) }
        guard position < bytes.count else { throw unexpected() }
        guard byte(at: position) == UInt8(ascii: "\\") else { throw fail(.loneSurrogate, at: start) }
        guard position + 1 < bytes.count else { throw fail(.unexpectedEnd, at: bytes.count) }
        guard byte(at: position + 1) == UInt8(ascii: "u") else { throw fail(.loneSurrogate, at: start) }
        let second = try scanHexUnit()
        guard UTF16.isTrailSurrogate(second) else { throw fail(.loneSurrogate, at: start) }
        let pair = 0x1_0000 + (UInt32(first) - 0xD800) * 0x400 + (UInt32(second) - 0xDC00)
        guard let scalar = Unicode.Scalar(pair) else { throw fail(.loneSurrogate, at: start) }
        return scalar
    }

    /// Reads `\uXXXX` at `position`.
    private mutating func scanHexUnit() throws(JSONError) -> UInt16 {
        let start = position
        var unit: UInt16 = 0
        for index in position + 2..<position + 6 {
            let digit = byte(at: index)
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): unit = unit << 4 | UInt16(digit - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): unit = unit << 4 | UInt16(digit - UInt8(ascii: "a") + 10)
            case UInt8(ascii: "A")...UInt8(ascii: "F"): unit = unit << 4 | UInt16(digit - UInt8(ascii: "A") + 10)
            default: throw fail(index < bytes.count ? .invalidEscape : .unexpectedEnd, at: start)
            }
        }
        position += 6
        return unit
    }

    /// The length of the non-ASCII scalar at `position`, or nil when the bytes are none (Unicode, table 3-7).
    private func scalarLength() -> Int? {
        let second = byte(at: position + 1)
        switch byte(at: position) {
        case 0xC2...0xDF:
            return isContinuation(second) ? 2 : nil
        case 0xE0:
            return second >= 0xA0 && isContinuation(second) && hasContinuation(2) ? 3 : nil
        case 0xED:
            return second <= 0x9F && isContinuation(second) && hasContinuation(2) ? 3 : nil
        case 0xE1...0xEF:
            return isContinuation(second) && hasContinuation(2) ? 3 : nil
        case 0xF0:
            return second >= 0x90 && isContinuation(second) && hasContinuation(2) && hasContinuation(3) ? 4 : nil
        case 0xF1...0xF3:
            return isContinuation(second) && hasContinuation(2) && hasContinuation(3) ? 4 : nil
        case 0xF4:
            return second <= 0x8F && isContinuation(second) && hasContinuation(2) && hasContinuation(3) ? 4 : nil
        default:
            return nil
        }
    }

    private func hasContinuation(_ distance: Int) -> Bool {
        isContinuation(byte(at: position + distance))
    }

    private func isContinuation(_ byte: UInt8) -> Bool {
        byte & 0xC0 == 0x80
    }
}

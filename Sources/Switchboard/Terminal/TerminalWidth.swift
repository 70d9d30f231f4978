/// How many columns a text takes on a terminal.
///
/// What terminals do is nowhere written down as one standard; this follows Unicode's East Asian Width (UAX #11) and
/// emoji presentation, as most of today's terminals do.
enum TerminalWidth {
    static func of(_ text: some StringProtocol) -> Int { text.reduce(0) { $0 + of($1) } }

    /// Of one user-perceived character: that of its widest scalar.
    static func of(_ character: Character) -> Int {
        var width = 0
        for scalar in character.unicodeScalars {
            // U+FE0F asks for the emoji form of what would be narrow.
            if scalar.value == 0xFE0F, width == 1 { return 2 }
            width = max(width, of(scalar))
        }
        return width
    }

    static func of(_ scalar: Unicode.Scalar) -> Int {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0, 0xAD, 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xFE00...0xFE0F, 0xFEFF,
            0x1160...0x11FF, 0xE0000...0xE0FFF:
            return 0
        case 0x20..<0x7F: return 1
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xA000...0xA4CF,
            0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF01...0xFF60, 0xFFE0...0xFFE6,
            0x16FE0...0x18CFF, 0x1B000...0x1B2FF, 0x20000...0x3FFFD:
            return 2
        default:
            switch scalar.properties.generalCategory {
            case .nonspacingMark, .enclosingMark, .format: return 0
            default: return scalar.properties.isEmojiPresentation ? 2 : 1
            }
        }
    }

    /// The longest beginning of a text that fits into so many columns.
    static func prefix(_ text: some StringProtocol, columns: Int) -> String {
        var taken = 0
        var prefix = ""
        for character in text {
            taken += of(character)
            guard taken <= columns else { break }
            prefix.append(character)
        }
        return prefix
    }
}

/// Makes foreign text harmless on a terminal: no escape sequences, no control characters, no turned reading direction.
enum TerminalText {
    static func safe(_ text: String, keepsLineBreaks: Bool = false) -> String {
        var clean = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x0A where keepsLineBreaks: clean.append(scalar)
            case 0x09: clean.append(" ")
            case 0..<0x20, 0x7F...0x9F: clean.append("�")
            case 0x2028, 0x2029: clean.append(" ")
            // Overrides and isolates could make a line read as somebody else's.
            case 0x202A...0x202E, 0x2066...0x2069: continue
            default: clean.append(scalar)
            }
        }
        return String(clean)
    }
}

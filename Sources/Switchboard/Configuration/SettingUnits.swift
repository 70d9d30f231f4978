import NIOCore

/// Sizes as people write them: binary units, of 1,024.
enum ByteSize {
    private static let units: [(name: String, bytes: Int)] = [
        ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1),
    ]

    /// Reads `4096`, `64KiB`, `1 MiB`. Total.
    static func parse(_ text: String) -> Int? {
        guard let (number, unit) = splitUnit(text) else { return nil }
        guard !unit.isEmpty else { return number }
        guard let found = units.first(where: { $0.name.lowercased() == unit.lowercased() }) else { return nil }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: found.bytes)
        return overflow ? nil : bytes
    }

    static func text(_ bytes: Int) -> String {
        guard bytes > 0, let unit = units.first(where: { bytes % $0.bytes == 0 }) else { return "\(bytes) B" }
        return "\(bytes / unit.bytes) \(unit.name)"
    }
}

/// Durations as people write them.
enum DurationText {
    private static let units: [(name: String, nanoseconds: Int64)] = [
        ("d", 86_400_000_000_000), ("h", 3_600_000_000_000), ("min", 60_000_000_000), ("s", 1_000_000_000),
        ("ms", 1_000_000),
    ]

    /// Reads `500ms`, `30 s`, `24 h`; a bare number needs no unit only if it is 0. Total.
    static func parse(_ text: String) -> TimeAmount? {
        guard let (number, unit) = splitUnit(text) else { return nil }
        if unit.isEmpty { return number == 0 ? .zero : nil }
        guard let found = units.first(where: { $0.name == unit.lowercased() }) else { return nil }
        let (nanoseconds, overflow) = Int64(number).multipliedReportingOverflow(by: found.nanoseconds)
        return overflow ? nil : .nanoseconds(nanoseconds)
    }

    static func text(_ amount: TimeAmount) -> String {
        let nanoseconds = amount.nanoseconds
        guard nanoseconds > 0 else { return "0 s" }
        // Days only where they are more than two: «24 h» and «48 h» read better.
        for unit in units where nanoseconds % unit.nanoseconds == 0 {
            if unit.name == "d", nanoseconds / unit.nanoseconds < 3 { continue }
            return "\(nanoseconds / unit.nanoseconds) \(unit.name)"
        }
        return "\(nanoseconds / 1_000_000) ms"
    }
}

/// A non-negative whole number and the unit after it.
private func splitUnit(_ text: String) -> (Int, String)? {
    let digits = text.prefix { $0.isASCII && $0.isNumber || $0 == "_" }
    guard let number = Int(digits.filter { $0 != "_" }) else { return nil }
    return (number, String(text.dropFirst(digits.count).drop { $0 == " " }))
}

/// Values as they stand in a YAML file.
enum YAMLText {
    /// A scalar, in quotes where YAML would read it as something else.
    static func scalar(_ text: String) -> String {
        let isPlain =
            text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || "-._/@+%".utf8.contains(byte)
            } && (text.utf8.first.map { (0x41...0x5A).contains($0 & 0xDF) || $0 == UInt8(ascii: "/") } ?? false)
            && !["true", "false", "yes", "no", "on", "off", "null", "none", "y", "n"].contains(text.lowercased())
        if isPlain { return text }
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\t": quoted += "\\t"
            case "\0"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{2028}", "\u{2029}":
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}

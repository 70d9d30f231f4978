import WireJSON

/// Random numbers that are the same in every run.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    mutating func chance(_ percent: Int) -> Bool {
        Int.random(in: 0..<100, using: &self) < percent
    }
}

/// Random values and random ways to write them.
struct JSONSamples {
    var random: SeededRandom

    init(seed: UInt64) {
        random = SeededRandom(seed)
    }

    private static let scalars: [Unicode.Scalar] = [
        "a", "Z", "0", " ", "\"", "\\", "/", "\u{0}", "\u{1}", "\u{8}", "\t", "\n", "\u{B}", "\u{C}", "\r", "\u{1F}",
        "\u{7F}",
        "\u{80}", "é", "ß", "\u{301}", "я", "漢", "\u{2027}", "\u{2028}", "\u{2029}", "€", "\u{D7FF}", "\u{E000}",
        "\u{FEFF}",
        "\u{FFFD}", "\u{FFFF}", "😀", "\u{10FFFF}",
    ]

    mutating func string() -> String {
        var text = ""
        let longest = random.chance(10) ? 60 : 12
        for _ in 0..<Int.random(in: 0...longest, using: &random) {
            if random.chance(60) {
                text += ["a", "b", "garden", "Hello, ", "x1"].randomElement(using: &random) ?? ""
            } else {
                text.unicodeScalars.append(Self.scalars.randomElement(using: &random) ?? "a")
            }
        }
        return text
    }

    mutating func value(depth: Int = 4) -> JSONValue {
        switch Int.random(in: 0..<(depth > 0 ? 9 : 6), using: &random) {
        case 0: return .null
        case 1: return .bool(random.chance(50))
        case 2: return .int(Int64.random(in: -1_000...1_000, using: &random))
        case 3: return .int(Int64(bitPattern: random.next()))
        case 4: return .double(double())
        case 5: return .string(string())
        case 6: return .array((0..<Int.random(in: 0...5, using: &random)).map { _ in value(depth: depth - 1) })
        default:
            var keys: Set<[UInt8]> = []
            var members: [JSONValue.Member] = []
            let most = random.chance(5) ? 40 : 5
            for _ in 0..<Int.random(in: 0...most, using: &random) {
                let key = string()
                guard keys.insert(Array(key.utf8)).inserted else { continue }
                members.append(.init(key, value(depth: depth - 1)))
            }
            return .object(members)
        }
    }

    /// A finite number of any size, mostly such that `Double` and text agree only with all digits.
    mutating func double() -> Double {
        switch Int.random(in: 0..<4, using: &random) {
        case 0: return Double.random(in: -10...10, using: &random)
        case 1: return Double(Int.random(in: -1_000...1_000, using: &random)) / 8
        case 2:
            return [
                0.0, -0.0, .leastNonzeroMagnitude, .leastNormalMagnitude, .greatestFiniteMagnitude, 0.1, 1e21, 1e-7,
                0x1p53,
            ][
                Int.random(in: 0..<9, using: &random)]
        default:
            let value = Double(bitPattern: random.next())
            return value.isFinite ? value : 1
        }
    }

    /// The value as JSON, with white space and escapes wherever RFC 8259 lets them be.
    mutating func text(of value: JSONValue) -> String {
        space() + bare(value) + space()
    }

    private mutating func bare(_ value: JSONValue) -> String {
        switch value {
        case .null: return "null"
        case .bool(let value): return value ? "true" : "false"
        case .int(let value): return String(value)
        case .double(let value): return random.chance(50) ? "\(value)" : "\(value)".uppercased()
        case .string(let value): return quoted(value)
        case .array(let elements):
            var parts: [String] = []
            for element in elements { parts.append(text(of: element)) }
            return "[" + (parts.isEmpty ? space() : parts.joined(separator: ",")) + "]"
        case .object(let members):
            var parts: [String] = []
            for member in members {
                parts.append(space() + quoted(member.key) + space() + ":" + text(of: member.value))
            }
            return "{" + (parts.isEmpty ? space() : parts.joined(separator: ",")) + "}"
        }
    }

    private mutating func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            let mustEscape = scalar.value < 0x20 || scalar == "\"" || scalar == "\\"
            guard mustEscape || random.chance(10) else {
                quoted.unicodeScalars.append(scalar)
                continue
            }
            switch scalar {
            case "\"", "\\", "/": quoted += "\\" + String(scalar)
            case "\n" where random.chance(50): quoted += "\\n"
            case "\t" where random.chance(50): quoted += "\\t"
            default:
                for unit in UTF16.encode(scalar) ?? UTF16.encodedReplacementCharacter {
                    let hex = String(unit, radix: 16, uppercase: random.chance(50))
                    quoted += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
                }
            }
        }
        return quoted + "\""
    }

    private mutating func space() -> String {
        random.chance(20) ? [" ", "\n", "\t", "\r", "\r\n  "].randomElement(using: &random) ?? "" : ""
    }

    /// The bytes with one to three accidents.
    mutating func mutated(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let place = Int.random(in: 0...bytes.count, using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0 where place < bytes.count: bytes.remove(at: place)
            case 1 where place < bytes.count: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 2: bytes.removeSubrange(place...)
            case 3 where place < bytes.count:
                let end = Int.random(in: place...bytes.count, using: &random)
                bytes.insert(contentsOf: bytes[place..<end].prefix(20), at: place)
            default: bytes.insert(contentsOf: token(), at: place)
            }
        }
        return bytes
    }

    private mutating func token() -> [UInt8] {
        let tokens = [
            "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "\\ud800", "\\udc00", "0", "1", "-", "+", ".", "e", "E5",
            "true", "nul",
            " ", "\n", "\u{0}", "\u{1F}", "/", "'", "\u{FEFF}", "é", "😀", "{}", "[]", "\"\":", "1e999", "NaN",
        ]
        guard random.chance(80) else { return [UInt8.random(in: 0x80...0xFF, using: &random)] }
        return Array((tokens.randomElement(using: &random) ?? "").utf8)
    }
}

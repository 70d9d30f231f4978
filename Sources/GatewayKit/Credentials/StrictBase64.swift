/// Base64 (RFC 4648 sections 4 and 5) with exactly one spelling for each value.
///
/// The decoder refuses white space, foreign letters, wrong or missing padding and spare bits that are not zero.
/// So two different texts never mean the same bytes, and neither a token nor a signature can be respelled.
package enum StrictBase64 {
    package enum Alphabet: Sendable {
        /// `+`, `/`, padded with `=`: SCRAM, PEM, webhook signatures.
        case standard
        /// `-`, `_`, never padded: tokens, JWS.
        case url

        fileprivate var isPadded: Bool { self == .standard }
    }

    package static func encode(_ bytes: some Sequence<UInt8>, as alphabet: Alphabet = .standard) -> String {
        var text: [UInt8] = []
        var pending: UInt32 = 0
        var pendingBits = 0
        for byte in bytes {
            pending = (pending << 8 | UInt32(byte)) & 0xFFFF
            pendingBits += 8
            while pendingBits >= 6 {
                pendingBits -= 6
                text.append(letter(for: UInt8((pending >> UInt32(pendingBits)) & 0x3F), alphabet))
            }
        }
        if pendingBits > 0 {
            text.append(letter(for: UInt8((pending << UInt32(6 - pendingBits)) & 0x3F), alphabet))
        }
        while alphabet.isPadded, !text.count.isMultiple(of: 4) {
            text.append(UInt8(ascii: "="))
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The bytes that `text` spells, or nil when it is not the one correct spelling of any.
    package static func decode(_ text: some Collection<UInt8>, as alphabet: Alphabet = .standard) -> [UInt8]? {
        var letters = text[...]
        if alphabet.isPadded {
            guard text.count.isMultiple(of: 4) else { return nil }
            for _ in 0..<2 where letters.dropFirst(max(0, letters.count - 1)).first == UInt8(ascii: "=") {
                letters = letters.dropLast()
            }
        }
        guard letters.count % 4 != 1 else { return nil }

        var bytes: [UInt8] = []
        bytes.reserveCapacity(letters.count / 4 * 3 + 2)
        var pending: UInt32 = 0
        var pendingBits = 0
        for letter in letters {
            guard let value = value(of: letter, alphabet) else { return nil }
            pending = (pending << 6 | UInt32(value)) & 0x3FFF
            pendingBits += 6
            if pendingBits >= 8 {
                pendingBits -= 8
                bytes.append(UInt8((pending >> UInt32(pendingBits)) & 0xFF))
            }
        }
        guard pending & (1 << UInt32(pendingBits) - 1) == 0 else { return nil }
        return bytes
    }

    package static func decode(_ text: String, as alphabet: Alphabet = .standard) -> [UInt8]? {
        decode(text.utf8, as: alphabet)
    }

    private static func letter(for value: UInt8, _ alphabet: Alphabet) -> UInt8 {
        switch value {
        case 0..<26: UInt8(ascii: "A") + value
        case 26..<52: UInt8(ascii: "a") + (value - 26)
        case 52..<62: UInt8(ascii: "0") + (value - 52)
        case 62: alphabet == .standard ? UInt8(ascii: "+") : UInt8(ascii: "-")
        default: alphabet == .standard ? UInt8(ascii: "/") : UInt8(ascii: "_")
        }
    }

    private static func value(of letter: UInt8, _ alphabet: Alphabet) -> UInt8? {
        switch letter {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): letter - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): letter - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): letter - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+") where alphabet == .standard: 62
        case UInt8(ascii: "/") where alphabet == .standard: 63
        case UInt8(ascii: "-") where alphabet == .url: 62
        case UInt8(ascii: "_") where alphabet == .url: 63
        default: nil
        }
    }
}

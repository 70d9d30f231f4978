/// A key as a person pressed it.
enum Key: Sendable, Equatable {
    case text(Character)
    case enter, tab, backspace, delete
    case left, right, up, down, home, end, pageUp, pageDown
    case wordLeft, wordRight
    /// Control with a letter, in lower case.
    case control(Character)
    /// Pasted text, as one.
    case paste(String)
}

/// Turns what a terminal sends into keys. Pure; the result does not depend on how the bytes are cut, except that an
/// escape key alone is told from a sequence only by what follows.
struct KeyDecoder: Sendable {
    private var pending: [UInt8] = []
    private var pasted: [UInt8]?
    private static let pasteEnd = Array("\u{1B}[201~".utf8)
    /// A terminal that never ends its sequence must not make us wait for ever, nor a paste fill the memory.
    private static let sequenceLimit = 32
    private static let pasteLimit = 1 << 20

    /// Takes bytes and gives the keys that are complete.
    mutating func feed(_ bytes: some Sequence<UInt8>) -> [Key] {
        var keys: [Key] = []
        for byte in bytes { feed(byte, &keys) }
        return keys
    }

    private mutating func feed(_ byte: UInt8, _ keys: inout [Key]) {
        if var text = pasted {
            text.append(byte)
            if text.suffix(Self.pasteEnd.count).elementsEqual(Self.pasteEnd) {
                keys.append(.paste(String(decoding: text.dropLast(Self.pasteEnd.count), as: UTF8.self)))
                pasted = nil
            } else {
                pasted = text.count < Self.pasteLimit ? text : Array(text.suffix(Self.pasteEnd.count))
            }
            return
        }
        pending.append(byte)
        guard let first = pending.first else { return }
        if first == 0x1B { return escape(&keys) }
        if first < 0x80 {
            pending = []
            if let key = KeyDecoder.key(first) { keys.append(key) }
            return
        }
        let length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 1
        guard pending.count >= length else { return }
        if let text = String(validating: pending, as: UTF8.self), let character = text.first {
            keys.append(.text(character))
        }
        pending = []
    }

    private static func key(_ byte: UInt8) -> Key? {
        switch byte {
        case 0x0D, 0x0A: .enter
        case 0x09: .tab
        case 0x08, 0x7F: .backspace
        case 0x01...0x1A: .control(Character(Unicode.Scalar(byte + 0x60)))
        case 0x20...0x7E: .text(Character(Unicode.Scalar(byte)))
        default: nil
        }
    }

    /// ECMA-48 section 5.4 (control sequences), and what xterm made of it.
    private mutating func escape(_ keys: inout [Key]) {
        guard pending.count >= 2 else { return }
        let second = pending[1]
        if second == UInt8(ascii: "[") || second == UInt8(ascii: "O") {
            guard pending.count >= 3, let last = pending.last else { return }
            guard (0x40...0x7E).contains(last) else {
                if pending.count > Self.sequenceLimit { pending = [] }
                return
            }
            let parameters = String(decoding: pending.dropFirst(2).dropLast(), as: UTF8.self)
            pending = []
            if parameters == "200", last == UInt8(ascii: "~") { return pasted = [] }
            if let key = KeyDecoder.sequence(parameters, last) { keys.append(key) }
            return
        }
        pending = []
        switch second {
        case UInt8(ascii: "b"): keys.append(.wordLeft)
        case UInt8(ascii: "f"): keys.append(.wordRight)
        case 0x7F: keys.append(.control("w"))
        default: break
        }
    }

    private static func sequence(_ parameters: String, _ last: UInt8) -> Key? {
        let isWord = parameters.hasSuffix(";5") || parameters.hasSuffix(";3")
        switch last {
        case UInt8(ascii: "A"): return .up
        case UInt8(ascii: "B"): return .down
        case UInt8(ascii: "C"): return isWord ? .wordRight : .right
        case UInt8(ascii: "D"): return isWord ? .wordLeft : .left
        case UInt8(ascii: "H"): return .home
        case UInt8(ascii: "F"): return .end
        case UInt8(ascii: "~"):
            switch parameters {
            case "1", "7": return .home
            case "3": return .delete
            case "4", "8": return .end
            case "5": return .pageUp
            case "6": return .pageDown
            default: return nil
            }
        default: return nil
        }
    }
}

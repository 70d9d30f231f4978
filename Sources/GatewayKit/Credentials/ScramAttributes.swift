/// The comma-separated `letter=value` fields that all SCRAM messages are made of (RFC 5802 section 5.1).
struct ScramAttributes {
    struct Field {
        let name: UInt8
        let value: ArraySlice<UInt8>
    }

    let fields: [Field]

    init(_ message: ArraySlice<UInt8>) throws(ScramFailure) {
        guard message.count <= ScramLimit.message else { throw .invalidEncoding }
        let parts = message.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
        guard parts.count <= ScramLimit.attributes else { throw .invalidEncoding }
        var fields: [Field] = []
        for part in parts {
            guard let name = part.first, part.dropFirst().first == UInt8(ascii: "="), Self.isLetter(name) else {
                throw .invalidEncoding
            }
            fields.append(Field(name: name, value: part.dropFirst(2)))
        }
        self.fields = fields
    }

    /// The value at a place where the grammar allows one name only. Order is fixed in SCRAM.
    func value(at place: Int, named name: Unicode.Scalar) throws(ScramFailure) -> ArraySlice<UInt8> {
        guard let field = fields.dropFirst(place).first, field.name == UInt8(ascii: name) else {
            throw .invalidEncoding
        }
        return field.value
    }

    /// Extensions are ignored unless mandatory (`m=`); they must still be text that is not empty and has no NUL.
    func checkExtensions(from place: Int, dropLast tail: Int = 0) throws(ScramFailure) {
        for field in fields.dropFirst(place).dropLast(tail) {
            guard field.name != UInt8(ascii: "m") else { throw .extensionsNotSupported }
            guard !field.value.isEmpty, !field.value.contains(0), String(validating: field.value, as: UTF8.self) != nil
            else { throw .invalidEncoding }
        }
    }

    /// 1 to 256 printable bytes; the comma has been split off already.
    static func nonce(_ value: ArraySlice<UInt8>) throws(ScramFailure) -> String {
        guard (1...ScramLimit.nonce).contains(value.count), value.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw .invalidEncoding
        }
        return String(decoding: value, as: UTF8.self)
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
}

/// `saslname` of RFC 5802 section 5.1: `,` is written `=2C` and `=` is written `=3D`; no other escape exists.
enum ScramName {
    static func escape(_ name: String) -> String {
        var text: [UInt8] = []
        for byte in name.utf8 {
            switch byte {
            case UInt8(ascii: ","): text += "=2C".utf8
            case UInt8(ascii: "="): text += "=3D".utf8
            default: text.append(byte)
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    static func unescape(_ text: ArraySlice<UInt8>) throws(ScramFailure) -> String {
        var name: [UInt8] = []
        var rest = text
        while let byte = rest.popFirst() {
            switch byte {
            case 0, UInt8(ascii: ","):
                throw .invalidUsernameEncoding
            case UInt8(ascii: "="):
                if rest.starts(with: "2C".utf8) {
                    name.append(UInt8(ascii: ","))
                } else if rest.starts(with: "3D".utf8) {
                    name.append(UInt8(ascii: "="))
                } else {
                    throw .invalidUsernameEncoding
                }
                rest = rest.dropFirst(2)
            default:
                name.append(byte)
            }
        }
        guard (1...ScramLimit.name).contains(name.count), let valid = String(validating: name, as: UTF8.self) else {
            throw .invalidUsernameEncoding
        }
        return valid
    }
}

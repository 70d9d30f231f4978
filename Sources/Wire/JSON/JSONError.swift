/// The six kinds of value of RFC 8259, section 3 (`true` and `false` are one).
package enum JSONKind: Sendable, Equatable {
    case object, array, string, number, bool, null
}

/// Why a document was refused, and where.
package struct JSONError: Error, Equatable, Sendable {
    package enum Code: Sendable, Equatable {
        /// The bytes stop in the middle of a value, or there are none.
        case unexpectedEnd
        /// A byte that RFC 8259 does not allow here.
        case unexpectedCharacter
        /// The document begins with U+FEFF, which RFC 8259, section 8.1, forbids to send.
        case byteOrderMark
        /// Something other than white space follows the value.
        case trailingBytes
        /// A leading zero, or no digit where one is needed.
        case invalidNumber
        /// The number does not fit the type that the caller asked for.
        case numberOutOfRange
        /// The caller asked for an integer, and the number has a fraction.
        case notAnInteger
        /// An unescaped U+0000 … U+001F in a string.
        case controlCharacter
        /// A backslash followed by something that is not an escape.
        case invalidEscape
        /// `\uD800` … `\uDFFF` without its other half.
        case loneSurrogate
        /// Bytes in a string that are not UTF-8 (overlong forms and encoded surrogates included).
        case invalidUTF8
        /// The key occurs twice in one object; `path` names it.
        case duplicateKey
        /// The value is legal, but of another kind.
        case expected(JSONKind)
        /// A required member is missing; `path` names it.
        case missingMember
        /// The value has the right kind, and the caller refused it; `reason` says why.
        case invalidValue
        /// The caller asked twice for one value. A mistake of the program, not of the document.
        case valueAlreadyRead
        /// A limit of `JSONLimits` was passed.
        case documentTooLong, tooDeep, stringTooLong, tooManyMembers, tooManyElements, numberTooLong
    }

    package let code: Code
    /// Bytes before the place where the error was noticed.
    package let offset: Int
    /// The member or element that was being read, as in `body.spans[3].start`; empty at the top.
    package private(set) var path: String
    /// Words of the caller, for `invalidValue`.
    package let reason: String

    init(_ code: Code, offset: Int, path: String = "", reason: String = "") {
        self.code = code
        self.offset = offset
        self.path = path
        self.reason = reason
    }

    /// The same error, seen from the object that has `key`. Keys come from the wire: what is long or
    /// could disturb a log line is shortened and escaped.
    func inside(key: String) -> JSONError {
        let isPlain = key.utf8.count <= 40 && key.utf8.allSatisfy(Self.isPlain)
        return inside(component: isPlain ? key : Self.quoted(key))
    }

    /// The same error, seen from the array that has the element `index`.
    func inside(index: Int) -> JSONError {
        inside(component: "[\(index)]")
    }

    private func inside(component: String) -> JSONError {
        var outer = self
        let separator = path.isEmpty || path.utf8.first == UInt8(ascii: "[") ? "" : "."
        outer.path = component + separator + path
        return outer
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default:
            false
        }
    }

    private static func quoted(_ key: String) -> String {
        var text = "[\""
        for scalar in key.unicodeScalars.prefix(20) {
            text += scalar.escaped(asASCII: true)
        }
        return text + (key.unicodeScalars.count > 20 ? "…\"]" : "\"]")
    }
}

extension JSONError: CustomStringConvertible {
    /// One line for a person, such as `body.spans[3].start: expected a number (byte 41)`.
    package var description: String {
        (path.isEmpty ? "" : path + ": ") + (reason.isEmpty ? code.message : reason) + " (byte \(offset))"
    }
}

extension JSONError.Code {
    /// What is wrong, in a few words without the place.
    package var message: String {
        switch self {
        case .unexpectedEnd: "the document ends too early"
        case .unexpectedCharacter: "unexpected character"
        case .byteOrderMark: "a byte order mark is not allowed"
        case .trailingBytes: "something follows the value"
        case .invalidNumber: "malformed number"
        case .numberOutOfRange: "number out of range"
        case .notAnInteger: "expected an integer"
        case .controlCharacter: "control character in a string"
        case .invalidEscape: "unknown escape in a string"
        case .loneSurrogate: "half of a surrogate pair in a string"
        case .invalidUTF8: "a string is not UTF-8"
        case .duplicateKey: "the key occurs twice"
        case .expected(let kind): "expected \(kind.withArticle)"
        case .missingMember: "missing"
        case .invalidValue: "invalid value"
        case .valueAlreadyRead: "the value was read before"
        case .documentTooLong: "the document is too long"
        case .tooDeep: "nested too deeply"
        case .stringTooLong: "the string is too long"
        case .tooManyMembers: "the object has too many members"
        case .tooManyElements: "the array has too many elements"
        case .numberTooLong: "the number is too long"
        }
    }
}

extension JSONKind {
    fileprivate var withArticle: String {
        switch self {
        case .object: "an object"
        case .array: "an array"
        case .string: "a string"
        case .number: "a number"
        case .bool: "true or false"
        case .null: "null"
        }
    }
}

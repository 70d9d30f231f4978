import Hub
import WireJSON

/// The API's «no»: a code of the table, a sentence for people, and when to try again.
package struct APIError: Error, Hashable, Sendable {
    package let code: ErrorCode
    package let message: String
    /// In milliseconds.
    package let retryAfter: Int64?

    package init(_ code: ErrorCode, _ message: String, retryAfter: Int64? = nil) {
        self.code = code
        self.message = message
        self.retryAfter = retryAfter
    }

    package init(_ rejection: Rejection) {
        self.init(.rejection(rejection.code), rejection.message, retryAfter: rejection.retryAfter)
    }

    /// What a document was refused for: a member of the wrong form is an invalid value, anything else is bad JSON.
    package init(_ error: JSONError) {
        switch error.code {
        case .expected, .missingMember, .invalidValue, .numberOutOfRange, .notAnInteger:
            self.init(.rejection(.invalidValue), error.description)
        case .documentTooLong, .stringTooLong, .tooManyMembers, .tooManyElements, .numberTooLong:
            self.init(.rejection(.tooLarge), error.description)
        case .unexpectedEnd, .unexpectedCharacter, .byteOrderMark, .trailingBytes, .invalidNumber, .controlCharacter,
            .invalidEscape, .loneSurrogate, .invalidUTF8, .duplicateKey, .valueAlreadyRead, .tooDeep:
            self.init(.badJSON, error.description)
        }
    }
}

extension JSONWriter {
    /// The members of an error.
    mutating func errorMembers(_ error: APIError) {
        field("code", error.code.text)
        field("message", error.message)
        field("retryAfter", error.retryAfter)
    }
}

/// The domain's «no»: a closed code, a sentence for people, and when to try again.
///
/// Every gateway has one exhaustive `switch` over ``Code``, so a new code does not compile until each door answers it.
package struct Rejection: Error, Hashable, Sendable {
    package enum Code: String, Sendable, CaseIterable {
        /// Who you are is not known, or no longer.
        case unauthenticated
        /// You are known, but may not.
        case forbidden
        /// You are banned from it.
        case banned
        /// It does not exist, or you may not know that it does.
        case notFound = "not-found"
        /// The name is taken.
        case nameTaken = "name-taken"
        /// The name is outside the grammar or reserved.
        case invalidName = "invalid-name"
        /// A value is outside its limits.
        case invalidValue = "invalid-value"
        /// Longer than the limit.
        case tooLarge = "too-large"
        /// The command does not fit this kind of conversation or event.
        case notApplicable = "not-applicable"
        /// The target was erased.
        case erased
        /// The token was used for another command.
        case tokenConflict = "token-conflict"
        /// Faster than allowed; the rejection says when to go on.
        case rateLimited = "rate-limited"
        /// Over a limit of number (members, conversations, devices, sessions).
        case limitReached = "limit-reached"
        /// The server has more work than it can take now.
        case busy
        /// The log could not be written.
        case unavailable
        /// Our fault, logged under an id.
        case fault
    }

    package let code: Code
    package let message: String
    /// Milliseconds after which a retry makes sense; nil: not before something changes.
    package let retryAfter: Int64?

    package init(_ code: Code, _ message: String, retryAfter: Int64? = nil) {
        self.code = code
        self.message = message
        self.retryAfter = retryAfter
    }
}

extension Rejection.Code {
    /// What it means, for documentation.
    package var meaning: String {
        switch self {
        case .unauthenticated: "No valid credential was given, or it was revoked."
        case .forbidden: "Your rank or account does not allow this."
        case .banned: "You are banned from the conversation."
        case .notFound: "There is no such thing, or you may not see it."
        case .nameTaken: "Somebody else has the name."
        case .invalidName: "The name is outside the grammar, or reserved."
        case .invalidValue: "A value is missing, of the wrong form, or outside its limits."
        case .tooLarge: "The value is longer than the limit."
        case .notApplicable: "The command does not fit this kind of conversation or event."
        case .erased: "The target was erased."
        case .tokenConflict: "The ref was used before for another command."
        case .rateLimited: "Faster than allowed."
        case .limitReached: "A limit of number is reached."
        case .busy: "The server has more work than it can take at the moment."
        case .unavailable: "The log can't be written at the moment: repeat the change under the same `ref`."
        case .fault: "A fault of the server, logged under the id in the message."
        }
    }

    /// Whether the same command can succeed later without any change by the client.
    package var isRetryable: Bool {
        switch self {
        case .rateLimited, .busy, .unavailable, .fault: true
        case .unauthenticated, .forbidden, .banned, .notFound, .nameTaken, .invalidName, .invalidValue, .tooLarge,
            .notApplicable, .erased, .tokenConflict, .limitReached:
            false
        }
    }
}

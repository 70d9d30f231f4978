import Hub

/// Every code that the client API can answer with: the hub's rejections, and what concerns the API itself.
package enum ErrorCode: Hashable, Sendable, CaseIterable {
    case rejection(Rejection.Code)
    /// The document is not JSON, or a field occurs twice in an object.
    case badJSON
    case badQuery
    case unknownOperation
    case methodNotAllowed
    case unsupportedMediaType
    /// The request's body, or the frame, is over the limit.
    case contentTooLarge
    /// A frame before `hello`, or a second `hello`.
    case outOfOrder

    package static let allCases: [ErrorCode] =
        Rejection.Code.allCases.map { .rejection($0) } + [
            .badJSON, .badQuery, .unknownOperation, .methodNotAllowed, .unsupportedMediaType, .contentTooLarge,
            .outOfOrder,
        ]

    package var text: String {
        switch self {
        case .rejection(let code): code.rawValue
        case .badJSON: "bad-json"
        case .badQuery: "bad-query"
        case .unknownOperation: "unknown-operation"
        case .methodNotAllowed: "method-not-allowed"
        case .unsupportedMediaType: "unsupported-media-type"
        case .contentTooLarge: "content-too-large"
        case .outOfOrder: "out-of-order"
        }
    }

    package var row: Row {
        switch self {
        case .rejection(let code): Row(code)
        case .badJSON:
            Row(400, "The frame or body is not JSON (RFC 8259), or a field occurs twice in an object.", .fixRequest)
        case .badQuery: Row(400, "The query is not percent-encoded UTF-8, or names something twice.", .fixRequest)
        case .unknownOperation: Row(404, "There is no operation of this name here.", .fixRequest)
        case .methodNotAllowed: Row(405, "The operation takes another method: see `Allow`.", .fixRequest)
        case .unsupportedMediaType: Row(415, "The body must be `application/json`.", .fixRequest)
        case .contentTooLarge: Row(413, "The body is longer than the limit.", .fixRequest)
        case .outOfOrder: Row(400, "The first frame is `hello`, and there is one only.", .fixRequest)
        }
    }

    /// What a client can do about an error.
    package enum Advice: String, Sendable {
        case fixRequest = "Change the request."
        case signIn = "Sign in again."
        case retryAfter = "Repeat after `retryAfter`, a change under the same `ref`."
        case retrySoon = "Repeat with a growing pause, a change under the same `ref`."
        case giveUp = "Don't repeat before something has changed."
    }

    /// One row of the table of errors.
    package struct Row: Sendable {
        package let status: Int
        package let meaning: String
        package let advice: Advice

        init(_ status: Int, _ meaning: String, _ advice: Advice) {
            self.status = status
            self.meaning = meaning
            self.advice = advice
        }

        init(_ code: Rejection.Code) {
            let (status, advice): (Int, Advice) =
                switch code {
                case .unauthenticated: (401, .signIn)
                case .forbidden, .banned: (403, .giveUp)
                case .notFound: (404, .giveUp)
                case .nameTaken, .tokenConflict: (409, .fixRequest)
                case .notApplicable: (409, .giveUp)
                case .invalidName, .invalidValue: (400, .fixRequest)
                case .tooLarge: (413, .fixRequest)
                case .erased: (410, .giveUp)
                case .rateLimited: (429, .retryAfter)
                case .limitReached: (409, .giveUp)
                case .busy, .unavailable: (503, .retryAfter)
                case .fault: (500, .retrySoon)
                }
            self.init(status, code.meaning, advice)
        }
    }
}

import HTTPTypes
import NIOHTTP1

/// Why a request is answered by the door itself instead of a route; the connection (or the HTTP/2 stream) then ends.
struct RequestFault: Error, Hashable {
    let status: HTTPResponse.Status
    let refusal: DoorRefusal
    /// Short English for the body; never holds bytes of the peer.
    let message: String
    /// Whether not even an answer is given: the peer speaks another protocol.
    var isSilent = false
    /// When to try again, in seconds.
    var retryAfter: Int?

    init(_ status: HTTPResponse.Status, _ refusal: DoorRefusal, _ message: String) {
        self.status = status
        self.refusal = refusal
        self.message = message
    }

    static func badRequest(_ message: String) -> Self { Self(.badRequest, .badRequest, message) }

    static var wrongProtocol: Self {
        var fault = Self(.badRequest, .wrongProtocol, "not HTTP")
        fault.isSilent = true
        return fault
    }

    /// What the HTTP/1 parser's error means.
    /// - Parameter isFirst: whether no request has come on the connection yet: then what is not even a method is
    ///   another protocol.
    init(_ error: HTTPParserError, isFirst: Bool) {
        switch error {
        case .headerOverflow:
            self.init(.requestHeaderFieldsTooLarge, .headTooLarge, "too many or too large header fields")
        case .invalidMethod where isFirst, .invalidConstant where isFirst, .invalidInternalState where isFirst:
            self = .wrongProtocol
        case .invalidVersion:
            self.init(.init(code: 505, reasonPhrase: "HTTP Version Not Supported"), .badRequest, "HTTP/1.1 or HTTP/2")
        default:
            self = .badRequest("malformed request")
        }
    }
}

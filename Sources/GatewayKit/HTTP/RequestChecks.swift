import HTTPTypes
import NIOHTTP1

/// What a request must fulfil before anything looks at it: limits, and all that two programs could read differently
/// (request smuggling). RFC 9112 sections 3.2, 5 and 6; RFC 9110 section 7.2.
///
/// The parser has refused more already: bare LF, folded lines, space before a colon, control characters,
/// Content-Length beside Transfer-Encoding, a Transfer-Encoding that does not end in `chunked`.
enum RequestChecks {
    /// The head of an HTTP/1 request as it was parsed.
    static func check(_ head: HTTPRequestHead, _ limits: DoorLimits) -> RequestFault? {
        guard head.uri.utf8.count <= limits.targetBytes else { return .targetTooLong }
        guard head.headers.count <= limits.headerCount else { return .headTooLarge }
        if !head.version.isBefore11 {
            guard head.headers["host"].count == 1 else { return .badRequest("there must be one Host") }
        } else if head.headers["host"].count > 1 {
            return .badRequest("there may be only one Host")
        }
        let lengths = head.headers["content-length"]
        let codings = head.headers["transfer-encoding"]
        guard lengths.count <= 1 else { return .badRequest("there may be only one Content-Length") }
        if let length = lengths.first {
            guard codings.isEmpty else { return .badRequest("Content-Length beside Transfer-Encoding") }
            guard !length.isEmpty, length.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
                return .badRequest("Content-Length must be a number")
            }
        }
        if !codings.isEmpty {
            guard !head.version.isBefore11 else { return .badRequest("HTTP/1.0 has no Transfer-Encoding") }
            guard codings.count == 1, codings.first?.lowercased() == "chunked" else {
                return RequestFault(.notImplemented, .badRequest, "the only transfer coding is chunked")
            }
        }
        return nil
    }

    /// A request of either version.
    static func check(_ request: HTTPRequest, _ limits: DoorLimits) -> RequestFault? {
        guard let path = request.path else { return .badRequest("there must be a path") }
        guard path.utf8.count <= limits.targetBytes else { return .targetTooLong }
        guard path.utf8.first == UInt8(ascii: "/") || (path == "*" && request.method == .options) else {
            return .badRequest("the path must begin with a slash")
        }
        guard path.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else {
            return .badRequest("the path holds a control character")
        }
        if let authority = request.authority, !authority.isEmpty {
            guard WebOrigin(scheme: "http", authority: authority) != nil else { return .badRequest("malformed Host") }
        }
        guard request.headerFields.count <= limits.headerCount else { return .headTooLarge }
        var bytes = 0
        for field in request.headerFields { bytes += field.name.rawName.utf8.count + field.value.utf8.count }
        guard bytes <= limits.headerBytes else { return .headTooLarge }
        return nil
    }
}

extension RequestFault {
    fileprivate static var targetTooLong: Self { Self(.uriTooLong, .headTooLarge, "the request target is too long") }
    fileprivate static var headTooLarge: Self {
        Self(.requestHeaderFieldsTooLarge, .headTooLarge, "too many or too large header fields")
    }
}

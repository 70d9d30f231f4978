import HTTPTypes
import NIOCore
import WireJSON

/// One answer over HTTP: a status, header fields, and JSON.
struct JSONAnswer: Sendable {
    var status: HTTPResponse.Status
    var headers: HTTPFields
    var body: ByteBuffer

    /// An answer whose object has these members.
    init(_ status: HTTPResponse.Status = .ok, _ members: (inout JSONWriter) -> Void) {
        self.status = status
        headers = JSONAnswer.headers(contentType: "application/json", [:])
        body = JSONWriter.write { writer in writer.object(members) }
    }

    init(_ error: APIError) {
        self.init(HTTPResponse.Status(code: error.code.row.status)) { writer in
            writer.object("error") { $0.errorMembers(error) }
        }
        if let retryAfter = error.retryAfter {
            headers[.retryAfter] = String(max(1, (retryAfter + 999) / 1_000))
        }
        if error.code == .rejection(.unauthenticated) { headers[.wwwAuthenticate] = "Bearer" }
    }

    /// The fields that every answer has: nothing here is to be kept or guessed at.
    static func headers(contentType: String, _ more: HTTPFields) -> HTTPFields {
        var headers = more
        headers[.contentType] = contentType
        headers[.cacheControl] = "no-store"
        headers[.contentTypeOptions] = "nosniff"
        return headers
    }
}

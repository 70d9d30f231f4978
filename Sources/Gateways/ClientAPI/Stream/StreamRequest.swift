import GatewayKit
import HTTPTypes
import Hub

/// What a request for an event stream asks for.
enum StreamRequest: Sendable {
    case accepted(bearer: String, from: Cursor?, presence: Presence.State)
    case refused(APIError)

    /// What stands in the query. Not in the table: it is no operation, but its parameters are read and documented alike.
    static let operation = Operation(
        "stream", .read, places: .http,
        "Frames as Server-Sent Events. `Last-Event-ID` (or `since`) resumes after a cursor.",
        parameters: [
            .optional("since", .cursor, "resume after this; without it the stream begins now"),
            .optional("presence", .choice(Presence.State.allCases.map(\.name)), "`online` if not given"),
        ],
        .session(.hello))

    init(_ request: HTTPRequest, home: ServerName) {
        guard let bearer = BearerToken.of(request.headerFields) else {
            self = .refused(APIError(Rejection(.unauthenticated, "there is no bearer token")))
            return
        }
        do throws(APIError) {
            let arguments = try ArgumentDecoder(home: home).arguments(
                of: StreamRequest.operation, query: request.query)
            self = try StreamRequest.accepted(bearer, arguments, lastEventID: request.headerFields[.lastEventID])
        } catch {
            self = .refused(error)
        }
    }

    private static func accepted(
        _ bearer: String, _ arguments: Arguments, lastEventID: String?
    ) throws(APIError) -> StreamRequest {
        do throws(Rejection) {
            var cursor = try arguments.optionalCursor("since")
            // A stream that is taken up again says how far it came; what the address said is older.
            if let lastEventID, !lastEventID.isEmpty {
                guard let last = Cursor(lastEventID) else {
                    throw Rejection(.invalidValue, "Last-Event-ID: expected a cursor that the server gave")
                }
                cursor = last
            }
            let presence = try arguments.optionalText("presence").flatMap(Presence.State.init(name:)) ?? .online
            return .accepted(bearer: bearer, from: cursor, presence: presence)
        } catch {
            throw APIError(error)
        }
    }
}

extension BearerToken {
    /// The token of a request; nil if there is none, or not exactly one.
    static func of(_ fields: HTTPFields) -> String? {
        let values = fields[values: .authorization]
        guard values.count == 1, let value = values.first else { return nil }
        return parse(value)
    }
}

extension HTTPRequest {
    /// What follows the first `?`.
    var query: Substring {
        guard let path, let mark = path.utf8.firstIndex(of: UInt8(ascii: "?")) else { return "" }
        return path[path.utf8.index(after: mark)...]
    }

    /// The path without the query.
    var pathOnly: Substring {
        guard let path else { return "" }
        return path[..<(path.utf8.firstIndex(of: UInt8(ascii: "?")) ?? path.endIndex)]
    }
}

extension HTTPField.Name {
    static let lastEventID = name("Last-Event-ID")
    static let accelBuffering = name("X-Accel-Buffering")
    static let contentTypeOptions = name("X-Content-Type-Options")

    /// A name that is known to be one.
    private static func name(_ text: String) -> HTTPField.Name { HTTPField.Name(text) ?? .accept }
}

import Hub
import NIOCore
import WireJSON

/// What the server says to one session by itself, besides what the hub delivers. Section «Frames» of
/// docs/protocols/client-api.md.
enum ServerFrame: Sendable {
    case welcome(Welcome)
    case ready(Cursor)
    case resync(Cursor)
    /// The hot form of `answered`.
    case accepted(id: String, Acceptance, epoch: Int64)
    case answered(id: String, @Sendable (inout JSONWriter) -> Void)
    /// A reply where there is an id, else an error.
    case refused(id: String?, APIError)
    case goodbye(reason: String, cursor: Cursor?, retryAfter: Int64)
    case pong(id: String?)

    struct Welcome: Sendable {
        let server: ServerName
        let actor: Actor
        let session: SessionID
        /// What is resumed from.
        let cursor: Cursor?
    }

    var type: String {
        switch self {
        case .welcome: "welcome"
        case .ready: "ready"
        case .resync: "resync"
        case .accepted, .answered, .refused(id: .some, _): "reply"
        case .refused(id: nil, _): "error"
        case .goodbye: "goodbye"
        case .pong: "pong"
        }
    }

    /// Where a device that has seen this resumes.
    var cursor: Cursor? {
        switch self {
        case .ready(let cursor), .resync(let cursor): cursor
        case .goodbye(_, let cursor, _): cursor
        case .welcome(let welcome): welcome.cursor
        case .accepted, .answered, .refused, .pong: nil
        }
    }

    func writeMembers(_ writer: inout JSONWriter) {
        switch self {
        case .welcome(let welcome):
            writer.field("server", welcome.server.text)
            writer.field("account", welcome.actor.party.address)
            writer.field("device", String(welcome.actor.device.rawValue))
            writer.field("session", String(welcome.session.rawValue))
            if let cursor = welcome.cursor { writer.cursorField("cursor", cursor) }
        case .ready(let cursor), .resync(let cursor):
            writer.cursorField("cursor", cursor)
        case .accepted(let id, let acceptance, let epoch):
            writer.field("id", id)
            writer.object("ok") { $0.acceptanceMembers(acceptance, epoch: epoch) }
        case .answered(let id, let members):
            writer.field("id", id)
            writer.object("ok", members)
        case .refused(let id?, let error):
            writer.field("id", id)
            writer.object("error") { $0.errorMembers(error) }
        case .refused(nil, let error):
            writer.errorMembers(error)
        case .goodbye(let reason, let cursor, let retryAfter):
            writer.field("reason", reason)
            if let cursor { writer.cursorField("cursor", cursor) }
            writer.field("retryAfter", retryAfter)
        case .pong(let id):
            writer.field("id", id)
        }
    }
}

extension Framing {
    func append(_ frame: ServerFrame, to buffer: inout ByteBuffer) {
        append(frame.type, cursor: frame.cursor, to: &buffer) { writer in frame.writeMembers(&writer) }
    }
}

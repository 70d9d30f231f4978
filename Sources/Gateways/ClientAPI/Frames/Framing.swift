import Hub
import NIOCore
import WireJSON
import WireWebSocket

/// What the bytes around a frame's JSON are.
package enum Framing: Sendable {
    /// One WebSocket text message of one frame. RFC 6455 section 5.
    case socket
    /// One event of an event stream: `event`, `id` where the frame has a cursor, and `data` in one line. The JSON writer
    /// writes no line break, whatever the text, so nothing in a body can end a line.
    case stream
    /// One element of a JSON array, each after a comma.
    case list

    /// The frame's JSON is an object with `type` first; `members` writes the rest.
    func append(
        _ type: String, cursor: Cursor? = nil, to buffer: inout ByteBuffer, _ members: (inout JSONWriter) -> Void
    ) {
        switch self {
        case .socket:
            WebSocketFrame.write(.text, expectedBytes: 256, into: &buffer) { buffer in
                Framing.json(type, into: &buffer, members)
            }
        case .stream:
            buffer.writeStaticString("event: ")
            buffer.writeString(type)
            if let cursor {
                buffer.writeStaticString("\nid: ")
                buffer.writeString(cursor.description)
            }
            buffer.writeStaticString("\ndata: ")
            Framing.json(type, into: &buffer, members)
            buffer.writeStaticString("\n\n")
        case .list:
            buffer.writeInteger(UInt8(ascii: ","))
            Framing.json(type, into: &buffer, members)
        }
    }

    /// A frame without anything around it.
    static func json(_ type: String, into buffer: inout ByteBuffer, _ members: (inout JSONWriter) -> Void) {
        JSONWriter.write(into: &buffer) { writer in
            writer.beginObject()
            writer.field("type", type)
            members(&writer)
            writer.endObject()
        }
    }
}

extension Delivery {
    /// The frame's `type`.
    var frameType: String {
        switch self {
        case .event: "event"
        case .receipt: "receipt"
        case .profile: "profile"
        case .seat: "conversation"
        case .gap: "gap"
        case .signal(.typing): "typing"
        case .signal(.liveText): "live"
        case .signal(.ringing): "ringing"
        case .signal(.presence): "presence"
        case .signal(.attendance): "attendance"
        }
    }

    /// Where a device that has seen this resumes; nil for what is not durable.
    var position: Position? {
        switch self {
        case .event(let event, _): event.position
        case .receipt(let receipt): receipt.position
        case .profile(let profile): profile.position
        case .signal, .seat, .gap: nil
        }
    }

    func writeMembers(_ writer: inout JSONWriter, epoch: Int64) {
        switch self {
        case .event(let event, let previous):
            writer.eventMembers(event, previous: previous, epoch: epoch)
        case .receipt(let receipt):
            writer.receiptMembers(receipt, epoch: epoch)
        case .profile(let profile):
            writer.cursorField("cursor", profile.position, epoch: epoch)
            writer.field("account", profile.party.address)
            writer.profileMembers(profile.profile)
        case .signal(let signal):
            writer.signalMembers(signal)
        case .seat(let row):
            writer.seatMembers(row)
        case .gap(let conversation, let first):
            writer.conversationField("conversation", conversation)
            writer.field("first", first.rawValue)
        }
    }
}

extension Framing {
    /// Appends what the hub has for a session.
    package func append(_ delivery: Delivery, epoch: Int64, to buffer: inout ByteBuffer) {
        let cursor: Cursor?
        if case .stream = self {
            cursor = delivery.position.map { Cursor(epoch: epoch, position: $0) }
        } else {
            cursor = nil
        }
        append(delivery.frameType, cursor: cursor, to: &buffer) { writer in
            delivery.writeMembers(&writer, epoch: epoch)
        }
    }
}

import Hub
import NIOCore
import WireJSON

/// An event's content as the columns that hold it: what is asked for by SQL has its own, the rest is JSON.
struct EventColumns: Equatable {
    var kind: Content.Kind
    var target: EventReference?
    var thread: EventReference?
    var subject: AccountID?
    var text: String?
    var detail: String?
    var bytes: [UInt8]?
    var isErased = false

    init(_ content: Content) {
        kind = content.kind
        target = content.target
        switch content {
        case .message(let message):
            target = message.replyTo
            thread = message.thread
            text = message.body.text
            detail = EventColumns.detail(of: message.body)
        case .edit(_, let body):
            text = body.text
            detail = EventColumns.detail(of: body)
        case .redaction(_, let reason):
            text = reason
        case .reaction(_, let key, let removed):
            text = key
            detail = EventColumns.removal(removed)
        case .pin(_, let removed):
            detail = EventColumns.removal(removed)
        case .membership(let change):
            subject = change.subject.id
            text = change.reason
            detail = EventColumns.object { json in
                json.field("standing", change.standing.rawValue)
                json.field("rank", change.rank.rawValue)
            }
        case .state(let change):
            text = change.value
            detail = EventColumns.object { json in
                json.field("namespace", change.key.namespace)
                json.field("type", change.key.type)
                json.field("key", change.key.key)
            }
        case .call(let change):
            detail = EventColumns.object { json in
                json.field("call", change.call)
                json.field("step", change.step.rawValue)
                json.field("duration", change.duration)
            }
        case .sealed(let scheme, let bytes):
            text = scheme
            self.bytes = bytes
        case .custom(let namespace, let type, let payload):
            text = payload
            detail = EventColumns.object { json in
                json.field("namespace", namespace)
                json.field("type", type)
            }
        case .erased:
            isErased = true
        }
    }

    // MARK: Writing

    private static func object(_ body: (inout JSONWriter) -> Void) -> String {
        String(buffer: JSONWriter.write { json in json.object(body) })
    }

    private static func removal(_ removed: Bool) -> String? {
        removed ? object { $0.field("removed", true) } : nil
    }

    /// Nil for a body that is its text alone: most are.
    private static func detail(of body: Body) -> String? {
        if body.spans.isEmpty, body.attachments.isEmpty, body.mentions.isEmpty, body.extras.isEmpty { return nil }
        return object { json in
            if !body.spans.isEmpty {
                json.array("spans") { json in for span in body.spans { write(&json, span) } }
            }
            if !body.attachments.isEmpty {
                json.array("attachments") { json in for file in body.attachments { write(&json, file) } }
            }
            if !body.mentions.isEmpty {
                json.array("mentions") { json in for address in body.mentions { json.string(address.description) } }
            }
            if !body.extras.isEmpty {
                json.object("extras") { json in
                    for (key, value) in body.extras.sorted(by: { $0.key < $1.key }) {
                        json.key(string: key)
                        json.string(value)
                    }
                }
            }
        }
    }

    private static func write(_ json: inout JSONWriter, _ span: Span) {
        json.object { json in
            json.field("kind", span.kind.rawValue)
            json.field("start", span.start)
            json.field("length", span.length)
            json.field("value", span.value)
        }
    }

    private static func write(_ json: inout JSONWriter, _ attachment: Attachment) {
        json.object { json in
            json.field("reference", attachment.reference)
            json.field("name", attachment.name)
            json.field("type", attachment.mediaType)
            json.field("size", attachment.size)
        }
    }
}

import GatewayKit
import Hub
import WireJSON

/// Events and what they say. Sections «Frames» of docs/protocols/client-api.md.
extension JSONWriter {
    /// The members of an event, without `type`.
    mutating func eventMembers(_ event: Event, previous: Sequence?, epoch: Int64) {
        cursorField("cursor", event.position, epoch: epoch)
        conversationField("conversation", event.conversation)
        field("sequence", event.sequence.rawValue)
        field("previous", previous?.rawValue)
        idField("id", event.id)
        field("author", event.author.address)
        field("at", event.time.rawValue)
        field("ref", event.token?.text)
        field("kind", event.content.kind.name)
        contentMembers(event.content)
    }

    private mutating func contentMembers(_ content: Content) {
        switch content {
        case .message(let message):
            object("body") { writer in writer.bodyMembers(message.body) }
            field("replyTo", message.replyTo)
            field("thread", message.thread)
        case .edit(let target, let body):
            field("target", target)
            object("body") { writer in writer.bodyMembers(body) }
        case .redaction(let target, let reason):
            field("target", target)
            field("reason", reason)
        case .reaction(let target, let key, let removed):
            field("target", target)
            field("key", key)
            field("removed", removed)
        case .pin(let target, let removed):
            field("target", target)
            field("removed", removed)
        case .membership(let change):
            object("member") { writer in
                writer.field("account", change.subject.address)
                writer.standingMembers(change.standing, change.rank)
            }
            field("reason", change.reason)
        case .state(let change):
            object("state") { writer in writer.stateMembers(change) }
        case .call(let change):
            object("call") { writer in
                writer.field("id", change.call)
                writer.field("step", change.step.rawValue)
                writer.field("duration", change.duration)
            }
        case .sealed(let scheme, let bytes):
            object("sealed") { writer in
                writer.field("scheme", scheme)
                writer.field("bytes", StrictBase64.encode(bytes))
            }
        case .custom(let namespace, let type, let payload):
            object("custom") { writer in
                writer.field("namespace", namespace)
                writer.field("type", type)
                writer.field("payload", json: payload)
            }
        case .erased:
            field("erased", true)
        }
    }

    mutating func standingMembers(_ standing: Standing, _ rank: Rank) {
        field("standing", standing.rawValue)
        field("rank", rank.rawValue)
        field("role", rank.role)
    }

    mutating func stateMembers(_ change: StateChange) {
        field("namespace", change.key.namespace)
        field("type", change.key.type)
        field("key", change.key.key)
        if let value = change.value { field("value", value) } else { nullField("value") }
    }

    mutating func bodyMembers(_ body: Body) {
        field("text", body.text)
        if !body.spans.isEmpty {
            array("spans") { writer in
                for span in body.spans { writer.object { $0.spanMembers(span) } }
            }
        }
        if !body.attachments.isEmpty {
            array("attachments") { writer in
                for attachment in body.attachments { writer.object { $0.attachmentMembers(attachment) } }
            }
        }
        if !body.mentions.isEmpty {
            array("mentions") { writer in
                for mention in body.mentions { writer.address(mention) }
            }
        }
        if !body.extras.isEmpty {
            object("extras") { writer in
                for (key, value) in body.extras.sorted(by: { $0.key < $1.key }) {
                    writer.key(string: key)
                    writer.json(value)
                }
            }
        }
    }

    private mutating func spanMembers(_ span: Span) {
        field("kind", span.kind.rawValue)
        field("start", span.start)
        field("length", span.length)
        field("value", span.value)
    }

    private mutating func attachmentMembers(_ attachment: Attachment) {
        field("reference", attachment.reference)
        field("name", attachment.name)
        field("mediaType", attachment.mediaType)
        field("size", attachment.size)
    }

    /// An event with what later events made of it.
    mutating func entryMembers(_ entry: LogEntry, previous: Sequence?, epoch: Int64) {
        eventMembers(entry.event, previous: previous, epoch: epoch)
        if let edit = entry.edit {
            object("edit") { writer in
                writer.field("sequence", edit.sequence.rawValue)
                writer.field("at", edit.time.rawValue)
                writer.object("body") { $0.bodyMembers(edit.body) }
            }
        }
        if !entry.reactions.isEmpty {
            array("reactions") { writer in
                for reaction in entry.reactions {
                    writer.object { writer in
                        writer.field("key", reaction.key)
                        writer.array("by") { writer in
                            for reactor in reaction.by { writer.address(reactor.party.address) }
                        }
                    }
                }
            }
        }
        if let thread = entry.thread {
            object("replies") { writer in
                writer.field("count", thread.count)
                writer.field("last", thread.last.rawValue)
            }
        }
    }
}

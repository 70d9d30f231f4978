import Hub
import WireJSON

extension Operations {
    /// Reading the log.
    static let log: [Operation] = [
        Operation(
            "history", .read,
            "A page of a conversation's log, oldest first: the newest events, or those before, after or around a place.",
            parameters: [
                .conversation, .optional("before", .place, "a sequence or an event"),
                .optional("after", .place, "a sequence or an event"),
                .optional("around", .place, "a sequence or an event"), .limit(1_000, standard: 50),
            ],
            result: [
                .always("events", .list(.named("Entry"))),
                .always("first", .integer, "the first sequence that is still kept"),
                .always("last", .integer, "the last sequence"),
                .always("more", .flag, "there is more in the direction that was asked for"),
            ],
            .task(history)),
        Operation(
            "event", .read, "One event, with what later events made of it.", parameters: [.conversation, .event],
            result: Schemas.entry,
            .task { arguments, context throws(Rejection) in
                let name = try arguments.conversation()
                let event = try arguments.event()
                let epoch = context.hub.epoch
                return try await read(context) { reader, actor throws(Rejection) in
                    let id = try reader.conversation(name, for: actor)
                    let entry = try reader.entry(event, in: id, for: actor)
                    return .members { writer in writer.entryMembers(entry, previous: nil, epoch: epoch) }
                }
            }),
        Operation(
            "thread", .read, "A thread: its root and the messages in it, oldest first.",
            parameters: [
                .conversation, .event, .optional("after", .integer(0...Int64.max - 1), "a sequence"),
                .limit(1_000, standard: 50),
            ],
            result: [.always("root", .named("Entry")), .always("events", .list(.named("Entry")))],
            .task(thread)),
        Operation(
            "pins", .read, "The pinned messages of a conversation.", parameters: [.conversation],
            result: [.always("events", .list(.named("Entry")))],
            .task { arguments, context throws(Rejection) in
                let name = try arguments.conversation()
                let epoch = context.hub.epoch
                return try await read(context) { reader, actor throws(Rejection) in
                    let pins = try reader.pins(of: try reader.conversation(name, for: actor), for: actor)
                    return list("events", pins) { writer, entry in
                        writer.entryMembers(entry, previous: nil, epoch: epoch)
                    }
                }
            }),
        Operation(
            "search", .read,
            "Messages by their words, newest first: all words, `\"phrases\"`, `prefix*`, `-without`.",
            parameters: [
                .required("text", .text(maximum: 1_024), "what to look for"),
                .optional("conversation", .conversation, "only there"),
                .optional("before", .cursor, "the `before` of the page before"), .limit(200, standard: 50),
            ],
            result: [
                .always("results", .list(.named("SearchResult")), "matches stand between U+E000 and U+E001"),
                .sometimes("before", .text, "there may be more: ask again with this"),
            ],
            .task(search)),
    ]

    @Sendable
    private static func history(
        _ arguments: Arguments, _ context: OperationContext
    ) async throws(Rejection) -> OperationResult {
        let name = try arguments.conversation()
        let places = (
            before: try arguments.optionalPlace("before"), after: try arguments.optionalPlace("after"),
            around: try arguments.optionalPlace("around")
        )
        let limit = try arguments.limit(50)
        let epoch = context.hub.epoch
        return try await read(context) { reader, actor throws(Rejection) in
            let id = try reader.conversation(name, for: actor)
            let range: PageRange
            switch places {
            case (nil, nil, nil): range = .before(nil)
            case (let place?, nil, nil): range = .before(try reader.sequence(place, in: id, for: actor))
            case (nil, let place?, nil): range = .after(try reader.sequence(place, in: id, for: actor))
            case (nil, nil, let place?): range = .around(try reader.sequence(place, in: id, for: actor))
            default: throw Rejection(.invalidValue, "before: give one of before, after and around")
            }
            let page = try reader.page(id, range, limit: limit, for: actor)
            let previous = previousVisible(page.entries, after: range)
            return .members { writer in
                writer.array("events") { writer in
                    for (entry, previous) in zip(page.entries, previous) {
                        writer.object { $0.entryMembers(entry, previous: previous, epoch: epoch) }
                    }
                }
                writer.field("first", page.firstSequence.rawValue)
                writer.field("last", page.lastSequence.rawValue)
                writer.field("more", page.hasMore)
            }
        }
    }

    /// For each entry, which sequence came before it for this viewer, where that is not the one before.
    private static func previousVisible(_ entries: [LogEntry], after range: PageRange) -> [Sequence?] {
        var last: Sequence?
        if case .after(let sequence) = range { last = sequence }
        return entries.map { entry in
            defer { last = entry.event.sequence }
            return last.flatMap { $0.next == entry.event.sequence ? nil : $0 }
        }
    }

    @Sendable
    private static func thread(
        _ arguments: Arguments, _ context: OperationContext
    ) async throws(Rejection) -> OperationResult {
        let name = try arguments.conversation()
        let root = try arguments.event()
        let after = Sequence(rawValue: try arguments.optionalInteger("after") ?? 0)
        let limit = try arguments.limit(50)
        let epoch = context.hub.epoch
        return try await read(context) { reader, actor throws(Rejection) in
            let id = try reader.conversation(name, for: actor)
            let thread = try reader.thread(root, in: id, after: after, limit: limit, for: actor)
            return .members { writer in
                writer.object("root") { $0.entryMembers(thread.root, previous: nil, epoch: epoch) }
                writer.array("events") { writer in
                    for entry in thread.replies {
                        writer.object { $0.entryMembers(entry, previous: nil, epoch: epoch) }
                    }
                }
            }
        }
    }

    @Sendable
    private static func search(
        _ arguments: Arguments, _ context: OperationContext
    ) async throws(Rejection) -> OperationResult {
        let text = try arguments.text("text")
        let name = try arguments.optionalConversation("conversation")
        let before = try arguments.optionalCursor("before")
        let limit = try arguments.limit(50)
        let epoch = context.hub.epoch
        guard before?.epoch ?? epoch == epoch else {
            throw Rejection(.invalidValue, "before: this cursor is of another log")
        }
        return try await read(context) { reader, actor throws(Rejection) in
            let id: ConversationID?
            if let name { id = try reader.conversation(name, for: actor) } else { id = nil }
            let results = try reader.search(text, in: id, before: before?.position, limit: limit, for: actor)
            return .members { writer in
                writer.array("results") { writer in
                    for result in results {
                        writer.object { writer in
                            writer.object("event") { $0.entryMembers(result.entry, previous: nil, epoch: epoch) }
                            writer.field("snippet", result.snippet)
                        }
                    }
                }
                if results.count == limit, let last = results.last {
                    writer.cursorField("before", last.entry.event.position, epoch: epoch)
                }
            }
        }
    }
}

extension Reader {
    /// The sequence of a place that the actor names.
    fileprivate func sequence(
        _ place: Place, in id: ConversationID, for actor: Actor
    ) throws(Rejection) -> Sequence {
        switch place {
        case .sequence(let sequence): sequence
        case .event(let event): try entry(event, in: id, for: actor).event.sequence
        }
    }
}

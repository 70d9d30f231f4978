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
            result: [
                .always("root", .named("Entry")), .always("events", .list(.named("Entry"))),
                .sometimes("more", .flag, "there is more after the last of them"),
            ],
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
            let entries = page.entries
            let previous = previousVisible(entries, after: range)
            let elements = PageElements(mostWanted(of: entries, by: range)) { writer, place in
                writer.entryMembers(entries[place], previous: previous[place], epoch: epoch)
            }
            return .members { writer in
                elements.write("events", to: &writer)
                writer.field("first", page.firstSequence.rawValue)
                writer.field("last", page.lastSequence.rawValue)
                writer.field("more", page.hasMore || elements.count < entries.count)
            }
        }
    }

    /// Where a page begins that may not have room for all: at the side from which the next one goes on.
    private static func mostWanted(of entries: [LogEntry], by range: PageRange) -> [Int] {
        switch range {
        case .after: Array(entries.indices)
        case .before: entries.indices.reversed()
        case .around(let sequence):
            PageElements.around(
                entries.firstIndex { $0.event.sequence >= sequence } ?? entries.count, of: entries.count)
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
            let elements = PageElements(thread.replies.indices) { writer, place in
                writer.entryMembers(thread.replies[place], previous: nil, epoch: epoch)
            }
            let last = thread.replies.prefix(elements.count).last?.event.sequence
            return .members { writer in
                writer.object("root") { $0.entryMembers(thread.root, previous: nil, epoch: epoch) }
                elements.write("events", to: &writer)
                if let last, let end = thread.root.thread?.last { writer.field("more", last < end) }
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
            let page = try reader.search(text, in: id, before: before?.position, limit: limit, for: actor)
            let results = page.results
            let elements = PageElements(results.indices) { writer, place in
                writer.object("event") { $0.entryMembers(results[place].entry, previous: nil, epoch: epoch) }
                writer.field("snippet", results[place].snippet)
            }
            let before =
                elements.count < results.count ? results[elements.count - 1].entry.event.position : page.before
            return .members { writer in
                elements.write("results", to: &writer)
                if let before { writer.cursorField("before", before, epoch: epoch) }
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

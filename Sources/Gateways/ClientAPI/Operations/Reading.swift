import Hub
import NIOCore
import WireJSON

extension Operations {
    /// Reading what there is.
    static let reading: [Operation] =
        [
            Operation(
                "conversations", .read,
                "One's own conversations with what is unread: the first screen. Stream on from `cursor`.",
                result: [
                    .always("conversations", .list(.named("Conversation"))),
                    .always("cursor", .text, "everything up to here is in the list"),
                ],
                .task(conversations)),
            Operation(
                "conversation", .read, "One conversation.", parameters: [.conversation],
                result: Schemas.conversation, .task(conversation)),
            Operation(
                "browse", .read, "Public conversations, by name.",
                parameters: [
                    .optional("text", .text(maximum: 256), "in their handle or name"),
                    .optional("after", .handle, "the last handle of the page before"), .limit(200, standard: 50),
                ],
                result: [.always("conversations", .list(.named("Conversation")))],
                .task(browse)),
            Operation(
                "members", .read, "Who belongs to a conversation, by name, with presence.",
                parameters: [
                    .conversation, .optional("after", .handle, "the last handle of the page before"),
                    .limit(1_000, standard: 100),
                ],
                result: [.always("members", .list(.named("Member")))],
                .task(members)),
            Operation(
                "state", .read, "The open state of a conversation, now or as of a sequence.",
                parameters: [.conversation, .optional("asOf", .integer(0...Int64.max - 1), "a sequence")],
                result: [.always("state", .list(.named("State")))],
                .task(state)),
            Operation(
                "receipts", .read, "How far everybody has come in a conversation.", parameters: [.conversation],
                result: [.always("receipts", .list(.named("Receipt")))],
                .task { arguments, context throws(Rejection) in
                    let name = try arguments.conversation()
                    return try await read(context) { reader, actor throws(Rejection) in
                        let receipts = try reader.receipts(in: try reader.conversation(name, for: actor), for: actor)
                        return list("receipts", receipts) { [epoch = context.hub.epoch] writer, receipt in
                            writer.receiptMembers(receipt, epoch: epoch)
                        }
                    }
                }),
            Operation(
                "unread", .read, "What is unread in a conversation, and from where it is counted.",
                parameters: [.conversation],
                result: [
                    .always("marker", .integer, "read up to here"), .always("count", .integer, "messages after it"),
                    .always("mentions", .integer, "how many of them mention you"),
                    .sometimes("first", .integer, "the sequence of the first of them"),
                    .always("capped", .flag, "there are more than counted"),
                ],
                .task(unread)),
            Operation(
                "attendance", .read, "Who is looking at a conversation now.", parameters: [.conversation],
                result: [.always("accounts", .list(.text))],
                .task(attendance)),
            Operation(
                "presence-of", .read,
                "How some accounts are present; those whom you share no conversation with are left out.",
                parameters: [.required("accounts", .accounts(maximum: 100), "whom")],
                result: [.always("presence", .list(.named("AccountPresence")))],
                .task(presence)),
            Operation(
                "profiles", .read, "What some accounts show of themselves; unknown ones are left out.",
                parameters: [.required("accounts", .accounts(maximum: 100), "whose")],
                result: [.always("profiles", .list(.named("AccountProfile")))],
                .task(profiles)),
        ] + log + [sync]

    // MARK: Help

    static func read(
        _ context: OperationContext,
        _ body: @escaping @Sendable (Reader, Actor) throws(Rejection) -> OperationResult
    ) async throws(Rejection) -> OperationResult {
        let actor = context.actor
        return try await context.hub.read { reader throws(Rejection) in try body(reader, actor) }
    }

    /// An answer that is one list of objects.
    static func list<Element: Sendable>(
        _ key: StaticString, _ elements: [Element],
        _ members: @escaping @Sendable (inout JSONWriter, Element) -> Void
    ) -> OperationResult {
        .members { writer in
            writer.array(key) { writer in
                for element in elements {
                    writer.object { members(&$0, element) }
                }
            }
        }
    }

    // MARK: Handlers

    @Sendable
    private static func conversations(
        _ arguments: Arguments, _ context: OperationContext
    ) async throws(Rejection) -> OperationResult {
        // The place is taken before the list is read: what happens in between comes twice rather than not at all.
        guard let head = await context.hub.head() else { throw Rejection(.unavailable, "the server is going down") }
        return try await read(context) { reader, actor throws(Rejection) in
            let summaries = try reader.overview(for: actor)
            return .members { writer in
                writer.array("conversations") { writer in
                    for summary in summaries {
                        writer.object { $0.summaryMembers(summary, epoch: head.epoch) }
                    }
                }
                writer.cursorField("cursor", head)
            }
        }
    }

    @Sendable
    private static func conversation(
        _ arguments: Arguments, _ context: OperationContext
    ) async throws(Rejection) -> OperationResult {
        let name = try arguments.conversation()
        let epoch = context.hub.epoch
        return try await read(context) { reader, actor throws(Rejection) in
            let summary = try reader.summary(of: try reader.conversation(name, for: actor), for: actor)
            return .members { writer in writer.summaryMembers(summary, epoch: epoch) }
        }
    }

    @Sendable
    private static func browse(
        _ arguments: Arguments, _ context: OperationContext
    ) async throws(Rejection) -> OperationResult {
        let text = try arguments.optionalText("text") ?? ""
        let after = try arguments.optionalHandle("after")
        let limit = try arguments.limit(50)
        return try await read(context) { reader, _ throws(Rejection) in
            let heads = try reader.publicConversations(containing: text, after: after, limit: limit)
            return list("conversations", heads) { writer, head in writer.headMembers(head, other: nil) }
        }
    }

    @Sendable
    private static func members(
        _ arguments: Arguments, _ context: OperationContext
    ) async throws(Rejection) -> OperationResult {
        let name = try arguments.conversation()
        let after = try arguments.optionalHandle("after")
        let limit = try arguments.limit(100)
        let actor = context.actor
        let found = try await context.hub.read { reader throws(Rejection) in
            let id = try reader.conversation(name, for: actor)
            let view = try reader.view(id, for: actor)
            let members = try reader.members(of: id, after: after, limit: limit, for: actor)
            return try reader.accounts(members.map(\.party.id)).enumerated().map { index, account in
                let member = members[index]
                return (member, account, member.isJoined && view.seesSignals(of: member.party.id))
            }
        }
        let visible = found.filter(\.2).map(\.0.party.id)
        let presences = Dictionary(
            zip(visible, await context.hub.presence(of: visible)), uniquingKeysWith: { first, _ in first })
        return list("members", found) { writer, row in
            let (member, account, _) = row
            writer.field("account", member.party.address)
            writer.standingMembers(member.standing, member.rank)
            writer.field("since", member.since.rawValue)
            if let account {
                writer.field("accountKind", account.kind.rawValue)
                writer.profileMembers(account.profile)
            }
            if let presence = presences[member.party.id] {
                writer.object("presence") { $0.presenceMembers(presence) }
            }
        }
    }

    @Sendable
    private static func state(
        _ arguments: Arguments, _ context: OperationContext
    ) async throws(Rejection) -> OperationResult {
        let name = try arguments.conversation()
        let sequence = try arguments.optionalInteger("asOf").map(Sequence.init(rawValue:))
        return try await read(context) { reader, actor throws(Rejection) in
            let id = try reader.conversation(name, for: actor)
            let values = try reader.state(of: id, asOf: sequence, for: actor)
                .map { StateChange(key: $0.key, value: $0.value) }
                .sorted { $0.key.description < $1.key.description }
            return list("state", values) { writer, change in writer.stateMembers(change) }
        }
    }

    @Sendable
    private static func unread(
        _ arguments: Arguments, _ context: OperationContext
    ) async throws(Rejection) -> OperationResult {
        let name = try arguments.conversation()
        return try await read(context) { reader, actor throws(Rejection) in
            let unread = try reader.unread(in: try reader.conversation(name, for: actor), for: actor)
            return .members { writer in
                writer.field("marker", unread.marker.rawValue)
                writer.field("count", unread.count)
                writer.field("mentions", unread.mentions)
                writer.field("first", unread.first?.rawValue)
                writer.field("capped", unread.isCapped)
            }
        }
    }

    @Sendable
    private static func attendance(
        _ arguments: Arguments, _ context: OperationContext
    ) async throws(Rejection) -> OperationResult {
        let id = try await context.find(try arguments.conversation())
        let present = await context.hub.attending(id)
        return try await read(context) { reader, actor throws(Rejection) in
            let view = try reader.view(id, for: actor)
            guard view.seesSignals(of: actor.account) else {
                throw Rejection(.forbidden, "you are not in this conversation")
            }
            let names = try reader.accounts(present.filter { view.seesSignals(of: $0) })
                .compactMap { $0?.address.description }.sorted()
            return .members { writer in
                writer.array("accounts") { writer in
                    for name in names { writer.string(name) }
                }
            }
        }
    }

    @Sendable
    private static func presence(
        _ arguments: Arguments, _ context: OperationContext
    ) async throws(Rejection) -> OperationResult {
        let addresses = try arguments.accounts("accounts")
        let actor = context.actor
        let parties = try await context.hub.read { reader throws(Rejection) in
            var parties: [Party] = []
            for account in try reader.accounts(at: addresses) { parties.append(account.party) }
            let known = Set(try reader.acquainted(parties.map(\.id), with: actor))
            return parties.filter { known.contains($0.id) }
        }
        let presences = await context.hub.presence(of: parties.map(\.id))
        return list("presence", Array(zip(parties, presences))) { writer, row in
            writer.field("account", row.0.address)
            writer.presenceMembers(row.1)
        }
    }

    @Sendable
    private static func profiles(
        _ arguments: Arguments, _ context: OperationContext
    ) async throws(Rejection) -> OperationResult {
        let addresses = try arguments.accounts("accounts")
        return try await read(context) { reader, _ throws(Rejection) in
            list("profiles", try reader.accounts(at: addresses)) { writer, account in
                writer.field("account", account.address)
                writer.field("accountKind", account.kind.rawValue)
                writer.profileMembers(account.profile)
            }
        }
    }
}

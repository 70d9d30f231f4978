import Hub

extension Operations {
    /// Making conversations, being in them, and what they are.
    static let conversations: [Operation] = [
        Operation(
            "create", .change, access: .account,
            "Makes a group or a broadcast; you are its owner.",
            parameters: [
                .required(
                    "kind", .choice([ConversationKind.group.rawValue, ConversationKind.broadcast.rawValue]), "which"),
                .optional("handle", .handle, "its name; made up if not given"),
                .optional("name", .line, "a title for people"),
                .optional("subject", .text(maximum: 65_536), "what it is about now"),
                .optional(
                    "access", .choice(Access.allCases.map(\.rawValue)), "`public` if it has a handle, else `private`"),
                .optional("history", .choice(HistoryVisibility.allCases.map(\.rawValue)), "`members` if not given"),
                .optional("invite", .accounts(maximum: 1_000), "who is invited at once"),
                .ref,
            ],
            result: Field.acceptance,
            .task(create)),
        Operation(
            "direct", .change, "Finds or opens the direct conversation with an account.",
            parameters: [
                .account, .optional("sealing", .text(maximum: 256), "the scheme, for one that is encrypted throughout"),
            ],
            result: Field.acceptance,
            .task { arguments, context throws(Rejection) in
                let other = try await context.account(try arguments.account())
                let command = Command.openDirect(with: other.id, sealing: try arguments.optionalText("sealing"))
                return .acceptance(
                    try await context.hub.submit(command, by: context.actor, token: nil), epoch: context.hub.epoch)
            }),
        Operation(
            "join", .change, "Enters a conversation.", parameters: [.conversation, .ref], result: Field.acceptance,
            .command { _ throws(Rejection) in .join }),
        Operation(
            "leave", .change, "Leaves a conversation, or declines an invitation.",
            parameters: [.conversation, .reason, .ref], result: Field.acceptance,
            .command { arguments throws(Rejection) in .leave(reason: try arguments.optionalText("reason")) }),
        Operation(
            "knock", .change, "Asks to be let in.",
            parameters: [.conversation, .reason, .ref], result: Field.acceptance,
            .command { arguments throws(Rejection) in .knock(reason: try arguments.optionalText("reason")) }),
        Operation(
            "invite", .change, "Invites an account.",
            parameters: [.conversation, .account, .ref], result: Field.acceptance,
            about { account, _ throws(Rejection) in .invite(account) }),
        Operation(
            "kick", .change, "Removes a member.",
            parameters: [.conversation, .account, .reason, .ref], result: Field.acceptance,
            about { account, arguments throws(Rejection) in
                .kick(account, reason: try arguments.optionalText("reason"))
            }),
        Operation(
            "ban", .change, "Removes an account and keeps it out. (Patterns: `set` with the state `ban`.)",
            parameters: [.conversation, .account, .reason, .ref], result: Field.acceptance,
            about { account, arguments throws(Rejection) in
                .ban(account, reason: try arguments.optionalText("reason"))
            }),
        Operation(
            "unban", .change, "Lets a banned account come back.",
            parameters: [.conversation, .account, .ref], result: Field.acceptance,
            about { account, _ throws(Rejection) in .unban(account) }),
        Operation(
            "rank", .change, "Gives a member a rank or a role.",
            parameters: [
                .conversation, .account, .optional("rank", .integer(-1...100), "-1 to 100"),
                .optional("role", .choice(Rank.roles.map(\.name)), "instead of a rank"), .ref,
            ],
            result: Field.acceptance,
            about { account, arguments throws(Rejection) in .setRank(account, try rank(arguments)) }),
        Operation(
            "set", .change,
            "Changes what a conversation is: each value given is one event, in the order of this list. The first that "
                + "is refused ends it; those before it hold. Under a `ref` the events are called `ref/0`, `ref/1` and so on.",
            parameters: [
                .conversation,
                .removable("name", .line, "a title for people"),
                .removable("subject", .text(maximum: 65_536), "what it is about now"),
                .removable("avatar", .line, "the address of a picture"),
                .optional("access", .choice(Access.allCases.map(\.rawValue)), "who can find and enter it"),
                .optional("history", .choice(HistoryVisibility.allCases.map(\.rawValue)), "who may read its past"),
                .removable("slowMode", .integer(0...21_600), "seconds that a member waits between messages"),
                .removable("retentionAge", .integer(60_000...Int64.max / 2), "milliseconds after which events go"),
                .removable("retentionCount", .integer(1...Int64.max / 2), "how many events are kept"),
                .optional("state", .state, "any value of its open state"),
                .optional("permission", .ranks, "the rank that each action takes"), .ref,
            ],
            result: [
                .always("conversation", .text, "`~12`"),
                .always("events", .list(.named("Reference")), "one for each value that was not so already"),
                .always("cursor", .text, "everything up to here is on disk"),
            ],
            .task(set)),
    ]

    // MARK: Handlers

    @Sendable
    private static func create(
        _ arguments: Arguments, _ context: OperationContext
    ) async throws(Rejection) -> OperationResult {
        let handle = try arguments.optionalHandle("handle")
        var invited: [AccountID] = []
        for address in try arguments.accounts("invite") { invited.append(try await context.account(address).id) }
        let new = NewConversation(
            kind: try arguments.optionalText("kind").flatMap(ConversationKind.init(rawValue:)) ?? .group,
            handle: handle, name: try arguments.optionalText("name"), subject: try arguments.optionalText("subject"),
            access: try arguments.optionalText("access").flatMap(Access.init(rawValue:))
                ?? (handle == nil ? .private : .public),
            history: try arguments.optionalText("history").flatMap(HistoryVisibility.init(rawValue:)) ?? .members,
            invite: invited)
        let acceptance = try await context.hub.submit(.create(new), by: context.actor, token: arguments.token)
        return .acceptance(acceptance, epoch: context.hub.epoch)
    }

    /// A command about another account.
    private static func about(
        _ make: @escaping @Sendable (AccountID, Arguments) throws(Rejection) -> ConversationCommand
    ) -> Operation.Handler {
        .task { arguments, context throws(Rejection) in
            let account = try await context.account(try arguments.account())
            return try await context.change(
                try arguments.conversation(), try make(account.id, arguments), token: arguments.token)
        }
    }

    private static func rank(_ arguments: Arguments) throws(Rejection) -> Rank {
        switch (try arguments.optionalInteger("rank"), try arguments.optionalText("role")) {
        case (let number?, nil):
            guard let rank = Rank(rawValue: Int(number)) else { break }
            return rank
        case (nil, let role?):
            guard let rank = Rank(role: role) else { break }
            return rank
        case (nil, nil), (.some, .some): break
        }
        throw Rejection(.invalidValue, "rank: give either a rank or a role")
    }

    @Sendable
    private static func set(
        _ arguments: Arguments, _ context: OperationContext
    ) async throws(Rejection) -> OperationResult {
        let changes = try changes(arguments)
        guard !changes.isEmpty else { throw Rejection(.invalidValue, "there is no value to set") }
        let conversation = try await context.open(try arguments.conversation())
        var events: [EventReference] = []
        var position = Position.zero
        for (number, change) in changes.enumerated() {
            let acceptance = try await context.hub.submit(
                .conversation(conversation, .setState(change)), by: context.actor,
                token: try arguments.token.map { token throws(Rejection) in try token.part(number) })
            if let event = acceptance.event { events.append(event) }
            position = acceptance.position
        }
        return .members { [events, position, epoch = context.hub.epoch] writer in
            writer.conversationField("conversation", conversation)
            writer.array("events") { writer in
                for event in events { writer.reference(event) }
            }
            writer.cursorField("cursor", position, epoch: epoch)
        }
    }

    private static func changes(_ arguments: Arguments) throws(Rejection) -> [StateChange] {
        var changes: [StateChange] = []
        for (name, key) in [("name", StateKey.name), ("subject", .subject), ("avatar", .avatar)] {
            switch try arguments.removableText(name) {
            case .absent: break
            case .removed: changes.append(StateChange(key: key, value: nil))
            case .value(let text): changes.append(StateChange(key: key, value: text))
            }
        }
        for (name, key) in [("access", StateKey.access), ("history", .history)] {
            if let text = try arguments.optionalText(name) { changes.append(StateChange(key: key, value: text)) }
        }
        for (name, key) in [
            ("slowMode", StateKey.slowMode), ("retentionAge", .retention("age-ms")),
            ("retentionCount", .retention("count")),
        ] {
            switch try arguments.removableInteger(name) {
            case .absent: break
            case .removed: changes.append(StateChange(key: key, value: nil))
            case .value(let number): changes.append(StateChange(key: key, value: String(number)))
            }
        }
        if let change = try arguments.optionalState("state") { changes.append(change) }
        for (action, rank) in try arguments.ranks("permission") {
            changes.append(StateChange(key: .permission(action), value: String(rank.rawValue)))
        }
        return changes
    }
}

extension Token {
    /// The token of one of several events that one change makes.
    fileprivate func part(_ number: Int) throws(Rejection) -> Token {
        guard let part = Token("\(text)/\(number)") else {
            throw Rejection(.invalidValue, "ref: at most \(Token.limit - 4) bytes here")
        }
        return part
    }
}

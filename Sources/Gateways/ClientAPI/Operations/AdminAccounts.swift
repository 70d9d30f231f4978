import GatewayKit
import Hub
import WireJSON

extension Operations {
    /// What administrators do; over the admin socket, whoever may open it.
    static let administration: [Operation] = [
        Operation(
            "accounts", .read, access: .administrator, "All accounts, by handle.",
            parameters: [
                .optional("after", .handle, "the last handle of the page before"), .limit(1_000, standard: 100),
            ],
            result: [
                .always("accounts", .list(.object(adminAccount))), .always("more", .flag, "there are more after these"),
            ],
            .task(accounts)),
        Operation(
            "account-add", .change, access: .administrator,
            "Makes an account: a person's, with or without a password, or a bot's, with its token.",
            parameters: [
                .required("handle", .line, "its name; reserved ones too"),
                .optional(
                    "kind", .choice([Account.Kind.person.rawValue, Account.Kind.bot.rawValue]), "`person` if not given"),
                .optional("password", .secret, "a person's; without one it takes a reset link"),
                .optional("name", .line, "what others see"),
                .optional("administrator", .flag, "whether it may administer the server"),
            ],
            result: [.always("account", .text), .sometimes("token", .text, "a bot's, shown only now")],
            .task(addAccount)),
        Operation(
            "account-set", .change, access: .administrator,
            "Disables or enables an account, makes it an administrator or ends that.",
            parameters: [
                .account, .optional("disabled", .flag, "let it in no more"),
                .optional("administrator", .flag, "let it administer the server"),
            ],
            result: adminAccount,
            .task { arguments, context throws(Rejection) in
                let account = try await context.account(try arguments.account())
                let changed = try await context.services.requireAccounts().change(
                    account.id, disabled: try arguments.optionalFlag("disabled"),
                    administrator: try arguments.optionalFlag("administrator"), by: context.authority)
                return .members { writer in writer.accountMembers(changed) }
            }),
        Operation(
            "account-password", .change, access: .administrator,
            "Sets a person's password; all devices of the account are signed out.",
            parameters: [.account, .required("password", .secret, "the new one")],
            about { service, account, arguments, context throws(Rejection) in
                try await service.setPassword(
                    try arguments.text("password"), of: account.id, by: context.authority)
                return .nothing
            }),
        Operation(
            "account-reset", .change, access: .administrator,
            "A link by which a person sets a new password, once, within a day.",
            parameters: [.account], result: Field.link,
            about { service, account, _, context throws(Rejection) in
                .link(try await service.resetLink(for: account.id, by: context.authority))
            }),
        Operation(
            "account-token", .change, access: .administrator,
            "A new token for a bot; the old ones end.",
            parameters: [.account],
            result: [.always("account", .text), .always("token", .text, "shown only now")],
            about { service, account, _, context throws(Rejection) in
                .bot(try await service.renewToken(ofBot: account.id, by: context.authority))
            }),
        Operation(
            "account-delete", .change, access: .administrator, "Closes an account; its handle stays taken.",
            parameters: [.account, .optional("erase", .flag, "blank all that it wrote, too")],
            about { service, account, arguments, context throws(Rejection) in
                try await service.delete(account.id, erase: try arguments.flag("erase"), by: context.authority)
                return .nothing
            }),
        Operation(
            "invite-link", .change, access: .account,
            "A link that makes accounts, joins conversations, or both. Who may invite to a conversation may make one for it; "
                + "accounts are made by administrators' links, or where registration is open.",
            parameters: [
                .optional("conversations", .texts(maximum: 50), "what is joined by it"),
                .optional("uses", .integer(1...10_000), "how often it can be spent; once if not given"),
                .optional("hours", .integer(1...24 * 365), "how long it lives; 72 if not given"),
            ],
            result: Field.link,
            .task(inviteLink)),
        Operation(
            "reports", .read, access: .administrator, "What was reported to the administrators.",
            result: [
                .always(
                    "reports",
                    .list(
                        .object([
                            .always("conversation", .text), .always("event", .named("Reference")),
                            .always("reporter", .text), .always("reason", .text), .always("at", .integer),
                        ])))
            ],
            .task { _, context throws(Rejection) in
                let reports = try await context.services.requireAccounts().reports(by: context.authority)
                return list("reports", reports) { writer, report in
                    writer.conversationField("conversation", report.conversation)
                    writer.field("event", report.target)
                    writer.field("reporter", report.reporter.address)
                    writer.field("reason", report.reason)
                    writer.field("at", report.time.rawValue)
                }
            }),
        Operation(
            "stats", .read, access: .administrator, "How the server is doing.",
            result: [
                .always("sessions", .integer), .always("waiting", .integer, "commands that wait to be written"),
                .always("cursor", .text, "where the log stands"),
            ],
            .task { _, context throws(Rejection) in
                let hub = context.hub
                guard let head = await hub.head() else { throw Rejection(.unavailable, "the server is going down") }
                let sessions = await hub.sessionCount()
                return .members { writer in
                    writer.field("sessions", sessions)
                    writer.field("waiting", hub.inbox.waiting)
                    writer.cursorField("cursor", head)
                }
            }),
    ]

    private static let adminAccount: [Field] = [
        .always("account", .text), .always("kind", .choice(Account.Kind.allCases.map(\.rawValue))),
        .always("administrator", .flag), .always("disabled", .flag), .sometimes("displayName", .text),
        .sometimes("avatar", .text), .sometimes("statusText", .text), .always("created", .integer),
        .sometimes("expires", .integer, "when a guest ends"),
    ]

    // MARK: Handlers

    /// Something about another account.
    private static func about(
        _ body:
            @escaping @Sendable (AccountService, Account, Arguments, OperationContext) async throws(Rejection)
            -> OperationResult
    ) -> Operation.Handler {
        .task { arguments, context throws(Rejection) in
            let account = try await context.account(try arguments.account())
            return try await body(try context.services.requireAccounts(), account, arguments, context)
        }
    }

    @Sendable
    private static func accounts(
        _ arguments: Arguments, _ context: OperationContext
    ) async throws(Rejection) -> OperationResult {
        let page = try await context.services.requireAccounts().accounts(
            after: try arguments.optionalHandle("after"), limit: try arguments.limit(100), by: context.authority)
        return .members { writer in
            writer.array("accounts") { writer in
                for account in page.accounts { writer.object { $0.accountMembers(account) } }
            }
            writer.field("more", page.hasMore)
        }
    }

    @Sendable
    private static func addAccount(
        _ arguments: Arguments, _ context: OperationContext
    ) async throws(Rejection) -> OperationResult {
        let service = try context.services.requireAccounts()
        let handle = try arguments.text("handle")
        let name = try arguments.optionalText("name")
        let isAdministrator = try arguments.flag("administrator")
        let password = try arguments.optionalText("password")
        if try arguments.optionalText("kind") == Account.Kind.bot.rawValue {
            guard !isAdministrator, password == nil else {
                throw Rejection(.notApplicable, "a bot has no password and can't be an administrator")
            }
            return .bot(try await service.addBot(handle, displayName: name, by: context.authority))
        }
        let account = try await service.addPerson(
            handle, password: password, displayName: name, isAdministrator: isAdministrator, by: context.authority)
        return .members { writer in writer.field("account", account.address) }
    }

    @Sendable
    private static func inviteLink(
        _ arguments: Arguments, _ context: OperationContext
    ) async throws(Rejection) -> OperationResult {
        var conversations: [ConversationID] = []
        for text in try arguments.texts("conversations") {
            guard let name = ConversationName(text, home: context.hub.serverName) else {
                throw Rejection(.invalidValue, "conversations: \(ArgumentDecoder.expectation(.conversation))")
            }
            conversations.append(try await context.find(name))
        }
        let link = try await context.services.requireAccounts().inviteLink(
            to: conversations, uses: try arguments.optionalInteger("uses").map { Int($0) },
            hours: try arguments.optionalInteger("hours").map { Int($0) }, by: context.authority)
        return .link(link)
    }
}

extension OperationContext {
    var authority: Authority { Authority(actor) }
}

extension OperationResult {
    fileprivate static func link(_ link: IssuedLink) -> OperationResult {
        .members { writer in
            writer.field("link", link.url)
            writer.field("secret", link.secret.reveal())
            writer.field("expires", link.expires.rawValue)
        }
    }

    fileprivate static func bot(_ signIn: SignIn) -> OperationResult {
        .members { writer in
            writer.field("account", signIn.account.address)
            writer.field("token", signIn.token.reveal())
        }
    }
}

extension Field {
    fileprivate static let link: [Field] = [
        .always("link", .text, "for people; the secret stands behind `#`"),
        .always("secret", .text, "for `redeem`; shown only now"), .always("expires", .integer),
    ]
}

extension JSONWriter {
    fileprivate mutating func accountMembers(_ account: Account) {
        field("account", account.address)
        field("kind", account.kind.rawValue)
        field("administrator", account.isAdministrator)
        field("disabled", account.isDisabled)
        profileMembers(account.profile)
        field("created", account.created.rawValue)
        field("expires", account.expires?.rawValue)
    }
}

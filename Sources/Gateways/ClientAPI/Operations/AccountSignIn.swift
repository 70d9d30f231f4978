import GatewayKit
import Hub
import WireJSON

extension Operations {
    /// Coming in, and going out again.
    static let signIn: [Operation] = [
        Operation(
            "login", .change, "Signs a device in by password.",
            parameters: [
                .required("handle", .line, "of the account"), .required("password", .secret, "its password"),
                .required("device", .line, "a name for this device, 1 to 100 bytes"),
            ],
            result: Field.signIn,
            .open { arguments, context throws(Rejection) in
                let signIn = try await context.services.requireAccounts().login(
                    handle: try arguments.text("handle"), password: try arguments.text("password"),
                    device: try arguments.text("device"), remote: context.remote)
                return .signIn(signIn)
            }),
        Operation(
            "scram", .change,
            "Signs a device in without showing the password (RFC 5802), in two requests: the first with `mechanism` and the "
                + "client's first message, the second with the `state` of the answer, the client's final message and "
                + "`device`.",
            parameters: [
                .optional("mechanism", .choice(ScramMechanism.allCases.map(\.rawValue)), "in the first request"),
                .required("message", .bytes, "the client's message"),
                .optional("state", .line, "in the second request: what the first answered"),
                .optional("device", .line, "in the second request: a name for this device"),
            ],
            result: [
                .always("message", .text, "the server's message, base64: check it before you trust the server"),
                .sometimes("state", .text, "first answer: good for one request within a minute"),
            ] + Field.signIn.map { .sometimes($0.name, $0.schema, $0.note) },
            .open(scram)),
        Operation(
            "guest", .change, "Makes an expiring account, where guests are let in.",
            parameters: [
                .optional("name", .line, "what others see"), .optional("device", .line, "a name for this device"),
            ],
            result: Field.signIn,
            .open { arguments, context throws(Rejection) in
                let signIn = try await context.services.requireAccounts().guest(
                    displayName: try arguments.optionalText("name"),
                    device: try arguments.optionalText("device") ?? unnamedDevice, remote: context.remote)
                return .signIn(signIn)
            }),
        Operation(
            "register", .change, "Makes an account, where registration is open.",
            parameters: newcomer(isRequired: true), result: Field.signIn,
            .open { arguments, context throws(Rejection) in
                let signIn = try await context.services.requireAccounts().register(
                    try requireNewcomer(arguments), remote: context.remote)
                return .signIn(signIn)
            }),
        Operation(
            "redeem", .change,
            "Spends a one-time link: makes the account that it is for, or sets the new password of an account.",
            parameters: [.required("secret", .secret, "what stands after `#` in the link")]
                + newcomer(isRequired: false),
            result: Field.redemption,
            .open { arguments, context throws(Rejection) in
                let redemption = try await context.services.requireAccounts().redeem(
                    try arguments.text("secret"), newcomer: try optionalNewcomer(arguments),
                    password: try arguments.optionalText("password"), remote: context.remote)
                return .redemption(redemption)
            }),
        Operation(
            "accept", .change, access: .account, "Spends an invitation as the account that asks: joins what it names.",
            parameters: [.required("secret", .secret, "what stands after `#` in the link")], result: Field.redemption,
            .task { arguments, context throws(Rejection) in
                let redemption = try await context.services.requireAccounts().redeem(
                    try arguments.text("secret"), newcomer: nil, password: nil, as: context.actor,
                    remote: context.remote)
                return .redemption(redemption)
            }),
        Operation(
            "upgrade", .change, places: .http,
            "Makes a guest an account: its groups are joined at the same rank, then the guest ends. Direct conversations "
                + "stay with the guest. Without open registration it takes an invitation.",
            parameters: [.optional("secret", .secret, "what stands after `#` in an invitation")]
                + newcomer(isRequired: true),
            result: Field.signIn,
            .task(upgrade)),
        Operation(
            "exchange", .change, places: .http,
            "Gives a device of its own to who is signed in by a host application's token.",
            parameters: [.optional("device", .line, "a name for the device")], result: Field.signIn,
            .task { arguments, context throws(Rejection) in
                let signIn = try await context.services.requireAccounts().exchange(
                    context.actor, device: try arguments.optionalText("device") ?? unnamedDevice)
                return .signIn(signIn)
            }),
        Operation(
            "logout", .change, "Ends this device: its token is worth nothing, its sessions end.",
            .task { _, context throws(Rejection) in
                try await context.services.requireAccounts().logout(context.actor)
                return .nothing
            }),
    ]

    static let unnamedDevice = "unnamed device"

    // MARK: Newcomers

    private static func newcomer(isRequired: Bool) -> [Parameter] {
        let make = isRequired ? Parameter.required : Parameter.optional
        return [
            make("handle", .line, "the new account's name"), make("password", .secret, "its password"),
            .optional("name", .line, "what others see"), .optional("device", .line, "a name for this device"),
        ]
    }

    private static func optionalNewcomer(_ arguments: Arguments) throws(Rejection) -> Newcomer? {
        try arguments.isGiven("handle") ? requireNewcomer(arguments) : nil
    }

    private static func requireNewcomer(_ arguments: Arguments) throws(Rejection) -> Newcomer {
        Newcomer(
            handle: try arguments.text("handle"), password: try arguments.text("password"),
            displayName: try arguments.optionalText("name"),
            device: try arguments.optionalText("device") ?? unnamedDevice)
    }

    // MARK: Handlers

    @Sendable
    private static func scram(
        _ arguments: Arguments, _ context: OpenContext
    ) async throws(Rejection) -> OperationResult {
        let accounts = try context.services.requireAccounts()
        let message = try arguments.bytes("message")
        let answer: AccountService.ScramAnswer
        if let state = try arguments.optionalText("state") {
            answer = try await accounts.finishScram(
                state: state, message: message, device: try arguments.text("device"))
        } else {
            let name = try arguments.text("mechanism")
            guard let mechanism = ScramMechanism(rawValue: name) else {
                throw Rejection(.invalidValue, "mechanism: unknown")
            }
            answer = try await accounts.beginScram(mechanism: mechanism, message: message, remote: context.remote)
        }
        return .members { writer in
            switch answer {
            case .challenge(let message, let state):
                writer.field("message", StrictBase64.encode(message))
                writer.field("state", state)
            case .success(let message, let signIn):
                writer.field("message", StrictBase64.encode(message))
                writer.signInMembers(signIn)
            }
        }
    }

    @Sendable
    private static func upgrade(
        _ arguments: Arguments, _ context: OperationContext
    ) async throws(Rejection) -> OperationResult {
        guard context.actor.kind == .guest else { throw Rejection(.notApplicable, "you have an account already") }
        let accounts = try context.services.requireAccounts()
        let newcomer = try requireNewcomer(arguments)
        guard let secret = try arguments.optionalText("secret") else {
            return .signIn(try await accounts.register(newcomer, as: context.actor, remote: context.remote))
        }
        let redemption = try await accounts.redeem(
            secret, newcomer: newcomer, password: nil, as: context.actor, remote: context.remote)
        guard let signIn = redemption.signIn else { throw Rejection(.notApplicable, "this link makes no account") }
        return .signIn(signIn)
    }
}

extension OperationResult {
    static func signIn(_ signIn: SignIn) -> OperationResult {
        .members { writer in writer.signInMembers(signIn) }
    }

    static func redemption(_ redemption: Redemption) -> OperationResult {
        .members { writer in
            if let signIn = redemption.signIn {
                writer.signInMembers(signIn)
            } else {
                writer.field("account", redemption.account.address)
            }
            writer.array("joined") { writer in
                for conversation in redemption.joined { writer.conversation(conversation) }
            }
        }
    }
}

extension JSONWriter {
    fileprivate mutating func signInMembers(_ signIn: SignIn) {
        field("token", signIn.token.reveal())
        field("account", signIn.account.address)
        field("device", "\(signIn.device.id.rawValue)")
        field("expires", signIn.account.expires?.rawValue)
    }
}

extension Field {
    /// What signing in answers.
    static let signIn: [Field] = [
        .always("token", .text, "the device's bearer token, shown only now"), .always("account", .text),
        .always("device", .text), .sometimes("expires", .integer, "when a guest ends"),
    ]

    static let redemption: [Field] = [
        .sometimes("token", .text, "of a new account's device, shown only now"), .always("account", .text),
        .sometimes("device", .text), .sometimes("expires", .integer),
        .always("joined", .list(.text), "conversations"),
    ]
}

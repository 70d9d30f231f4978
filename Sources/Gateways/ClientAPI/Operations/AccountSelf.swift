import GatewayKit
import Hub
import WireJSON

extension Operations {
    /// One's own account.
    static let account: [Operation] = [
        Operation(
            "me", .read, "Who you are.",
            result: [
                .always("account", .text), .always("device", .text),
                .always("accountKind", .choice(Account.Kind.allCases.map(\.rawValue))),
                .always("administrator", .flag), .sometimes("displayName", .text), .sometimes("avatar", .text),
                .sometimes("statusText", .text), .always("created", .integer),
                .sometimes("expires", .integer, "when a guest ends"),
            ],
            .task(me)),
        Operation(
            "profile", .change, "Changes what others see of you. What is not given stays, `null` removes.",
            parameters: [
                .removable("displayName", .line, "a name for people"),
                .removable("avatar", .line, "the address of a picture"),
                .removable("statusText", .line, "a line about how you are"),
            ],
            result: Field.acceptance,
            .task(profile)),
        Operation(
            "password", .change, access: .account, "Changes your password.",
            parameters: [
                .required("old", .secret, "the password until now"), .required("new", .secret, "at least 8 characters"),
                .optional("signOutOthers", .flag, "whether your other devices are signed out"),
            ],
            .task { arguments, context throws(Rejection) in
                try await context.services.requireAccounts().changePassword(
                    old: try arguments.text("old"), new: try arguments.text("new"),
                    revokesOthers: try arguments.flag("signOutOthers"), by: context.actor, remote: context.remote)
                return .nothing
            }),
        Operation(
            "devices", .read, "Your devices.",
            result: [
                .always(
                    "devices",
                    .list(
                        .object([
                            .always("device", .text), .always("name", .text), .always("created", .integer),
                            .always("lastSeen", .integer, "at most ten minutes old while it is in use"),
                            .always("current", .flag, "the one that asks"),
                        ])))
            ],
            .task { _, context throws(Rejection) in
                let actor = context.actor
                let devices = try await context.services.requireAccounts().devices(of: actor)
                return list("devices", devices) { writer, device in
                    writer.field("device", "\(device.id.rawValue)")
                    writer.field("name", device.name)
                    writer.field("created", device.created.rawValue)
                    writer.field("lastSeen", device.lastSeen.rawValue)
                    writer.field("current", device.id == actor.device)
                }
            }),
        Operation(
            "revoke", .change, "Signs one of your devices out: within a second it is gone from every connection.",
            parameters: [.required("device", .text(maximum: 32), "which")],
            .task { arguments, context throws(Rejection) in
                guard let number = Int64(try arguments.text("device")) else {
                    throw Rejection(.notFound, "no such device")
                }
                try await context.services.requireAccounts().revoke(DeviceID(rawValue: number), by: context.actor)
                return .nothing
            }),
        Operation(
            "settings", .read, "The values that your devices share: settings, blocks, drafts.",
            result: [.always("settings", .list(.named("State")))],
            .task { _, context throws(Rejection) in
                try await read(context) { reader, actor throws(Rejection) in
                    let values = try reader.ledger(of: actor).map { StateChange(key: $0.key, value: $0.value) }
                        .sorted { $0.key.description < $1.key.description }
                    return list("settings", values) { writer, change in writer.stateMembers(change) }
                }
            }),
        Operation(
            "setting", .change, "Sets or removes a value that your devices share.",
            parameters: [.required("state", .state, "the value; the empty namespace is the server's")],
            result: Field.acceptance,
            .task { arguments, context throws(Rejection) in
                guard let change = try arguments.optionalState("state") else {
                    throw Rejection(.invalidValue, "state: missing")
                }
                guard !change.key.namespace.isEmpty else {
                    throw Rejection(.invalidValue, "state: the empty namespace is the server's")
                }
                let acceptance = try await context.hub.submit(.setLedger(change), by: context.actor, token: nil)
                return .acceptance(acceptance, epoch: context.hub.epoch)
            }),
        Operation(
            "block", .change, "Blocks an account, or no longer: it can't reach you, and you see nothing of it.",
            parameters: [.account, .optional("removed", .flag, "no longer")], result: Field.acceptance,
            .task(block)),
        Operation(
            "export", .read, places: .http,
            "All that is yours as one JSON document: account, devices, settings, memberships, and every event that you wrote.",
            result: [
                .always("format", .constant("switchboard-export-1")), .always("exported", .integer),
                .always("account", .anything), .always("devices", .list(.anything)),
                .always("settings", .list(.named("State"))), .always("conversations", .list(.anything)),
                .always("events", .list(.anything), "as frames"),
            ],
            .task { _, context throws(Rejection) in
                let accounts = try context.services.requireAccounts()
                let actor = context.actor
                let encode = ClientAPI.eventEncoder(epoch: context.hub.epoch)
                return .stream { write in try await accounts.export(of: actor, event: encode, into: write) }
            }),
        Operation(
            "close-account", .change,
            "Closes your account: its sessions end, its groups are left (a group's last owner is succeeded), its handle stays "
                + "taken.",
            parameters: [
                .optional("password", .secret, "where the account has one"),
                .optional("erase", .flag, "blank all that you wrote, too"),
            ],
            .task { arguments, context throws(Rejection) in
                try await context.services.requireAccounts().close(
                    context.actor, password: try arguments.optionalText("password"),
                    erase: try arguments.flag("erase"), remote: context.remote)
                return .nothing
            }),
    ]

    // MARK: Handlers

    private static func own(_ context: OperationContext) async throws(Rejection) -> Account {
        let name = context.actor.party.address.description
        return try await context.hub.read { reader throws(Rejection) in try reader.account(named: name) }
    }

    @Sendable
    private static func me(
        _ arguments: Arguments, _ context: OperationContext
    ) async throws(Rejection) -> OperationResult {
        let account = try await own(context)
        let device = context.actor.device
        return .members { writer in
            writer.field("account", account.address)
            writer.field("device", "\(device.rawValue)")
            writer.field("accountKind", account.kind.rawValue)
            writer.field("administrator", account.isAdministrator)
            writer.profileMembers(account.profile)
            writer.field("created", account.created.rawValue)
            writer.field("expires", account.expires?.rawValue)
        }
    }

    @Sendable
    private static func profile(
        _ arguments: Arguments, _ context: OperationContext
    ) async throws(Rejection) -> OperationResult {
        var profile = try await own(context).profile
        try change(&profile.displayName, "displayName", arguments)
        try change(&profile.avatar, "avatar", arguments)
        try change(&profile.statusText, "statusText", arguments)
        let acceptance = try await context.hub.submit(.setProfile(profile), by: context.actor, token: nil)
        return .acceptance(acceptance, epoch: context.hub.epoch)
    }

    private static func change(_ value: inout String?, _ name: String, _ arguments: Arguments) throws(Rejection) {
        switch try arguments.removableText(name) {
        case .absent: break
        case .removed: value = nil
        case .value(let text): value = text
        }
    }

    @Sendable
    private static func block(
        _ arguments: Arguments, _ context: OperationContext
    ) async throws(Rejection) -> OperationResult {
        let other = try await context.account(try arguments.account())
        guard other.id != context.actor.account else {
            throw Rejection(.notApplicable, "you can't block yourself")
        }
        let change = StateChange(
            key: .block(other.address), value: try arguments.flag("removed") ? nil : "\(context.hub.clock())")
        let acceptance = try await context.hub.submit(.setLedger(change), by: context.actor, token: nil)
        return .acceptance(acceptance, epoch: context.hub.epoch)
    }
}

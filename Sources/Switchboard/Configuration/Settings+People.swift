import GatewayKit
import Hub
import Logging

extension Settings {
    static let people: [Setting] = [
        Setting(
            "accounts.registration", \.accounts.registration,
            .choice(ServerConfiguration.Accounts.Registration.self), reload: true,
            """
            Who may make an account: closed (administrators make them), invite (whoever has an invitation link), open \
            (everybody who reaches the server).
            """),
        Setting(
            "accounts.guests", \.accounts.guests, .choice(ServerConfiguration.Accounts.Guests.self), reload: true,
            "Who may come in as a guest without an account: nobody (off), programs on this machine, or anybody (anywhere)."
        ),
        Setting(
            "accounts.guest-lifetime", \.accounts.guestLifetime, .duration(.minutes(1)...(.hours(24 * 365))),
            reload: true, "After so long a guest's account ends."),
        Setting(
            "accounts.invite-lifetime", \.accounts.inviteLifetime, .duration(.minutes(1)...(.hours(24 * 365))),
            reload: true, "How long an invitation link is good for, where its maker says nothing else."),
        Setting(
            "host-tokens.realm", \.hostTokens.realm, SettingKind.text("name").optional,
            "The application's name here. It is part of each account's identity: never rename it."),
        Setting(
            "host-tokens.audience", \.hostTokens.audience, SettingKind.text("text").optional,
            "What the tokens' aud must be."),
        Setting(
            "host-tokens.issuer", \.hostTokens.issuer, SettingKind.text("text").optional,
            "What the tokens' iss must be; none: anything."),
        Setting(
            "host-tokens.keys-file", \.hostTokens.keysFile, SettingKind.text("path").optional,
            "The application's keys: a JWK set, or public keys in PEM."),
        Setting(
            "host-tokens.keys-url", \.hostTokens.keysURL, SettingKind.webAddress.optional,
            "Instead of the file: where the application publishes its keys (a JWK set). See outbound for what is allowed."
        ),
        Setting(
            "host-tokens.create-accounts", \.hostTokens.createAccounts, .flag, reload: true,
            "Make an account for a person of whom the first token is seen."),
        Setting(
            "outbound.ranges", \.outbound.ranges,
            SettingKind.text("address or block, as in 10.0.0.0/8") {
                NetworkRange(parsing: $0) == nil
                    ? "must be an address or a block such as 10.0.0.0/8, not \(quoted($0))" : nil
            }.list,
            "Private addresses that webhooks may reach all the same. By default the server connects to public ones only."
        ),
        Setting(
            "outbound.names", \.outbound.names, SettingKind.text("host name").list,
            "Internal names that webhooks may use; their addresses are checked all the same."),
        Setting("outbound.plain-http", \.outbound.plainHTTP, .flag, "Allow http besides https."),
        Setting(
            "outbound.ports", \.outbound.ports, SettingKind.integer(1...65_535).list,
            "Ports besides 80 and 443 that webhooks may reach."),
    ]

    static let operation: [Setting] = [
        Setting(
            "log.level", \.log.level, .choice(Logger.Level.self), reload: true,
            "How much the server says. No level shows texts of messages, passwords or tokens."),
        Setting(
            "log.format", \.log.format, .choice(ServerConfiguration.Log.Format.self),
            "Lines for people (text), or one JSON object per line (json)."),
        Setting(
            "metrics.access", \.metrics.access, .choice(ServerConfiguration.Metrics.Access.self), reload: true,
            "Who may read /metrics: nobody (off), programs on this machine, or anybody (anywhere)."),
        Setting(
            "drain.window", \.drain.window, .duration(.zero...(.minutes(10))),
            "Over so long the goodbyes are spread when the server goes down, so that not all clients return at once."),
        Setting(
            "drain.deadline", \.drain.deadline, .duration(.seconds(1)...(.minutes(30))),
            "After so long what is still open is cut."),
    ]
}

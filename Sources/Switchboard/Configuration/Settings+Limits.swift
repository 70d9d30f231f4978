extension Settings {
    static let limits: [Setting] = accountLimits + messageLimits + connectionLimits + peerLimits

    private static let accountLimits: [Setting] = [
        Setting(
            "limits.commands-per-second", \.limits.commandsPerSecond, .decimal(0.01...1_000_000, "per second"),
            reload: true, "Messages and other changes of one account, over all its devices."),
        Setting(
            "limits.command-burst", \.limits.commandBurst, .decimal(1...1_000_000, "at once"), reload: true,
            "How many of them may come at once."),
        Setting(
            "limits.conversation-commands-per-second", \.limits.conversationCommandsPerSecond,
            .decimal(0...1_000_000, "per second"), reload: true,
            "Changes in one conversation, by all its members together; 0: no limit."),
        Setting(
            "limits.signals-per-second", \.limits.signalsPerSecond, .decimal(0.01...1_000_000, "per second"),
            reload: true, "Signals of one account: typing, live text, ringing, presence."),
        Setting(
            "limits.signal-burst", \.limits.signalBurst, .decimal(1...1_000_000, "at once"), reload: true,
            "How many of them may come at once."),
        Setting(
            "limits.reads-per-second", \.limits.readsPerSecond, .decimal(0.01...1_000_000, "per second"), reload: true,
            "Questions of one account: history, search, lists."),
        Setting(
            "limits.read-burst", \.limits.readBurst, .decimal(1...1_000_000, "at once"), reload: true,
            "How many of them may come at once."),
        Setting(
            "limits.sessions-per-account", \.limits.sessionsPerAccount, .integer(1...100_000), reload: true,
            "Sessions of one account at the same time, over all doors."),
        Setting(
            "limits.conversations-per-account", \.limits.conversationsPerAccount, .integer(1...100_000), reload: true,
            "Conversations that one account may be in."),
        Setting(
            "limits.members", \.limits.members, .integer(2...1_000_000), reload: true, "Members of one conversation."),
        Setting(
            "limits.inbox", \.limits.inbox, .integer(100...1_000_000),
            "Changes that may wait to be written; beyond it the answer is «busy»."),
        Setting(
            "limits.batch", \.limits.batch, .integer(1...10_000), reload: true,
            "Changes that are written to disk in one go, at most."),
    ]

    private static let messageLimits: [Setting] = [
        Setting(
            "limits.text-bytes", \.limits.textBytes, .bytes(64...(1 << 20)), reload: true, "Text of one message."),
        Setting(
            "limits.spans", \.limits.spans, .integer(0...100_000), reload: true, "Formatted spans of one message."),
        Setting(
            "limits.attachments", \.limits.attachments, .integer(0...1_000), reload: true,
            "Attachments of one message."),
        Setting(
            "limits.mentions", \.limits.mentions, .integer(0...10_000), reload: true, "Accounts that one message names."
        ),
        Setting(
            "limits.extras-bytes", \.limits.extrasBytes, .bytes(0...(1 << 20)), reload: true,
            "Further fields of one message."),
        Setting(
            "limits.reaction-key-bytes", \.limits.reactionKeyBytes, .bytes(4...1_024), reload: true,
            "The text of one reaction."),
        Setting(
            "limits.reason-bytes", \.limits.reasonBytes, .bytes(0...65_536), reload: true,
            "The reason of a kick, a ban, a redaction or a report."),
        Setting(
            "limits.name-bytes", \.limits.nameBytes, .bytes(1...4_096), reload: true,
            "The name of a conversation, a display name."),
        Setting(
            "limits.subject-bytes", \.limits.subjectBytes, .bytes(0...65_536), reload: true,
            "The subject of a conversation."),
        Setting(
            "limits.state-value-bytes", \.limits.stateValueBytes, .bytes(64...(1 << 20)), reload: true,
            "One value of a conversation's state or of an account's settings."),
        Setting(
            "limits.state-keys", \.limits.stateKeys, .integer(16...1_000_000), reload: true,
            "Values of one conversation's state."),
        Setting(
            "limits.sealed-bytes", \.limits.sealedBytes, .bytes(1_024...(16 << 20)), reload: true,
            "One encrypted message."),
        Setting(
            "limits.custom-bytes", \.limits.customBytes, .bytes(0...(16 << 20)), reload: true,
            "The payload of one custom event."),
    ]

    private static let connectionLimits: [Setting] = [
        Setting(
            "door.connections", \.door.connections, SettingKind.integer(1...10_000_000).optional,
            "Open connections in all; none: what the limit of open files allows."),
        Setting(
            "door.connections-per-address", \.door.connectionsPerAddress, .integer(1...10_000_000),
            "Open connections of one client address (an IPv4 address, an IPv6 /64)."),
        Setting(
            "door.new-connections-per-minute", \.door.newConnectionsPerMinute, .integer(1...100_000_000),
            "New connections of one client address per minute; as many may come at once."),
        Setting(
            "door.head-time", \.door.headTime, .duration(.milliseconds(100)...(.minutes(10))),
            "How long a client may take for its first request, its TLS handshake included."),
        Setting(
            "door.keep-alive-time", \.door.keepAliveTime, .duration(.seconds(1)...(.hours(24))),
            "How long a connection may stay open between two requests."),
        Setting("door.header-count", \.door.headerCount, .integer(8...10_000), "Header fields of one request."),
        Setting(
            "door.header-bytes", \.door.headerBytes, .bytes(1_024...(1 << 20)), "All header fields of one request."),
        Setting("door.target-bytes", \.door.targetBytes, .bytes(256...(1 << 20)), "The address of one request."),
        Setting("door.body-bytes", \.door.bodyBytes, .bytes(1_024...(1 << 30)), "The body of one request."),
        Setting(
            "door.body-time", \.door.bodyTime, .duration(.seconds(1)...(.hours(24))),
            "After so long a body must have come at door.body-rate on average."),
        Setting(
            "door.body-rate", \.door.bodyRate, .bytes(1...(1 << 30)), "Bytes per second; see door.body-time."),
        Setting(
            "door.inbound-budget", \.door.inboundBudget, .bytes(1 << 20...(1 << 40)),
            "The bodies of all requests together; beyond it the answer is 503."),
    ]

    private static let peerLimits: [Setting] = [
        Setting(
            "door.http2-streams", \.door.http2Streams, .integer(1...10_000),
            "Requests at a time on one HTTP/2 connection."),
        Setting(
            "door.http2-resets", \.door.http2Resets, .integer(1...1_000_000),
            "Aborted requests per 30 s on one HTTP/2 connection."),
        Setting(
            "door.http2-control-frames", \.door.http2ControlFrames, .integer(1...1_000_000),
            "Control frames per 30 s on one HTTP/2 connection."),
        Setting(
            "door.outbound-bytes", \.door.outboundBytes, .bytes(16_384...(1 << 30)),
            "What may wait for one client that does not keep up."),
        Setting(
            "door.outbound-stall", \.door.outboundStall, .duration(.seconds(1)...(.minutes(10))),
            "How long a client may take nothing while something waits for it."),
        Setting(
            "door.outbound-budget", \.door.outboundBudget, .bytes(1 << 20...(1 << 40)),
            "What may wait for all clients together."),
        Setting(
            "door.ping-after", \.door.pingAfter, .duration(.seconds(1)...(.hours(1))),
            "Silence after which a client is asked for a sign of life."),
        Setting(
            "door.silence", \.door.silence, .duration(.seconds(2)...(.hours(24))),
            "Silence after which a client is taken for gone."),
        Setting(
            "door.close-time", \.door.closeTime, .duration(.milliseconds(100)...(.minutes(5))),
            "How long a client has to take its last bytes."),
    ]
}

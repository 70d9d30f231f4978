import Hub

/// The forms that answers and frames share.
package enum Schemas {
    package static let named: [(name: String, schema: Schema)] = [
        ("Reference", .object(reference)),
        ("Event", .object(event)),
        ("Entry", .object(entry)),
        ("Body", .object(body)),
        ("Span", .object(span)),
        ("Attachment", .object(attachment)),
        ("State", .object(state)),
        ("Conversation", .object(conversation)),
        ("Member", .object(member)),
        ("Receipt", .object(receipt)),
        ("AccountPresence", .object(accountPresence)),
        ("AccountProfile", .object(accountProfile)),
        ("SearchResult", .object([.always("event", .named("Entry")), .always("snippet", .text)])),
        ("Step", step),
        ("Error", .object(error)),
        ("Frame", .either(frames.map { .object($0.members) })),
    ]

    package static func named(_ name: String) -> Schema? { named.first { $0.name == name }?.schema }

    // MARK: The log

    package static let event: [Field] =
        [
            .always("cursor", .text, "resume after this event"),
            .always("conversation", .text, "`~12`"),
            .always("sequence", .integer, "its place in the conversation"),
            .sometimes("previous", .integer, "which sequence you saw before it, where that is not the one before"),
            .always("id", .text),
            .always("author", .text),
            .always("at", .integer, "milliseconds since 1970"),
            .sometimes("ref", .text, "what its author called it"),
            .always("kind", .choice(Content.Kind.allCases.map(\.name))),
        ] + content

    /// By `kind`.
    private static let content: [Field] = [
        .sometimes("body", .named("Body"), "message, edit"),
        .sometimes("replyTo", .named("Reference"), "message"),
        .sometimes("thread", .named("Reference"), "message"),
        .sometimes("target", .named("Reference"), "edit, redaction, reaction, pin"),
        .sometimes("reason", .text, "redaction, membership"),
        .sometimes("key", .text, "reaction"),
        .sometimes("removed", .flag, "reaction, pin"),
        .sometimes("member", .object([.always("account", .text)] + standing), "membership"),
        .sometimes("state", .named("State"), "state"),
        .sometimes(
            "call",
            .object([
                .always("id", .text), .always("step", .choice(CallChange.Step.allCases.map(\.rawValue))),
                .sometimes("duration", .integer, "milliseconds"),
            ]), "call"),
        .sometimes(
            "sealed", .object([.always("scheme", .text), .always("bytes", .text, "base64")]), "sealed"),
        .sometimes(
            "custom",
            .object([.always("namespace", .text), .always("type", .text), .always("payload", .anything)]), "custom"),
        .sometimes("erased", .flag, "instead of what it said"),
    ]

    package static let entry: [Field] =
        event + [
            .sometimes(
                "edit",
                .object([.always("sequence", .integer), .always("at", .integer), .always("body", .named("Body"))]),
                "the newest edit"),
            .sometimes(
                "reactions", .list(.object([.always("key", .text), .always("by", .list(.text))])), "who reacted how"),
            .sometimes(
                "replies", .object([.always("count", .integer), .always("last", .integer)]),
                "of the thread that it began"),
        ]

    private static let reference: [Field] = [.always("id", .text), .always("sequence", .integer)]

    private static let body: [Field] = [
        .always("text", .text),
        .sometimes("spans", .list(.named("Span"))),
        .sometimes("attachments", .list(.named("Attachment"))),
        .sometimes("mentions", .list(.text), "accounts"),
        .sometimes("extras", .map(.anything), "`namespace/name`"),
    ]

    private static let span: [Field] = [
        .always("kind", .choice(Span.Kind.allCases.map(\.rawValue))),
        .always("start", .integer, "in Unicode scalars"),
        .always("length", .integer, "in Unicode scalars"),
        .sometimes("value", .text, "address, language or account"),
    ]

    private static let attachment: [Field] = [
        .always("reference", .text), .sometimes("name", .text), .sometimes("mediaType", .text),
        .sometimes("size", .integer, "bytes"),
    ]

    private static let state: [Field] = [
        .always("namespace", .text), .always("type", .text), .sometimes("key", .text),
        .always("value", .nullable(.text)),
    ]

    private static let standing: [Field] = [
        .always("standing", .choice(Standing.allCases.map(\.rawValue))),
        .always("rank", .range(-1...100)),
        .always("role", .choice(Rank.roles.map(\.name))),
    ]

    // MARK: Conversations and accounts

    package static let conversation: [Field] =
        [
            .always("id", .text, "`~12`"),
            .always("kind", .choice(ConversationKind.allCases.map(\.rawValue))),
            .sometimes("address", .text, "`garden`, or `@bob`"),
            .sometimes("with", .text, "the other account of a direct conversation"),
            .sometimes("sealing", .text, "the scheme by which it is encrypted throughout"),
            .sometimes("name", .text),
            .sometimes("subject", .text),
            .always("access", .choice(Access.allCases.map(\.rawValue))),
            .always("history", .choice(HistoryVisibility.allCases.map(\.rawValue))),
            .always("firstSequence", .integer),
            .always("lastSequence", .integer),
            .sometimes("members", .integer, "how many are joined"),
        ] + standing.map { .sometimes($0.name, $0.schema, "your own") } + [
            .sometimes("last", .named("Entry"), "the newest message that you can see"),
            .sometimes("readUpTo", .integer),
            .sometimes("unread", .integer),
            .sometimes("mentions", .integer, "how many unread ones mention you"),
            .sometimes("firstUnread", .integer),
        ]

    private static let profile: [Field] = [
        .sometimes("displayName", .text), .sometimes("avatar", .text), .sometimes("statusText", .text),
    ]

    private static let presence: [Field] = [
        .always("state", .choice(Presence.State.allCases.map(\.name))),
        .sometimes("lastSeen", .integer, "when the last session ended"),
    ]

    private static let member: [Field] =
        [.always("account", .text)] + standing + [
            .always("since", .integer, "milliseconds since 1970"),
            .sometimes("accountKind", .choice(Account.Kind.allCases.map(\.rawValue))),
        ] + profile + [.sometimes("presence", .object(presence), "if you may know it")]

    private static let accountPresence: [Field] = [.always("account", .text)] + presence

    private static let accountProfile: [Field] =
        [
            .always("account", .text), .always("accountKind", .choice(Account.Kind.allCases.map(\.rawValue))),
        ] + profile

    private static let receipt: [Field] = [
        .always("cursor", .text), .always("conversation", .text), .always("account", .text),
        .sometimes("thread", .integer, "a sequence"), .always("deliveredUpTo", .integer), .always("readUpTo", .integer),
        .always("at", .integer),
    ]

    // MARK: Frames

    /// A frame that the server sends.
    package struct Frame: Sendable {
        package let type: String
        /// Whether it carries a cursor and comes again after a resumption.
        package let isDurable: Bool
        package let fields: [Field]

        var members: [Field] { [.always("type", .constant(type))] + fields }
    }

    package static let frames: [Frame] = [
        Frame(
            type: "welcome", isDurable: false,
            fields: [
                .always("server", .text), .always("account", .text), .always("device", .text),
                .always("session", .text), .sometimes("cursor", .text, "what is resumed from"),
            ]),
        Frame(type: "ready", isDurable: false, fields: [.always("cursor", .text, "all before it was given")]),
        Frame(type: "resync", isDurable: false, fields: [.always("cursor", .text, "go on from here")]),
        Frame(
            type: "gap", isDurable: false,
            fields: [.always("conversation", .text), .always("first", .integer, "older events are gone")]),
        Frame(type: "conversation", isDurable: false, fields: conversation),
        Frame(type: "event", isDurable: true, fields: event),
        Frame(type: "receipt", isDurable: true, fields: receipt),
        Frame(
            type: "profile", isDurable: true,
            fields: [.always("cursor", .text), .always("account", .text)] + profile),
        Frame(type: "typing", isDurable: false, fields: place + [.always("active", .flag), thread]),
        Frame(
            type: "live", isDurable: false,
            fields: place + [
                .always("ref", .text, "of the message that it becomes"), .always("number", .integer),
                .always("steps", .list(.named("Step"))), thread,
            ]),
        Frame(type: "ringing", isDurable: false, fields: place + [.always("call", .text), thread]),
        Frame(type: "presence", isDurable: false, fields: accountPresence),
        Frame(type: "attendance", isDurable: false, fields: place + [.always("present", .flag)]),
        Frame(
            type: "reply", isDurable: false,
            fields: [
                .always("id", .text), .sometimes("ok", .map(.anything), "what the operation answers"),
                .sometimes("error", .named("Error"), "instead of `ok`"),
            ]),
        Frame(type: "error", isDurable: false, fields: error),
        Frame(
            type: "goodbye", isDurable: false,
            fields: [
                .always("reason", .choice(["restart", "too-slow"])), .sometimes("cursor", .text, "resume from here"),
                .always("retryAfter", .integer, "milliseconds"),
            ]),
        Frame(type: "pong", isDurable: false, fields: [.sometimes("id", .text)]),
    ]

    private static let place: [Field] = [.always("conversation", .text), .always("account", .text)]
    private static let thread = Field.sometimes("thread", .text, "an event id")

    private static let error: [Field] = [
        .always("code", .choice(ErrorCode.allCases.map(\.text))), .always("message", .text, "for people"),
        .sometimes("retryAfter", .integer, "milliseconds"),
    ]

    private static let step: Schema = .either([
        .object([.always("reset", .text)]),
        .object([.always("insert", .text), .always("at", .integer)]),
        .object([.always("erase", .integer), .always("at", .integer)]),
        .object([.always("cancel", .flag)]),
    ])
}

extension Parameter {
    /// The form that a client gives.
    package var schema: Schema {
        let plain: Schema =
            switch kind {
            case .text, .conversation, .account, .cursor, .bytes: .text
            case .handle: .pattern("^[A-Za-z][A-Za-z0-9_-]{0,31}$")
            case .event: .pattern("^[0-9A-Za-z]{26}$")
            case .ref: .pattern("^[^\\x00-\\x20\\x7f]{1,128}$")
            case .place: .either([.range(0...Int64.max - 1), .pattern("^[0-9A-Za-z]{26}$")])
            case .integer(let range): .range(range)
            case .flag: .flag
            case .choice(let names): .choice(names)
            case .texts, .accounts: .list(.text)
            case .json: .anything
            case .body: .named("Body")
            case .spans: .list(.named("Span"))
            case .attachments: .list(.named("Attachment"))
            case .extras: .map(.anything)
            case .steps: .list(.named("Step"))
            case .state: .named("State")
            case .ranks: .map(.range(-1...100))
            }
        return isNullable ? .nullable(plain) : plain
    }
}

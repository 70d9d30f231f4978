import Hub

extension Operations {
    /// What passes, and what concerns the session.
    static let signals: [Operation] = [
        Operation(
            "hello", .session, "Begins a session: the first frame on a socket.",
            parameters: [
                .optional("token", .secret, "unless the upgrade carried `Authorization`"),
                .optional("cursor", .cursor, "resume after this; without it the session begins now"),
                .optional("presence", .choice(Presence.State.allCases.map(\.name)), "`online` if not given"),
            ],
            .session(.hello)),
        Operation(
            "ping", .session, "Asks for a `pong`.", .session(.ping)),
        Operation(
            "presence", .session, "Says how this session is present.",
            parameters: [.required("state", .choice(Presence.State.allCases.map(\.name)), "how")],
            .session(.presence)),
        Operation(
            "attend", .session, "Says whether this session is looking at a conversation now.",
            parameters: [.conversation, .required("present", .flag, "whether it is")],
            .session(.attend)),
        Operation(
            "typing", .signal, "Says that you are writing, or no longer.",
            parameters: [
                .conversation, .required("active", .flag, "whether you are"),
                .optional("thread", .event, "the root of the thread that you write in"),
            ],
            .signal { arguments throws(Rejection) in
                let active = try arguments.flag("active")
                let thread = try arguments.optionalEvent("thread")
                return { conversation, party in
                    .typing(
                        ConversationSignal(conversation: conversation, party: party, thread: thread), active: active)
                }
            }),
        Operation(
            "live", .signal, "Shows a message while it is written.",
            parameters: [
                .conversation, .required("ref", .ref, "the ref under which the message will be posted"),
                .required("number", .integer(0...Int64(Int32.max)), "ascends by one"),
                .required("steps", .steps, "what happened to the text, in order"),
                .optional("thread", .event, "the root of the thread that you write in"),
            ],
            .signal { arguments throws(Rejection) in
                let text = LiveText(
                    token: try arguments.token("ref"), number: Int(try arguments.integer("number")),
                    steps: try arguments.steps("steps"))
                let thread = try arguments.optionalEvent("thread")
                return { conversation, party in
                    .liveText(ConversationSignal(conversation: conversation, party: party, thread: thread), text)
                }
            }),
        Operation(
            "ring", .signal, "Rings for a call.",
            parameters: [.conversation, .required("call", .text(maximum: 128), "the call's own id")],
            .signal { arguments throws(Rejection) in
                let call = try arguments.text("call")
                return { conversation, party in
                    .ringing(ConversationSignal(conversation: conversation, party: party), call: call)
                }
            }),
    ]
}

import Hub

extension Operations {
    /// What is said in conversations.
    static let messages: [Operation] = [
        Operation(
            "post", .change, "Says something: `text`, or a whole `body`.",
            parameters: [.conversation] + said + [
                .optional("replyTo", .event, "the message that this answers"),
                .optional("thread", .event, "the message whose thread this is in"),
                .ref,
            ],
            result: Field.acceptance,
            .command { arguments throws(Rejection) in
                .post(
                    Draft(
                        body: try arguments.body(), replyTo: try arguments.optionalEvent("replyTo"),
                        thread: try arguments.optionalEvent("thread")))
            }),
        Operation(
            "edit", .change, "Replaces the body of one's own message.",
            parameters: [.conversation, .event] + said + [.ref], result: Field.acceptance,
            .command { arguments throws(Rejection) in
                .edit(target: try arguments.event(), body: try arguments.body())
            }),
        Operation(
            "redact", .change, "Takes back what an event says; its place in the log stays.",
            parameters: [.conversation, .event, .reason, .ref], result: Field.acceptance,
            .command { arguments throws(Rejection) in
                .redact(target: try arguments.event(), reason: try arguments.optionalText("reason"))
            }),
        Operation(
            "react", .change, "Adds or removes a reaction.",
            parameters: [
                .conversation, .event, .required("key", .text(maximum: 256), "the reaction, as in 👍"),
                .optional("removed", .flag, "true to take it back"), .ref,
            ],
            result: Field.acceptance,
            .command { arguments throws(Rejection) in
                .react(
                    target: try arguments.event(), key: try arguments.text("key"),
                    removed: try arguments.flag("removed"))
            }),
        Operation(
            "pin", .change, "Pins or unpins a message.",
            parameters: [.conversation, .event, .optional("removed", .flag, "true to unpin"), .ref],
            result: Field.acceptance,
            .command { arguments throws(Rejection) in
                .pin(target: try arguments.event(), removed: try arguments.flag("removed"))
            }),
        Operation(
            "call", .change, "Notes a step of a call.",
            parameters: [
                .conversation, .required("call", .text(maximum: 256), "the call's own id"),
                .required("step", .choice(CallChange.Step.allCases.map(\.rawValue)), "what happened"),
                .optional("duration", .integer(0...Int64.max), "in milliseconds, of an ended call"), .ref,
            ],
            result: Field.acceptance,
            .command { arguments throws(Rejection) in
                guard let step = CallChange.Step(rawValue: try arguments.text("step")) else {
                    throw Rejection(.invalidValue, "step: not a step of a call")
                }
                return .call(
                    CallChange(
                        call: try arguments.text("call"), step: step,
                        duration: try arguments.optionalInteger("duration")))
            }),
        Operation(
            "sealed", .change, "Sends an encrypted body.",
            parameters: [
                .conversation, .required("scheme", .text(maximum: 256), "how it is encrypted"),
                .required("bytes", .bytes, "the encrypted body"), .ref,
            ],
            result: Field.acceptance,
            .command { arguments throws(Rejection) in
                .sealed(scheme: try arguments.text("scheme"), bytes: try arguments.bytes("bytes"))
            }),
        Operation(
            "custom", .change, "Sends an event of one's own kind, which clients that don't know it ignore.",
            parameters: [
                .conversation, .required("namespace", .text(maximum: 256), "whose kind it is"),
                .required("kind", .text(maximum: 256), "the event's `type` within the namespace"),
                .required("payload", .json, "any JSON"), .ref,
            ],
            result: Field.acceptance,
            .command { arguments throws(Rejection) in
                .custom(
                    namespace: try arguments.text("namespace"), type: try arguments.text("kind"),
                    payload: try arguments.json("payload"))
            }),
        Operation(
            "report", .change, "Tells the administrators of the server about an event.",
            parameters: [.conversation, .event, .required("reason", .text(maximum: 4_096), "why")],
            result: Field.acceptance,
            .command { arguments throws(Rejection) in
                .report(target: try arguments.event(), reason: try arguments.text("reason"))
            }),
        Operation(
            "read", .change, "Moves one's own markers forward.",
            parameters: [
                .conversation, .optional("readUpTo", .integer(0...Int64.max), "a sequence"),
                .optional("deliveredUpTo", .integer(0...Int64.max), "a sequence"),
                .optional("thread", .event, "the root of the thread that the marker is for"),
            ],
            result: Field.acceptance,
            .command { arguments throws(Rejection) in
                .receipt(
                    thread: try arguments.optionalEvent("thread"),
                    deliveredUpTo: try arguments.optionalInteger("deliveredUpTo").map(Sequence.init(rawValue:)),
                    readUpTo: try arguments.optionalInteger("readUpTo").map(Sequence.init(rawValue:)))
            }),
    ]

    /// The parameters that ``Arguments/body()`` reads.
    private static let said: [Parameter] = [
        .optional("text", .text, "plain text, complete on its own"),
        .optional("spans", .spans, "how parts of the text look"),
        .optional("attachments", .attachments, "files, by reference"),
        .optional("mentions", .accounts(maximum: 1_000), "who is to be told"),
        .optional("extras", .extras, "`namespace/name` and any JSON, handed back as they are"),
        .optional("body", .body, "all of the above in one object, instead of them"),
    ]
}

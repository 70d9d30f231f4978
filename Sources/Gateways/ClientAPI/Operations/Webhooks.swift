import GatewayKit
import Hub
import NIOCore
import WireJSON

extension Operations {
    /// Addresses that are told of a conversation's events, and addresses that post into one.
    static let webhooks: [Operation] = [
        Operation(
            "webhook-add", .change, access: .administrator,
            "Sets up a webhook in a group or broadcast. With `url` the server posts each event there, signed as Standard "
                + "Webhooks has it; without, the answer holds an address to post messages to.",
            parameters: [
                .conversation,
                .optional("url", .text(maximum: 2_048), "whom to call: an https address of the internet"),
                .optional("bot", .line, "the bot that it acts as; made if there is none, and if not given"),
            ],
            result: [
                .always("webhook", .text, "its id"), .always("account", .text, "its bot"),
                .always("secret", .text, "outgoing: the key of the signatures; incoming: the token. Shown only now"),
                .sometimes("url", .text, "incoming: where to post; whoever knows it can"),
            ],
            .task { arguments, context throws(Rejection) in
                let issued = try await context.services.requireWebhooks().add(
                    to: try await context.find(try arguments.conversation()), url: try arguments.optionalText("url"),
                    bot: try arguments.optionalText("bot"), by: context.authority)
                return .members { writer in
                    writer.field("webhook", issued.webhook.id)
                    writer.field("account", issued.bot.address)
                    writer.field("secret", issued.secret)
                    writer.field("url", issued.url)
                }
            }),
        Operation(
            "webhooks", .read, access: .administrator, "All webhooks.",
            result: [
                .always(
                    "webhooks",
                    .list(
                        .object([
                            .always("webhook", .text), .sometimes("account", .text, "its bot"),
                            .always("conversation", .text), .always("direction", .choice(["outgoing", "incoming"])),
                            .sometimes("target", .text, "scheme and host; the path may be a secret"),
                            .always("created", .integer),
                        ])))
            ],
            .task { _, context throws(Rejection) in
                let webhooks = try await context.services.requireWebhooks().webhooks(by: context.authority)
                return list("webhooks", webhooks) { writer, summary in
                    writer.field("webhook", summary.webhook.id)
                    if let bot = summary.bot { writer.field("account", bot.address) }
                    writer.conversationField("conversation", summary.webhook.conversation)
                    writer.field("direction", summary.target == nil ? "incoming" : "outgoing")
                    writer.field("target", summary.target)
                    writer.field("created", summary.webhook.created.rawValue)
                }
            }),
        Operation(
            "webhook-delete", .change, access: .administrator, "Ends a webhook; its bot stays.",
            parameters: [.required("webhook", .text(maximum: 64), "its id")],
            .task { arguments, context throws(Rejection) in
                try await context.services.requireWebhooks().delete(
                    try arguments.text("webhook"), by: context.authority)
                return .nothing
            }),
        Operation(
            hook, .change,
            "Posts a message by an incoming webhook. The token may stand in the path instead: `POST /v1/hooks/<token>`.",
            parameters: [
                .optional(hookToken, .secret, "the webhook's, `sbw_…`"),
                .optional("text", .text, "what is said"), .optional("body", .body, "instead of text"),
                .optional("spans", .spans, "beside text"), .optional("attachments", .attachments, "beside text"),
                .optional("mentions", .accounts(maximum: 1_000), "beside text"),
                .optional("extras", .extras, "beside text"), .ref,
            ],
            result: Field.acceptance,
            .open { arguments, context throws(Rejection) in
                let acceptance = try await context.services.requireWebhooks().post(
                    Draft(body: try arguments.body()), ref: arguments.token, token: try arguments.text(hookToken))
                return .acceptance(acceptance, epoch: context.hub.epoch)
            }),
    ]

    /// Posts by an incoming webhook: open, but with a message as its body.
    static let hook = "hook"

    /// The parameter of `hook` that can stand in the path.
    static let hookToken = "token"
}

extension ClientAPI {
    /// An event as a frame of its own: what webhooks are called with, and what an export holds.
    package static func eventEncoder(epoch: Int64) -> EventEncoder {
        { event in
            JSONWriter.write { writer in
                writer.object { writer in
                    writer.field("type", "event")
                    writer.eventMembers(event, previous: nil, epoch: epoch)
                }
            }
        }
    }
}

/// A 64-bit digest of a command (FNV-1a), stored beside its token: a repeat with another content is told apart.
///
/// Stable over restarts and versions. Not secret and not a defence: a client can only deceive itself with it.
package struct Fingerprint: RawRepresentable, Hashable, Sendable {
    package private(set) var rawValue: Int64
    private static let prime: UInt64 = 0x100_0000_01B3

    package init(rawValue: Int64) { self.rawValue = rawValue }

    package init(_ command: ConversationCommand, in conversation: ConversationID) {
        rawValue = Int64(bitPattern: 0xCBF2_9CE4_8422_2325)
        add(conversation.rawValue)
        add(command)
    }

    private mutating func add(byte: UInt8) {
        let mixed = (UInt64(bitPattern: rawValue) ^ UInt64(byte)).multipliedFullWidth(by: Fingerprint.prime).low
        rawValue = Int64(bitPattern: mixed)
    }

    private mutating func add(_ number: Int64) {
        for shift in stride(from: 0, to: 64, by: 8) { add(byte: UInt8(truncatingIfNeeded: number >> Int64(shift))) }
    }

    private mutating func add(_ text: String) {
        for byte in text.utf8 { add(byte: byte) }
        add(byte: 0xFF)
    }

    private mutating func add(_ text: String?) { add(text ?? "\u{0}") }

    private mutating func add(_ id: EventID?) {
        add(Int64(bitPattern: id?.high ?? 0))
        add(Int64(bitPattern: id?.low ?? 0))
    }

    private mutating func add(_ body: Body) {
        add(body.text)
        for span in body.spans {
            add(span.kind.rawValue)
            add(Int64(span.start))
            add(Int64(span.length))
            add(span.value)
        }
        for attachment in body.attachments { add(attachment.reference) }
        for mention in body.mentions { add(mention.description) }
        for (key, value) in body.extras.sorted(by: { $0.key < $1.key }) {
            add(key)
            add(value)
        }
    }

    private mutating func add(_ command: ConversationCommand) {
        switch command {
        case .post(let draft):
            add("post")
            add(draft.body)
            add(draft.replyTo)
            add(draft.thread)
        case .edit(let target, let body):
            add("edit")
            add(target)
            add(body)
        case .redact(let target, let reason):
            add("redact")
            add(target)
            add(reason)
        case .react(let target, let key, let removed):
            add(removed ? "unreact" : "react")
            add(target)
            add(key)
        case .pin(let target, let removed):
            add(removed ? "unpin" : "pin")
            add(target)
        case .join: add("join")
        case .knock(let reason):
            add("knock")
            add(reason)
        case .leave(let reason):
            add("leave")
            add(reason)
        case .invite(let account): add("invite", account)
        case .kick(let account, let reason):
            add("kick", account)
            add(reason)
        case .ban(let account, let reason):
            add("ban", account)
            add(reason)
        case .unban(let account): add("unban", account)
        case .setRank(let account, let rank):
            add("rank", account)
            add(Int64(rank.rawValue))
        case .setState(let change):
            add("state")
            add(change.key.description)
            add(change.value)
        case .call(let change):
            add("call")
            add(change.call)
            add(change.step.rawValue)
        case .sealed(let scheme, let bytes):
            add("sealed")
            add(scheme)
            for byte in bytes { add(byte: byte) }
        case .custom(let namespace, let type, let payload):
            add("custom")
            add(namespace)
            add(type)
            add(payload)
        case .receipt: add("receipt")
        case .report(let target, let reason):
            add("report")
            add(target)
            add(reason)
        }
    }

    private mutating func add(_ name: String, _ account: AccountID) {
        add(name)
        add(account.rawValue)
    }
}

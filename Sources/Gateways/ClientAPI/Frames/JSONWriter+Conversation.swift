import Hub
import WireJSON

/// Conversations, members, receipts and profiles.
extension JSONWriter {
    /// A place of the viewer's own, as the `conversation` frame gives it.
    mutating func seatMembers(_ row: SeatRow) {
        identityMembers(row.identity, other: row.other, name: row.name, subject: row.subject)
        field("access", row.access.rawValue)
        field("history", row.timeline.visibility(at: row.lastSequence).rawValue)
        field("firstSequence", row.firstSequence.rawValue)
        field("lastSequence", row.lastSequence.rawValue)
        standingMembers(row.member.standing, row.member.rank)
    }

    /// A conversation without what depends on the viewer.
    mutating func headMembers(_ head: ConversationHead, other: Party?) {
        identityMembers(head.identity, other: other, name: head.name, subject: head.subject)
        field("access", head.access.rawValue)
        field("history", head.timeline.visibility(at: head.lastSequence).rawValue)
        field("firstSequence", head.firstSequence.rawValue)
        field("lastSequence", head.lastSequence.rawValue)
        field("members", head.joinedCount)
    }

    /// A conversation in the viewer's list.
    mutating func summaryMembers(_ summary: ConversationSummary, epoch: Int64) {
        headMembers(summary.head, other: summary.other)
        if let member = summary.member { standingMembers(member.standing, member.rank) }
        if let last = summary.last {
            object("last") { $0.entryMembers(last, previous: nil, epoch: epoch) }
        }
        field("readUpTo", summary.readUpTo.rawValue)
        field("unread", summary.unread.count)
        field("mentions", summary.unread.mentions)
        field("firstUnread", summary.unread.first?.rawValue)
    }

    private mutating func identityMembers(
        _ identity: ConversationIdentity, other: Party?, name: String?, subject: String?
    ) {
        conversationField("id", identity.id)
        field("kind", identity.kind.rawValue)
        if let address = identity.address {
            field("address", address)
        } else if let other, identity.sealing == nil {
            field("address", "@" + other.address.description)
        }
        if let other { field("with", other.address) }
        field("sealing", identity.sealing)
        field("name", name)
        field("subject", subject)
    }

    mutating func receiptMembers(_ receipt: Receipt, epoch: Int64) {
        cursorField("cursor", receipt.position, epoch: epoch)
        conversationField("conversation", receipt.conversation)
        field("account", receipt.party.address)
        field("thread", receipt.thread?.rawValue)
        field("deliveredUpTo", receipt.deliveredUpTo.rawValue)
        field("readUpTo", receipt.readUpTo.rawValue)
        field("at", receipt.time.rawValue)
    }

    mutating func profileMembers(_ profile: Profile) {
        field("displayName", profile.displayName)
        field("avatar", profile.avatar)
        field("statusText", profile.statusText)
    }

    mutating func presenceMembers(_ presence: Presence) {
        field("state", presence.state.name)
        field("lastSeen", presence.lastSeen?.rawValue)
    }
}

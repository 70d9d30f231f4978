/// What one lane iteration has for every loop: committed changes in order of position, and signals.
package struct Batch: Sendable {
    package let items: [Item]
    /// The position up to which the loops now know everything.
    package let head: Position

    package enum Item: Sendable {
        case event(EventItem)
        case receipt(Receipt)
        /// Goes to those who share one of these conversations with the account.
        case profile(AccountProfile, in: Set<ConversationID>)
        case signal(Signal)
        /// A presence goes to those who share one of these conversations with the account.
        case presence(Party, Presence, in: Set<ConversationID>)
        case blocks(AccountID, Set<AccountID>)
        /// Ends the sessions of a device, or of all the account's devices.
        case revoked(AccountID, DeviceID?)
    }
}

/// A committed event and what the loops' replicas take from it.
package struct EventItem: Sendable {
    package let event: Event
    /// For a membership event: the subject's place now.
    package let seat: SeatRow?
    /// For a state event that moves them.
    package let timeline: VisibilityTimeline?
    package let postRank: Rank?

    var movesReplica: Bool { seat != nil || timeline != nil || postRank != nil }
}

/// What a session's loop is told when the lane has seen its account.
package struct AccountView: Sendable {
    package let seats: [SeatRow]
    package let blocked: Set<AccountID>
    /// Everything up to here is in `seats`; batches that follow are beyond it.
    package let head: Position
}

/// How far an account has come in a conversation (or in one of its threads): a place, not a row per message.
package struct Receipt: Hashable, Sendable {
    package let conversation: ConversationID
    package let party: Party
    /// The root of a thread; nil: the conversation itself.
    package let thread: Sequence?
    package var deliveredUpTo: Sequence
    package var readUpTo: Sequence
    package var position: Position
    package var time: Timestamp

    package init(
        conversation: ConversationID, party: Party, thread: Sequence?, deliveredUpTo: Sequence, readUpTo: Sequence,
        position: Position, time: Timestamp
    ) {
        self.conversation = conversation
        self.party = party
        self.thread = thread
        self.deliveredUpTo = deliveredUpTo
        self.readUpTo = readUpTo
        self.position = position
        self.time = time
    }
}

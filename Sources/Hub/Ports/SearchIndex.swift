/// Full text of messages, a follower of the log with its own cursor: it may lag, and it may be thrown away and rebuilt.
///
/// *Lives on* the search follower's thread for writes, on reader threads for `search`; both block.
package protocol SearchIndex: Sendable {
    /// The position up to which the index has seen the log.
    func cursor() throws(StoreError) -> Position
    /// Indexes and forgets, and moves the cursor, in one transaction.
    func update(_ documents: [SearchDocument], removed: [SearchKey], through: Position) throws(StoreError)
    /// Hits in the given conversations, newest first, before a position if one is given. Permission is the caller's.
    func search(
        _ query: String, in conversations: [ConversationID], before: Position?, limit: Int
    ) throws(StoreError) -> [SearchHit]
}

/// Which message a document is.
package struct SearchKey: Hashable, Sendable {
    package let conversation: ConversationID
    package let sequence: Sequence

    package init(conversation: ConversationID, sequence: Sequence) {
        self.conversation = conversation
        self.sequence = sequence
    }
}

/// The text of a message (of its newest edit), under the message's own key and position.
package struct SearchDocument: Hashable, Sendable {
    package let key: SearchKey
    package let position: Position
    package let text: String

    package init(key: SearchKey, position: Position, text: String) {
        self.key = key
        self.position = position
        self.text = text
    }
}

/// A found message. The snippet marks matches between U+E000 and U+E001.
package struct SearchHit: Hashable, Sendable {
    package let key: SearchKey
    package let position: Position
    package let snippet: String

    package init(key: SearchKey, position: Position, snippet: String) {
        self.key = key
        self.position = position
        self.snippet = snippet
    }
}

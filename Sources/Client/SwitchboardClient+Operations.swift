/// The operations that programs use most, with names. All others go by `change` and `query`.
extension SwitchboardClient {
    /// Posts a message. A conversation is `~12`, `garden`, or `@bob`.
    @discardableResult
    public func post(
        _ text: String, in conversation: String, replyTo: String? = nil, thread: String? = nil, ref: String? = nil
    ) async throws -> ClientValue {
        var fields: ClientFields = ["conversation": .string(conversation), "text": .string(text)]
        if let replyTo { fields["replyTo"] = .string(replyTo) }
        if let thread { fields["thread"] = .string(thread) }
        if let ref { fields["ref"] = .string(ref) }
        return try await change("post", fields)
    }

    /// Replaces the text of a message of one's own.
    @discardableResult
    public func edit(_ event: String, in conversation: String, text: String) async throws -> ClientValue {
        try await change(
            "edit", ["conversation": .string(conversation), "event": .string(event), "text": .string(text)])
    }

    @discardableResult
    public func react(
        _ key: String, to event: String, in conversation: String, removed: Bool = false
    ) async throws -> ClientValue {
        try await change(
            "react",
            [
                "conversation": .string(conversation), "event": .string(event), "key": .string(key),
                "removed": .bool(removed),
            ])
    }

    /// Joins a conversation that one may find; to be in it already is no error.
    @discardableResult
    public func join(_ conversation: String) async throws -> ClientValue {
        try await change("join", ["conversation": .string(conversation)])
    }

    public func leave(_ conversation: String) async throws {
        try await change("leave", ["conversation": .string(conversation)])
    }

    /// Opens the direct conversation with an account, and gives its id.
    public func direct(with account: String) async throws -> String {
        let reply = try await change("direct", ["account": .string(account)])
        guard let id = reply["conversation"]?.string else {
            throw ClientError.protocolViolation("no conversation in the answer")
        }
        return id
    }

    /// Everything up to a sequence was read.
    public func read(_ sequence: Int64, in conversation: String) async throws {
        try await change("read", ["conversation": .string(conversation), "readUpTo": .int(sequence)])
    }

    public func typing(_ active: Bool, in conversation: String) {
        signal("typing", ["conversation": .string(conversation), "active": .bool(active)])
    }

    /// The newest events of a conversation, oldest first.
    public func history(of conversation: String, before: Int64? = nil, limit: Int64 = 50) async throws
        -> [ConversationEvent]
    {
        var fields: ClientFields = ["conversation": .string(conversation), "limit": .int(limit)]
        if let before { fields["before"] = .int(before) }
        let page = try await query("history", fields)
        return (page["events"]?.array ?? []).compactMap { ConversationEvent($0, in: conversation) }
    }
}

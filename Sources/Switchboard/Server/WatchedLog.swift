import Hub

/// The log of a store, and an ear for the errors after which a process must not go on.
///
/// When a sync fails, the kernel may have dropped what it could not write and call it clean: nothing that this process
/// reads afterwards proves what is on disk. A new process reads the disk.
struct WatchedLog: EventLog {
    let log: any EventLog
    let onFatal: @Sendable (StoreError) -> Void

    /// Whether an error says that the disk can't be trusted. The store ends its messages with SQLite's extended result
    /// code: 1034 and 1290 are those of `fsync` on a file and on a directory.
    static func isFatal(_ error: StoreError) -> Bool {
        switch error {
        case .constraint: false
        case .damaged: true
        case .unavailable(let reason): ["(SQLite 1034)", "(SQLite 1290)"].contains(where: reason.hasSuffix)
        }
    }

    private func watched<T>(_ body: () throws(StoreError) -> T) throws(StoreError) -> T {
        do throws(StoreError) {
            return try body()
        } catch {
            if WatchedLog.isFatal(error) { onFatal(error) }
            throw error
        }
    }

    func append(_ writes: [Write]) throws(StoreError) {
        try watched { () throws(StoreError) in try log.append(writes) }
    }
    func head() throws(StoreError) -> LogHead { try watched { () throws(StoreError) in try log.head() } }

    func conversation(_ id: ConversationID) throws(StoreError) -> ConversationState? { try log.conversation(id) }
    func conversation(at address: Address) throws(StoreError) -> ConversationID? { try log.conversation(at: address) }
    func direct(_ pair: ConversationIdentity.Pair, sealing: String?) throws(StoreError) -> ConversationID? {
        try log.direct(pair, sealing: sealing)
    }
    func accountState(_ id: AccountID) throws(StoreError) -> AccountState? { try log.accountState(id) }
    func acceptance(device: DeviceID, token: Token) throws(StoreError) -> StoredAcceptance? {
        try log.acceptance(device: device, token: token)
    }
    func envelope(_ id: EventID, in conversation: ConversationID) throws(StoreError) -> Envelope? {
        try log.envelope(id, in: conversation)
    }
    func edits(of target: Sequence, in conversation: ConversationID) throws(StoreError) -> [Sequence] {
        try log.edits(of: target, in: conversation)
    }
    func hasReaction(
        _ key: String, by account: AccountID, on target: Sequence, in conversation: ConversationID
    ) throws(StoreError) -> Bool {
        try log.hasReaction(key, by: account, on: target, in: conversation)
    }
    func isPinned(_ target: Sequence, in conversation: ConversationID) throws(StoreError) -> Bool {
        try log.isPinned(target, in: conversation)
    }
    func receipt(
        of account: AccountID, in conversation: ConversationID, thread: Sequence?
    ) throws(StoreError) -> Receipt? {
        try log.receipt(of: account, in: conversation, thread: thread)
    }
    func lastSequence(olderThan time: Timestamp, in conversation: ConversationID) throws(StoreError) -> Sequence? {
        try log.lastSequence(olderThan: time, in: conversation)
    }
    func conversationsWithRetention() throws(StoreError) -> [ConversationID] { try log.conversationsWithRetention() }
}

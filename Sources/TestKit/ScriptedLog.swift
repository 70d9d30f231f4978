import Hub
import Synchronization

/// Another log with faults on order: the next appends fail as a test says.
package final class ScriptedLog: EventLog {
    private struct State {
        var faults: [StoreError] = []
        /// Appends that hold an event whose message has this text break a constraint, each time.
        var poison: String?
        /// The next append is saved, and then says that it was not.
        var lateFault: StoreError?
        var appends = 0
    }
    private let inner: any EventLog
    private let state = Mutex(State())

    package init(_ inner: any EventLog) { self.inner = inner }

    /// The next append fails like this.
    package func fail(_ error: StoreError) { state.withLock { $0.faults.append(error) } }
    /// The next append is saved, and then fails like this: an error after the commit.
    package func failLate(_ error: StoreError) { state.withLock { $0.lateFault = error } }
    package func poison(_ text: String) { state.withLock { $0.poison = text } }
    package var appends: Int { state.withLock { $0.appends } }

    package func append(_ writes: [Write]) throws(StoreError) {
        let fault = state.withLock { state -> StoreError? in
            state.appends += 1
            if !state.faults.isEmpty { return state.faults.removeFirst() }
            guard let poison = state.poison else { return nil }
            for case .event(let event, _) in writes {
                if case .message(let message) = event.content, message.body.text == poison {
                    return .constraint("poisoned")
                }
            }
            return nil
        }
        if let fault { throw fault }
        try inner.append(writes)
        if let late = state.withLock({ $0.lateFault.take() }) { throw late }
    }

    package func head() throws(StoreError) -> LogHead { try inner.head() }
    package func conversation(_ id: ConversationID) throws(StoreError) -> ConversationState? {
        try inner.conversation(id)
    }
    package func conversation(at address: Address) throws(StoreError) -> ConversationID? {
        try inner.conversation(at: address)
    }
    package func direct(_ pair: ConversationIdentity.Pair, sealing: String?) throws(StoreError) -> ConversationID? {
        try inner.direct(pair, sealing: sealing)
    }
    package func accountState(_ id: AccountID) throws(StoreError) -> AccountState? { try inner.accountState(id) }
    package func accountID(at address: Address) throws(StoreError) -> AccountID? { try inner.accountID(at: address) }
    package func hasDevice(_ device: DeviceID, of account: AccountID) throws(StoreError) -> Bool {
        try inner.hasDevice(device, of: account)
    }
    package func seats(
        of account: AccountID, in conversations: [ConversationID]
    ) throws(StoreError) -> [SeatRow] {
        try inner.seats(of: account, in: conversations)
    }
    package func acceptance(device: DeviceID, token: Token) throws(StoreError) -> StoredAcceptance? {
        try inner.acceptance(device: device, token: token)
    }
    package func envelope(_ id: EventID, in conversation: ConversationID) throws(StoreError) -> Envelope? {
        try inner.envelope(id, in: conversation)
    }
    package func edits(of target: Sequence, in conversation: ConversationID) throws(StoreError) -> [Sequence] {
        try inner.edits(of: target, in: conversation)
    }
    package func hasReaction(
        _ key: String, by account: AccountID, on target: Sequence, in conversation: ConversationID
    ) throws(StoreError) -> Bool {
        try inner.hasReaction(key, by: account, on: target, in: conversation)
    }
    package func isPinned(_ target: Sequence, in conversation: ConversationID) throws(StoreError) -> Bool {
        try inner.isPinned(target, in: conversation)
    }
    package func receipt(
        of account: AccountID, in conversation: ConversationID, thread: Sequence?
    ) throws(StoreError) -> Receipt? {
        try inner.receipt(of: account, in: conversation, thread: thread)
    }
    package func lastSequence(
        olderThan time: Timestamp, in conversation: ConversationID
    ) throws(StoreError) -> Sequence? {
        try inner.lastSequence(olderThan: time, in: conversation)
    }
    package func conversationsWithRetention() throws(StoreError) -> [ConversationID] {
        try inner.conversationsWithRetention()
    }
}

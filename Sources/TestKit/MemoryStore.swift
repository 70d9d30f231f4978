import Hub
import Synchronization

/// All four ports of the hub in memory: for tests of what stands on them, and the reference that the contract compares
/// other stores with.
///
/// It keeps the log as it was given and answers by walking over it. Nothing is clever, nothing is cached: if a store and
/// this one differ, the store is wrong.
///
/// *Lives on* any thread: everything is under one lock.
package final class MemoryStore: EventLog, Archive, Directory, SearchIndex {
    let contents: Mutex<MemoryContents>

    package init(epoch: Int64 = 1) {
        contents = Mutex(MemoryContents(epoch: epoch))
    }

    /// A store of its own that begins with the same contents.
    init(copying other: MemoryContents) {
        contents = Mutex(other)
    }

    /// Calls `body` with everything that is stored.
    func withContents<Result: Sendable, Failure: Error>(
        _ body: (inout MemoryContents) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try contents.withLock { (contents) throws(Failure) -> Result in try body(&contents) }
    }
}

/// Everything that a ``MemoryStore`` holds.
struct MemoryContents {
    let epoch: Int64
    var position = Position.zero
    var conversations: [ConversationID: MemoryConversation] = [:]
    var accounts: [AccountID: MemoryAccount] = [:]
    var lastDevice: Int64 = 0
    var devices: [DeviceID: MemoryDevice] = [:]
    var places: [EventID: MemoryPlace] = [:]
    var tokens: [MemoryToken: MemoryPlace] = [:]
    /// Of events that retention took, of devices that there are.
    var spentTokens: [MemoryToken: StoredAcceptance] = [:]
    var receipts: [MemoryReceiptKey: Receipt] = [:]
    /// Oldest first.
    var reports: [Report] = []
    var links: [[UInt8]: OneTimeLink] = [:]
    var webhooks: [String: Webhook] = [:]
    var followers: [String: Position] = [:]
    var secrets: [String: [UInt8]] = [:]
    var documents: [SearchKey: SearchDocument] = [:]
    var searchCursor = Position.zero

    init(epoch: Int64) { self.epoch = epoch }

    /// An account that was not deleted.
    func living(_ id: AccountID) -> Account? {
        accounts[id].flatMap { $0.isDeleted ? nil : $0.account }
    }
}

/// Where an event is.
struct MemoryPlace: Hashable {
    let conversation: ConversationID
    let sequence: Sequence
}

struct MemoryToken: Hashable {
    let device: DeviceID
    let token: Token
}

struct MemoryReceiptKey: Hashable {
    let conversation: ConversationID
    let account: AccountID
    let thread: Sequence?
}

struct MemoryAccount {
    var account: Account
    var profilePosition = Position.zero
    var credentials: [String: String] = [:]
    var isDeleted = false
}

struct MemoryDevice {
    var device: Device
    let tokenHash: [UInt8]
}

/// An event and what must outlive its content.
struct MemoryEvent {
    var event: Event
    let fingerprint: Fingerprint?
    let thread: EventReference?
    /// The newest edit.
    var edited: Sequence?

    var isErased: Bool {
        if case .erased = event.content { return true }
        return false
    }
    var message: Message? {
        if case .message(let message) = event.content { return message }
        return nil
    }
    /// A message, in the open or sealed.
    var isSaid: Bool {
        switch event.content {
        case .message, .sealed: true
        case .edit, .redaction, .reaction, .pin, .membership, .state, .call, .custom, .erased: false
        }
    }
    /// What a repeat of its token is answered with.
    var acceptance: StoredAcceptance {
        StoredAcceptance(
            acceptance: Acceptance(
                conversation: event.conversation, event: EventReference(id: event.id, sequence: event.sequence),
                position: event.position, time: event.time, isRepeat: true),
            fingerprint: fingerprint ?? Fingerprint(rawValue: 0))
    }
}

struct MemoryConversation {
    let identity: ConversationIdentity
    var first = Sequence(rawValue: 1)
    var last = Sequence.zero
    var lastPosition = Position.zero
    var prunedThrough = Position.zero
    var members: [AccountID: Member] = [:]
    var values: [StateKey: String] = [:]
    /// The state as it was before the first event that is still kept.
    var valuesBefore: [StateKey: String] = [:]
    var timeline = VisibilityTimeline(.members)
    /// From `first` to `last`.
    var events: [MemoryEvent] = []
    var reactions: [MemoryReactionKey: Sequence] = [:]
    /// Target to the pin's own sequence.
    var pins: [Sequence: Sequence] = [:]

    init(_ identity: ConversationIdentity) { self.identity = identity }

    func index(_ sequence: Sequence) -> Int? {
        guard sequence >= first, sequence <= last else { return nil }
        return Int(sequence.rawValue - first.rawValue)
    }

    subscript(sequence: Sequence) -> MemoryEvent? { index(sequence).map { events[$0] } }

    var access: Access { values[.access].flatMap(Access.init(rawValue:)) ?? .private }
}

struct MemoryReactionKey: Hashable {
    let target: Sequence
    let key: String
    let account: AccountID
}

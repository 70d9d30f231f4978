import Logging

/// Keeps the search index behind the log: reads what is new by the index's own cursor, off the hot path.
///
/// *Lives on* its own executor; what blocks is done on reader threads, one piece at a time, so that the index has one
/// writer.
package actor SearchFollower {
    /// Events that one step looks at.
    package static let batch = 500
    private static let pause = Duration.seconds(1)
    /// How long events may gather before the next look: a busy log costs one transaction for many, not one for each.
    private static let gathering = Duration.milliseconds(100)

    private let hub: Hub
    private let index: any SearchIndex
    private let logger: Logger
    private var cursor: Position?
    private var isWorking = false
    private var waiting: [CheckedContinuation<Void, Never>] = []
    /// Positions between the log's head and the index, as of the last step; zero when everything is indexed.
    package private(set) var lag: Int64 = 0

    /// Nil when the hub has no index.
    package init?(hub: Hub, logger: Logger) {
        guard let index = hub.search else { return nil }
        self.hub = hub
        self.index = index
        self.logger = logger
    }

    /// Follows the log until the hub ends or the task is cancelled.
    package func run() async throws {
        for await _ in hub.followers.heads() {
            while true {
                do throws(StoreError) {
                    try await catchUp()
                    break
                } catch {
                    logger.error("the search index can't be written", metadata: ["reason": "\(error)"])
                    try await Task.sleep(for: SearchFollower.pause)
                }
            }
            try await Task.sleep(for: SearchFollower.gathering)
        }
    }

    /// Indexes all that is in the log now.
    package func catchUp() async throws(StoreError) {
        while !Task.isCancelled, try await step() {}
    }

    /// Indexes one batch. False when there was nothing left.
    private func step() async throws(StoreError) -> Bool {
        await begin()
        defer { end() }
        let (archive, index, known) = (hub.archive, index, cursor)
        let (reached, isComplete) = try await onReader { () throws(StoreError) -> (Position, Bool) in
            let start = if let known { known } else { try index.cursor() }
            let events = try archive.events(after: start, limit: SearchFollower.batch)
            guard let last = events.last else { return (start, true) }
            let step = try SearchStep(events) { (conversation, sequence) throws(StoreError) in
                let page = try archive.page(conversation, .around(sequence), limit: 1)
                return page.first { $0.event.sequence == sequence }
            }
            try index.update(step.documents, removed: step.removed, through: last.position)
            return (last.position, events.count < SearchFollower.batch)
        }
        cursor = reached
        lag = isComplete ? 0 : max(0, (await hub.head()?.position ?? reached).rawValue - reached.rawValue)
        return !isComplete
    }

    /// Takes messages out of the index whose events go, or have gone, from the log.
    func forget(_ sequences: Range<Int64>, in conversation: ConversationID) async throws(StoreError) {
        await begin()
        defer { end() }
        let (index, known) = (index, cursor)
        let keys = sequences.map { SearchKey(conversation: conversation, sequence: Sequence(rawValue: $0)) }
        cursor = try await onReader { () throws(StoreError) -> Position in
            let position = if let known { known } else { try index.cursor() }
            try index.update([], removed: keys, through: position)
            return position
        }
    }

    // MARK: One at a time

    private func begin() async {
        guard isWorking else {
            isWorking = true
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    /// The next one goes on, or nobody works.
    private func end() {
        if waiting.isEmpty {
            isWorking = false
        } else {
            waiting.removeFirst().resume()
        }
    }

    private func onReader<T: Sendable>(
        _ body: @escaping @Sendable () throws(StoreError) -> T
    ) async throws(StoreError) -> T {
        let result: Result<T, StoreError> = await withCheckedContinuation { continuation in
            hub.readers.submit {
                do throws(StoreError) {
                    continuation.resume(returning: .success(try body()))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        return try result.get()
    }
}

/// What a run of events changes in the index. Pure.
struct SearchStep {
    private(set) var documents: [SearchDocument] = []
    private(set) var removed: [SearchKey] = []

    /// - Parameter look: the entry at a sequence as the log has it now, if it is still there.
    init(
        _ events: [Event], look: (ConversationID, Sequence) throws(StoreError) -> LogEntry?
    ) throws(StoreError) {
        var texts: [SearchKey: SearchDocument] = [:]
        var gone: Set<SearchKey> = []
        for event in events {
            let own = SearchKey(conversation: event.conversation, sequence: event.sequence)
            switch event.content {
            case .message(let message):
                texts[own] = SearchDocument(key: own, position: event.position, text: message.body.text)
            case .edit(let target, _):
                let key = SearchKey(conversation: event.conversation, sequence: target.sequence)
                let entry = try look(event.conversation, target.sequence)
                if let entry, case .message(let message) = entry.event.content,
                    case let text = entry.edit?.body.text ?? message.body.text, !text.isEmpty
                {
                    texts[key] = SearchDocument(key: key, position: entry.event.position, text: text)
                } else {
                    gone.insert(key)
                }
            case .redaction(let target, _):
                gone.insert(SearchKey(conversation: event.conversation, sequence: target.sequence))
            case .erased(.message): gone.insert(own)
            case .reaction, .pin, .membership, .state, .call, .sealed, .custom, .erased: continue
            }
        }
        documents = texts.values.filter { !gone.contains($0.key) && !$0.text.isEmpty }
            .sorted { $0.position < $1.position }
        removed = gone.sorted { ($0.conversation, $0.sequence) < ($1.conversation, $1.sequence) }
    }
}

import Logging

/// Takes away events that a conversation no longer keeps, a slice at a time, so that the lane is never held for long.
///
/// Lives on no loop: its work is done on the lane, and in the search index by its follower.
package struct RetentionSweeper: Sendable {
    /// Events that one step takes at most.
    package static let slice: Int64 = 500
    private static let period = Duration.seconds(60)

    private let hub: Hub
    private let search: SearchFollower?
    private let logger: Logger

    package init(hub: Hub, search: SearchFollower?, logger: Logger) {
        self.hub = hub
        self.search = search
        self.logger = logger
    }

    /// Sweeps every minute until it is cancelled.
    package func run() async throws {
        while !Task.isCancelled {
            do throws(StoreError) {
                try await sweep()
            } catch {
                logger.error("retention can't be kept at the moment", metadata: ["reason": "\(error)"])
            }
            try await Task.sleep(for: RetentionSweeper.period)
        }
    }

    /// Takes away all that is due now.
    package func sweep() async throws(StoreError) {
        let conversations = try await onLane { lane throws(StoreError) in try lane.log.conversationsWithRetention() }
        for conversation in conversations {
            while !Task.isCancelled, try await step(conversation) {}
        }
    }

    /// False when nothing was due.
    private func step(_ id: ConversationID) async throws(StoreError) -> Bool {
        let due = try await onLane { lane throws(StoreError) in
            try lane.retention(of: id, atMost: RetentionSweeper.slice)
        }
        guard let due else { return false }
        // Before, so that no text outlives its event if the program ends in between; after, for what the index was
        // only then coming to.
        try await search?.forget(due, in: id)
        let isDone = try await onLane { lane throws(StoreError) in
            // The rule may have been loosened meanwhile.
            guard let now = try lane.retention(of: id, atMost: RetentionSweeper.slice) else { return false }
            try lane.prune(id, before: Sequence(rawValue: min(due.upperBound, now.upperBound)))
            return true
        }
        try await search?.forget(due, in: id)
        return isDone
    }

    private func onLane<T: Sendable>(
        _ body: @escaping @Sendable (Lane) throws(StoreError) -> T
    ) async throws(StoreError) -> T {
        let result = await hub.onLane { lane -> Result<T, StoreError> in
            do throws(StoreError) {
                return .success(try body(lane))
            } catch {
                return .failure(error)
            }
        }
        return try (result ?? .failure(.unavailable("the hub is shut down"))).get()
    }
}

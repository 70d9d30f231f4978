import Synchronization

/// Tells followers that the log has moved. A hint only: a follower reads the log by its own cursor.
///
/// Lives on no loop: guarded by its lock.
package final class FollowerHints: Sendable {
    private struct State {
        var head = Position.zero
        var listeners: [Int: AsyncStream<Position>.Continuation] = [:]
        var next = 0
        var isFinished = false
    }
    private let state = Mutex(State())

    init() {}

    /// The newest head each time that it moved, older ones left out; ends with the hub.
    package func heads() -> AsyncStream<Position> {
        let (stream, continuation) = AsyncStream.makeStream(of: Position.self, bufferingPolicy: .bufferingNewest(1))
        let id = state.withLock { state -> Int? in
            guard !state.isFinished else { return nil }
            state.next += 1
            state.listeners[state.next] = continuation
            continuation.yield(state.head)
            return state.next
        }
        guard let id else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = { [weak self] _ in self?.remove(id) }
        return stream
    }

    private func remove(_ id: Int) { state.withLock { $0.listeners[id] = nil } }

    func advance(to head: Position) {
        let listeners = state.withLock { state in
            state.head = head
            return Array(state.listeners.values)
        }
        for listener in listeners { listener.yield(head) }
    }

    func finish() {
        let listeners = state.withLock { state in
            state.isFinished = true
            defer { state.listeners = [:] }
            return Array(state.listeners.values)
        }
        for listener in listeners { listener.finish() }
    }
}

import NIOCore
import Synchronization

/// What waits for the lane, in order. The way from every loop and thread to the one writer.
///
/// Lives on no loop: guarded by its lock, which is held for an append or a swap and never while anything runs.
package final class LaneInbox: Sendable {
    private struct State {
        var work: [LaneWork] = []
        var commands = 0
        var isScheduled = false
        var isClosed = false
        var lane: NIOLoopBoundBox<Lane>?
    }
    private let state = Mutex(State())
    private let eventLoop: any EventLoop
    private let limit: Int

    init(eventLoop: any EventLoop, limit: Int) {
        self.eventLoop = eventLoop
        self.limit = limit
    }

    func open(_ lane: NIOLoopBoundBox<Lane>) { state.withLock { $0.lane = lane } }

    /// Nothing is taken any more. What waits already is still done.
    func close() {
        state.withLock { state in
            state.isClosed = true
            if !state.isScheduled { state.lane = nil }
        }
    }

    /// False when a command found the inbox full: answer `busy`.
    func put(_ work: LaneWork) -> Bool {
        let outcome = state.withLock { state -> (accepted: Bool, wake: NIOLoopBoundBox<Lane>?) in
            guard !state.isClosed, let lane = state.lane else { return (false, nil) }
            if case .command = work {
                guard state.commands < limit else { return (false, nil) }
                state.commands += 1
            }
            state.work.append(work)
            guard !state.isScheduled else { return (true, nil) }
            state.isScheduled = true
            return (true, lane)
        }
        if let lane = outcome.wake { eventLoop.execute { lane.value.drain() } }
        return outcome.accepted
    }

    /// Lets other work of the lane's loop run between two iterations.
    func drainAgain() {
        guard let lane = state.withLock({ $0.lane }) else { return }
        eventLoop.execute { lane.value.drain() }
    }

    /// Everything that waits, up to a number of items; empty means that the lane may sleep.
    func take(atMost count: Int) -> [LaneWork] {
        state.withLock { state in
            guard !state.work.isEmpty else {
                state.isScheduled = false
                if state.isClosed { state.lane = nil }
                return []
            }
            let taken: [LaneWork]
            if state.work.count <= count {
                taken = state.work
                state.work = []
                state.work.reserveCapacity(taken.count)
            } else {
                taken = Array(state.work[..<count])
                state.work.removeFirst(count)
            }
            for case .command in taken { state.commands -= 1 }
            return taken
        }
    }

    package var waiting: Int { state.withLock { $0.work.count } }
}

/// One thing for the lane to do.
enum LaneWork: Sendable {
    case command(Submission)
    /// Runs after the commit of what came before it, and before any command that came after it.
    case job(@Sendable (Lane) -> Void)
    /// Runs after the commit of what came before it; commands that came after it may be in the same commit. For what
    /// neither changes nor depends on conversations: many of them must not cost a sync each.
    case aside(@Sendable (Lane) -> Void)
}

/// A command on its way.
struct Submission: Sendable {
    let command: Command
    let actor: Actor
    let token: Token?
    let reply: Reply
}

/// Where an outcome goes: to a loop (in the same closure as the batch that it belongs to), or at once.
struct Reply: Sendable {
    /// Nil: called on the lane, for tasks that wait on a continuation.
    let loop: Int?
    let complete: @Sendable (Result<Acceptance, Rejection>) -> Void
}

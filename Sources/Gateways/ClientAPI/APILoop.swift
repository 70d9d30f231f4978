import Hub
import NIOCore

/// What all sessions of one event loop share. *Lives on* that event loop.
final class APILoop {
    let eventLoop: any EventLoop
    let dialects: Dialects
    /// Conversations by their address. A conversation keeps its address for ever, and what an account may do in it is asked
    /// where it does it, so this is the same for everybody.
    private var conversations: [Address: ConversationID] = [:]
    private var unflushed: [any FlushedSoon] = []
    /// The room of the turn before, for the next one.
    private var spare: [any FlushedSoon] = []
    /// Polls that wait for something to happen.
    private var polls: [ObjectIdentifier: any WaitingPoll] = [:]
    private(set) var isDraining = false

    private static let remembered = 10_000

    init(eventLoop: any EventLoop, dialects: Dialects) {
        self.eventLoop = eventLoop
        self.dialects = dialects
    }

    func conversation(at address: Address) -> ConversationID? { conversations[address] }

    func remember(_ conversation: ConversationID, at address: Address) {
        if conversations.count >= APILoop.remembered { conversations.removeAll() }
        conversations[address] = conversation
    }

    /// Flushes `output` once this turn of the loop is over: what the hub delivers and the replies that travel with it
    /// leave in one write.
    func flushSoon(_ output: any FlushedSoon) {
        unflushed.append(output)
        guard unflushed.count == 1 else { return }
        let box = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.execute { box.value.flushAll() }
    }

    private func flushAll() {
        var outputs = unflushed
        unflushed = spare
        spare = []
        for output in outputs { output.flushNow() }
        outputs.removeAll(keepingCapacity: true)
        spare = outputs
    }

    // MARK: Polls

    func add(_ poll: any WaitingPoll) { polls[ObjectIdentifier(poll)] = poll }

    func remove(_ poll: any WaitingPoll) { polls[ObjectIdentifier(poll)] = nil }

    /// The server goes down: who waits is answered now, and nobody waits any more.
    func drain() {
        isDraining = true
        for poll in Array(polls.values) { poll.complete() }
    }
}

/// A request that waits for something to happen. *Lives on* its event loop.
protocol WaitingPoll: AnyObject {
    /// Answers with what there is.
    func complete()
}

/// Something whose bytes wait for the end of the turn. *Lives on* its event loop.
protocol FlushedSoon: AnyObject {
    func flushNow()
}

/// The way to every loop's part. *Lives on* any thread.
struct APILoops: Sendable {
    private let loops: [(eventLoop: any EventLoop, part: NIOLoopBoundBox<APILoop>)]

    init(_ eventLoops: [any EventLoop], epoch: Int64) {
        let shared = SharedDialects(epoch: epoch)
        loops = eventLoops.map { eventLoop in
            let part = APILoop(eventLoop: eventLoop, dialects: Dialects(shared: shared, eventLoop: eventLoop))
            return (eventLoop, NIOLoopBoundBox.makeBoxSendingValue(part, eventLoop: eventLoop))
        }
    }

    /// The part of the loop that calls; nil if it is none of ours.
    func part(of eventLoop: any EventLoop) -> APILoop? {
        loops.first { $0.eventLoop === eventLoop }?.part.value
    }

    func drain() {
        for (eventLoop, part) in loops { eventLoop.execute { part.value.drain() } }
    }

    /// A loop for what has no connection of its own to live on.
    func pick(_ random: UInt64) -> (any EventLoop)? {
        loops.isEmpty ? nil : loops[Int(random % UInt64(loops.count))].eventLoop
    }
}

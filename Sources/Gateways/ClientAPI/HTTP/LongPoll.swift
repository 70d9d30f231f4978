import Hub
import NIOCore
import WireJSON

extension Operations {
    /// The fallback where neither sockets nor streams get through.
    static let sync = Operation(
        "sync", .read, places: .http,
        "Frames after a cursor. Without one: where to begin.",
        parameters: [
            .optional("since", .cursor, "the `next` of the answer before"),
            .optional("wait", .integer(0...60), "for how many seconds to wait for something to happen; 0 if not given"),
            .limit(1_000, standard: 500),
        ],
        result: [
            .always("frames", .list(.named("Frame")), "what there is, in order"),
            .always("next", .text, "the cursor to go on from"),
            .always("caughtUp", .flag, "there is nothing more for now"),
            .sometimes("resync", .flag, "`since` was of another log: forget what you have and read `conversations`"),
        ],
        .task { arguments, context throws(Rejection) in
            try await LongPoll(context: context).answer(arguments)
        })
}

/// Answers `sync`: reads what there is, and if that is nothing, attaches a session for a while and takes what it is given
/// first. The session begins where the reading ended, so nothing falls between the two, and nothing is given twice.
private struct LongPoll {
    let context: OperationContext

    func answer(_ arguments: Arguments) async throws(Rejection) -> OperationResult {
        let hub = context.hub
        guard let head = await hub.head() else { throw Rejection(.unavailable, "the server is going down") }
        guard let since = try arguments.optionalCursor("since") else { return result(Frames(next: head)) }
        guard since.epoch == hub.epoch, since.position <= head.position else {
            return result(Frames(next: head, isResync: true))
        }
        let page = try await read(after: since, through: head, limit: try arguments.limit(500))
        let wait = try arguments.optionalInteger("wait") ?? 0
        guard page.elements.readableBytes == 0, page.isCaughtUp, wait > 0 else { return result(page) }
        return result(try await self.wait(from: page.next, seconds: wait))
    }

    private func result(_ frames: Frames) -> OperationResult {
        .members { writer in
            var list = ByteBuffer(string: "[")
            // Each element follows a comma; the first one has none before it.
            list.writeImmutableBuffer(
                frames.elements.getSlice(
                    at: frames.elements.readerIndex + 1, length: max(0, frames.elements.readableBytes - 1))
                    ?? ByteBuffer())
            list.writeString("]")
            writer.key("frames")
            writer.raw(list)
            writer.cursorField("next", frames.next)
            writer.field("caughtUp", frames.isCaughtUp)
            if frames.isResync { writer.field("resync", true) }
        }
    }

    private func read(after cursor: Cursor, through head: Cursor, limit: Int) async throws(Rejection) -> Frames {
        let actor = context.actor
        let epoch = context.hub.epoch
        return try await context.hub.read { reader throws(Rejection) in
            let sync = try reader.changes(after: cursor, through: head.position, limit: limit, for: actor)
            var frames = Frames(next: sync.next, isCaughtUp: sync.caughtUp)
            for gap in sync.gaps {
                Framing.list.append(.gap(gap.conversation, first: gap.first), epoch: epoch, to: &frames.elements)
            }
            var lastSeen: [ConversationID: Sequence] = [:]
            var untold: [ConversationID: Member] = [:]
            for (index, change) in sync.changes.enumerated() {
                let end = frames.elements.writerIndex
                if case .event(let event) = change {
                    if lastSeen[event.conversation] == nil {
                        untold[event.conversation] = try reader.place(event.conversation, of: actor)
                    }
                    if untold[event.conversation]?.isNew(with: event) ?? false {
                        untold[event.conversation] = nil
                        try appendPlace(event.conversation, reader, actor, to: &frames.elements)
                    }
                }
                Framing.list.append(change.delivery(&lastSeen), epoch: epoch, to: &frames.elements)
                if index > 0, frames.elements.readableBytes > PageElements.maximumBytes {
                    frames.elements.moveWriterIndex(to: end)
                    frames.next = Cursor(epoch: epoch, position: sync.changes[index - 1].position)
                    frames.isCaughtUp = false
                    return frames
                }
            }
            return frames
        }
    }

    private func appendPlace(
        _ id: ConversationID, _ reader: Reader, _ actor: Actor, to elements: inout ByteBuffer
    ) throws(Rejection) {
        let summary = try reader.summary(of: id, for: actor)
        Framing.list.append("conversation", to: &elements) { writer in
            writer.headMembers(summary.head, other: summary.other)
            if let member = summary.member { writer.standingMembers(member.standing, member.rank) }
        }
    }

    private func wait(from cursor: Cursor, seconds: Int64) async throws(Rejection) -> Frames {
        let hub = context.hub
        guard let eventLoop = context.services.loops.pick(hub.random()) else {
            throw Rejection(.unavailable, "the server is going down")
        }
        let promise = eventLoop.makePromise(of: Result<Frames, Rejection>.self)
        let box = NIOLoopBoundBox.makeEmptyBox(valueType: PollSession.self, eventLoop: eventLoop)
        eventLoop.execute { [services = context.services, actor = context.actor] in
            let poll = PollSession(hub: hub, cursor: cursor, eventLoop: eventLoop, promise: promise)
            box.value = poll
            poll.begin(services, actor, seconds)
        }
        let outcome = try? await withTaskCancellationHandler {
            try await promise.futureResult.get()
        } onCancel: {
            eventLoop.execute { box.value?.complete() }
        }
        eventLoop.execute { box.value = nil }
        return try (outcome ?? .failure(Rejection(.unavailable, "the server is going down"))).get()
    }
}

/// What `sync` answers: elements of a list, each after a comma.
private struct Frames: Sendable {
    var elements = ByteBuffer()
    var next: Cursor
    var isCaughtUp = true
    var isResync = false
}

extension Reader {
    /// The account's own place in a conversation, if it has one now.
    fileprivate func place(_ conversation: ConversationID, of actor: Actor) throws(Rejection) -> Member? {
        guard let member = try view(conversation, for: actor).member else { return nil }
        switch member.standing {
        case .joined, .invited, .knocking: return member
        case .left, .banned: return nil
        }
    }
}

extension Change {
    fileprivate func delivery(_ lastSeen: inout [ConversationID: Sequence]) -> Delivery {
        switch self {
        case .event(let event):
            let last = lastSeen.updateValue(event.sequence, forKey: event.conversation)
            return .event(event, previous: last.flatMap { $0.next == event.sequence ? nil : $0 })
        case .receipt(let receipt): return .receipt(receipt)
        case .profile(let profile): return .profile(profile)
        }
    }
}

/// A session that lasts until it is given something, or for a while. *Lives on* its event loop.
private final class PollSession {
    private let hub: Hub
    private let eventLoop: any EventLoop
    private let promise: EventLoopPromise<Result<Frames, Rejection>>
    private let start: Cursor
    private var frames: Frames
    private var session: Session?
    private var audience: Audience?
    private var part: APILoop?
    private var timer: Scheduled<Void>?
    private var isLive = false
    private var isOver = false

    init(hub: Hub, cursor: Cursor, eventLoop: any EventLoop, promise: EventLoopPromise<Result<Frames, Rejection>>) {
        self.hub = hub
        self.eventLoop = eventLoop
        self.promise = promise
        start = cursor
        frames = Frames(next: cursor)
    }

    func begin(_ services: APIServices, _ actor: Actor, _ seconds: Int64) {
        guard let audience = hub.audience(on: eventLoop), let part = services.loops.part(of: eventLoop) else {
            return fail(Rejection(.unavailable, "the server is going down"))
        }
        if part.isDraining { return complete() }
        self.audience = audience
        self.part = part
        part.add(self)
        // Unseen: an account must not come and go with every poll.
        session = audience.attach(self, as: actor, dialect: part.dialects.list, from: start, presence: .offline)
        let box = NIOLoopBound(self, eventLoop: eventLoop)
        timer = eventLoop.scheduleTask(in: .seconds(seconds)) { box.value.complete() }
    }

    /// Answers with what there is.
    func complete() {
        guard !isOver else { return }
        if let session, isLive || session.deliveredThrough > start.position {
            frames.next = Cursor(epoch: hub.epoch, position: max(frames.next.position, session.deliveredThrough))
        }
        frames.isCaughtUp = isLive
        end(.success(frames))
    }

    private func fail(_ rejection: Rejection) { end(.failure(rejection)) }

    private func end(_ result: Result<Frames, Rejection>) {
        guard !isOver else { return }
        isOver = true
        timer?.cancel()
        promise.succeed(result)
        // Not at once: the hub may be in the middle of what it does with its sessions.
        let box = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.execute { box.value.detach() }
    }

    private func detach() {
        if let session { audience?.detach(session) }
        session = nil
        audience = nil
        part?.remove(self)
        part = nil
    }
}

extension PollSession: WaitingPoll {}

extension PollSession: SessionSink {
    var isWritable: Bool { !isOver && frames.elements.readableBytes < PageElements.maximumBytes }

    func write(_ bytes: ByteBuffer) {
        if !isOver { frames.elements.writeImmutableBuffer(bytes) }
    }

    func flush() {
        guard frames.elements.readableBytes > 0, let session else { return }
        if isLive || session.deliveredThrough > start.position { complete() }
    }

    func caughtUp(to cursor: Cursor) {
        isLive = true
        frames.next = cursor
        if frames.isResync { complete() }
    }

    func continuityLost() { frames.isResync = true }

    func ended(_ reason: SessionEnd) {
        session = nil
        switch reason {
        case .revoked: fail(Rejection(.unauthenticated, "this device was signed out"))
        case .rejected(let rejection): fail(rejection)
        }
    }
}

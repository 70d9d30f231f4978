import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Synchronization

/// One request that the router answers: feeds the body to its task and takes the answer from it. *Lives on*: the event
/// loop of the request's channel; the task reaches it by a `RouterCallHandle`.
final class RouterCall {
    private typealias Body = NIOThrowingAsyncSequenceProducer<
        ByteBuffer, any Error, NIOAsyncSequenceProducerBackPressureStrategies.HighLowWatermark, RouterCallBodyDelegate
    >

    private enum Tag {
        static let body: UInt8 = 0
        static let stall: UInt8 = 1
    }

    private weak var exchange: HTTPExchange?
    private let loop: DoorLoop
    private let request: HTTPRequest
    private let remote: RemoteClient
    private let allowance: BodyAllowance
    private let bodyLimit: Int
    private let place: HTTPExchange.Place

    private var received = 0
    /// Of `received`, what is counted in the door's budget.
    private var counted = 0
    /// Most bodies are collected before the task starts, which then costs one hop in each direction.
    private var collected = ByteBuffer()
    private var source: Body.Source?
    private var bodyHasEnded = false
    private var isOver = false
    /// The answer is complete: what the task does after it, it may do in peace.
    private var isAnswered = false
    private var task: Task<Void, Never>?

    /// The task that waits for the peer to take what it has written.
    private var waiting: CheckedContinuation<Void, any Error>?
    private var stallTimer = LoopTimers.Token.none
    private var bodyTimer = LoopTimers.Token.none
    private var bodyStart: NIODeadline
    private var heldSince: NIODeadline?
    private var heldTime = TimeAmount.zero

    init(
        exchange: HTTPExchange, request: HTTPRequest, remote: RemoteClient, body: BodyAllowance,
        place: HTTPExchange.Place
    ) {
        self.exchange = exchange
        loop = exchange.loop
        self.request = request
        self.remote = remote
        allowance = body
        bodyLimit = body.bytes(forPath: request.path ?? "", exchange.loop.limits)
        self.place = place
        bodyStart = exchange.loop.eventLoop.now
    }

    // MARK: The request's body

    /// Starts at once what is refused by its head.
    func headReceived() {
        if allowance == .dropped { start(RequestBody(buffer: ByteBuffer())) }
    }

    func received(_ bytes: ByteBuffer) {
        guard !isOver, allowance != .dropped else { return }
        received += bytes.readableBytes
        guard received <= bodyLimit else {
            exchange?.fail(.bodyTooLarge)
            return
        }
        counted += bytes.readableBytes
        guard loop.door.bodies.add(bytes.readableBytes, share: allowance.shareOfBudget) else {
            exchange?.fail(.bodyBudget)
            return
        }
        if let source {
            if case .stopProducing = source.yield(bytes) { hold(true) }
        } else {
            collected.writeImmutableBuffer(bytes)
            if collected.readableBytes > BodyAllowance.wholeBytes { startStreaming() }
        }
    }

    func receivedEnd() {
        bodyHasEnded = true
        loop.timers.cancel(bodyTimer)
        if allowance == .dropped { return }
        if let source {
            source.finish()
        } else {
            start(RequestBody(buffer: collected))
        }
    }

    /// The peer has sent all that it could for now: if the body is not complete, it will take its time.
    func readComplete() {
        guard !isOver, !bodyHasEnded, bodyTimer == .none, allowance != .dropped else { return }
        armBodyTimer()
    }

    private func startStreaming() {
        let handle = RouterCallHandle(self, loop.eventLoop)
        let producer = Body.makeSequence(
            elementType: ByteBuffer.self, failureType: (any Error).self,
            backPressureStrategy: .init(lowWatermark: 2, highWatermark: 8), finishOnDeinit: true,
            delegate: RouterCallBodyDelegate(call: handle))
        source = producer.source
        _ = producer.source.yield(collected)
        collected = ByteBuffer()
        start(RequestBody(asyncSequence: producer.sequence))
    }

    /// The task has taken enough of the body for more to be read.
    func wantsMoreBody() {
        hold(false)
    }

    private func hold(_ held: Bool) {
        exchange?.holdReading(held)
        if held {
            heldSince = heldSince ?? loop.eventLoop.now
        } else if let since = heldSince {
            heldTime = heldTime + (loop.eventLoop.now - since)
            heldSince = nil
        }
    }

    private func armBodyTimer() {
        bodyTimer = loop.timers.schedule(in: min(loop.limits.bodyTime, .seconds(10)), self, tag: Tag.body)
    }

    private func checkBodyRate() {
        guard !isOver, !bodyHasEnded else { return }
        let now = loop.eventLoop.now
        let held = heldTime + (heldSince.map { now - $0 } ?? .zero)
        let time = now - bodyStart - held
        let expected = Double(loop.limits.bodyRate) * Double(time.nanoseconds) / 1e9
        if time >= loop.limits.bodyTime, Double(received) < expected {
            exchange?.fail(RequestFault(.requestTimeout, .slowBody, "the body comes too slowly"))
        } else {
            armBodyTimer()
        }
    }

    // MARK: The task

    private func start(_ body: RequestBody) {
        guard let exchange, !isOver else { return }
        var logger = loop.door.logger
        logger[metadataKey: "hb.request.id"] = .stringConvertible(RequestID())
        logger[metadataKey: "client"] = .stringConvertible(remote)
        let origin = DoorRequestSource(logger: logger, remote: remote, eventLoop: loop.eventLoop)
        let request = Request(head: request, body: body)
        let handle = RouterCallHandle(self, loop.eventLoop)
        let respond = exchange.routes.respond
        task = Task {
            do {
                let response = try await respond(request, origin)
                let writer = RouterCallWriter(handle, response)
                try await response.body.write(writer)
                await writer.finishIfNeeded()
            } catch {
                // A peer that hangs up ends its task like this.
                let isOver = error is CancellationError || Task.isCancelled
                logger.log(level: isOver ? .debug : .error, "request failed", metadata: ["error": "\(error)"])
                handle.fail()
            }
        }
    }

    // MARK: The answer

    func respond(_ head: HTTPResponse, _ body: ByteBuffer, _ trailers: HTTPFields?) {
        guard !isOver, let exchange else { return }
        isAnswered = true
        exchange.writeHead(head, isLast: true)
        if body.readableBytes > 0 { exchange.writeBody(body) }
        loop.counters.bytesSent.add(body.readableBytes)
        exchange.writeEnd(trailers)
    }

    /// Writes a part of a long answer; `continuation` goes on when the peer takes more.
    func write(_ head: HTTPResponse?, _ body: ByteBuffer, _ continuation: CheckedContinuation<Void, any Error>) {
        guard !isOver, let exchange else {
            continuation.resume(throwing: CancellationError())
            return
        }
        if let head { exchange.writeHead(head) }
        if body.readableBytes > 0 { exchange.writeBody(body) }
        exchange.flush()
        loop.counters.bytesSent.add(body.readableBytes)
        if isOver || exchange.isWritable {
            continuation.resume()
        } else {
            waiting = continuation
            stallTimer = loop.timers.schedule(in: loop.limits.outboundStall, self, tag: Tag.stall)
        }
    }

    func end(_ body: ByteBuffer, _ trailers: HTTPFields?) {
        guard !isOver, let exchange else { return }
        isAnswered = true
        if body.readableBytes > 0 { exchange.writeBody(body) }
        loop.counters.bytesSent.add(body.readableBytes)
        exchange.writeEnd(trailers)
    }

    func becameWritable() {
        loop.timers.cancel(stallTimer)
        waiting.take()?.resume()
    }

    /// The task has failed.
    func fail() {
        guard !isOver else { return }
        exchange?.fail(RequestFault(.internalServerError, .fault, "internal error"))
    }

    /// The answer has ended, or the peer is gone: nothing more is taken from the task.
    func finish() {
        guard !isOver else { return }
        isOver = true
        loop.timers.cancel(bodyTimer)
        loop.timers.cancel(stallTimer)
        if let address = place.address { loop.door.addresses.release(address) }
        if counted > 0 { _ = loop.door.bodies.add(-counted) }
        if !bodyHasEnded { source?.finish(CancellationError()) }
        waiting.take()?.resume(throwing: CancellationError())
        if !isAnswered { task?.cancel() }
        task = nil
        exchange = nil
    }
}

extension RouterCall: TimerTarget {
    func timerFired(_ tag: UInt8) {
        if tag == Tag.body {
            bodyTimer = .none
            checkBodyRate()
        } else if waiting != nil {
            loop.door.metrics.count(.slowConsumer)
            exchange?.abort()
        }
    }
}

/// Reaches a call from its task. *Lives on*: any thread.
struct RouterCallHandle: Sendable {
    private let call: NIOLoopBound<RouterCall>
    private let eventLoop: any EventLoop

    init(_ call: RouterCall, _ eventLoop: any EventLoop) {
        self.call = NIOLoopBound(call, eventLoop: eventLoop)
        self.eventLoop = eventLoop
    }

    func respond(_ head: HTTPResponse, _ body: ByteBuffer, _ trailers: HTTPFields?) {
        eventLoop.execute { call.value.respond(head, body, trailers) }
    }

    func write(_ head: HTTPResponse?, _ body: ByteBuffer) async throws {
        try await withCheckedThrowingContinuation { continuation in
            eventLoop.execute { call.value.write(head, body, continuation) }
        }
    }

    func end(_ body: ByteBuffer, _ trailers: HTTPFields?) {
        eventLoop.execute { call.value.end(body, trailers) }
    }

    func wantsMoreBody() {
        eventLoop.execute { call.value.wantsMoreBody() }
    }

    func fail() {
        eventLoop.execute { call.value.fail() }
    }
}

/// Back-pressure of the request's body.
private struct RouterCallBodyDelegate: NIOAsyncSequenceProducerDelegate, Sendable {
    let call: RouterCallHandle

    func produceMore() {
        call.wantsMoreBody()
    }

    func didTerminate() {}
}

/// Takes the body of an answer from its task: one of known, small size is passed on whole, with its head; any other in
/// pieces, each when the peer takes it. *Lives on*: the request's task.
private final class RouterCallWriter: ResponseBodyWriter {
    private static let pieceBytes = 64 << 10

    private let call: RouterCallHandle
    private let isWhole: Bool
    private var head: HTTPResponse?
    private var pending = ByteBuffer()
    private var isFinished = false

    init(_ call: RouterCallHandle, _ response: Response) {
        self.call = call
        head = response.head
        isWhole = response.body.contentLength.map { $0 <= Self.pieceBytes } ?? false
    }

    func write(_ buffer: ByteBuffer) async throws {
        guard !isFinished else { return }
        guard !isWhole else {
            pending.writeImmutableBuffer(buffer)
            return
        }
        var rest = buffer
        repeat {
            let piece = rest.readSlice(length: min(rest.readableBytes, Self.pieceBytes)) ?? ByteBuffer()
            try await call.write(head.take(), piece)
        } while rest.readableBytes > 0
    }

    func finish(_ trailers: HTTPFields?) async throws {
        end(trailers)
    }

    /// For bodies that forget to.
    func finishIfNeeded() async {
        end(nil)
    }

    private func end(_ trailers: HTTPFields?) {
        guard !isFinished else { return }
        isFinished = true
        if let head = head.take() {
            call.respond(head, pending, trailers)
        } else {
            call.end(pending, trailers)
        }
    }
}

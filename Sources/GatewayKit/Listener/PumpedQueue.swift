import NIOCore

/// What the outbound queues of WebSockets and streams have in common: bytes leave as the channel takes them, and a peer is cut
/// off that lets too many wait or takes nothing for too long. *Lives on*: its channel's event loop.
protocol PumpedQueue: OutboundQueue, TimerTarget {
    var loop: DoorLoop { get }
    var pump: OutboundPump { get set }
    /// Whether bytes are being handed to the channel, which may tell of itself meanwhile.
    var isFlushing: Bool { get set }
    /// Fires with `PumpTag.stall`.
    var stallTimer: LoopTimers.Token { get set }
    /// Whether there is a session to be cut off.
    var isOpen: Bool { get }
    var channelIsWritable: Bool { get }
    func writeToChannel(_ chunk: ByteBuffer)
    func flushChannel()
    /// Ends the session in favour of its last words.
    func cutOff(_ limit: OutboundLimit)
}

enum PumpTag {
    static let stall: UInt8 = 1
}

extension PumpedQueue {
    /// Hands to the channel what it takes now.
    func pumpOut() {
        guard !isFlushing else { return }
        isFlushing = true
        defer { isFlushing = false }
        var sent = 0
        while let chunk = pump.next(isWritable: channelIsWritable, now: loop.eventLoop.now) {
            sent += chunk.readableBytes
            writeToChannel(chunk)
            // The channel only notices that it is full when it is flushed.
            if !pump.buffer.isEmpty { flushChannel() }
        }
        guard sent > 0 else { return }
        loop.counters.bytesSent.add(sent)
        flushChannel()
    }

    /// Cuts off a peer that has let too much wait. Not from within a flush: the session would write into it.
    func checkLimit() {
        if pump.isBehind, stallTimer == .none, isOpen { armStall(in: loop.limits.outboundStall) }
        if let limit = pump.brokenLimit(loop.limits, loop.door.budget), isOpen { cutOff(limit) }
    }

    /// The stall timer has fired.
    func checkStall() {
        stallTimer = .none
        guard pump.isBehind else { return }
        let stalled = loop.eventLoop.now - pump.lastProgress
        if stalled >= loop.limits.outboundStall {
            cutOff(.stalled)
        } else {
            armStall(in: loop.limits.outboundStall - stalled)
        }
    }

    private func armStall(in time: TimeAmount) {
        stallTimer = loop.timers.schedule(in: time, self, tag: PumpTag.stall)
    }
}

import NIOCore

/// What a timer of `LoopTimers` wakes.
package protocol TimerTarget: AnyObject {
    /// - Parameter tag: as given to `schedule`; tells one target's timers apart.
    func timerFired(_ tag: UInt8)
}

/// All coarse timers of one event loop: idle checks, deadlines, pings. *Lives on*: that event loop.
///
/// A timer costs one entry in a wheel instead of a scheduled task of the loop, and fires up to one `tick` late, never
/// early. The loop sleeps while nothing waits. The wheel holds its targets strongly until they fire or are cancelled.
package final class LoopTimers {
    package typealias Token = TimerWheel<Entry>.Token

    package struct Entry {
        fileprivate let target: any TimerTarget
        fileprivate let tag: UInt8
    }

    package let eventLoop: any EventLoop
    private let tick: TimeAmount
    private let start: NIODeadline
    private var wheel = TimerWheel<Entry>()
    private var alarm: (tick: UInt64, task: Scheduled<Void>)?
    private var isFiring = false

    /// To be made on the loop.
    package init(eventLoop: any EventLoop, tick: TimeAmount = .milliseconds(100)) {
        eventLoop.preconditionInEventLoop()
        self.eventLoop = eventLoop
        self.tick = max(tick, .milliseconds(1))
        start = eventLoop.now
    }

    /// Wakes `target` once, after `delay`.
    package func schedule(in delay: TimeAmount, _ target: any TimerTarget, tag: UInt8 = 0) -> Token {
        eventLoop.assertInEventLoop()
        let deadline = (eventLoop.now - start).nanoseconds + max(delay.nanoseconds, 0)
        // Round up: a timer may be late but not early.
        let ticks = UInt64(max(deadline, 0) / tick.nanoseconds) + 1
        let token = wheel.add(Entry(target: target, tag: tag), at: ticks)
        setAlarm(noLaterThan: ticks)
        return token
    }

    package func cancel(_ token: Token) {
        eventLoop.assertInEventLoop()
        wheel.cancel(token)
    }

    /// How many timers wait.
    package var count: Int { wheel.count }

    private func setAlarm(noLaterThan tick: UInt64) {
        guard !isFiring else { return }
        if let alarm {
            guard tick < alarm.tick else { return }
            alarm.task.cancel()
        }
        let (nanoseconds, overflow) = Int64(clamping: tick).multipliedReportingOverflow(by: self.tick.nanoseconds)
        guard !overflow else { return }
        let box = NIOLoopBound(self, eventLoop: eventLoop)
        let task = eventLoop.scheduleTask(deadline: start + .nanoseconds(nanoseconds)) { box.value.fire() }
        alarm = (tick, task)
    }

    private func fire() {
        alarm = nil
        isFiring = true
        wheel.advance(to: UInt64(max((eventLoop.now - start).nanoseconds, 0) / tick.nanoseconds))
        while let entry = wheel.takeDue() {
            entry.target.timerFired(entry.tag)
        }
        isFiring = false
        if let next = wheel.nextTick { setAlarm(noLaterThan: next) }
    }
}

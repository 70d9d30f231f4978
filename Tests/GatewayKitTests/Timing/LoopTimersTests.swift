import NIOCore
import NIOEmbedded
import Testing

@testable import GatewayKit

struct LoopTimersTests {
    private final class Target: TimerTarget {
        var fired: [(tag: UInt8, at: NIODeadline)] = []
        let loop: EmbeddedEventLoop
        var then: ((UInt8) -> Void)?

        init(_ loop: EmbeddedEventLoop) { self.loop = loop }

        func timerFired(_ tag: UInt8) {
            fired.append((tag, loop.now))
            then?(tag)
        }
    }

    @Test func firesInOrderNeverEarlyAndAtMostATickLate() {
        let loop = EmbeddedEventLoop()
        let timers = LoopTimers(eventLoop: loop)
        let target = Target(loop)
        let start = loop.now
        for (tag, delay) in [(UInt8(1), 30_000), (2, 250), (3, 60_000), (4, 0)] {
            _ = timers.schedule(in: .milliseconds(Int64(delay)), target, tag: tag)
        }
        for _ in 0..<7000 { loop.advanceTime(by: .milliseconds(10)) }
        #expect(target.fired.map(\.tag) == [4, 2, 1, 3])
        for (tag, delay) in [(UInt8(1), Int64(30_000)), (2, 250), (3, 60_000), (4, 0)] {
            let late = target.fired.first { $0.tag == tag }.map { $0.at - start - .milliseconds(delay) } ?? .hours(1)
            #expect(late >= .zero && late <= .milliseconds(200), "\(tag) \(late)")
        }
        #expect(timers.count == 0)
    }

    @Test func anEarlierTimerMovesTheAlarm() {
        let loop = EmbeddedEventLoop()
        let timers = LoopTimers(eventLoop: loop)
        let target = Target(loop)
        _ = timers.schedule(in: .seconds(30), target, tag: 1)
        _ = timers.schedule(in: .seconds(1), target, tag: 2)
        loop.advanceTime(by: .milliseconds(1200))
        #expect(target.fired.map(\.tag) == [2])
    }

    @Test func aTimerMayScheduleAndCancelOthers() {
        let loop = EmbeddedEventLoop()
        let timers = LoopTimers(eventLoop: loop)
        let target = Target(loop)
        let victim = timers.schedule(in: .seconds(2), target, tag: 9)
        target.then = { tag in
            guard tag == 1 else { return }
            timers.cancel(victim)
            _ = timers.schedule(in: .seconds(1), target, tag: 2)
        }
        _ = timers.schedule(in: .seconds(1), target, tag: 1)
        loop.advanceTime(by: .seconds(5))
        #expect(target.fired.map(\.tag) == [1, 2])
    }
}

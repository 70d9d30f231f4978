import Testing

@testable import GatewayKit

struct TimerWheelTests {
    private func take(_ wheel: inout TimerWheel<Int>) -> [Int] {
        var due: [Int] = []
        while let element = wheel.takeDue() { due.append(element) }
        return due
    }

    @Test func firesAtItsTickAndNotBefore() {
        var wheel = TimerWheel<Int>(slotCount: 8)
        _ = wheel.add(1, at: 5)
        wheel.advance(to: 4)
        #expect(take(&wheel).isEmpty)
        wheel.advance(to: 5)
        #expect(take(&wheel) == [1])
        #expect(wheel.count == 0)
        wheel.advance(to: 100)
        #expect(take(&wheel).isEmpty)
    }

    @Test func waitsForAsManyTurnsAsItTakes() {
        var wheel = TimerWheel<Int>(slotCount: 4)
        _ = wheel.add(1, at: 21)
        for tick in 1...20 {
            wheel.advance(to: UInt64(tick))
            #expect(take(&wheel).isEmpty)
        }
        wheel.advance(to: 21)
        #expect(take(&wheel) == [1])
    }

    @Test func aTimerInThePastFiresAtTheNextTick() {
        var wheel = TimerWheel<Int>(slotCount: 4, now: 10)
        _ = wheel.add(1, at: 3)
        #expect(wheel.nextTick == 11)
        wheel.advance(to: 11)
        #expect(take(&wheel) == [1])
    }

    @Test func aDueTimerCanStillBeCancelledByAnEarlierOne() {
        var wheel = TimerWheel<Int>(slotCount: 4)
        _ = wheel.add(1, at: 2)
        let second = wheel.add(2, at: 2)
        wheel.advance(to: 3)
        #expect(wheel.takeDue() == 1)
        #expect(wheel.cancel(second) == 2)
        #expect(wheel.takeDue() == nil)
    }

    @Test func anOldTokenNamesNothing() {
        var wheel = TimerWheel<Int>(slotCount: 4)
        let first = wheel.add(1, at: 1)
        wheel.advance(to: 1)
        #expect(take(&wheel) == [1])
        let second = wheel.add(2, at: 2)
        #expect(wheel.cancel(first) == nil)
        #expect(wheel.cancel(.none) == nil)
        #expect(wheel.cancel(second) == 2)
        #expect(wheel.cancel(second) == nil)
        #expect(wheel.count == 0)
    }

    /// Against a sorted list: everything that is due fires once, in order of ticks, and nothing else does.
    @Test(arguments: 0..<30) func agreesWithASortedList(seed: Int) {
        var random = SeededRandom(seed: UInt64(seed))
        var wheel = TimerWheel<Int>(slotCount: Int.random(in: 1...40, using: &random))
        var model: [(tick: UInt64, id: Int)] = []
        var tokens: [Int: TimerWheel<Int>.Token] = [:]
        for id in 0..<600 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<6:
                let tick = wheel.now + UInt64.random(in: 1...100, using: &random)
                tokens[id] = wheel.add(id, at: tick)
                model.append((tick, id))
            case 6..<8:
                guard let victim = model.randomElement(using: &random), let token = tokens[victim.id] else { continue }
                #expect(wheel.cancel(token) == victim.id)
                model.removeAll { $0.id == victim.id }
            default:
                let tick = wheel.now + UInt64.random(in: 1...60, using: &random)
                if let next = wheel.nextTick, let first = model.map(\.tick).min() { #expect(next <= first) }
                wheel.advance(to: tick)
                let fired = take(&wheel)
                let due = model.filter { $0.tick <= tick }
                model.removeAll { $0.tick <= tick }
                #expect(fired.sorted() == due.map(\.id).sorted())
                let ticks = fired.compactMap { id in due.first { $0.id == id }?.tick }
                #expect(ticks == ticks.sorted())
            }
            #expect(wheel.count == model.count)
        }
    }
}

/// SplitMix64: the same numbers for the same seed, everywhere.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

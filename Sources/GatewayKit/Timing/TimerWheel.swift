/// Many timers, few of which ever fire: adding and cancelling cost the same however many there are.
///
/// Time is counted in ticks, of whatever length. A timer stands in the slot of its tick modulo the number of slots, in
/// a doubly linked list held in one array; a tick looks at one slot. A timer more than a turn away is passed over once
/// per turn. The value knows no clock: `advance` says what time it is.
package struct TimerWheel<Element> {
    /// Names one timer. It stays valid after the timer is gone; it then names nothing.
    package struct Token: Hashable, Sendable {
        fileprivate let index: Int
        fileprivate let generation: UInt32
    }

    private struct Node {
        var element: Element?
        var tick: UInt64 = 0
        var list = 0
        var previous: Int?
        var next: Int?
        var generation: UInt32 = 0
    }

    private struct List {
        var first: Int?
        var last: Int?
    }

    /// The tick up to which timers are due.
    package private(set) var now: UInt64
    /// How many timers are waiting, those that are due but not taken yet included.
    package private(set) var count = 0

    private let slotCount: Int
    private var lists: [List]
    private var nodes: [Node] = []
    private var firstFree: Int?

    /// - Parameter slotCount: ticks per turn; at least 1. A wheel is quickest when most timers last less than a turn.
    package init(slotCount: Int = 512, now: UInt64 = 0) {
        self.slotCount = max(slotCount, 1)
        self.now = now
        // The list after the slots holds what is due.
        lists = Array(repeating: List(), count: self.slotCount + 1)
    }

    /// Adds a timer. One for a tick that is already over is due at the next tick.
    package mutating func add(_ element: Element, at tick: UInt64) -> Token {
        let index = firstFree ?? nodes.count
        if index == nodes.count {
            nodes.append(Node())
        } else {
            firstFree = nodes[index].next
        }
        nodes[index].element = element
        nodes[index].tick = max(tick, now + 1)
        append(index, to: slot(of: nodes[index].tick))
        count += 1
        return Token(index: index, generation: nodes[index].generation)
    }

    /// Takes a timer out before it fires; `nil` when it is gone already.
    @discardableResult
    package mutating func cancel(_ token: Token) -> Element? {
        guard nodes.indices.contains(token.index), nodes[token.index].generation == token.generation else { return nil }
        return remove(token.index)
    }

    /// Moves time on: all timers up to `tick` become due, earliest first. Going back changes nothing.
    package mutating func advance(to tick: UInt64) {
        guard tick > now else { return }
        let steps = Int(min(tick - now, UInt64(slotCount)))
        var due: [Int] = []
        for step in 1...steps {
            var next = lists[slot(of: now + UInt64(step))].first
            while let index = next {
                next = nodes[index].next
                if nodes[index].tick <= tick { due.append(index) }
            }
        }
        // Within a turn the slots are in order already; a longer jump mixes turns.
        if tick - now >= UInt64(slotCount) {
            due.sort { nodes[$0].tick < nodes[$1].tick }
        }
        now = tick
        for index in due {
            unlink(index)
            append(index, to: slotCount)
        }
    }

    /// The next due timer, which is then gone. One at a time, so that what a timer does may cancel the ones after it.
    package mutating func takeDue() -> Element? {
        guard let index = lists[slotCount].first else { return nil }
        return remove(index)
    }

    /// A tick before which nothing becomes due: exact for timers of this turn; `nil` when none waits.
    package var nextTick: UInt64? {
        guard count > 0 else { return nil }
        if lists[slotCount].first != nil { return now }
        for step in 1...slotCount {
            let tick = now + UInt64(step)
            if lists[slot(of: tick)].first != nil { return tick }
        }
        return nil
    }

    private func slot(of tick: UInt64) -> Int {
        Int(tick % UInt64(slotCount))
    }

    private mutating func append(_ index: Int, to list: Int) {
        nodes[index].list = list
        nodes[index].next = nil
        nodes[index].previous = lists[list].last
        if let last = lists[list].last {
            nodes[last].next = index
        } else {
            lists[list].first = index
        }
        lists[list].last = index
    }

    private mutating func unlink(_ index: Int) {
        let node = nodes[index]
        if let previous = node.previous {
            nodes[previous].next = node.next
        } else {
            lists[node.list].first = node.next
        }
        if let next = node.next {
            nodes[next].previous = node.previous
        } else {
            lists[node.list].last = node.previous
        }
    }

    private mutating func remove(_ index: Int) -> Element? {
        unlink(index)
        defer {
            nodes[index].element = nil
            // trap-ok: only a token kept for 2^32 uses of its node could name another timer
            nodes[index].generation &+= 1
            nodes[index].next = firstFree
            firstFree = index
            count -= 1
        }
        return nodes[index].element
    }
}

extension TimerWheel.Token {
    /// Reads better than an optional where a timer that never was is as good as one that is over.
    package static var none: Self { Self(index: -1, generation: 0) }
}

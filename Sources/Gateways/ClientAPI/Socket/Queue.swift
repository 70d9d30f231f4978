/// First in, first out; nothing is allocated while it has never held anything.
struct Queue<Element> {
    private var elements: [Element?] = []
    private var head = 0

    var isEmpty: Bool { head == elements.count }
    var count: Int { elements.count - head }

    mutating func append(_ element: Element) { elements.append(element) }

    mutating func popFirst() -> Element? {
        guard head < elements.count else { return nil }
        let first = elements[head].take()
        head += 1
        if head == elements.count { removeAll() }
        return first
    }

    /// Keeps a little room, which is soon used again; an idle session must not hold more.
    mutating func removeAll() {
        let room = elements.capacity.multipliedReportingOverflow(by: MemoryLayout<Element?>.stride)
        elements.removeAll(keepingCapacity: !room.overflow && room.partialValue <= 256)
        head = 0
    }
}

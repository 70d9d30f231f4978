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

    /// Keeps the room of a short queue, which is soon used again.
    mutating func removeAll() {
        elements.removeAll(keepingCapacity: elements.capacity <= 16)
        head = 0
    }
}

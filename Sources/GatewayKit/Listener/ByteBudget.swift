import Synchronization

/// How many bytes many queues, or many bodies, hold together. *Lives on*: any thread.
package final class ByteBudget: Sendable {
    private let limit: Int
    private let used = Atomic<Int>(0)

    package init(limit: Int) {
        self.limit = limit
    }

    package var bytes: Int { used.load(ordering: .relaxed) }

    /// Takes bytes, or gives them back if there are fewer than none.
    /// - Parameter share: 2 to measure against half of the limit.
    /// - Returns: false when more is held now than the limit.
    func add(_ bytes: Int, share: Int = 1) -> Bool {
        used.wrappingAdd(bytes, ordering: .relaxed).newValue <= limit / share
    }
}

/// A table that forgets what has not been used for longest, in two generations: when the young one has grown to half
/// the capacity, it becomes the old one and the former old one is dropped. Constant time, no list to keep.
///
/// An attacker who wants to be forgotten must touch half the capacity of other keys first; since each attempt is
/// admitted by a network too, that takes thousands of addresses within minutes.
struct RecentlyUsed<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private var young: [Key: Value] = [:]
    private var old: [Key: Value] = [:]
    private let half: Int

    init(capacity: Int) {
        half = max(1, capacity / 2)
    }

    var count: Int { young.count + old.count }

    /// Setting makes the key young; reading alone does not.
    subscript(key: Key) -> Value? {
        get { young[key] ?? old[key] }
        set {
            old[key] = nil
            young[key] = newValue
            guard young.count >= half else { return }
            old = young
            young = [:]
        }
    }
}

/// The keys of the objects that a reader is inside, to notice one that occurs twice.
///
/// Keys are compared byte by byte, not as `String` does it, to which "é" in one and in two scalars are the same. An
/// object with few keys costs a place on the stack for each; one with many moves to a hash table, which keeps hostile
/// objects linear.
struct JSONKeyStack {
    /// A key with a cheap fingerprint, so that most keys need no closer comparison.
    struct Key: Hashable {
        let text: String
        private let fingerprint: UInt64

        /// The key whose text is `utf8`.
        init(_ utf8: JSONBytes) {
            text = utf8.text
            fingerprint = Self.fingerprint(utf8)
        }

        static func == (left: Key, right: Key) -> Bool {
            left.fingerprint == right.fingerprint && left.text.utf8.elementsEqual(right.text.utf8)
        }

        /// By the text and the process's own seed: fingerprints can be made equal on purpose.
        func hash(into hasher: inout Hasher) {
            JSONBytes.with(text) { utf8 in utf8.hash(into: &hasher) }
        }

        /// The length and at most 16 bytes from both ends.
        private static func fingerprint(_ utf8: JSONBytes) -> UInt64 {
            var head: UInt64 = 0
            var tail: UInt64 = 0
            if let first = utf8.word(at: 0), let last = utf8.word(at: utf8.count - 8) {
                head = first
                tail = last
            } else {
                for index in 0..<utf8.count { head = head << 8 | UInt64(utf8.byte(at: index)) }
            }
            return head ^ (tail << 21 | tail >> 43) ^ UInt64(utf8.count) << 56
        }
    }

    /// The keys of one object.
    struct Scope {
        fileprivate let start: Int
        fileprivate var table: Set<Key>?
    }

    private static let mostOnStack = 16
    private var keys: [Key] = []

    /// Enters an object.
    mutating func open() -> Scope {
        if keys.isEmpty { keys.reserveCapacity(2 * Self.mostOnStack) }
        return Scope(start: keys.count)
    }

    /// Leaves the object that was entered last.
    mutating func close(_ scope: Scope) {
        keys.removeLast(keys.count - scope.start)  // trap-ok: inner objects have left before
    }

    /// Notes a key of the object that was entered last; false when it is there already.
    mutating func insert(_ key: Key, _ scope: inout Scope) -> Bool {
        if scope.table != nil { return scope.table?.insert(key).inserted == true }
        guard !keys.suffix(count(scope)).contains(key) else { return false }
        keys.append(key)
        if count(scope) > Self.mostOnStack {
            scope.table = Set(keys.suffix(count(scope)))
            close(scope)
        }
        return true
    }

    /// How many keys of the object that was entered last are on the stack.
    private func count(_ scope: Scope) -> Int {
        keys.count - scope.start
    }
}

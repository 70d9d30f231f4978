/// The keys of the objects that a reader is inside, to notice one that occurs twice.
///
/// Keys are compared byte by byte, not as `String` does it, to which "é" in one and in two scalars are the same. An
/// object with few keys costs a place on the stack for each; one with many moves to a hash table, which keeps hostile
/// objects linear.
struct JSONKeyStack {
    /// The keys of one object.
    struct Scope {
        fileprivate let start: Int
        fileprivate var signatures: UInt64 = 0
        fileprivate var table: Set<Key>?
    }

    fileprivate struct Key: Hashable {
        let text: String

        static func == (left: Key, right: Key) -> Bool {
            left.text.utf8.elementsEqual(right.text.utf8)
        }

        func hash(into hasher: inout Hasher) {
            var text = text
            text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        }
    }

    private static let mostOnStack = 16
    private var keys: [Key] = []

    /// Enters an object.
    func open() -> Scope {
        Scope(start: keys.count)
    }

    /// Leaves the object that was entered last.
    mutating func close(_ scope: Scope) {
        keys.removeLast(keys.count - scope.start)
    }

    /// Notes a key of the object that was entered last; false when it is there already.
    mutating func insert(_ text: String, _ scope: inout Scope) -> Bool {
        let key = Key(text: text)
        guard scope.table == nil else { return scope.table?.insert(key).inserted ?? false }
        let signature = signature(of: text)
        if scope.signatures & signature != 0, keys[scope.start...].contains(key) { return false }
        scope.signatures |= signature
        keys.append(key)
        if keys.count - scope.start > Self.mostOnStack {
            scope.table = Set(keys[scope.start...])
            keys.removeLast(keys.count - scope.start)
        }
        return true
    }

    /// One bit of 64, equal for equal keys, so that most keys need not be compared at all.
    private func signature(of text: String) -> UInt64 {
        let utf8 = text.utf8
        let mix = UInt64(utf8.first ?? 0) ^ UInt64(utf8.last ?? 0) &* 7 ^ UInt64(utf8.count) &* 11
        return 1 << (mix & 63)
    }
}

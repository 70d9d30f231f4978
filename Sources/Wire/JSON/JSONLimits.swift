/// How much of a document `JSONReader` is willing to read.
///
/// Every limit is inclusive: a document that is exactly at a limit is read, one past it is a `JSONError`.
package struct JSONLimits: Sendable, Equatable {
    /// The deepest nesting that any limit may ask for: readers call themselves once per level, so that the
    /// limit also bounds the stack.
    package static let deepest = 128

    /// Bytes of the whole document, white space included.
    package var bytes: Int
    /// Objects and arrays inside each other; 0 admits only a string, a number, a boolean or null.
    package let depth: Int
    /// Bytes of one string or key in UTF-8, after its escapes have been replaced.
    package var stringBytes: Int
    /// Members of one object.
    package var members: Int
    /// Elements of one array.
    package var elements: Int
    /// Characters of one number.
    package var numberBytes: Int

    /// Limits for a document from a client; name those that differ. A `depth` above `deepest` counts as `deepest`.
    package init(
        bytes: Int = 1 << 20,
        depth: Int = 32,
        stringBytes: Int = 1 << 18,
        members: Int = 1_024,
        elements: Int = 10_000,
        numberBytes: Int = 128
    ) {
        self.bytes = bytes
        self.depth = min(depth, Self.deepest)
        self.stringBytes = stringBytes
        self.members = members
        self.elements = elements
        self.numberBytes = numberBytes
    }
}

/// Containers as closures, and members in one call. A nil value leaves its member out.
extension JSONWriter {
    /// Writes an object; `body` writes its members.
    @inlinable
    package mutating func object<Failure: Error>(
        _ body: (inout JSONWriter) throws(Failure) -> Void
    ) throws(Failure) {
        beginObject()
        try body(&self)
        endObject()
    }

    /// Writes an array; `body` writes its elements.
    @inlinable
    package mutating func array<Failure: Error>(
        _ body: (inout JSONWriter) throws(Failure) -> Void
    ) throws(Failure) {
        beginArray()
        try body(&self)
        endArray()
    }

    /// Writes an array with an element for each of `items`, which `body` writes.
    @inlinable
    package mutating func array<Items: Sequence, Failure: Error>(
        of items: Items,
        _ body: (inout JSONWriter, Items.Element) throws(Failure) -> Void
    ) throws(Failure) {
        beginArray()
        for item in items {
            try body(&self, item)
        }
        endArray()
    }

    /// Writes an integer of at most 64 bits; a wider one stops at the ends of `Int64` and `UInt64`.
    @inlinable
    package mutating func integer(_ value: some FixedWidthInteger) {
        value < 0 ? int64(Int64(clamping: value)) : uint64(UInt64(clamping: value))
    }

    // MARK: - Members

    @inlinable
    package mutating func object<Failure: Error>(
        _ key: StaticString,
        _ body: (inout JSONWriter) throws(Failure) -> Void
    ) throws(Failure) {
        self.key(key)
        try object(body)
    }

    @inlinable
    package mutating func array<Failure: Error>(
        _ key: StaticString,
        _ body: (inout JSONWriter) throws(Failure) -> Void
    ) throws(Failure) {
        self.key(key)
        try array(body)
    }

    @inlinable
    package mutating func array<Items: Sequence, Failure: Error>(
        _ key: StaticString,
        of items: Items,
        _ body: (inout JSONWriter, Items.Element) throws(Failure) -> Void
    ) throws(Failure) {
        self.key(key)
        try array(of: items, body)
    }

    @inlinable
    package mutating func field(_ key: StaticString, _ value: String) {
        self.key(key)
        string(value)
    }

    @inlinable
    package mutating func field(_ key: StaticString, _ value: some FixedWidthInteger) {
        self.key(key)
        integer(value)
    }

    @inlinable
    package mutating func field(_ key: StaticString, _ value: Double) {
        self.key(key)
        double(value)
    }

    @inlinable
    package mutating func field(_ key: StaticString, _ value: Bool) {
        self.key(key)
        bool(value)
    }

    @inlinable
    package mutating func field(_ key: StaticString, _ value: String?) {
        if let value { field(key, value) }
    }

    @inlinable
    package mutating func field(_ key: StaticString, _ value: (some FixedWidthInteger)?) {
        if let value { field(key, value) }
    }

    @inlinable
    package mutating func field(_ key: StaticString, _ value: Double?) {
        if let value { field(key, value) }
    }

    @inlinable
    package mutating func field(_ key: StaticString, _ value: Bool?) {
        if let value { field(key, value) }
    }

    /// Writes a member whose value is JSON already.
    @inlinable
    package mutating func field(_ key: StaticString, raw json: String) {
        self.key(key)
        raw(json)
    }

    /// Writes a member that is `null`.
    @inlinable
    package mutating func nullField(_ key: StaticString) {
        self.key(key)
        null()
    }
}

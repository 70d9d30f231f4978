/// Containers as closures, and members in one call. A nil value leaves its member out.
///
/// None of this is generic: the compiler specialises no generic function of `package` access for another module.
extension JSONWriter {
    /// Writes an object; `body` writes its members.
    package mutating func object(_ body: (inout JSONWriter) -> Void) {
        beginObject()
        body(&self)
        endObject()
    }

    /// Writes an array; `body` writes its elements.
    package mutating func array(_ body: (inout JSONWriter) -> Void) {
        beginArray()
        body(&self)
        endArray()
    }

    // MARK: - Members

    package mutating func object(_ key: StaticString, _ body: (inout JSONWriter) -> Void) {
        self.key(key)
        object(body)
    }

    package mutating func array(_ key: StaticString, _ body: (inout JSONWriter) -> Void) {
        self.key(key)
        array(body)
    }

    package mutating func field(_ key: StaticString, _ value: String) {
        self.key(key)
        string(value)
    }

    package mutating func field(_ key: StaticString, _ value: Int) {
        self.key(key)
        int(value)
    }

    package mutating func field(_ key: StaticString, _ value: Int64) {
        self.key(key)
        int64(value)
    }

    package mutating func field(_ key: StaticString, _ value: UInt64) {
        self.key(key)
        uint64(value)
    }

    package mutating func field(_ key: StaticString, _ value: Double) {
        self.key(key)
        double(value)
    }

    package mutating func field(_ key: StaticString, _ value: Bool) {
        self.key(key)
        bool(value)
    }

    package mutating func field(_ key: StaticString, _ value: String?) {
        if let value { field(key, value) }
    }

    package mutating func field(_ key: StaticString, _ value: Int?) {
        if let value { field(key, value) }
    }

    package mutating func field(_ key: StaticString, _ value: Int64?) {
        if let value { field(key, value) }
    }

    package mutating func field(_ key: StaticString, _ value: UInt64?) {
        if let value { field(key, value) }
    }

    package mutating func field(_ key: StaticString, _ value: Double?) {
        if let value { field(key, value) }
    }

    package mutating func field(_ key: StaticString, _ value: Bool?) {
        if let value { field(key, value) }
    }

    /// Writes a member whose value is JSON already.
    package mutating func field(_ key: StaticString, raw json: String) {
        self.key(key)
        raw(json)
    }

    /// Writes a member that is `null`.
    package mutating func nullField(_ key: StaticString) {
        self.key(key)
        null()
    }
}

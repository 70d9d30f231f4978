import NIOCore

/// Reads one JSON document by pulling values in their order, without building a tree.
///
/// ```swift
/// let post = try JSONReader.read(frame) { reader throws(JSONError) in
///     var text: String?
///     try reader.object { key, value throws(JSONError) in
///         switch key {
///         case "text": text = try value.string()
///         default: try value.skip()
///         }
///     }
///     guard let text else { throw reader.missing("text") }
///     return Post(text: text)
/// }
/// ```
///
/// What is accepted is RFC 8259 to the letter; beyond it, a key may not occur twice in an object (section 4 leaves that
/// open) and half a surrogate pair is refused (section 8.2). A value that the body of `object` or `array` leaves alone
/// is skipped, and skipped values are checked as strictly as others. Time is linear in the bytes; memory is what
/// the caller keeps, the keys of the objects that are open, and one string with escapes.
///
/// The reader is lent for the duration of `read`, because it points into the caller's bytes; not being copyable, it can't
/// be kept. After an error it gives that error again, whatever is asked.
package struct JSONReader: ~Copyable {
    let bytes: JSONBytes
    let limits: JSONLimits
    var position = 0
    /// Where the value begins that is being read, or was read last.
    var valueOffset = 0
    /// Whether a value stands at `position` and has not been taken yet.
    var expectsValue = true
    var failure: JSONError?
    /// The last string that had escapes, without them.
    var unescaped: [UInt8] = []
    private var depth = 0
    private var keys = JSONKeyStack()

    private init(_ bytes: JSONBytes, limits: JSONLimits) {
        self.bytes = bytes
        self.limits = limits
    }

    // MARK: - Documents

    /// Reads the document that fills the readable bytes of `buffer`.
    package static func read<Result>(
        _ buffer: ByteBuffer,
        limits: JSONLimits = JSONLimits(),
        _ body: (inout JSONReader) throws(JSONError) -> Result
    ) throws(JSONError) -> Result {
        try JSONBytes.with(buffer) { (bytes) throws(JSONError) -> Result in
            try read(bytes, limits: limits, body)
        }
    }

    /// Reads the document that `text` is.
    package static func read<Result>(
        _ text: String,
        limits: JSONLimits = JSONLimits(),
        _ body: (inout JSONReader) throws(JSONError) -> Result
    ) throws(JSONError) -> Result {
        try read(ByteBuffer(string: text), limits: limits, body)
    }

    /// Reads the document that fills `bytes`, which must stay valid until this returns.
    package static func read<Result>(
        _ bytes: UnsafeRawBufferPointer,
        limits: JSONLimits = JSONLimits(),
        _ body: (inout JSONReader) throws(JSONError) -> Result
    ) throws(JSONError) -> Result {
        try read(JSONBytes(bytes), limits: limits, body)
    }

    private static func read<Result>(
        _ bytes: JSONBytes,
        limits: JSONLimits,
        _ body: (inout JSONReader) throws(JSONError) -> Result
    ) throws(JSONError) -> Result {
        guard bytes.count <= limits.bytes else { throw JSONError(.documentTooLong, offset: limits.bytes) }
        var reader = JSONReader(bytes, limits: limits)
        guard reader.byte(at: 0) != 0xEF else { throw reader.startsWithMark() }
        let result = try body(&reader)
        try reader.end()
        return result
    }

    private mutating func startsWithMark() -> JSONError {
        fail(byte(at: 1) == 0xBB && byte(at: 2) == 0xBF ? .byteOrderMark : .unexpectedCharacter, at: 0)
    }

    private mutating func end() throws(JSONError) {
        if let failure { throw failure }
        if expectsValue { try skip() }
        skipWhitespace()
        guard position == bytes.count else { throw fail(.trailingBytes, at: position) }
    }

    // MARK: - Values

    /// The kind of the value that comes next, which stays to be read.
    package mutating func kind() throws(JSONError) -> JSONKind {
        if let failure { throw failure }
        guard expectsValue else { throw fail(.valueAlreadyRead, at: position) }
        skipWhitespace()
        guard let kind = kindHere else { throw unexpected() }
        return kind
    }

    /// Reads an object; `body` is called for each member with its key and this reader, which stands at the value.
    ///
    /// A value that `body` does not read is skipped. Errors leave with the key at the front of their path.
    package mutating func object(
        _ body: (_ key: String, _ value: inout JSONReader) throws(JSONError) -> Void
    ) throws(JSONError) {
        try open(UInt8(ascii: "{"), .object)
        var scope = keys.open()
        var count = 0
        var more = !take(UInt8(ascii: "}"))
        while more {
            count += 1
            skipWhitespace()
            guard count <= limits.members else { throw fail(.tooManyMembers, at: position) }
            let keyOffset = position
            let key = try self.key()
            guard keys.insert(key, &scope) else { throw fail(.duplicateKey, at: keyOffset).inside(key: key.text) }
            guard take(UInt8(ascii: ":")) else { throw unexpected() }
            expectsValue = true
            do throws(JSONError) {
                try body(key.text, &self)
                if expectsValue { try skip() }
            } catch {
                throw error.inside(key: key.text)
            }
            more = try continues(until: UInt8(ascii: "}"))
        }
        keys.close(scope)
        depth -= 1
    }

    /// Reads an array; `body` is called for each element with this reader, which stands at it.
    ///
    /// An element that `body` does not read is skipped. Errors leave with the index at the front of their path.
    package mutating func array(
        _ body: (_ element: inout JSONReader) throws(JSONError) -> Void
    ) throws(JSONError) {
        try open(UInt8(ascii: "["), .array)
        var count = 0
        var more = !take(UInt8(ascii: "]"))
        while more {
            guard count < limits.elements else { throw fail(.tooManyElements, at: position) }
            expectsValue = true
            do throws(JSONError) {
                try body(&self)
                if expectsValue { try skip() }
            } catch {
                throw error.inside(index: count)
            }
            count += 1
            more = try continues(until: UInt8(ascii: "]"))
        }
        depth -= 1
    }

    /// Reads an array of strings.
    package mutating func strings() throws(JSONError) -> [String] {
        var strings: [String] = []
        try array { element throws(JSONError) in
            strings.append(try element.string())
        }
        return strings
    }

    /// Reads `true` or `false`.
    package mutating func bool() throws(JSONError) -> Bool {
        switch try beginValue() {
        case UInt8(ascii: "t"):
            try literal("true")
            return true
        case UInt8(ascii: "f"):
            try literal("false")
            return false
        default:
            throw mismatch(.bool)
        }
    }

    /// Reads `null`.
    package mutating func null() throws(JSONError) {
        guard try beginValue() == UInt8(ascii: "n") else { throw mismatch(.null) }
        try literal("null")
    }

    /// Reads `null` if it comes next; false when another value does, which stays to be read.
    package mutating func nullIfPresent() throws(JSONError) -> Bool {
        guard try kind() == .null else { return false }
        try null()
        return true
    }

    /// Reads any value, checks it, and forgets it.
    package mutating func skip() throws(JSONError) {
        switch try kind() {
        case .object: try object { _, value throws(JSONError) in try value.skip() }
        case .array: try array { element throws(JSONError) in try element.skip() }
        case .string: _ = try text()
        case .number: _ = try number()
        case .bool: _ = try bool()
        case .null: try null()
        }
    }

    // MARK: - Errors of the caller

    /// The error for a required member that the object just read does not have.
    package func missing(_ key: String) -> JSONError {
        JSONError(.missingMember, offset: position).inside(key: key)
    }

    /// The error for a value just read that has the right kind, and nothing else right; `reason` is a few words.
    package func invalid(_ reason: String) -> JSONError {
        JSONError(.invalidValue, offset: valueOffset, reason: reason)
    }

    // MARK: - Steps

    @inline(__always)
    func byte(at index: Int) -> UInt8 {
        bytes.byte(at: index)
    }

    /// Goes to the value's first byte, which it returns, and counts the value as taken.
    mutating func beginValue() throws(JSONError) -> UInt8 {
        if let failure { throw failure }
        guard expectsValue else { throw fail(.valueAlreadyRead, at: position) }
        expectsValue = false
        skipWhitespace()
        valueOffset = position
        return byte(at: position)
    }

    /// Remembers the error, for callers that would swallow it, and returns it to be thrown.
    mutating func fail(_ code: JSONError.Code, at offset: Int) -> JSONError {
        let error = JSONError(code, offset: offset)
        failure = error
        return error
    }

    mutating func unexpected() -> JSONError {
        fail(position < bytes.count ? .unexpectedCharacter : .unexpectedEnd, at: position)
    }

    /// The error for a value at `position` that is not of `kind`.
    mutating func mismatch(_ kind: JSONKind) -> JSONError {
        kindHere == nil ? unexpected() : fail(.expected(kind), at: position)
    }

    private var kindHere: JSONKind? {
        switch byte(at: position) {
        case UInt8(ascii: "{"): .object
        case UInt8(ascii: "["): .array
        case UInt8(ascii: "\""): .string
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): .number
        case UInt8(ascii: "t"), UInt8(ascii: "f"): .bool
        case UInt8(ascii: "n"): .null
        default: nil
        }
    }

    private mutating func open(_ bracket: UInt8, _ kind: JSONKind) throws(JSONError) {
        guard try beginValue() == bracket else { throw mismatch(kind) }
        guard depth < limits.depth else { throw fail(.tooDeep, at: position) }
        depth += 1
        position += 1
    }

    /// After a member or an element: true for a comma, false for the bracket that closes.
    private mutating func continues(until bracket: UInt8) throws(JSONError) -> Bool {
        if let failure { throw failure }
        if take(UInt8(ascii: ",")) { return true }
        guard take(bracket) else { throw unexpected() }
        return false
    }

    /// Passes white space, and `byte` if it comes next.
    @inline(__always)
    private mutating func take(_ byte: UInt8) -> Bool {
        skipWhitespace()
        guard self.byte(at: position) == byte else { return false }
        position += 1
        return true
    }

    @inline(__always)
    private mutating func skipWhitespace() {
        while true {
            switch byte(at: position) {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }

    private mutating func literal(_ word: StaticString) throws(JSONError) {
        let word = JSONBytes(word)
        for index in 0..<word.count {
            guard byte(at: position) == word.byte(at: index) else { throw unexpected() }
            position += 1
        }
    }
}

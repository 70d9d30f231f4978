/// Row identity of an account in this deployment. Never shown to clients: they see its ``Address``.
package struct AccountID: RawRepresentable, Hashable, Sendable, Comparable, CustomStringConvertible {
    package let rawValue: Int64
    package init(rawValue: Int64) { self.rawValue = rawValue }
    package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
    package var description: String { "account#\(rawValue)" }
}

/// Row identity of a device: a named installation that belongs to one account.
package struct DeviceID: RawRepresentable, Hashable, Sendable, Comparable, CustomStringConvertible {
    package let rawValue: Int64
    package init(rawValue: Int64) { self.rawValue = rawValue }
    package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
    package var description: String { "device#\(rawValue)" }
}

/// Row identity of a conversation in this deployment.
package struct ConversationID: RawRepresentable, Hashable, Sendable, Comparable, CustomStringConvertible {
    package let rawValue: Int64
    package init(rawValue: Int64) { self.rawValue = rawValue }
    package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
    package var description: String { "conversation#\(rawValue)" }
}

/// A session's identity within this process. Not durable.
package struct SessionID: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
    package var description: String { "session#\(rawValue)" }
}

/// An event's place in its conversation: 1, 2, 3 … without holes. Zero means «before the first».
package struct Sequence: RawRepresentable, Hashable, Sendable, Comparable, CustomStringConvertible {
    package let rawValue: Int64
    package init(rawValue: Int64) { self.rawValue = rawValue }
    package static let zero = Sequence(rawValue: 0)
    package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
    package var next: Sequence { Sequence(rawValue: rawValue + 1) }
    package var description: String { "\(rawValue)" }
}

/// A place in the deployment's one stream of durable changes. Zero means «before the first».
package struct Position: RawRepresentable, Hashable, Sendable, Comparable, CustomStringConvertible {
    package let rawValue: Int64
    package init(rawValue: Int64) { self.rawValue = rawValue }
    package static let zero = Position(rawValue: 0)
    package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
    package var next: Position { Position(rawValue: rawValue + 1) }
    package var description: String { "\(rawValue)" }
}

/// Milliseconds since 1970-01-01T00:00:00Z, as the hub's clock gave them. For people and retention, never for order.
package struct Timestamp: RawRepresentable, Hashable, Sendable, Comparable, CustomStringConvertible {
    package let rawValue: Int64
    package init(rawValue: Int64) { self.rawValue = rawValue }
    package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
    package func adding(milliseconds: Int64) -> Timestamp {
        let (sum, overflow) = rawValue.addingReportingOverflow(milliseconds)
        return Timestamp(rawValue: overflow ? (milliseconds > 0 ? .max : .min) : sum)
    }
    package var description: String { "\(rawValue)" }
}

/// The client's own name for a command, unique per device: a repeat, however late, returns the first acceptance.
///
/// 1 to 128 bytes of printable text without spaces at either end; the hub makes one where a client gives none.
package struct Token: Hashable, Sendable, CustomStringConvertible {
    package let text: String
    package static let limit = 128

    package init?(_ text: String) {
        guard (1...Token.limit).contains(text.utf8.count), text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else {
            return nil
        }
        self.text = text
    }
    package var description: String { text }
}

/// A place from which a device resumes: the epoch of the log and a position in it. Opaque to clients.
package struct Cursor: Hashable, Sendable, CustomStringConvertible {
    /// Changes when a log was restored from a backup or rebuilt.
    package let epoch: Int64
    package let position: Position

    package init(epoch: Int64, position: Position) {
        self.epoch = epoch
        self.position = position
    }

    /// Reads the text form. Total: anything that was not written by ``description`` is nil.
    package init?(_ text: String) {
        let parts = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard parts.count == 2, let epoch = Cursor.number(parts[0]), let position = Cursor.number(parts[1]) else {
            return nil
        }
        self.init(epoch: epoch, position: Position(rawValue: position))
    }

    private static func number(_ digits: Substring.UTF8View) -> Int64? {
        guard (1...19).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int64(String(Substring(digits)))
    }

    package var description: String { "\(epoch)-\(position)" }
}

import Hub

/// One thing that an operation takes: its name, its form, and what it is for.
///
/// `type` and `id` belong to the frame, so no parameter is called so.
package struct Parameter: Sendable {
    /// The forms that there are. Each has one decoder from JSON, one from a query, and one schema.
    package enum Kind: Sendable {
        /// Any text, at most this many bytes of UTF-8; the hub's own limits are asked later.
        case text(maximum: Int)
        /// `~12`, `garden`, `garden@example.org` or `@bob`.
        case conversation
        /// `alice` or `alice@example.org`.
        case account
        /// A local name: `[a-z][a-z0-9_-]{0,31}`.
        case handle
        /// An event's id.
        case event
        /// A sequence (number) or an event's id (text).
        case place
        /// The client's own name for a change.
        case ref
        case cursor
        case integer(ClosedRange<Int64>)
        case flag
        case choice([String])
        /// Some texts; in a query separated by commas.
        case texts(maximum: Int)
        /// Some accounts; in a query separated by commas.
        case accounts(maximum: Int)
        /// Any JSON, kept as it is; not in a query.
        case json
        case body
        case spans
        case attachments
        case extras
        case steps
        /// Bytes in base64 (RFC 4648 section 4, with padding).
        case bytes
        /// `{"namespace","type","key","value"}`, where `value` is a text or null.
        case state
        /// Some `"action": rank`.
        case ranks
    }

    package let name: String
    package let kind: Kind
    package let isRequired: Bool
    /// Whether `null` is a value of its own: «remove it».
    package let isNullable: Bool
    /// What it is for, in a few words.
    package let note: String

    package static func required(_ name: String, _ kind: Kind, _ note: String) -> Parameter {
        Parameter(name: name, kind: kind, isRequired: true, isNullable: false, note: note)
    }

    package static func optional(_ name: String, _ kind: Kind, _ note: String) -> Parameter {
        Parameter(name: name, kind: kind, isRequired: false, isNullable: false, note: note)
    }

    /// An optional parameter for which `null` means «remove it».
    package static func removable(_ name: String, _ kind: Kind, _ note: String) -> Parameter {
        Parameter(name: name, kind: kind, isRequired: false, isNullable: true, note: note)
    }

    /// A parameter that must be there, and may be `null`.
    package static func requiredOrNull(_ name: String, _ kind: Kind, _ note: String) -> Parameter {
        Parameter(name: name, kind: kind, isRequired: true, isNullable: true, note: note)
    }
}

extension Parameter {
    package static let conversation = required("conversation", .conversation, "where")
    package static let event = required("event", .event, "the event that it is about")
    package static let account = required("account", .account, "the account that it is about")
    package static let ref = optional("ref", .ref, "your own name for this change, unique per device")
    package static let reason = optional("reason", .text(maximum: 4_096), "why, for people")

    package static func limit(_ maximum: Int64, standard: Int64) -> Parameter {
        optional("limit", .integer(1...maximum), "how many at most; \(standard) if not given")
    }
}

extension Parameter.Kind {
    /// A text whose length is left to the hub's limits.
    package static let text = Parameter.Kind.text(maximum: 256 * 1024)
    /// A line: a name, a title.
    package static let line = Parameter.Kind.text(maximum: 8_192)
    /// A secret: a password, a token.
    package static let secret = Parameter.Kind.text(maximum: 16_384)
}

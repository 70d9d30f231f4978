import Hub

/// How a client names a conversation.
package enum ConversationName: Hashable, Sendable {
    /// `~12`
    case id(ConversationID)
    /// `garden`, `garden@example.org`
    case address(Address)
    /// `@bob`: the open direct conversation with that account.
    case direct(Address)

    /// Total: anything else is nil.
    package init?(_ text: String, home: ServerName) {
        switch text.utf8.first {
        case UInt8(ascii: "~"):
            guard let id = ConversationName.number(text.utf8.dropFirst()) else { return nil }
            self = .id(ConversationID(rawValue: id))
        case UInt8(ascii: "@"):
            guard let address = Address(text.dropFirst(), home: home) else { return nil }
            self = .direct(address)
        default:
            guard let address = Address(text, home: home) else { return nil }
            self = .address(address)
        }
    }

    private static func number(_ digits: Substring.UTF8View) -> Int64? {
        guard (1...19).contains(digits.count), digits.first != UInt8(ascii: "0") else { return nil }
        var value: Int64 = 0
        for digit in digits {
            guard (0x30...0x39).contains(digit) else { return nil }
            let (shifted, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = shifted.addingReportingOverflow(Int64(digit - 0x30))
            guard !overflow, !carry else { return nil }
            value = sum
        }
        return value
    }
}

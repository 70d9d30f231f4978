/// The unique, folded name of an account or a conversation, legal in every protocol: `[a-z][a-z0-9_-]{0,31}`.
package struct Handle: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let text: String
    package static let limit = 32

    /// Folds ASCII capitals; anything else outside the grammar is nil. Total.
    package init?(_ text: some StringProtocol) {
        let bytes = text.utf8.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
        guard let first = bytes.first, (0x61...0x7A).contains(first), bytes.count <= Handle.limit else { return nil }
        for byte in bytes {
            switch byte {
            case 0x61...0x7A, 0x30...0x39, UInt8(ascii: "_"), UInt8(ascii: "-"): continue
            default: return nil
            }
        }
        self.text = String(decoding: bytes, as: UTF8.self)
    }

    package var isGuest: Bool { text.hasPrefix("guest-") }
    package static func < (a: Self, b: Self) -> Bool { a.text < b.text }
    package var description: String { text }
}

/// The domain name under which a deployment is known. A value that the hub is given, never a global.
package struct ServerName: Hashable, Sendable, CustomStringConvertible {
    package let text: String

    /// A DNS name or `localhost`, folded: labels of letters, digits and inner hyphens, at most 253 bytes. Total.
    package init?(_ text: some StringProtocol) {
        let folded = text.lowercased()
        guard (1...253).contains(folded.utf8.count) else { return nil }
        for label in folded.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false) {
            guard (1...63).contains(label.count), label.first != UInt8(ascii: "-"), label.last != UInt8(ascii: "-"),
                label.allSatisfy({ (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D })
            else { return nil }
        }
        self.text = folded
    }
    package var description: String { text }
}

/// Where an account or a conversation is reached: a handle here, or `handle@server` elsewhere.
package struct Address: Hashable, Sendable, CustomStringConvertible {
    package let handle: Handle
    /// Nil: this deployment.
    package let server: ServerName?

    package init(handle: Handle, server: ServerName? = nil) {
        self.handle = handle
        self.server = server
    }

    /// Reads `handle` or `handle@server`; our own server's name is folded away. Total.
    package init?(_ text: some StringProtocol, home: ServerName) {
        let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let handle = Handle(first) else { return nil }
        guard parts.count == 2 else {
            self.init(handle: handle)
            return
        }
        guard let server = ServerName(parts[1]) else { return nil }
        self.init(handle: handle, server: server == home ? nil : server)
    }

    package var isRemote: Bool { server != nil }
    package var description: String { server.map { "\(handle)@\($0)" } ?? handle.text }
}

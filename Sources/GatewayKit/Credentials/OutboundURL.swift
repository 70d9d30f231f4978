/// An address of the web that the server may try to reach: taken apart once, so that no second parser can read it
/// otherwise.
///
/// Narrower than the URL standards on purpose. Refused are: schemes but `https` (and `http` where allowed), user names
/// and passwords, ports that are not allowed, white space, backslashes and everything outside printable ASCII
/// (international names are given in their `xn--` form), percent signs in the host, zones, numbers that are no
/// address, names of this machine and of local networks. The fragment is dropped: it is never sent.
///
/// Passing says nothing yet of where a *name* leads: resolve it, and ask ``OutboundPolicy/dialable(_:)``.
package struct OutboundURL: Sendable, Equatable {
    package enum Host: Sendable, Hashable {
        /// Written as a number, in whatever form; already checked.
        case address(NetworkAddress)
        /// In lower case, without the final full stop.
        case name(String)
    }

    package let isSecure: Bool
    package let host: Host
    package let port: Int
    /// Path and query as sent in the request line; at least `/`.
    package let target: String

    /// In bytes.
    package static let maximumLength = 2_048

    package init(checking text: String, by policy: OutboundPolicy) throws(OutboundRefusal) {
        let letters = Array(text.utf8.prefix(Self.maximumLength + 1))
        guard (1...Self.maximumLength).contains(letters.count) else { throw .malformed("length") }
        guard Self.isPlain(letters) else { throw .malformed("letters") }

        let beforeFragment = letters.prefix { $0 != UInt8(ascii: "#") }
        guard let colon = beforeFragment.firstIndex(of: UInt8(ascii: ":")) else { throw .malformed("scheme") }
        switch String(decoding: beforeFragment[..<colon], as: UTF8.self).lowercased() {
        case "https": isSecure = true
        case "http" where policy.allowsPlainHTTP: isSecure = false
        default: throw .scheme
        }
        var rest = beforeFragment[colon...].dropFirst()
        guard rest.starts(with: "//".utf8) else { throw .malformed("authority") }
        rest = rest.dropFirst(2)

        let authority = rest.prefix { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") }
        let target = String(decoding: rest.dropFirst(authority.count), as: UTF8.self)
        self.target = target.hasPrefix("/") ? target : "/\(target)"
        guard !authority.contains(UInt8(ascii: "@")) else { throw .userInformation }

        let (hostText, portText) = try Self.split(authority)
        port = try Self.port(portText, isSecure: isSecure)
        guard policy.allows(port: port) else { throw .port(port) }
        host = try Self.host(hostText, policy)
        if case .address(let address) = host, let refusal = policy.refusal(of: address, port: port) { throw refusal }
    }

    /// The value for a `Host` header or `:authority`: the port only where it is not the scheme's own.
    package var authority: String {
        let name =
            switch host {
            case .name(let name): name
            case .address(let address): address.isIPv4 ? "\(address)" : "[\(address)]"
            }
        return port == (isSecure ? 443 : 80) ? name : "\(name):\(port)"
    }

    /// Printable ASCII without the letters that readers of URLs disagree on; percent signs only before two digits.
    private static func isPlain(_ letters: [UInt8]) -> Bool {
        var rest = letters[...]
        while let letter = rest.popFirst() {
            switch letter {
            case UInt8(ascii: "\\"), UInt8(ascii: "\""), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "^"),
                UInt8(ascii: "`"), UInt8(ascii: "{"), UInt8(ascii: "|"), UInt8(ascii: "}"):
                return false
            case UInt8(ascii: "%"):
                let digits = rest.prefix(2)
                guard digits.count == 2, digits.allSatisfy(isHexadecimal) else { return false }
            case 0x21...0x7E:
                continue
            default:
                return false
            }
        }
        return true
    }

    private static func split(
        _ authority: ArraySlice<UInt8>
    ) throws(OutboundRefusal) -> (host: ArraySlice<UInt8>, port: ArraySlice<UInt8>?) {
        let colon = UInt8(ascii: ":")
        var afterHost: ArraySlice<UInt8>
        if authority.first == UInt8(ascii: "[") {
            guard let end = authority.firstIndex(of: UInt8(ascii: "]")) else { throw .malformed("brackets") }
            afterHost = authority[end...].dropFirst()
        } else {
            afterHost = authority[(authority.firstIndex(of: colon) ?? authority.endIndex)...]
        }
        let host = authority.prefix(authority.count - afterHost.count)
        guard !afterHost.isEmpty else { return (host, nil) }
        guard afterHost.popFirst() == colon else { throw .malformed("authority") }
        return (host, afterHost)
    }

    private static func port(_ text: ArraySlice<UInt8>?, isSecure: Bool) throws(OutboundRefusal) -> Int {
        guard let text else { return isSecure ? 443 : 80 }
        guard let port = PositiveDecimal.parse(text), port <= 65_535 else { throw .malformed("port") }
        return port
    }

    private static func host(_ text: ArraySlice<UInt8>, _ policy: OutboundPolicy) throws(OutboundRefusal) -> Host {
        if text.first == UInt8(ascii: "[") || NetworkAddress.looksNumeric(text) {
            guard let address = NetworkAddress(parsing: String(decoding: text, as: UTF8.self)) else {
                throw .malformed("address")
            }
            return .address(address)
        }
        var name = text
        if name.last == UInt8(ascii: ".") { name = name.dropLast() }
        let labels = name.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard (1...253).contains(name.count), labels.allSatisfy(isLabel) else { throw .malformed("host name") }
        let lowered = String(decoding: name, as: UTF8.self).lowercased()
        if !policy.allowedNames.contains(lowered), labels.count == 1 || InternalName.matches(lowered) {
            throw .internalName
        }
        return .name(lowered)
    }

    /// Letters, digits and inner hyphens, RFC 1123 section 2.1.
    private static func isLabel(_ label: ArraySlice<UInt8>) -> Bool {
        let hyphen = UInt8(ascii: "-")
        guard (1...63).contains(label.count), label.first != hyphen, label.last != hyphen else { return false }
        return label.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), hyphen:
                true
            default: false
            }
        }
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"):
            true
        default: false
        }
    }
}

extension OutboundURL: CustomStringConvertible, CustomReflectable {
    /// Scheme and authority only: the path of a webhook is often its password.
    package var description: String { "\(isSecure ? "https" : "http")://\(authority)/…" }
    package var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// Names that never lead to the public internet, whatever a resolver makes of them.
enum InternalName {
    /// The IANA special-use domain names (RFC 6761 and successors) and what home routers and companies use beside them.
    private static let domains: Set<String> = [
        "localhost", "localdomain", "local", "internal", "intranet", "private", "corp", "home", "lan", "home.arpa",
        "onion",
        "alt", "test", "invalid", "example", "in-addr.arpa", "ip6.arpa", "ip6-localhost", "ip6-loopback",
    ]

    /// Whether a name in lower case is one of them or lies below one.
    static func matches(_ name: String) -> Bool {
        domains.contains { name == $0 || name.hasSuffix(".\($0)") }
    }
}

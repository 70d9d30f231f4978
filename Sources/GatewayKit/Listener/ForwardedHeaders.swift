import HTTPTypes

/// Which headers a trusted proxy is believed. Only one kind: most proxies write one and pass the other through as the
/// client sent it.
package enum ForwardedStyle: String, Sendable, CaseIterable {
    /// `X-Forwarded-For` and `X-Forwarded-Proto`.
    case xForwarded = "x-forwarded"
    /// `Forwarded`. RFC 7239.
    case forwarded
}

/// Finds the client behind trusted proxies. Each proxy appends the address that it was called from, so the list is read
/// from its right end, and only as far as what stands there was written by a trusted proxy.
enum ForwardedHeaders {
    struct Found: Hashable {
        /// The rightmost address that is no trusted proxy; the leftmost that is known if all are, or if what stands
        /// further left is no address.
        var address: NetworkAddress?
        /// Whether the client spoke TLS to the outermost trusted proxy; `nil` when none says so.
        var isSecure: Bool?
    }

    private struct Hop {
        var address: NetworkAddress?
        var isSecure: Bool?
    }

    /// - Parameter peer: the trusted proxy that made the connection; `nil` over a Unix socket.
    static func find(
        in fields: HTTPFields, peer: NetworkAddress?, style: ForwardedStyle, isTrusted: (NetworkAddress) -> Bool
    ) -> Found {
        var found = Found(address: peer)
        for hop in hops(fields, style).reversed() {
            if let isSecure = hop.isSecure { found.isSecure = isSecure }
            guard let address = hop.address else { break }
            found.address = address
            guard isTrusted(address) else { break }
        }
        return found
    }

    /// Whether a proxy, trusted or not, has left its mark.
    static func showProxy(_ fields: HTTPFields) -> Bool {
        marks.contains { fields.contains($0) }
    }

    private static let marks = ["forwarded", "x-forwarded-for", "x-real-ip", "via"].compactMap { HTTPField.Name($0) }

    private static func hops(_ fields: HTTPFields, _ style: ForwardedStyle) -> [Hop] {
        switch style {
        case .xForwarded:
            // The scheme is one value for the whole way; of several the nearest proxy's is the last.
            let scheme = list(fields, "x-forwarded-proto").last.map { $0.lowercased() == "https" }
            var hops = list(fields, "x-forwarded-for").map { Hop(address: address(node: $0)) }
            if hops.isEmpty { return [Hop(isSecure: scheme)] }
            hops[hops.count - 1].isSecure = scheme
            return hops
        case .forwarded:
            return list(fields, "forwarded").map(hop)
        }
    }

    /// All elements of a list header. Quoted strings of `Forwarded` hold no commas that matter: a proxy that puts some
    /// in a node's name breaks that element only, which ends the walk.
    private static func list(_ fields: HTTPFields, _ name: String) -> [Substring] {
        guard let name = HTTPField.Name(name) else { return [] }
        return fields[values: name].flatMap { $0.split(separator: ",", omittingEmptySubsequences: false) }
            .map(trimmed)
    }

    /// One element of `Forwarded`. RFC 7239 section 4.
    private static func hop(_ element: Substring) -> Hop {
        var hop = Hop()
        for pair in element.split(separator: ";") {
            let parts = pair.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, let name = parts.first, let value = parts.last else { continue }
            switch trimmed(name).lowercased() {
            case "for": hop.address = address(node: unquoted(trimmed(value)))
            case "proto": hop.isSecure = unquoted(trimmed(value)).lowercased() == "https"
            default: break
            }
        }
        return hop
    }

    /// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:80`; not `unknown` nor `_name`.
    private static func address(node: Substring) -> NetworkAddress? {
        if node.first == "[" {
            guard let end = node.firstIndex(of: "]") else { return nil }
            return NetworkAddress(plain: node[node.index(after: node.startIndex)..<end])
        }
        if let address = NetworkAddress(plain: node) { return address }
        let parts = node.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let host = parts.first else { return nil }
        return NetworkAddress(plain: host)
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while text.first == " " || text.first == "\t" { text = text.dropFirst() }
        while text.last == " " || text.last == "\t" { text = text.dropLast() }
        return text
    }

    private static func unquoted(_ text: Substring) -> Substring {
        guard text.count >= 2, text.first == "\"", text.last == "\"" else { return text }
        return text.dropFirst().dropLast()
    }
}

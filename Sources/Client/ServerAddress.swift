/// Where a server is reached: `http://host:port`, `https://host:port`, or `unix:/path/of/socket`.
public struct ServerAddress: Sendable, Hashable, CustomStringConvertible {
    package enum Way: Sendable, Hashable {
        case ip(host: String, port: Int, isSecure: Bool)
        case unix(path: String)
    }
    package let way: Way
    /// Before `/v1`: empty, or a path that a proxy puts the server under.
    package let prefix: String

    /// Throws ``ClientError/invalidAddress(_:)`` for what is no such address.
    public init(_ text: String) throws(ClientError) {
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst(5))
            guard path.utf8.count > 0, !path.utf8.contains(0) else { throw .invalidAddress(text) }
            way = .unix(path: path)
            prefix = ""
            return
        }
        let isSecure = text.hasPrefix("https://")
        guard isSecure || text.hasPrefix("http://"), text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw .invalidAddress(text)
        }
        let rest = text.dropFirst(isSecure ? 8 : 7).prefix { $0 != "#" && $0 != "?" }
        let authority = rest.prefix { $0 != "/" }
        guard let (host, port) = ServerAddress.split(authority) else { throw .invalidAddress(text) }
        way = .ip(host: host, port: port ?? (isSecure ? 443 : 80), isSecure: isSecure)
        var path = rest.dropFirst(authority.count)
        while path.last == "/" { path = path.dropLast() }
        prefix = String(path)
    }

    package init(unixSocket path: String) {
        way = .unix(path: path)
        prefix = ""
    }

    private static func split(_ authority: Substring) -> (host: String, port: Int?)? {
        var host = authority
        var digits: Substring?
        if authority.first == "[" {
            guard let end = authority.firstIndex(of: "]") else { return nil }
            host = authority[authority.index(after: authority.startIndex)..<end]
            let after = authority[authority.index(after: end)...]
            guard after.isEmpty || after.first == ":" else { return nil }
            digits = after.isEmpty ? nil : after.dropFirst()
        } else if let colon = authority.lastIndex(of: ":") {
            host = authority[..<colon]
            digits = authority[authority.index(after: colon)...]
        }
        guard !host.isEmpty, !host.contains("@"), host.utf8.count <= 253 else { return nil }
        guard let digits else { return (String(host), nil) }
        guard let port = UInt16(digits), port > 0 else { return nil }
        return (String(host), Int(port))
    }

    /// The value of `Host`.
    package var authority: String {
        switch way {
        case .unix: return "localhost"
        case .ip(let host, let port, let isSecure):
            let name = host.contains(":") ? "[\(host)]" : host
            return port == (isSecure ? 443 : 80) ? name : "\(name):\(port)"
        }
    }

    public var description: String {
        switch way {
        case .unix(let path): "unix:\(path)"
        case .ip(_, _, let isSecure): "\(isSecure ? "https" : "http")://\(authority)\(prefix)"
        }
    }
}

import HTTPTypes

/// Scheme, host and port of the page that a browser speaks for. RFC 6454 section 7, the Fetch standard's `Origin`.
package struct WebOrigin: Hashable, Sendable, CustomStringConvertible {
    package let scheme: String
    /// In lower case; an IPv6 address without brackets.
    package let host: String
    package let port: Int

    /// Reads `https://chat.example.org` or `http://localhost:8080`: nothing may follow the port.
    /// - Returns: `nil` for anything else, `null` included.
    package init?(_ text: String) {
        guard let mark = text.firstRange(of: "://") else { return nil }
        let scheme = text[..<mark.lowerBound].lowercased()
        guard !scheme.isEmpty, scheme.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "+-.".contains($0)) })
        else { return nil }
        self.init(scheme: scheme, authority: text[mark.upperBound...])
    }

    /// The origin of a web address, whatever its path.
    package init?(ofPage address: String) {
        guard let mark = address.firstRange(of: "://") else { return nil }
        self.init(String(address[..<mark.upperBound]) + address[mark.upperBound...].prefix { $0 != "/" })
    }

    /// The origin that a request's own target has.
    package init?(scheme: String, authority: some StringProtocol) {
        var host = Substring(authority)
        var port: Int?
        let colon: String.Index?
        if host.first == "[" {
            guard let bracket = host.firstIndex(of: "]") else { return nil }
            let rest = host[host.index(after: bracket)...]
            guard rest.isEmpty || rest.first == ":" else { return nil }
            colon = rest.isEmpty ? nil : rest.startIndex
        } else {
            colon = host.firstIndex(of: ":")
        }
        if let colon {
            let digits = host[host.index(after: colon)...]
            guard !digits.isEmpty, digits.utf8.count <= 5, let number = UInt16(digits) else { return nil }
            port = Int(number)
            host = host[..<colon]
        }
        if host.first == "[" {
            guard let address = NetworkAddress(plain: host.dropFirst().dropLast()) else { return nil }
            host = Substring(address.description)
        }
        guard !host.isEmpty, host.utf8.count <= 255, host.utf8.allSatisfy(Self.isHostByte) else { return nil }
        switch (port, scheme) {
        case (let port?, _): self.port = port
        case (nil, "http"), (nil, "ws"): self.port = 80
        case (nil, "https"), (nil, "wss"): self.port = 443
        case (nil, _): return nil
        }
        self.scheme = scheme
        self.host = host.lowercased()
    }

    package var description: String {
        "\(scheme)://\(host.contains(":") ? "[\(host)]" : host):\(port)"
    }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"),
            UInt8(ascii: ":"):
            true
        default: false
        }
    }
}

/// Which web pages may reach the server from a browser. One policy for WebSocket, streams and the HTTP API.
///
/// A request without an Origin comes from a program, which could claim any: it is let in. One with an Origin must come
/// from the server's own pages or from an origin in the list; `null` (a sandbox, a file) is refused.
package struct OriginPolicy: Hashable, Sendable {
    /// Origins besides the server's own.
    package var allowed: Set<WebOrigin>
    /// Host names under which the server is reached, in lower case. A page of another name is foreign even if the request
    /// was addressed to that name: otherwise a hostile name that resolves to this machine (DNS rebinding) would count as
    /// the server's own. Addresses and `localhost` cannot be rebound and always count.
    package var ownNames: Set<String>

    package init(allowed: Set<WebOrigin> = [], ownNames: Set<String> = []) {
        self.allowed = allowed
        self.ownNames = Set(ownNames.map { $0.lowercased() })
    }

    package enum Verdict: Hashable, Sendable {
        /// There is no Origin: not a browser, or a browser's plain navigation.
        case absent
        /// The page is the server's own.
        case own
        /// The page's origin is in the list; answers to it must say so (CORS).
        case listed
        case refused
    }

    /// - Parameters:
    ///   - origin: the request's `Origin`.
    ///   - scheme: `http` or `https`, as the client sees it.
    ///   - authority: the request's `Host` or `:authority`.
    package func verdict(origin: String?, scheme: String, authority: String?) -> Verdict {
        guard let origin else { return .absent }
        guard let page = WebOrigin(origin) else { return .refused }
        if let authority, let own = WebOrigin(scheme: scheme, authority: authority), own == page, isOwnName(own.host) {
            return .own
        }
        return allowed.contains(page) ? .listed : .refused
    }

    /// The verdict on a request whose client-side scheme is known. Two Origins are refused.
    package func verdict(on request: HTTPRequest, isSecure: Bool) -> Verdict {
        let origins = request.headerFields[values: .origin]
        guard origins.count <= 1 else { return .refused }
        return verdict(origin: origins.first, scheme: isSecure ? "https" : "http", authority: request.authority)
    }

    /// Whether a request's `Host` or `:authority` is one of the server's own names; one that names no host is no browser's.
    func isOwn(authority: String?) -> Bool {
        guard let authority, !authority.isEmpty else { return true }
        return WebOrigin(scheme: "http", authority: authority).map { isOwnName($0.host) } ?? false
    }

    private func isOwnName(_ host: String) -> Bool {
        ownNames.contains(host) || host == "localhost" || NetworkAddress(plain: host) != nil
    }
}

// MARK: CORS

extension OriginPolicy {
    /// What an answer must carry so that a page of a listed origin may read it. No credentials: there are no cookies.
    static func answerFields(_ verdict: Verdict, origin: String?) -> HTTPFields {
        guard verdict == .listed, let origin else { return [:] }
        return [.accessControlAllowOrigin: origin, .vary: "Origin"]
    }
}

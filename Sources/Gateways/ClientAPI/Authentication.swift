import GatewayKit
import Hub

/// Tells who a bearer token is: a device's or a bot's token, or a signed token of a host application.
///
/// *Lives on* any thread.
package protocol Authenticator: Sendable {
    /// The account and device of a token, or why it opens nothing (`unauthenticated`, `rate-limited`, `unavailable`).
    func authenticate(bearer: String, remote: RemoteClient) async -> Result<Actor, Rejection>
}

/// The `Authorization` field. RFC 6750 section 2.1; RFC 9110 section 11.
package enum BearerToken {
    /// The token of `Bearer …`; nil for another scheme, more than one word, or what is no token at all.
    package static func parse(_ field: String) -> String? {
        let parts = field.utf8.split(separator: UInt8(ascii: " "), maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let scheme = parts.first, let token = parts.last,
            String(Substring(scheme)).lowercased() == "bearer"
        else { return nil }
        let trimmed = token.drop { $0 == UInt8(ascii: " ") }
        guard (1...8_192).contains(trimmed.count), trimmed.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        return String(Substring(trimmed))
    }
}

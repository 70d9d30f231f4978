import HTTPTypes

/// How a connection came in: from whom, through which listener. Fixed when its first request comes.
struct ConnectionWay: Sendable {
    /// The other end of the TCP connection, or the source that a PROXY header named; `nil` over a Unix socket.
    var peer: NetworkAddress?
    /// Whether the client's side is encrypted, as far as the connection itself tells.
    var isSecure: Bool
    /// Whether `peer` may speak for others in its requests' headers.
    var isTrustedProxy: Bool
    /// Whether a PROXY header named the peer.
    var isProxied: Bool
    /// Whether the connection holds a place of `peer` in the address limiter.
    var isCounted: Bool

    /// Whether the configuration knows of a proxy between.
    var isKnownProxy: Bool { isTrustedProxy || isProxied }

    /// Who sent `request`.
    func remote(for request: HTTPRequest, _ configuration: DoorConfiguration) -> RemoteClient {
        guard isTrustedProxy else {
            // From elsewhere nobody is local anyhow.
            let isLoopback = peer?.isLoopback ?? true
            return RemoteClient(
                address: peer, isSecure: isSecure,
                isProxied: isProxied || isLoopback && ForwardedHeaders.showProxy(request.headerFields),
                usesOwnName: configuration.origins.isOwn(authority: request.authority))
        }
        let found = ForwardedHeaders.find(
            in: request.headerFields, peer: peer, style: configuration.forwardedHeaders,
            isTrusted: configuration.isTrusted)
        return RemoteClient(address: found.address, isSecure: found.isSecure ?? isSecure, isProxied: true)
    }
}

extension DoorConfiguration {
    func isTrusted(_ address: NetworkAddress) -> Bool {
        trustedProxies.contains { $0.contains(address) }
    }
}

/// Who is at the other end, as far as the door can tell: for limits, logs and the rule of loopback.
package struct RemoteClient: Hashable, Sendable, CustomStringConvertible {
    /// The client's own address, found behind a trusted proxy if there is one; `nil` over a Unix socket.
    package let address: NetworkAddress?
    /// Whether the client's side of the way is encrypted: by our TLS, or by the trusted proxy's.
    package let isSecure: Bool
    /// Whether a proxy stands between, trusted or not.
    package let isProxied: Bool
    /// Whether the request was addressed to the server by one of its own names (`OriginPolicy.ownNames`), or to none.
    package let usesOwnName: Bool

    package init(address: NetworkAddress?, isSecure: Bool, isProxied: Bool, usesOwnName: Bool = true) {
        self.address = address
        self.isSecure = isSecure
        self.isProxied = isProxied
        self.usesOwnName = usesOwnName
    }

    /// Whether the client is a program on this machine. Never true for a proxied one: a proxy that forgets to name its
    /// client, or that nobody has listed, must not make the world local. Nor for one that uses a foreign name: it may be a
    /// web page whose name was made to resolve to this machine (DNS rebinding).
    package var isLocal: Bool { !isProxied && usesOwnName && (address?.isLoopback ?? true) }

    package var description: String { address?.description ?? "local socket" }
}

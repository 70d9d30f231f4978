/// Who is at the other end, as far as the door can tell: for limits, logs and the rule of loopback.
package struct RemoteClient: Hashable, Sendable, CustomStringConvertible {
    /// The client's own address, found behind a trusted proxy if there is one; `nil` over a Unix socket.
    package let address: NetworkAddress?
    /// Whether the client's side of the way is encrypted: by our TLS, or by the trusted proxy's.
    package let isSecure: Bool
    /// Whether a trusted proxy stands between.
    package let isProxied: Bool

    package init(address: NetworkAddress?, isSecure: Bool, isProxied: Bool) {
        self.address = address
        self.isSecure = isSecure
        self.isProxied = isProxied
    }

    /// Whether the client is a program on this machine. Never true for a proxied one: a proxy that forgets to name its
    /// client must not make the world local.
    package var isLocal: Bool { !isProxied && (address?.isLoopback ?? true) }

    package var description: String { address?.description ?? "local socket" }
}

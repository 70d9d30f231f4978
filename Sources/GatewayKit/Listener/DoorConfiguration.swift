import NIOCore

/// One place to listen at.
package struct DoorListener: Hashable, Sendable {
    package enum Address: Hashable, Sendable {
        /// A host name or address, and a port; port 0 lets the system choose.
        case ip(host: String, port: Int)
        /// A Unix socket. What connects there is taken for a trusted proxy, as only this machine can reach it.
        case unix(path: String)
    }

    package var address: Address
    /// Whether TLS is spoken here. The door must then be given a `TLSContextStore`.
    package var isSecure: Bool
    /// Whether every connection must begin with a PROXY protocol header, version 1 or 2, from a trusted proxy.
    /// Where it is false, such a header is not HTTP and ends the connection.
    package var expectsProxyHeader: Bool
    /// Who may connect to a Unix socket, as permission bits; nil: whoever the process's umask lets.
    package var unixMode: UInt16?

    package init(
        _ address: Address, isSecure: Bool = false, expectsProxyHeader: Bool = false, unixMode: UInt16? = nil
    ) {
        self.address = address
        self.isSecure = isSecure
        self.expectsProxyHeader = expectsProxyHeader
        self.unixMode = unixMode
    }
}

/// All that the door is told at its start.
package struct DoorConfiguration: Sendable {
    package var listeners: [DoorListener]
    package var limits: DoorLimits
    /// Peers that are believed when they name their clients, by request headers or by the PROXY protocol.
    package var trustedProxies: [NetworkRange]
    /// By which request headers they do.
    package var forwardedHeaders: ForwardedStyle
    package var origins: OriginPolicy
    /// Over how long the goodbyes of a graceful shutdown are spread, so that not all clients return at once.
    package var drainWindow: TimeAmount
    /// After how long, from the start of a graceful shutdown, whatever is still open is cut.
    package var drainDeadline: TimeAmount

    package init(
        listeners: [DoorListener],
        limits: DoorLimits = DoorLimits(),
        trustedProxies: [NetworkRange] = [],
        forwardedHeaders: ForwardedStyle = .xForwarded,
        origins: OriginPolicy = OriginPolicy(),
        drainWindow: TimeAmount = .seconds(5),
        drainDeadline: TimeAmount = .seconds(20)
    ) {
        self.listeners = listeners
        self.limits = limits
        self.trustedProxies = trustedProxies
        self.forwardedHeaders = forwardedHeaders
        self.origins = origins
        self.drainWindow = drainWindow
        self.drainDeadline = drainDeadline
    }
}

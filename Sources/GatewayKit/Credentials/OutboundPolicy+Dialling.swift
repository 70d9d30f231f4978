import NIOCore

extension OutboundPolicy {
    /// Of all addresses that a name was resolved to, the first that may be connected to: the *only* one to hand to the
    /// connecting code, by address and never by name. TLS still verifies the name.
    ///
    /// One forbidden address among permitted ones does no harm, since it is not the one that is used. When all are
    /// forbidden, the first one's reason is given.
    ///
    /// - Parameter resolved: the answer of one look-up, each with the port of the URL.
    package func dialable(_ resolved: [SocketAddress]) -> Result<SocketAddress, OutboundRefusal> {
        var firstRefusal: OutboundRefusal?
        for candidate in resolved {
            // Unix sockets have no port.
            guard let address = NetworkAddress(candidate), let port = candidate.port else { continue }
            guard let refusal = refusal(of: address, port: port) else { return .success(candidate) }
            firstRefusal = firstRefusal ?? refusal
        }
        return .failure(firstRefusal ?? .noAddress)
    }
}

extension NetworkAddress {
    /// The address without its port; nil for a Unix socket.
    package init?(_ socketAddress: SocketAddress) {
        switch socketAddress {
        case .v4(let address):
            self.init(rawBytesOf: address.address.sin_addr)
        case .v6(let address):
            self.init(rawBytesOf: address.address.sin6_addr)
        case .unixDomainSocket:
            return nil
        }
    }

    /// `in_addr` and `in6_addr` are in network byte order already.
    private init?(rawBytesOf raw: some Any) {
        // trap-ok: the buffer is read whole, by its own count
        let bytes = withUnsafeBytes(of: raw) { Array($0) }
        self.init(bytes: bytes)
    }
}

/// Where the server may connect when somebody else chose the address.
///
/// The one gate for webhooks, key sets, previews, push, federation, TURN peers, SIP contacts. The rule of use, without
/// which it is no gate: **resolve once, check, connect to the address that was checked.** Whoever hands the *name* to the
/// connecting code lets a second look-up decide. So a connection goes through ``dialable(_:)``, whose result is the only
/// thing to connect to; each redirect starts again at ``OutboundURL``.
package struct OutboundPolicy: Sendable {
    /// Blocks that the operator allows although they are special: the bot in the same data centre.
    package var allowedRanges: [NetworkRange]
    /// Names that the operator allows although they look internal, in lower case. Their addresses are still checked.
    package var allowedNames: Set<String>
    /// Whether `http` is allowed besides `https`.
    package var allowsPlainHTTP: Bool
    /// Ports besides 80 and 443.
    package var extraPorts: Set<Int>
    /// Where this server itself listens. Refused even within ``allowedRanges``: no loops, and no way around the doors'
    /// own view of who is asking.
    package var ownEndpoints: [Endpoint]

    /// A listener of ours. A listener on a wildcard address is entered once for each address of the machine.
    package struct Endpoint: Sendable, Hashable {
        package let address: NetworkAddress
        package let port: Int

        package init(address: NetworkAddress, port: Int) {
            self.address = address.canonical
            self.port = port
        }
    }

    package init(
        allowedRanges: [NetworkRange] = [], allowedNames: Set<String> = [], allowsPlainHTTP: Bool = false,
        extraPorts: Set<Int> = [], ownEndpoints: [Endpoint] = []
    ) {
        self.allowedRanges = allowedRanges
        self.allowedNames = allowedNames
        self.allowsPlainHTTP = allowsPlainHTTP
        self.extraPorts = extraPorts
        self.ownEndpoints = ownEndpoints
    }

    /// Redirects that a caller may follow in all, each checked anew.
    package static let maximumRedirects = 3

    package func allows(port: Int) -> Bool {
        port == 80 || port == 443 || extraPorts.contains(port)
    }

    /// All of 127.0.0.0/8 leads to this machine, though an interface has one address of it only.
    private func isOwn(_ address: NetworkAddress, _ port: Int) -> Bool {
        ownEndpoints.contains { own in
            own.port == port && (own.address == address || own.address.value == 0 && address.isLoopback)
        }
    }

    /// Nil when the server may connect there, the reason otherwise.
    ///
    /// An address is judged as written *and* as what it is inside (``NetworkAddress/canonical``); both must pass. So
    /// `::ffff:10.0.0.1` falls with `10.0.0.1`, and 6to4 or Teredo, which no honest host needs, fall by themselves.
    package func refusal(of address: NetworkAddress, port: Int) -> OutboundRefusal? {
        let canonical = address.canonical
        guard allows(port: port) else { return .port(port) }
        if isOwn(canonical, port) { return .ownAddress(canonical) }
        for form in [address, canonical] where !allowedRanges.contains(where: { $0.contains(form) }) {
            if let range = SpecialPurpose.range(containing: form) { return .specialPurpose(form, range) }
        }
        return nil
    }
}

/// Why an address or an address text is not connected to. For logs and for whoever configures the webhook; none of it
/// repeats what was found in the network.
package enum OutboundRefusal: Error, Equatable, Sendable {
    /// Not a URL by ``OutboundURL``'s rules; the text says which.
    case malformed(String)
    case scheme
    /// A user name or password in the URL.
    case userInformation
    /// A name that means this machine or this network: `localhost`, one label, `.local`, `.internal` and the like.
    case internalName
    case port(Int)
    /// Within a block that is not the public internet.
    case specialPurpose(NetworkAddress, NetworkRange)
    /// One of our own listeners.
    case ownAddress(NetworkAddress)
    /// The name has no address, or none of the internet.
    case noAddress
}

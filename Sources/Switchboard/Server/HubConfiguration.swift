import GatewayKit
import Hub
import NIOCore
import StoreSQLite

/// From the configuration to what each part is told.
extension ServerConfiguration {
    var storeOptions: SQLiteStore.Options {
        var options = SQLiteStore.Options()
        options.readers = data.readers
        options.cacheKiB = data.cacheKiB
        options.checkpointPages = data.checkpointPages
        options.synchronous = data.synchronous == .full ? .full : .off
        return options
    }

    var adminSocketPath: String { data.directory + "/admin.sock" }

    var originPolicy: OriginPolicy {
        OriginPolicy(allowed: Set(http.origins.compactMap { WebOrigin($0) }), ownNames: ownNames)
    }

    /// The names by which browsers reach the server: those that are listed, or what else the configuration knows.
    private var ownNames: Set<String> {
        guard http.ownNames.isEmpty else { return Set(http.ownNames) }
        return Set([server.name] + [http.publicURL.flatMap { WebOrigin(ofPage: $0) }?.host].compactMap { $0 })
    }

    var doorConfiguration: DoorConfiguration {
        let isSecure = tls.mode != .off
        let network = http.bind.map {
            DoorListener(
                .ip(host: $0, port: http.port), isSecure: isSecure, expectsProxyHeader: proxy.header)
        }
        let local = http.unix.map { DoorListener(.unix(path: $0), unixMode: http.unixMode) }
        return DoorConfiguration(
            listeners: network + local, limits: door,
            trustedProxies: proxy.trusted.compactMap { NetworkRange(parsing: $0) },
            origins: originPolicy, drainWindow: drain.window, drainDeadline: drain.deadline)
    }

    /// The admin socket: for programs on this machine, of the same person.
    var adminDoorConfiguration: DoorConfiguration {
        var limits = DoorLimits()
        limits.bodyBytes = 16 << 20
        limits.keepAliveTime = .minutes(10)
        return DoorConfiguration(
            listeners: [DoorListener(.unix(path: adminSocketPath))], limits: limits, drainWindow: .zero,
            drainDeadline: min(drain.deadline, .seconds(2)))
    }

    /// - Parameter hosts: the verifiers of host tokens, which are made apart because they hold keys.
    func accountConfiguration(
        publicURL: String, hosts: [AccountConfiguration.HostApplication]
    ) -> AccountConfiguration {
        var configuration = AccountConfiguration()
        configuration.registration =
            switch accounts.registration {
            case .closed: .closed
            case .invite: .invite
            case .open: .open
            }
        configuration.guests =
            switch accounts.guests {
            case .off: .off
            case .loopback: .loopback
            case .anywhere: .everyone
            }
        configuration.guestLifetime = accounts.guestLifetime.nanoseconds / 1_000_000
        configuration.inviteHours = max(1, Int(accounts.inviteLifetime.nanoseconds / 3_600_000_000_000))
        configuration.publicURL = publicURL
        configuration.hosts = hosts
        return configuration
    }

    var outboundPolicy: OutboundPolicy {
        OutboundPolicy(
            allowedRanges: outbound.ranges.compactMap { NetworkRange(parsing: $0) },
            allowedNames: Set(outbound.names.map { $0.lowercased() }),
            allowsPlainHTTP: outbound.plainHTTP, extraPorts: Set(outbound.ports))
    }

    var tlsFiles: TLSContextStore.Files? {
        guard let certificate = tls.certificate, let key = tls.key else { return nil }
        return TLSContextStore.Files(certificates: certificate, key: key)
    }

    /// What links begin with.
    func publicURL(port: Int) -> String {
        var url = http.publicURL ?? localURL(port: port)
        while url.last == "/" { url.removeLast() }
        return url
    }

    /// How a program on this machine reaches the server when it listens at a port.
    func localURL(port: Int) -> String {
        let scheme = tls.mode == .off ? "http" : "https"
        let host =
            http.bind.contains("127.0.0.1") || http.bind.contains("0.0.0.0") || http.bind.contains("::")
            ? "127.0.0.1" : (http.bind.first ?? "127.0.0.1")
        return "\(scheme)://\(host.contains(":") ? "[\(host)]" : host):\(port)"
    }
}

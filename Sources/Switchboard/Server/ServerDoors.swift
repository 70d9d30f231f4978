import ClientAPI
import GatewayKit
import Hub
import Hummingbird

/// A door and what it is for.
struct NamedDoor: Sendable {
    enum Name: Sendable { case network, admin }
    let name: Name
    let door: HTTPDoor
    /// What is spoken there; it lets go of requests that wait when the server goes down.
    let api: ClientAPI
}

extension Server {
    /// The doors of this server's scope; none of them is open yet.
    func makeDoors() -> [NamedDoor] {
        var doors = [makeAdminDoor()]
        if scope == .everything { doors.append(makeNetworkDoor()) }
        return doors
    }

    private func makeNetworkDoor() -> NamedDoor {
        let configuration = configuration
        let api = ClientAPI(
            services: APIServices(
                hub: parts.hub, authenticator: parts.accounts, accounts: parts.accounts, webhooks: parts.webhooks))
        let router = Router(context: DoorRequestContext.self)
        operations.add(to: router) { $0.remote }
        api.addRoutes(to: router, origins: configuration.originPolicy)
        let door = HTTPDoor(
            configuration: configuration.doorConfiguration, responder: router.buildResponder(),
            webSockets: [api.webSocketRoute], streams: [api.streamRoute],
            bodyAllowance: { api.bodyAllowance(for: $0) }, tls: parts.secure.contexts, group: parts.loops.sockets,
            metrics: metrics, logger: log.logger("switchboard.door"))
        return NamedDoor(name: .network, door: door, api: api)
    }

    /// The same API, for whoever the operating system lets open the socket: see ``AdminAuthenticator``.
    private func makeAdminDoor() -> NamedDoor {
        let configuration = configuration.adminDoorConfiguration
        let api = ClientAPI(
            services: APIServices(
                hub: parts.hub, authenticator: AdminAuthenticator(server: parts.actor), accounts: parts.accounts,
                webhooks: parts.webhooks))
        let router = Router(context: DoorRequestContext.self)
        operations.add(to: router) { $0.remote }
        AdminRoutes(hub: parts.hub, store: parts.store).add(to: router)
        api.addRoutes(to: router, origins: configuration.origins)
        let door = HTTPDoor(
            configuration: configuration, responder: router.buildResponder(), webSockets: [api.webSocketRoute],
            streams: [api.streamRoute], group: parts.loops.sockets, logger: log.logger("switchboard.admin"))
        return NamedDoor(name: .admin, door: door, api: api)
    }

    private var operations: OperationsRoutes {
        OperationsRoutes(
            isReady: { [self] in state.withLock { $0.isReady } }, figures: { [self] in await figures() },
            metricsAccess: { [self] in configuration.metrics.access })
    }

    /// Tokens of two guests who are in the lobby, to try the server with. None where guests are not let in, or nothing
    /// on this machine reaches the server.
    func trialTokens() async throws -> [String] {
        guard configuration.accounts.guests != .off, !configuration.http.bind.isEmpty else { return [] }
        var tokens: [String] = []
        let remote = RemoteClient(address: nil, isSecure: false, isProxied: false)
        for name in ["curl", "websocket"] {
            do throws(Rejection) {
                let guest = try await parts.accounts.guest(displayName: nil, device: name, remote: remote)
                let hub = parts.hub
                guard let handle = Handle(FirstStart.lobbyHandle) else { return [] }
                let lobby = try await hub.read { reader throws(Rejection) in
                    try reader.conversation(named: handle.text, for: guest.actor)
                }
                _ = try await hub.submit(.conversation(lobby, .join), by: guest.actor, token: nil)
                tokens.append(guest.token.reveal())
            } catch {
                logger.notice("there is no guest to try the server with", metadata: ["reason": "\(error.message)"])
                return []
            }
        }
        return tokens
    }
}

import GatewayKit
import HTTPTypes
import Hub
import Hummingbird
import NIOCore
import WireWebSocket

/// The client API: one schema over WebSocket, Server-Sent Events and plain HTTP. docs/protocols/client-api.md.
///
/// *Lives on* any thread; its sessions live on the event loops of their connections.
package struct ClientAPI: Sendable {
    package let services: APIServices
    private let responder: OperationResponder

    package init(services: APIServices) {
        self.services = services
        responder = OperationResponder(services: services)
    }

    /// The socket at `/v1/socket`.
    package var webSocketRoute: WebSocketRoute {
        WebSocketRoute(path: "/v1/socket") { [services] opening in
            guard let loop = services.loops.part(of: opening.eventLoop) else {
                return .refuse(.serviceUnavailable, body: "this server takes no sessions at the moment")
            }
            let fields = opening.request.headerFields
            let bearer = BearerToken.of(fields)
            guard bearer != nil || !fields.contains(.authorization) else {
                return .refuse(
                    .unauthorized, headers: [.wwwAuthenticate: "Bearer"], body: "Authorization must be one bearer token"
                )
            }
            return .accept(SocketDriver(services: services, loop: loop, bearer: bearer))
        }
    }

    /// The event stream at `/v1/stream`.
    package var streamRoute: StreamRoute {
        StreamRoute(path: "/v1/stream") { [services] request, _ in
            StreamDriver(services: services, request: StreamRequest(request, home: services.hub.serverName))
        }
    }

    /// How much of a request's body the door takes in for these routes.
    package func bodyAllowance(for request: HTTPRequest) -> BodyAllowance { Resource.bodyAllowance(for: request) }

    /// Answers the polls that wait, and lets none wait from here on: to be called when the server begins to go down.
    /// Sockets and streams are told by the door.
    package func drain() { services.loops.drain() }

    /// Adds everything under `/v1/` that is answered in one piece, guarded by the origin policy.
    package func addRoutes(to router: Router<DoorRequestContext>, origins: OriginPolicy) {
        let group = router.group("v1")
            .add(middleware: OriginMiddleware(policy: origins, isSecure: { $0.remote.isSecure }))
        for method in [HTTPRequest.Method.get, .head, .post, .put, .patch, .delete, .options] {
            let respond: @Sendable (Request, DoorRequestContext) async -> Response = { [responder] request, context in
                let name = request.head.pathOnly.dropFirst("/v1/".count)
                return await responder.respond(to: request, name: name, remote: context.remote)
            }
            group.on("", method: method, use: respond)
            group.on("**", method: method, use: respond)
        }
    }
}

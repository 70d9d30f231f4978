import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization

/// The HTTP door: every listener for HTTP/1.1, HTTP/2 and WebSocket over both, with and without TLS. *Lives on*: any
/// thread; what it accepts lives on the loops of its group.
///
/// Sessions (WebSocket and streams) are objects of an event loop that are called directly: no task, no async sequence
/// and no lock per connection. Only a request that goes to the router gets a task, for as long as it runs.
///
/// As a `Service` it listens from `run` until graceful shutdown, which it answers by a drain: it stops accepting, lets
/// every session say goodbye (spread over `drainWindow`), and cuts what is left at `drainDeadline`.
package final class HTTPDoor: Service {
    let shared: DoorShared
    let routes: DoorRoutes
    let group: any EventLoopGroup
    let tls: TLSContextStore?
    let state = Mutex(State())

    struct State {
        var addresses: [SocketAddress] = []
        var isListening = false
        var waiting: [CheckedContinuation<[SocketAddress], any Error>] = []
        var failure: (any Error)?
    }

    /// - Parameters:
    ///   - responder: answers all requests that no stream route and no WebSocket handshake takes; usually
    ///     `router.buildResponder()`. Its context is made from a `DoorRequestSource`.
    ///   - tls: for the listeners that are secure; asked anew for each connection.
    ///   - group: the loops that sessions live on: those that the hub knows.
    package init<Responder: HTTPResponder>(
        configuration: DoorConfiguration,
        responder: Responder,
        webSockets: [WebSocketRoute] = [],
        streams: [StreamRoute] = [],
        tls: TLSContextStore? = nil,
        group: any EventLoopGroup,
        metrics: DoorMetrics = DoorMetrics(),
        logger: Logger
    ) where Responder.Context: InitializableFromSource<DoorRequestSource> {
        let budget = OutboundBudget(limit: configuration.limits.outboundBudget)
        metrics.watch(budget)
        shared = DoorShared(
            configuration: configuration,
            metrics: metrics,
            budget: budget,
            addresses: AddressLimiter(
                maxOpen: configuration.limits.connectionsPerAddress,
                perMinute: configuration.limits.newConnectionsPerMinute),
            logger: logger)
        routes = DoorRoutes(webSockets: webSockets, streams: streams) { request, source in
            try await responder.respond(to: request, context: Responder.Context(source: source))
        }
        self.tls = tls
        self.group = group
    }

    package var metrics: DoorMetrics { shared.metrics }
}

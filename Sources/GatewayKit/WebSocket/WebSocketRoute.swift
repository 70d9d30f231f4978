import HTTPTypes
import NIOCore
import WireWebSocket

/// A path at which WebSocket connections are taken, over HTTP/1.1 and over HTTP/2.
package struct WebSocketRoute: Sendable {
    /// Compared with the request's path without its query.
    package var path: String
    /// Subprotocols that are spoken here; the client's order of preference decides. Empty: none is asked for.
    package var subprotocols: [String]
    /// Whether a client that asks for none of the subprotocols is refused (400).
    package var requiresSubprotocol: Bool
    /// Bounds before login; `WebSocketConnection.limits` may raise them afterwards.
    package var limits: WebSocketLimits
    /// Whether, and how, messages may be compressed. `nil` to never agree to permessage-deflate.
    package var deflate: WebSocketHandshake.DeflatePolicy?
    /// Decides about one handshake, on the connection's event loop, after Origin and grammar have been found good.
    package var open: @Sendable (WebSocketOpening) -> WebSocketDecision

    package init(
        path: String,
        subprotocols: [String] = [],
        requiresSubprotocol: Bool = false,
        limits: WebSocketLimits = WebSocketLimits(maxMessageBytes: 32 << 10),
        deflate: WebSocketHandshake.DeflatePolicy? = WebSocketHandshake.DeflatePolicy(),
        open: @escaping @Sendable (WebSocketOpening) -> WebSocketDecision
    ) {
        self.path = path
        self.subprotocols = subprotocols
        self.requiresSubprotocol = requiresSubprotocol
        self.limits = limits
        self.deflate = deflate
        self.open = open
    }
}

/// A handshake that waits for a decision.
package struct WebSocketOpening: Sendable {
    package let request: HTTPRequest
    package let remote: RemoteClient
    /// What the client and the route agree on; `nil` when the client asked for none of the route's.
    package let subprotocol: String?
    package let deflate: PermessageDeflate.Agreement?
    /// The loop that the session will live on: the one that calls.
    package let eventLoop: any EventLoop
}

/// A route's answer to a handshake.
package enum WebSocketDecision {
    case accept(any WebSocketSession)
    /// Answered as HTTP: a status of 4xx or 5xx, with further headers if need be.
    case refuse(HTTPResponse.Status, headers: HTTPFields = [:], body: String)
}

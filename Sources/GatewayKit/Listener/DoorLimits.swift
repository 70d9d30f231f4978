import NIOCore

/// Bounds on what a peer may cost before and after it has logged in. Each default is proved by a test.
package struct DoorLimits: Hashable, Sendable {
    // Connections
    /// Open connections of one subscriber (an IPv4 address, an IPv6 /64). More are closed unread.
    package var connectionsPerAddress = 64
    /// New connections of one subscriber per minute, of which up to as many may come at once.
    package var newConnectionsPerMinute = 300
    /// Open connections in all; beyond it the door stops accepting until one closes. `nil`: what the process's limit
    /// of file descriptors allows, less a reserve for files, the database and outbound connections.
    package var connections: Int?

    // Requests
    /// From accept (or the first byte of a later request) to a complete request head, TLS and PROXY header included.
    package var headTime = TimeAmount.seconds(10)
    /// How long a connection may stay open between two requests.
    package var keepAliveTime = TimeAmount.seconds(60)
    /// Header fields of one request; more are answered 431.
    package var headerCount = 100
    /// Names and values of all header fields of one request together; more are answered 431.
    package var headerBytes = 32 << 10
    /// Longest request target; a longer one is answered 414.
    package var targetBytes = 8 << 10
    /// Largest request body where `bodyBytesByPath` says nothing else; a larger one is answered 413.
    package var bodyBytes = 1 << 20
    /// Largest request body by the path's beginning; the longest beginning that fits counts.
    package var bodyBytesByPath: [String: Int] = [:]
    /// After so long a body must have come at `bodyRate` on average (time in which we did not read it is not counted).
    package var bodyTime = TimeAmount.seconds(60)
    /// Bytes per second; see `bodyTime`.
    package var bodyRate = 1 << 10
    /// Bytes of all request bodies that are held together; what comes on top is answered 503. What anybody may send,
    /// without a credential, may fill half of it.
    package var inboundBudget = 64 << 20
    /// Requests and WebSockets at a time on one HTTP/2 connection.
    package var http2Streams = 100
    /// RST_STREAM frames received, and stream errors that made us send one, per 30 s on one HTTP/2 connection.
    package var http2Resets = 200
    /// PING, SETTINGS and PRIORITY frames received per 30 s on one HTTP/2 connection.
    package var http2ControlFrames = 200

    // Sessions
    /// Bytes that may wait for one peer.
    package var outboundBytes = 1 << 20
    /// How long a peer may take nothing while bytes wait for it.
    package var outboundStall = TimeAmount.seconds(10)
    /// Bytes that may wait for all peers together.
    package var outboundBudget = 256 << 20
    /// Silence after which a peer is asked for a sign of life.
    package var pingAfter = TimeAmount.seconds(30)
    /// Silence after which a peer is taken for gone.
    package var silence = TimeAmount.seconds(60)
    /// How long a peer has to answer a close frame, or to take the last bytes of an answer.
    package var closeTime = TimeAmount.seconds(5)

    package init() {}

    /// The largest body for a path.
    func bodyBytes(forPath path: some StringProtocol) -> Int {
        var best: (length: Int, bytes: Int)?
        for (prefix, bytes) in bodyBytesByPath where path.hasPrefix(prefix) && prefix.utf8.count >= best?.length ?? 0 {
            best = (prefix.utf8.count, bytes)
        }
        return best?.bytes ?? bodyBytes
    }
}

import NIOCore
import WireWebSocket

/// What a gateway does with one WebSocket connection. *Lives on*: the connection's event loop, which makes every call.
///
/// Calls come in this order: `opened`; any number of the others; `closed`, once and last. A session is made by its
/// route's `open` and held by the connection until `closed` has returned; it should hold the connection strongly in
/// between and let go of it in `closed`.
package protocol WebSocketSession: AnyObject {
    /// The handshake is answered; the session may write from now on.
    func opened(_ connection: WebSocketConnection)
    /// A whole text message, valid UTF-8. Its bytes are the session's to keep.
    func received(text: ByteBuffer)
    func received(binary: ByteBuffer)
    /// The peer has taken all that was queued, after `isWritable` had been false.
    func becameWritable()
    /// The peer is too slow; its queue has been emptied.
    /// - Returns: the close frame that it gets in place of what was dropped.
    func limitExceeded(_ limit: OutboundLimit) -> WebSocketGoodbye
    /// The server is going down: say goodbye in the protocol's own words, then `close`. What is still open at the
    /// deadline is cut.
    func draining(deadline: NIODeadline)
    /// The connection is gone, for whatever reason; nothing can be written.
    func closed()
}

/// The close frame that ends a connection. RFC 6455 section 7.4.
package struct WebSocketGoodbye: Hashable, Sendable {
    package var code: WebSocketCloseCode
    /// Short English; cut at 123 bytes.
    package var reason: String

    package init(_ code: WebSocketCloseCode, _ reason: String = "") {
        self.code = code
        self.reason = reason
    }
}

extension WebSocketSession {
    package func limitExceeded(_ limit: OutboundLimit) -> WebSocketGoodbye {
        WebSocketGoodbye(.policyViolation, "too slow: \(limit.rawValue)")
    }
}

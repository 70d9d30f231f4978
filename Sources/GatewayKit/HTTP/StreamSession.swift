import HTTPTypes
import NIOCore

/// What a gateway does with one long answer (Server-Sent Events). *Lives on*: the connection's event loop, which makes
/// every call.
///
/// Calls come in this order: `opened`; any number of the others; `closed`, once and last. The stream holds its session
/// until `closed` has returned.
package protocol StreamSession: AnyObject {
    /// The request is complete: `start` the answer, or `respond`, now or later.
    func opened(_ stream: HTTPStream)
    /// The peer has taken all that was queued, after `isWritable` had been false.
    func becameWritable()
    /// The peer is too slow. Its queue has been emptied; what is returned is its last bytes, then the answer ends.
    func limitExceeded(_ limit: OutboundLimit) -> ByteBuffer
    /// The server is going down: say goodbye in the protocol's own words, then `end`. What is still open at the
    /// deadline is cut.
    func draining(deadline: NIODeadline)
    /// The answer has ended or the peer is gone; nothing can be written.
    func closed()
}

extension StreamSession {
    package func limitExceeded(_ limit: OutboundLimit) -> ByteBuffer { ByteBuffer() }
}

/// A path that is answered by a stream session instead of the router, over HTTP/1.1 and HTTP/2.
package struct StreamRoute: Sendable {
    package var method: HTTPRequest.Method
    /// Compared with the request's path without its query.
    package var path: String
    /// Makes the session of one request, on the connection's event loop, after its Origin has been found good. The
    /// request's body, if any, is read and dropped.
    package var open: @Sendable (HTTPRequest, RemoteClient) -> any StreamSession

    package init(
        method: HTTPRequest.Method = .get,
        path: String,
        open: @escaping @Sendable (HTTPRequest, RemoteClient) -> any StreamSession
    ) {
        self.method = method
        self.path = path
        self.open = open
    }
}

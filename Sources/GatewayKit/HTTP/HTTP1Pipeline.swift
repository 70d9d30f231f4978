import NIOCore
import NIOHTTP1
import NIOHTTPTypesHTTP1

/// The handlers of an HTTP/1 connection, from the socket's side: decoder, encoder, one request at a time, our rules,
/// the types shared with HTTP/2, the exchange.
enum HTTP1Pipeline {
    static func add(to channel: any Channel, loop: DoorLoop, routes: DoorRoutes, way: ConnectionWay) throws {
        let pipeline = channel.pipeline.syncOperations
        let connection = try pipeline.handler(type: ConnectionGuard.self)
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldCount = loop.limits.headerCount
        limits.maxHeaderListSize = loop.limits.headerBytes
        limits.maxHeaderFieldSize = max(loop.limits.headerBytes, loop.limits.targetBytes)
        let decoder = HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes, limitConfiguration: limits)
        let gate = HTTP1Gate(loop: loop, connection: connection)
        try pipeline.addHandlers([
            ByteToMessageHandler(decoder), HTTPResponseEncoder(), HTTPServerPipelineHandler(), gate,
            HTTP1ToHTTPServerCodec(secure: way.isSecure),
            HTTPExchange(loop: loop, routes: routes, way: way, gate: gate),
        ])
    }

    /// Takes all of that (and the guard) out again and puts a WebSocket in its place. What the peer has sent behind its
    /// handshake is passed on to it.
    static func handOver(_ channel: any Channel, to connection: WebSocketConnection) throws {
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(connection)
        for context in [
            try pipeline.context(handlerType: HTTPExchange.self),
            try pipeline.context(handlerType: HTTP1ToHTTPServerCodec.self),
            try pipeline.context(handlerType: HTTP1Gate.self),
            try pipeline.context(handlerType: HTTPServerPipelineHandler.self),
            try pipeline.context(handlerType: HTTPResponseEncoder.self),
            try pipeline.context(handlerType: ConnectionGuard.self),
        ] {
            pipeline.removeHandler(context: context, promise: nil)
        }
        connection.start()
        // Last, as it hands on the bytes that it has not parsed, without saying that they were all.
        let decoder = try pipeline.context(handlerType: ByteToMessageHandler<HTTPRequestDecoder>.self)
        let removed = channel.eventLoop.makePromise(of: Void.self)
        let box = NIOLoopBound(connection, eventLoop: channel.eventLoop)
        removed.futureResult.whenComplete { _ in box.value.flush() }
        pipeline.removeHandler(context: decoder, promise: removed)
    }
}

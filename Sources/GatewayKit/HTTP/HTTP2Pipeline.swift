import NIOCore
import NIOHTTP2
import NIOHTTPTypesHTTP2

/// The handlers of an HTTP/2 connection and of each of its streams. RFC 9113, RFC 8441.
enum HTTP2Pipeline {
    static func add(to channel: any Channel, loop: DoorLoop, routes: DoorRoutes, way: ConnectionWay) throws {
        let pipeline = channel.pipeline.syncOperations
        let connection = try pipeline.handler(type: ConnectionGuard.self)
        let keeper = HTTP2Keeper(loop: loop, connection: connection)
        let shared = NIOLoopBound(loop, eventLoop: loop.eventLoop)
        let handler = NIOHTTP2Handler(
            mode: .server, eventLoop: loop.eventLoop,
            connectionConfiguration: connectionConfiguration(loop.limits),
            streamConfiguration: streamConfiguration(loop.limits),
            streamDelegate: HTTP2StreamWatch(keeper, eventLoop: loop.eventLoop)
        ) { stream in
            stream.eventLoop.makeCompletedFuture {
                let loop = shared.value
                try stream.pipeline.syncOperations.addHandlers([
                    HTTP2FramePayloadToHTTPServerCodec(),
                    HTTPExchange(loop: loop, routes: routes, way: way, gate: nil),
                ])
            }
        }
        try pipeline.addHandlers([handler, keeper])
    }

    private static func connectionConfiguration(_ limits: DoorLimits) -> NIOHTTP2Handler.ConnectionConfiguration {
        var configuration = NIOHTTP2Handler.ConnectionConfiguration()
        configuration.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: limits.http2Streams),
            HTTP2Setting(parameter: .maxHeaderListSize, value: limits.headerBytes),
            HTTP2Setting(parameter: .enableConnectProtocol, value: 1),
        ]
        configuration.maximumSequentialContinuationFrames = 5
        configuration.maximumBufferedControlFrames = 1000
        configuration.controlFrameRateLimit.maximumCount = limits.http2ControlFrames
        return configuration
    }

    private static func streamConfiguration(_ limits: DoorLimits) -> NIOHTTP2Handler.StreamConfiguration {
        var configuration = NIOHTTP2Handler.StreamConfiguration()
        configuration.outboundBufferSizeHighWatermark = 64 << 10
        configuration.outboundBufferSizeLowWatermark = 32 << 10
        configuration.streamResetFrameRateLimit.maximumCount = limits.http2Resets
        configuration.streamErrorRateLimit.maximumCount = limits.http2Resets
        return configuration
    }
}

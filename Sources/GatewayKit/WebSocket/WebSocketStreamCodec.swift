import NIOCore
import NIOHTTPTypes

/// Makes the body of an extended CONNECT look like a byte stream, and its end like the end of one. *Lives on*: the
/// HTTP/2 stream's event loop. RFC 8441 section 5.
final class WebSocketStreamCodec: ChannelDuplexHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = HTTPResponsePart

    private var hasEnded = false
    private var hasPeerEnded = false
    /// Our end is out; the peer's is awaited, for a while.
    private var waiting: (close: Scheduled<Void>, promise: EventLoopPromise<Void>?)?

    private static let patience = TimeAmount.seconds(1)

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head: break
        case .body(let bytes): context.fireChannelRead(wrapInboundOut(bytes))
        case .end:
            hasPeerEnded = true
            if waiting != nil {
                closeNow(context)
            } else {
                context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
            }
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        context.write(wrapOutboundOut(.body(unwrapOutboundIn(data))), promise: promise)
    }

    /// An orderly close is END_STREAM. Closing the channel before the peer has ended its side too would reset the stream.
    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard !hasEnded, mode != .input, context.channel.isActive else {
            if waiting != nil { closeNow(context) }
            return context.close(mode: mode, promise: promise)
        }
        hasEnded = true
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        guard !hasPeerEnded else { return context.close(mode: mode, promise: promise) }
        let box = NIOLoopBound((codec: self, context: context), eventLoop: context.eventLoop)
        let close = context.eventLoop.scheduleTask(in: Self.patience) { box.value.codec.closeNow(box.value.context) }
        waiting = (close, promise)
    }

    private func closeNow(_ context: ChannelHandlerContext) {
        guard let (scheduled, promise) = waiting else { return }
        waiting = nil
        scheduled.cancel()
        context.close(promise: promise)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        waiting?.close.cancel()
        waiting?.promise?.succeed()
        waiting = nil
    }
}

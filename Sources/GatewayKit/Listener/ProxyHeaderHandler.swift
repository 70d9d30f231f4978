import NIOCore

/// Takes the PROXY header off the front of a connection, then leaves. *Lives on*: its channel's event loop.
final class ProxyHeaderHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let accepted: (ProxyHeader) -> DoorRefusal?
    private let refused: (DoorRefusal) -> Void
    private var received = ByteBuffer()

    /// - Parameters:
    ///   - accepted: told of the header before any other byte is passed on; may still refuse the connection.
    ///   - refused: told why the connection is closed.
    init(accepted: @escaping (ProxyHeader) -> DoorRefusal?, refused: @escaping (DoorRefusal) -> Void) {
        self.accepted = accepted
        self.refused = refused
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        received.writeImmutableBuffer(unwrapInboundIn(data))
        do {
            guard let header = try ProxyHeader.decode(received.readableBytesView) else { return }
            if let refusal = accepted(header) { return refuse(context, refusal) }
            received.moveReaderIndex(forwardBy: header.length)
            let rest = received
            received = ByteBuffer()
            if rest.readableBytes > 0 {
                context.fireChannelRead(wrapInboundOut(rest))
                context.fireChannelReadComplete()
            }
            // Last: a handler that has been removed reaches nobody.
            context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
        } catch {
            refuse(context, .proxyHeader)
        }
    }

    private func refuse(_ context: ChannelHandlerContext, _ refusal: DoorRefusal) {
        received = ByteBuffer()
        refused(refusal)
        context.close(promise: nil)
    }
}

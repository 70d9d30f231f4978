import NIOCore
import NIOTLS

/// Finds out which protocol a connection speaks: by ALPN, or by its first bytes where that is not used. Then it sets up
/// the pipeline and leaves. *Lives on*: its channel's event loop. RFC 9113 sections 3.3 and 3.4.
final class ProtocolSwitch: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    enum Choice {
        case http1
        case http2
    }

    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    private let choose: (Choice) throws -> Void
    private let refused: (DoorRefusal) -> Void
    /// Whether the handshake of TLS must come first.
    private var awaitsTLS: Bool
    private var received = ByteBuffer()

    /// - Parameter choose: adds the handlers of the chosen protocol at the pipeline's end.
    init(
        isSecure: Bool, choose: @escaping (Choice) throws -> Void, refused: @escaping (DoorRefusal) -> Void
    ) {
        awaitsTLS = isSecure
        self.choose = choose
        self.refused = refused
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .some(.handshakeCompleted(let name)) = event as? TLSUserEvent {
            awaitsTLS = false
            switch name {
            case "h2": decide(context, .http2)
            case "http/1.1": decide(context, .http1)
            default: decide(context)
            }
        } else if case .some(.inputClosed) = event as? ChannelEvent {
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        received.writeImmutableBuffer(unwrapInboundIn(data))
        if !awaitsTLS { decide(context) }
    }

    /// Before the pipeline is chosen nothing but TLS and the socket can fail.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if awaitsTLS { refused(.tls) }
        context.close(promise: nil)
    }

    /// By the first bytes. A method is a word in capitals (any other token would do, but nobody has one).
    private func decide(_ context: ChannelHandlerContext) {
        guard let first = received.readableBytesView.first else { return }
        if zip(received.readableBytesView, Self.preface).allSatisfy({ $0 == $1 }) {
            // "PRI" is no method of HTTP/1, but "P" begins several.
            if received.readableBytes >= 3 { decide(context, .http2) }
        } else if (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(first) {
            decide(context, .http1)
        } else {
            refused(.wrongProtocol)
            context.close(promise: nil)
        }
    }

    private func decide(_ context: ChannelHandlerContext, _ choice: Choice) {
        do {
            try choose(choice)
        } catch {
            context.close(promise: nil)
            return
        }
        let rest = received
        received = ByteBuffer()
        if rest.readableBytes > 0 {
            context.fireChannelRead(wrapInboundOut(rest))
            context.fireChannelReadComplete()
        }
        // Last: a handler that has been removed reaches nobody.
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    }
}

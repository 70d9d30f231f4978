import NIOCore
import NIOSSL

/// Sets up each accepted connection of one listener. *Lives on*: any thread; works on the connection's event loop.
struct DoorAcceptor: Sendable {
    let listener: DoorListener
    let shared: DoorShared
    let routes: DoorRoutes
    let tls: TLSContextStore?
    let slots: ConnectionSlots
    let loops: [ObjectIdentifier: NIOLoopBound<DoorLoop>]

    struct Refused: Error {
        let refusal: DoorRefusal
    }

    /// - Returns: a failure, on which the connection is closed, when it is not wanted.
    func accept(_ channel: any Channel) -> EventLoopFuture<Void> {
        channel.eventLoop.makeCompletedFuture {
            guard let loop = loops[ObjectIdentifier(channel.eventLoop)]?.value else {
                throw ChannelError.operationUnsupported
            }
            loop.counters.accepted.add()
            slots.take()
            let slots = slots
            let closed = NIOLoopBound(loop, eventLoop: loop.eventLoop)
            channel.closeFuture.whenComplete { _ in
                slots.giveBack()
                closed.value.counters.closed.add()
            }
            do {
                try setUp(channel, loop)
            } catch let error as Refused {
                shared.metrics.count(error.refusal)
                throw error
            }
        }
    }

    private func setUp(_ channel: any Channel, _ loop: DoorLoop) throws {
        let peer = channel.remoteAddress?.ipAddress.flatMap { NetworkAddress(plain: $0) }
        var way = ConnectionWay(
            peer: peer, isSecure: listener.isSecure, isTrustedProxy: isTrusted(peer), isProxied: false,
            isCounted: false)
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(ConnectionGuard(loop: loop, channel: channel))
        guard listener.expectsProxyHeader else {
            try count(&way, channel, loop)
            try addProtocols(to: channel, loop, way)
            return
        }
        guard way.isTrustedProxy else { throw Refused(refusal: .proxyHeader) }
        let metrics = shared.metrics
        let handler = ProxyHeaderHandler(
            accepted: { header in
                if let source = header.source {
                    way.peer = source
                    way.isTrustedProxy = isTrusted(source)
                    way.isProxied = true
                    way.isSecure = header.isSecure ?? way.isSecure
                }
                do {
                    try count(&way, channel, loop)
                    try addProtocols(to: channel, loop, way)
                    return nil
                } catch {
                    return (error as? Refused)?.refusal ?? .proxyHeader
                }
            },
            refused: { metrics.count($0) })
        try pipeline.addHandler(handler)
    }

    private func isTrusted(_ peer: NetworkAddress?) -> Bool {
        guard let peer else { return true }
        return shared.configuration.isTrusted(peer)
    }

    /// Takes a place of the peer in the address limiter for as long as the connection lasts. Proxies have no bound: the
    /// requests that they carry are counted instead.
    private func count(_ way: inout ConnectionWay, _ channel: any Channel, _ loop: DoorLoop) throws(Refused) {
        guard !way.isTrustedProxy, let peer = way.peer else { return }
        if let refusal = shared.addresses.admit(peer, now: loop.eventLoop.now) { throw Refused(refusal: refusal) }
        way.isCounted = true
        let addresses = shared.addresses
        channel.closeFuture.whenComplete { _ in addresses.release(peer) }
    }

    private func addProtocols(to channel: any Channel, _ loop: DoorLoop, _ way: ConnectionWay) throws {
        let pipeline = channel.pipeline.syncOperations
        if listener.isSecure, let tls {
            try pipeline.addHandler(NIOSSLServerHandler(context: tls.current))
        }
        let metrics = shared.metrics
        let routes = routes
        let choice = ProtocolSwitch(
            isSecure: listener.isSecure,
            choose: { choice in
                switch choice {
                case .http1: try HTTP1Pipeline.add(to: channel, loop: loop, routes: routes, way: way)
                case .http2: try HTTP2Pipeline.add(to: channel, loop: loop, routes: routes, way: way)
                }
            },
            refused: { metrics.count($0) })
        try pipeline.addHandler(choice)
    }
}

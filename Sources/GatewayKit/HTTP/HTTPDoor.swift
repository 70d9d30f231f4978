#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization

/// The HTTP door: every listener for HTTP/1.1, HTTP/2 and WebSocket over both, with and without TLS. *Lives on*: any
/// thread; what it accepts lives on the loops of its group.
///
/// Sessions (WebSocket and streams) are objects of an event loop that are called directly: no task, no async sequence
/// and no lock per connection. Only a request that goes to the router gets a task, for as long as it runs.
///
/// As a `Service` it listens from `run` until graceful shutdown, which it answers by a drain: it stops accepting, lets
/// every session say goodbye (spread over `drainWindow`), and cuts what is left at `drainDeadline`.
package final class HTTPDoor: Service {
    let shared: DoorShared
    let routes: DoorRoutes
    let group: any EventLoopGroup
    let tls: TLSContextStore?
    let state = Mutex(State())

    struct State {
        var addresses: [SocketAddress] = []
        var isListening = false
        var waiting: [CheckedContinuation<[SocketAddress], any Error>] = []
        var failure: (any Error)?
    }

    /// - Parameters:
    ///   - responder: answers all requests that no stream route and no WebSocket handshake takes; usually
    ///     `router.buildResponder()`. Its context is made from a `DoorRequestSource`.
    ///   - bodyAllowance: how much of a body is taken in for the responder.
    ///   - tls: for the listeners that are secure; asked anew for each connection.
    ///   - group: the loops that sessions live on: those that the hub knows.
    package init<Responder: HTTPResponder>(
        configuration: DoorConfiguration,
        responder: Responder,
        webSockets: [WebSocketRoute] = [],
        streams: [StreamRoute] = [],
        bodyAllowance: @escaping @Sendable (HTTPRequest) -> BodyAllowance = { _ in .standard },
        tls: TLSContextStore? = nil,
        group: any EventLoopGroup,
        metrics: DoorMetrics = DoorMetrics(),
        logger: Logger
    ) where Responder.Context: InitializableFromSource<DoorRequestSource> {
        let budget = ByteBudget(limit: configuration.limits.outboundBudget)
        metrics.watch(budget)
        shared = DoorShared(
            configuration: configuration,
            metrics: metrics,
            budget: budget,
            bodies: ByteBudget(limit: configuration.limits.inboundBudget),
            addresses: AddressLimiter(
                maxOpen: configuration.limits.connectionsPerAddress,
                perMinute: configuration.limits.newConnectionsPerMinute),
            logger: logger)
        routes = DoorRoutes(webSockets: webSockets, streams: streams, bodyAllowance: bodyAllowance) { request, source in
            try await responder.respond(to: request, context: Responder.Context(source: source))
        }
        self.tls = tls
        self.group = group
    }

    package var metrics: DoorMetrics { shared.metrics }
}

// MARK: - Service

extension HTTPDoor {
    /// Why the door could not open.
    package struct Failure: Error, CustomStringConvertible {
        /// One line, with the address.
        package let description: String
    }

    /// Listens until graceful shutdown (or cancellation), then drains.
    /// - Throws: `Failure` when a listener cannot be bound; none is left open then.
    package func run() async throws {
        let loops = try await makeLoops()
        let listeners: [any Channel]
        do {
            listeners = try await listen(loops)
        } catch {
            settle(.failure(error))
            throw error
        }
        settle(.success(listeners.compactMap(\.localAddress)))
        for address in listeners.compactMap(\.localAddress) {
            shared.logger.info("listening", metadata: ["address": "\(address)"])
        }
        // Waits for nothing but the shutdown.
        try? await gracefulShutdown()
        await drain(listeners, loops)
    }

    /// Where the door listens, in the order of the configuration's listeners, ports filled in. Waits until it does.
    /// - Throws: what `run` throws.
    package var addresses: [SocketAddress] {
        get async throws {
            try await withCheckedThrowingContinuation { continuation in
                let outcome: Result<[SocketAddress], any Error>? = state.withLock { state in
                    if let failure = state.failure { return .failure(failure) }
                    if state.isListening { return .success(state.addresses) }
                    state.waiting.append(continuation)
                    return nil
                }
                if let outcome { continuation.resume(with: outcome) }
            }
        }
    }

    private func settle(_ outcome: Result<[SocketAddress], any Error>) {
        let waiting = state.withLock { state in
            switch outcome {
            case .success(let addresses): (state.addresses, state.isListening) = (addresses, true)
            case .failure(let error): state.failure = error
            }
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume(with: outcome) }
    }

    private func makeLoops() async throws -> [ObjectIdentifier: NIOLoopBound<DoorLoop>] {
        var loops: [ObjectIdentifier: NIOLoopBound<DoorLoop>] = [:]
        for eventLoop in group.makeIterator() {
            let shared = shared
            loops[ObjectIdentifier(eventLoop)] = try await eventLoop.submit {
                NIOLoopBound(DoorLoop(eventLoop: eventLoop, door: shared), eventLoop: eventLoop)
            }.get()
        }
        return loops
    }

    private func listen(_ loops: [ObjectIdentifier: NIOLoopBound<DoorLoop>]) async throws -> [any Channel] {
        let slots = ConnectionSlots(limit: shared.configuration.limits.connections ?? DescriptorLimit.connections)
        var channels: [any Channel] = []
        do {
            for listener in shared.configuration.listeners {
                guard !listener.isSecure || tls != nil else {
                    throw Failure(description: "\(listener.address): TLS is asked for, but there is no certificate")
                }
                let acceptor = DoorAcceptor(
                    listener: listener, shared: shared, routes: routes, tls: tls, slots: slots, loops: loops)
                channels.append(try await bind(listener, acceptor))
            }
        } catch {
            for channel in channels { try? await channel.close() }
            throw error
        }
        return channels
    }

    private func bind(_ listener: DoorListener, _ acceptor: DoorAcceptor) async throws -> any Channel {
        let slots = acceptor.slots
        var bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptGate(slots: slots))
                }
            }
            // Over TLS the end of the TCP stream is the end of everything: the end of one side is a message of its own.
            .childChannelOption(.allowRemoteHalfClosure, value: !acceptor.listener.isSecure)
            .childChannelOption(
                .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 1024, initial: 1024, maximum: 65_536)
            )
            .childChannelInitializer { acceptor.accept($0) }
        do {
            switch listener.address {
            case .ip(let host, let port):
                for (option, value) in TCPOptions.all(shared.configuration.limits) {
                    bootstrap = bootstrap.childChannelOption(option, value: value)
                }
                return try await bootstrap.bind(host: host, port: port).get()
            case .unix(let path):
                let channel = try await bootstrap.bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true)
                    .get()
                if let mode = listener.unixMode, chmod(path, mode_t(mode)) != 0 {
                    let error = IOError(errnoCode: errno, reason: "chmod")
                    try? await channel.close()
                    throw error
                }
                return channel
            }
        } catch {
            throw Failure(description: "\(listener.address): cannot listen (\(error))")
        }
    }

    /// Stops accepting, says goodbye everywhere, and waits until all is closed or the deadline has come.
    private func drain(_ listeners: [any Channel], _ loops: [ObjectIdentifier: NIOLoopBound<DoorLoop>]) async {
        for channel in listeners { try? await channel.close() }
        let configuration = shared.configuration
        let deadline = NIODeadline.now() + configuration.drainDeadline
        for loop in loops.values {
            loop.eventLoop.execute { loop.value.drain(window: configuration.drainWindow, deadline: deadline) }
        }
        shared.logger.info("draining", metadata: ["connections": "\(metrics.snapshot.connectionsOpen)"])
        while metrics.snapshot.connectionsOpen > 0, NIODeadline.now() < deadline {
            do {
                try await Task.sleep(for: .milliseconds(50))
            } catch {
                break
            }
        }
        for loop in loops.values {
            _ = try? await loop.eventLoop.submit { loop.value.cutAll() }.get()
        }
    }
}

extension DoorListener.Address: CustomStringConvertible {
    package var description: String {
        switch self {
        case .ip(let host, let port): "\(host.contains(":") ? "[\(host)]" : host):\(port)"
        case .unix(let path): path
        }
    }
}

import AsyncHTTPClient
import GatewayKit
import NIOCore
import NIOHTTP1
import NIOPosix

/// HTTP to addresses that somebody else chose: webhooks, and the published keys of a host application.
///
/// A name is resolved once, its address is checked, and that address is connected to; TLS still verifies the name. No
/// redirect is followed, no proxy of the environment obeyed, no cookie kept, and an answer is read to a limit.
///
/// *Lives on* no loop: all of it may be called from any task. ``shutdown()`` must be called.
struct OutboundHTTP: WebhookTransport {
    private let clients: OutboundClients
    private let threads: NIOThreadPool
    private let lookUp: NameLookUp
    private let callTime: TimeAmount
    private let lookUpTime: TimeAmount

    /// Of an answer whose content does not matter: more of it is not read.
    private static let ignoredBytes = 64 * 1024

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// - Parameters:
    ///   - group: the loops that connections are made on.
    ///   - callTime: for one call of a webhook, from the connection to the end of its answer.
    ///   - lookUpTime: for a look-up that nothing else bounds.
    init(
        group: any EventLoopGroup, callTime: TimeAmount = WebhookTiming.timeout, lookUpTime: TimeAmount = .seconds(10)
    ) {
        self.callTime = callTime
        self.lookUpTime = lookUpTime
        clients = OutboundClients(group: group)
        threads = NIOThreadPool(numberOfThreads: 4)
        threads.start()
        lookUp = NameLookUp(threads: threads)
    }

    func shutdown() async throws {
        await clients.shutdown()
        try await threads.shutdownGracefully()
    }

    func resolve(_ name: String, port: Int) async throws -> [SocketAddress] {
        try await resolve(name, port: port, by: .now() + lookUpTime)
    }

    private func resolve(_ name: String, port: Int, by deadline: NIODeadline) async throws -> [SocketAddress] {
        try await TimeLimit.run(until: deadline) { [lookUp] in try await lookUp.addresses(of: name, port: port) }
    }

    func post(_ call: WebhookCall) async throws -> Int {
        var request = HTTPClientRequest(url: OutboundHTTP.text(of: call.url))
        request.method = .POST
        request.headers = HTTPHeaders(call.headers.map { ($0.name, $0.value) })
        request.body = .bytes(call.body)
        let deadline = NIODeadline.now() + callTime
        return try await send(request, to: call.url, at: call.address, by: deadline) { response in
            // Read, so that the connection can be used again; what is too long or too slow costs the connection only.
            _ = try? await TimeLimit.run(until: deadline) {
                try await response.body.collect(upTo: OutboundHTTP.ignoredBytes)
            }
            return Int(response.status.code)
        }
    }

    /// Gets a document of at most `limit` bytes, all of it within the time.
    func get(_ text: String, by policy: OutboundPolicy, limit: Int, timeout: TimeAmount) async throws -> [UInt8] {
        let deadline = NIODeadline.now() + timeout
        let url = try OutboundURL(checking: text, by: policy)
        let addresses: [SocketAddress]
        switch url.host {
        case .address(let address):
            addresses = [try SocketAddress(packedIPAddress: ByteBuffer(bytes: address.bytes), port: url.port)]
        case .name(let name): addresses = try await resolve(name, port: url.port, by: deadline)
        }
        var request = HTTPClientRequest(url: OutboundHTTP.text(of: url))
        request.headers = ["user-agent": "Switchboard", "accept": "application/json, */*"]
        return try await send(request, to: url, at: try policy.dialable(addresses).get(), by: deadline) { response in
            guard response.status == .ok else { throw Failure(description: "status \(response.status.code)") }
            return try await TimeLimit.run(until: deadline) {
                Array(try await response.body.collect(upTo: limit).readableBytesView)
            }
        }
    }

    private func send<Result: Sendable>(
        _ request: HTTPClientRequest, to url: OutboundURL, at address: SocketAddress, by deadline: NIODeadline,
        _ read: (HTTPClientResponse) async throws -> Result
    ) async throws -> Result {
        guard let target = address.ipAddress else { throw Failure(description: "not an address of the internet") }
        var override: String?
        if case .name(let name) = url.host { override = name }
        let route = OutboundClients.Route(name: override, address: target)
        let client = try await clients.lend(route)
        do {
            let response = try await TimeLimit.run(until: deadline) {
                try await client.execute(request, deadline: deadline)
            }
            let result = try await read(response)
            await clients.giveBack(route)
            return result
        } catch {
            await clients.giveBack(route)
            throw error
        }
    }

    /// Written anew from what was checked, so that the client's own reader has nothing to read otherwise.
    private static func text(of url: OutboundURL) -> String {
        "\(url.isSecure ? "https" : "http")://\(url.authority)\(url.target)"
    }
}

/// HTTP clients by where they connect: one for each name and address, because a client's look-up can be overruled only for
/// all of its requests.
///
/// *Lives on* its own executor. Bounded: beyond some, the one unused for longest is shut down.
private actor OutboundClients {
    struct Route: Hashable {
        /// Nil where the URL holds the address itself.
        let name: String?
        let address: String
    }

    private struct Entry {
        let client: HTTPClient
        var users = 0
        var lastUse: UInt64
    }

    private static let capacity = 32
    private let group: any EventLoopGroup
    private var entries: [Route: Entry] = [:]
    private var uses: UInt64 = 0
    private var isShutDown = false

    init(group: any EventLoopGroup) { self.group = group }

    func lend(_ route: Route) async throws -> HTTPClient {
        guard !isShutDown else { throw CancellationError() }
        uses += 1
        if entries[route] == nil {
            await makeRoom()
            // Somebody else may have come in between, and the end too.
            guard !isShutDown else { throw CancellationError() }
        }
        var entry = entries[route] ?? Entry(client: make(route), lastUse: uses)
        entry.users += 1
        entry.lastUse = uses
        entries[route] = entry
        return entry.client
    }

    func giveBack(_ route: Route) { entries[route]?.users -= 1 }

    func shutdown() async {
        isShutDown = true
        let clients = entries.values.map(\.client)
        entries = [:]
        for client in clients { await OutboundClients.end(client) }
    }

    private func makeRoom() async {
        guard entries.count >= OutboundClients.capacity,
            let oldest = entries.filter({ $0.value.users == 0 }).min(by: { $0.value.lastUse < $1.value.lastUse })
        else { return }
        entries[oldest.key] = nil
        await OutboundClients.end(oldest.value.client)
    }

    private static func end(_ client: HTTPClient) async {
        // Requests that still run fail by it, as they are meant to.
        try? await client.shutdown()
    }

    private func make(_ route: Route) -> HTTPClient {
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow,
            timeout: .init(connect: .seconds(5), read: .seconds(10), write: .seconds(10)), proxy: nil,
            ignoreUncleanSSLShutdown: false, decompression: .disabled)
        configuration.connectionPool.idleTimeout = .seconds(30)
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 4
        if let name = route.name { configuration.dnsOverride = [name: route.address] }
        return HTTPClient(eventLoopGroupProvider: .shared(group), configuration: configuration)
    }
}

import ClientAPI
import Foundation
import GatewayKit
import Hub
import Hummingbird
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import StoreSQLite
import TestKit

/// A hub with its doors for the length of one play: in memory and without a door, or on disk with real connections.
struct Playhouse: Sendable {
    enum Depth: String, Sendable, CaseIterable { case inProcess, connections }

    let depth: Depth
    let hub: Hub
    let api: ClientAPI
    let tokens: TokenList
    let sockets: MultiThreadedEventLoopGroup
    let responder: any HTTPResponder<DoorRequestContext>

    /// Plays a script at a depth, with an account and a player for each of its people.
    static func play(_ script: PlayScript, _ depth: Depth) async throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("play-\(UUID().uuidString)").path
        let sockets = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let lane = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let readers = NIOThreadPool(numberOfThreads: 2)
        readers.start()
        let store = depth == .connections ? try SQLiteStore.open(directory: directory, logger: .silent) : nil
        let house = try make(depth, stores(store), sockets, lane.next(), readers)
        let door = depth == .connections ? house.makeDoor() : nil
        let group = ServiceGroup(configuration: .init(services: door.map { [$0] } ?? [], logger: .silent))
        let running = Task { if door != nil { try await group.run() } }
        let search = Task { [hub = house.hub] in try await SearchFollower(hub: hub, logger: .silent)?.run() }
        var failure: (any Error)?
        do {
            let port = try await door?.addresses.first?.port ?? 0
            try await house.perform(script, port)
        } catch {
            failure = error
        }
        search.cancel()
        if door != nil { await group.triggerGracefulShutdown() }
        try await running.value
        house.hub.shutdown()
        try await sockets.shutdownGracefully()
        try await lane.shutdownGracefully()
        try await readers.shutdownGracefully()
        try store?.close()
        try? FileManager.default.removeItem(atPath: directory)
        if let failure { throw failure }
    }

    private static func stores(_ disk: SQLiteStore?) -> Stores {
        if let disk { return Stores(log: disk, archive: disk, directory: disk, search: disk) }
        let memory = MemoryStore()
        return Stores(log: memory, archive: memory, directory: memory, search: memory)
    }

    private static func make(
        _ depth: Depth, _ stores: Stores, _ sockets: MultiThreadedEventLoopGroup, _ lane: any EventLoop,
        _ readers: NIOThreadPool
    ) throws -> Playhouse {
        guard let name = ServerName("example.org") else { throw PlayFailure("not a server's name") }
        let hub = try Hub(
            serverName: name, stores: stores, lane: lane, loops: Array(sockets.makeIterator()),
            readers: ReaderPool { work in readers.submit { _ in work() } }, limits: .unlimited,
            clock: { Timestamp(rawValue: Int64(Date().timeIntervalSince1970 * 1_000)) },
            random: { UInt64.random(in: 0...UInt64.max) }, logger: .silent)
        let tokens = TokenList()
        let api = ClientAPI(services: APIServices(hub: hub, authenticator: tokens))
        let router = Router(context: DoorRequestContext.self)
        api.addRoutes(to: router, origins: OriginPolicy())
        return Playhouse(
            depth: depth, hub: hub, api: api, tokens: tokens, sockets: sockets, responder: router.buildResponder())
    }

    private func makeDoor() -> HTTPDoor {
        HTTPDoor(
            configuration: DoorConfiguration(
                listeners: [DoorListener(.ip(host: "127.0.0.1", port: 0))], drainWindow: .milliseconds(50),
                drainDeadline: .seconds(2)),
            responder: responder, webSockets: [api.webSocketRoute], streams: [api.streamRoute], group: sockets,
            logger: .silent)
    }

    private func perform(_ script: PlayScript, _ port: Int) async throws {
        var handles: [String: String] = [:]
        for (person, _) in script.cast { handles[person] = person.lowercased() }
        let stage = Stage(handles: handles)
        var players: [String: any Player] = [:]
        for (person, door) in script.cast {
            guard door == "web", let handle = handles[person] else { throw PlayFailure("there is no door \(door)") }
            try await makeAccount(handle)
            let player = WebPlayer(handle: handle, token: handle) { try await connect(port) }
            try await player.connect()
            players[person] = player
        }
        try await script.run(players: players, stage: stage)
        for case let player as WebPlayer in players.values { await player.disconnect() }
    }

    private func connect(_ port: Int) async throws -> any FrameConnection {
        switch depth {
        case .inProcess: HubFrames(house: self)
        case .connections: try await SocketFrames.connect(port: port, group: sockets)
        }
    }

    private func makeAccount(_ name: String) async throws {
        guard let handle = Handle(name) else { throw PlayFailure("not a handle: \(name)") }
        let now = hub.clock()
        let actor = try await hub.write { directory throws(StoreError) in
            let account = try directory.create(
                NewAccount(
                    address: Address(handle: handle), kind: .person, displayName: nil, isAdministrator: false,
                    created: now, expires: nil))
            let device = try directory.createDevice(
                of: account.id, name: "play", tokenHash: Array(name.utf8), at: now)
            return Actor(party: account.party, device: device.id, isAdministrator: false, kind: .person)
        }
        await tokens.add(name, actor)
    }
}

/// Knows who is who by a list.
actor TokenList: Authenticator {
    private var actors: [String: Actor] = [:]

    func add(_ token: String, _ actor: Actor) { actors[token] = actor }
    func actor(_ token: String) -> Actor? { actors[token] }

    func authenticate(bearer: String, remote: RemoteClient) async -> Result<Actor, Rejection> {
        actors[bearer].map { .success($0) } ?? .failure(Rejection(.unauthenticated, "unknown token"))
    }
}

extension Logger {
    static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
}

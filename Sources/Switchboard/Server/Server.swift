import ClientAPI
import GatewayKit
import Glibc
import Hub
import Logging
import NIOCore
import StoreSQLite
import Synchronization

/// One server: all its parts, made in their order and let go in the reverse one. The composition root.
///
/// *Lives on* no loop: the parts are for any thread; what changes in it (the configuration in force, whether it is ready)
/// is behind one lock.
final class Server: Sendable {
    /// Which doors are opened.
    enum Scope: Sendable {
        case everything
        /// Only the admin socket: for a subcommand while no server runs.
        case admin
    }
    /// The parts, once all are there.
    struct Parts: Sendable {
        let store: SQLiteStore
        let loops: Loops
        let hub: Hub
        let passwords: PasswordPool
        let accounts: AccountService
        let outbound: OutboundHTTP
        let gate: OutboundGate
        let webhooks: WebhookService
        /// Who acts on the admin socket.
        let actor: Actor
        let secure: Security
    }
    /// TLS of the HTTP door.
    struct Security: Sendable {
        var contexts: TLSContextStore?
        /// Of a certificate that the server made itself.
        var fingerprint: String?
    }
    struct State: Sendable {
        var configuration: ServerConfiguration
        var isReady = false
        /// Of the network door; nil before it is open, and where it listens at paths.
        var port: Int?
        /// An error of the log after which the process must end.
        var fatal: StoreError?
        var stop: (@Sendable () -> Void)?
    }
    let parts: Parts
    let scope: Scope
    let log: ServerLog
    let logger: Logger
    let metrics = DoorMetrics()
    let state: Mutex<State>
    let started = NIODeadline.now()

    private init(_ parts: Parts, _ configuration: ServerConfiguration, _ scope: Scope, _ log: ServerLog) {
        self.parts = parts
        self.scope = scope
        self.log = log
        logger = log.logger("switchboard.server")
        state = Mutex(State(configuration: configuration))
    }

    var configuration: ServerConfiguration { state.withLock { $0.configuration } }

    /// Begins to go down, from any thread. Once is enough.
    func stop() {
        let stop = state.withLock { $0.stop }
        stop?()
    }

    // MARK: Opening

    /// Opens the data directory, taking its lock, and makes all parts; no door is open yet.
    ///
    /// Throws one clear line: the directory is in use, damaged, not writable; a key file or certificate can't be read.
    static func open(
        _ configuration: ServerConfiguration, log: ServerLog, scope: Scope
    ) async throws(Failure) -> Server {
        // Whatever is made from here on is for this account alone: the database, keys, the admin socket.
        umask(0o077)
        let fatal = FatalBox()
        let store: SQLiteStore
        do throws(StoreError) {
            store = try SQLiteStore.open(
                directory: configuration.data.directory, options: configuration.storeOptions,
                logger: log.logger("switchboard.store"), onUntrusted: { fatal.happened($0) })
        } catch {
            throw Failure(error)
        }
        let loops = Loops(count: scope == .admin ? 1 : configuration.server.loops, readers: configuration.data.readers)
        do throws(Failure) {
            let hub = try makeHub(configuration, store, loops, log)
            let passwords = PasswordPool()
            let secure = try security(configuration, scope)
            let outbound = OutboundHTTP(group: loops.sockets)
            let gate = OutboundGate(configuration.outboundPolicy)
            let hosts = try HostKeys(
                configuration: configuration, outbound: outbound, gate: gate, logger: log.logger("switchboard.accounts")
            ).applications()
            let accounts = try await makeAccounts(configuration, hub, passwords, hosts, log)
            let actor = try await FirstStart.serverActor(hub)
            try await FirstStart.lobby(hub, by: actor)
            let webhooks = WebhookService(
                accounts: accounts, policy: { gate.policy }, transport: outbound,
                encode: ClientAPI.eventEncoder(epoch: hub.epoch), logger: log.logger("switchboard.webhooks"))
            let parts = Parts(
                store: store, loops: loops, hub: hub, passwords: passwords, accounts: accounts, outbound: outbound,
                gate: gate, webhooks: webhooks, actor: actor, secure: secure)
            let server = Server(parts, configuration, scope, log)
            fatal.connect(server)
            return server
        } catch {
            await loops.shutdown()
            throw error
        }
    }

    private static func makeHub(
        _ configuration: ServerConfiguration, _ store: SQLiteStore, _ loops: Loops, _ log: ServerLog
    ) throws(Failure) -> Hub {
        guard let name = ServerName(configuration.server.name) else {
            throw Failure(.configuration, "server.name is no domain name")
        }
        do throws(StoreError) {
            return try Hub(
                serverName: name,
                stores: Stores(
                    log: store, archive: store, directory: store, search: store),
                lane: loops.lane.next(), loops: Array(loops.sockets.makeIterator()), readers: loops.readerPool,
                limits: configuration.limits, clock: SystemClock.now, random: { UInt64.random(in: .min ... .max) },
                logger: log.logger("switchboard.hub"))
        } catch {
            throw Failure(error)
        }
    }

    private static func makeAccounts(
        _ configuration: ServerConfiguration, _ hub: Hub, _ passwords: PasswordPool,
        _ hosts: [AccountConfiguration.HostApplication], _ log: ServerLog
    ) async throws(Failure) -> AccountService {
        do throws(AccountService.ConfigurationFault) {
            return try await AccountService.open(
                hub: hub,
                configuration: configuration.accountConfiguration(
                    publicURL: configuration.publicURL(port: configuration.http.port), hosts: hosts),
                passwords: passwords, logger: log.logger("switchboard.accounts"))
        } catch {
            switch error {
            case .store(let error): throw Failure(error)
            case .iterations(let count): throw Failure(.software, "\(count) iterations are outside the limits")
            }
        }
    }

    private static func security(_ configuration: ServerConfiguration, _ scope: Scope) throws(Failure) -> Security {
        guard scope == .everything else { return Security() }
        do throws(TLSContextStore.Failure) {
            switch configuration.tls.mode {
            case .off: return Security()
            case .files:
                guard let files = configuration.tlsFiles else { return Security() }
                return Security(contexts: try TLSContextStore(files))
            case .selfSigned: break
            }
        } catch {
            throw Failure(.noInput, error.description)
        }
        let made = try SelfSigned.prepare(
            in: configuration.data.directory, serverName: configuration.server.name)
        do throws(TLSContextStore.Failure) {
            return Security(contexts: try TLSContextStore(made.files), fingerprint: made.fingerprint)
        } catch {
            throw Failure(.noInput, error.description)
        }
    }

    // MARK: Closing

    /// Lets go of everything; the doors are closed already. What was accepted is on disk.
    func close() async throws(Failure) {
        parts.hub.shutdown()
        do {
            try await parts.passwords.shutdown()
        } catch {
            logger.debug("the password threads were gone", metadata: ["reason": "\(error)"])
        }
        do {
            try await parts.outbound.shutdown()
        } catch {
            logger.debug("the threads of look-ups were gone", metadata: ["reason": "\(error)"])
        }
        await parts.loops.shutdown()
        do throws(StoreError) {
            try parts.store.close()
        } catch {
            throw Failure(error)
        }
    }

    // MARK: Figures

    func figures() async -> ServerFigures {
        var figures = ServerFigures()
        figures.sessions = await parts.hub.sessionCount()
        figures.waiting = parts.hub.inbox.waiting
        figures.epoch = parts.hub.epoch
        figures.position = await parts.hub.head()?.position.rawValue ?? 0
        figures.door = metrics.snapshot
        figures.databaseBytes = DataFiles.bytes(in: configuration.data.directory)
        figures.uptime = Double((NIODeadline.now() - started).nanoseconds) / 1_000_000_000
        figures.isReady = state.withLock { $0.isReady }
        figures.process = ProcessFigures.now()
        return figures
    }
}

import GatewayKit
import Glibc
import Hub
import Logging
import NIOCore
import ServiceLifecycle
import UnixSignals

extension Server {
    /// Opens the doors and runs until it is told to stop, or a part fails.
    ///
    /// - Parameters:
    ///   - start: of the process, for the time that it took.
    ///   - onReady: called once, when the doors are open.
    ///   - sources: where the configuration is read from again at a SIGHUP.
    func run(
        since start: NIODeadline = .now(),
        onReady: @escaping @Sendable (Server, WelcomeScreen) async throws -> Void,
        reload sources: @escaping @Sendable () -> ConfigurationSources
    ) async throws {
        let doors = makeDoors()
        let search = SearchFollower(hub: parts.hub, logger: log.logger("switchboard.search"))
        let sweeper = RetentionSweeper(hub: parts.hub, search: search, logger: log.logger("switchboard.retention"))
        var services: [any Service] = [
            Background { try await self.parts.accounts.run() },
            Background { try await search?.run() },
            Background { try await sweeper.run() },
            Background { await self.parts.webhooks.run() },
        ]
        // The last is shut down first: nobody new comes in while the others are still served.
        services += doors.map { $0.door as any Service }
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: services.map {
                    .init(service: $0, successTerminationBehavior: .gracefullyShutdownGroup)
                }, logger: Logger(label: "switchboard.services") { _ in SwiftLogNoOpLogHandler() }))
        state.withLock { state in
            state.stop = {
                for door in doors { door.api.drain() }
                Task { await group.triggerGracefulShutdown() }
            }
        }
        let signals = scope == .everything ? Task { await watchSignals(sources) } : nil
        let opening = Task { try await announce(doors, start, onReady) }
        do {
            try await group.run()
        } catch {
            signals?.cancel()
            opening.cancel()
            try? await close()
            throw Server.failure(error)
        }
        signals?.cancel()
        state.withLock { $0.isReady = false }
        if let fatal = state.withLock({ $0.fatal }) {
            // The store can't be closed in order any more: the next start finds out what is on the disk.
            try? await close()
            throw Failure(.inputOutput, "the log can't be trusted to reach the disk: \(fatal)")
        }
        try await close()
        try await opening.value
    }

    private func announce(
        _ doors: [NamedDoor], _ start: NIODeadline,
        _ onReady: @escaping @Sendable (Server, WelcomeScreen) async throws -> Void
    ) async throws {
        do {
            for door in doors {
                let addresses = try await door.door.addresses
                parts.gate.opened(at: addresses)
                if door.name == .network, let port = addresses.lazy.compactMap(\.port).first { try learn(port: port) }
            }
        } catch {
            // The group hears of it too, and ends.
            return
        }
        // The directory lets nobody else in anyhow.
        chmod(configuration.adminSocketPath, 0o600)
        state.withLock { $0.isReady = true }
        do {
            try await onReady(self, welcome(doors, since: start))
        } catch {
            stop()
            throw error
        }
    }

    /// Links name the port that the door has, which the system chose if the configuration says 0.
    private func learn(port: Int) throws {
        state.withLock { $0.port = port }
        var accounts = parts.accounts.configuration
        accounts.publicURL = configuration.publicURL(port: port)
        try parts.accounts.setConfiguration(accounts)
    }

    /// A part's error as one line and an exit code.
    private static func failure(_ error: any Error) -> any Error {
        switch error {
        case let failure as HTTPDoor.Failure:
            Failure(
                failure.description.contains("EACCES") ? .noPermission : .unavailable, describe(failure.description))
        case let failure as Failure: failure
        case let error as StoreError: Failure(error)
        default: Failure(.software, "\(error)")
        }
    }

    /// What the system says of a listener, in words.
    private static func describe(_ text: String) -> String {
        let address = String(text.prefix { $0 != " " }.dropLast(text.prefix { $0 != " " }.last == ":" ? 1 : 0))
        if text.contains("errno: 98") { return "\(address) is in use by another program; choose another http.port" }
        if text.contains("errno: 13") { return "\(address): not permitted (ports below 1024 need a privilege)" }
        if text.contains("errno: 99") { return "\(address) is no address of this machine" }
        return text
    }

    // MARK: Signals

    private func watchSignals(_ sources: @escaping @Sendable () -> ConfigurationSources) async {
        var isStopping = false
        for await signal in await UnixSignalsSequence(trapping: .sigterm, .sigint, .sighup) {
            switch signal {
            case .sighup: await reload(sources())
            default:
                guard !isStopping else {
                    // Everything that was acknowledged is on disk, so there is nothing to wait for.
                    writeFully("\n", to: 2)
                    Glibc.exit(128 + signal.rawValue)
                }
                isStopping = true
                logger.notice("going down; once more ends at once", metadata: ["signal": "\(signal)"])
                state.withLock { $0.isReady = false }
                stop()
            }
        }
    }

    /// Reads the configuration again. When it is wrong, the old one stays in force, and the log says why.
    func reload(_ sources: ConfigurationSources) async {
        let old = configuration
        let new: ServerConfiguration
        do throws(ConfigurationRefusal) {
            new = try sources.read().configuration
        } catch {
            for problem in error.problems { logger.error("\(problem)") }
            return logger.error("the configuration is wrong: the old one stays in force")
        }
        let changed = ConfigurationRules.differences(old, new)
        let later = changed.filter { !$0.isReloadable }
        var merged = old
        for setting in changed where setting.isReloadable { setting.copy(new, &merged) }
        // Each of the two is right, but half of the one and half of the other need not be.
        let problems = ConfigurationRules.problems(of: merged)
        guard problems.isEmpty else {
            for problem in problems { logger.error("\(problem)") }
            let keys = later.map(\.key).joined(separator: ", ")
            return logger.error("nothing was changed: these keys need a restart first", metadata: ["keys": "\(keys)"])
        }
        do {
            try apply(merged)
        } catch {
            return logger.error(
                "the configuration can't be used: the old one stays in force", metadata: ["reason": "\(error)"])
        }
        if !later.isEmpty {
            logger.warning(
                "these keys need a restart", metadata: ["keys": "\(later.map(\.key).joined(separator: ", "))"])
        }
        logger.notice(
            "the configuration was read again",
            metadata: ["changed": "\(changed.filter(\.isReloadable).map(\.key).joined(separator: ", "))"])
    }

    /// Prepares all that can fail, then puts it in force.
    private func apply(_ configuration: ServerConfiguration) throws {
        let contexts = parts.secure.contexts
        let certificates = try contexts?.prepare(configuration.tlsFiles)
        let accounts = configuration.accountConfiguration(
            publicURL: configuration.publicURL(port: state.withLock { $0.port } ?? configuration.http.port),
            hosts: try HostKeys(
                configuration: configuration, outbound: parts.outbound, gate: parts.gate,
                logger: log.logger("switchboard.accounts")
            ).applications(replacing: parts.accounts.configuration.hosts))
        try parts.accounts.setConfiguration(accounts)
        // From here on nothing fails.
        if let certificates { contexts?.adopt(certificates) }
        parts.hub.setLimits(configuration.limits)
        log.level = configuration.log.level
        state.withLock { $0.configuration = configuration }
    }

    // MARK: The screen

    private func welcome(_ doors: [NamedDoor], since start: NIODeadline) async throws -> WelcomeScreen {
        let configuration = configuration
        var listening: [String] = []
        for door in doors where door.name == .network {
            listening = try await door.door.addresses.map { $0.pathname ?? "\($0.ipAddress ?? "?"):\($0.port ?? 0)" }
        }
        let port = state.withLock { $0.port } ?? configuration.http.port
        return WelcomeScreen(
            address: configuration.localURL(port: port), listening: listening, serverName: configuration.server.name,
            dataDirectory: configuration.data.directory,
            administratorLink: try await parts.accounts.firstAdministratorLink()?.url,
            guestTokens: try await trialTokens(), fingerprint: parts.secure.fingerprint,
            startup: (NIODeadline.now() - start).nanoseconds / 1_000_000)
    }
}

import Foundation
import Glibc
import SwitchboardClient
import Synchronization

/// The way of a subcommand to the server of a data directory: its admin socket, if a server runs; else a server of its own
/// that opens nothing but that socket, for as long as the subcommand runs.
enum AdminOperations {
    static func with<Result: Sendable>(
        _ options: ConfigurationOptions, _ body: @escaping @Sendable (HTTPOperations) async throws -> Result
    ) async throws -> Result {
        let configuration = try options.read()
        let path = configuration.adminSocketPath
        guard path.utf8.count <= AdminSocket.pathLimit else {
            throw Failure(
                .configuration,
                "\(path) is longer than a socket's path may be (\(AdminSocket.pathLimit) bytes): choose a shorter data.directory"
            )
        }
        if AdminSocket.isAnswered(path) { return try await ask(path, body) }
        guard FileManager.default.fileExists(atPath: configuration.data.directory) else {
            throw Failure(
                .noInput,
                "there is no data directory \(configuration.data.directory) here; start the server once, or name it with --data"
            )
        }
        let log = ServerLog(format: configuration.log.format, level: .warning)
        let server = try await Server.open(configuration, log: log, scope: .admin)
        let answer = Mutex<Swift.Result<Result, any Error>?>(nil)
        try await server.run { server, _ in
            let outcome: Swift.Result<Result, any Error>
            do {
                outcome = .success(try await ask(path, body))
            } catch {
                outcome = .failure(error)
            }
            answer.withLock { $0 = outcome }
            server.stop()
        } reload: {
            ConfigurationSources()
        }
        guard let result = answer.withLock({ $0 }) else {
            throw Failure(.software, "the server ended before it answered")
        }
        return try result.get()
    }

    private static func ask<Result>(
        _ path: String, _ body: (HTTPOperations) async throws -> Result
    ) async throws -> Result {
        try await HTTPOperations.with(url: "unix:\(path)", token: "admin-socket", body)
    }
}

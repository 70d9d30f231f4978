import ArgumentParser
import Foundation
import SwitchboardClient

/// How a command reaches a server as an ordinary client.
struct ClientOptions: ParsableArguments {
    @Option(
        name: .long,
        help: "The server's address; by default $SWITCHBOARD_URL, or the server that this directory configures.")
    var url: String?
    @Option(
        name: .long, help: "A token; by default $SWITCHBOARD_TOKEN. Without one: sign in (--account), or be a guest.")
    var token: String?
    @Option(name: .long, help: "Sign in as this account; the password is asked for.") var account: String?
    @Option(name: .long, help: "A certificate (PEM) to trust, of a server that made its own.") var certificate: String?
    @Flag(name: .long, help: "Trust any certificate. For tests on one machine.") var insecure = false

    var trust: ServerTrust {
        if insecure { return .anything }
        return certificate.map { .file($0) } ?? .system
    }

    func address() throws -> String {
        if let url = url ?? ProcessInfo.processInfo.environment["SWITCHBOARD_URL"] { return url }
        let configuration = try ConfigurationOptions.parse([]).read()
        return configuration.localURL(port: configuration.http.port)
    }

    /// A token for this run: the given one, or that of a new sign-in.
    func signIn(_ address: String, device: String) async throws -> String {
        if let token = token ?? ProcessInfo.processInfo.environment["SWITCHBOARD_TOKEN"], !token.isEmpty {
            return token
        }
        return try await HTTPOperations.with(url: address, token: nil, trust: trust) { operations in
            let answer: ClientValue
            if let account {
                guard let password = RawTerminal.readSecret("Password of \(account): ") else {
                    throw Failure(.noInput, "no password was given")
                }
                answer = try await operations.change(
                    "login", ["handle": .string(account), "password": .string(password), "device": .string(device)])
            } else {
                answer = try await operations.change("guest", ["device": .string(device)])
            }
            guard let token = answer["token"]?.string else {
                throw ClientError.protocolViolation("no token in the answer")
            }
            return token
        }
    }

    /// A client that is signed in and connects.
    func connect(device: String, presence: String? = nil, cursor: String? = nil) async throws -> SwitchboardClient {
        let address = try address()
        var configuration = SwitchboardClient.Configuration(
            token: try await signIn(address, device: device), cursor: cursor, presence: presence)
        configuration.trust = trust
        let client = try SwitchboardClient(url: address, configuration: configuration)
        await client.start()
        return client
    }
}

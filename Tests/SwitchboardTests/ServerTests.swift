import AsyncHTTPClient
import Foundation
import Logging
import NIOCore
import SwitchboardClient
import Synchronization
import Testing

@testable import Switchboard

/// A whole server in this process, on a port that the system chooses.
struct ServerTests {
    /// Runs a server in a directory of its own while `body` runs.
    private func withServer(
        in directory: String? = nil, _ change: (inout ServerConfiguration) -> Void = { _ in },
        _ body: @escaping @Sendable (Server, WelcomeScreen) async throws -> Void
    ) async throws {
        let path = directory ?? ServerTests.newDirectory()
        defer { if directory == nil { try? FileManager.default.removeItem(atPath: path) } }
        var configuration = ServerTests.configuration(path)
        change(&configuration)
        let server = try await Server.open(
            configuration, log: ServerLog(format: .text, level: .critical), scope: .everything)
        let outcome = Mutex<Result<Void, any Error>?>(nil)
        try await server.run { server, screen in
            let result: Result<Void, any Error>
            do {
                try await body(server, screen)
                result = .success(())
            } catch {
                result = .failure(error)
            }
            outcome.withLock { $0 = result }
            server.stop()
        } reload: {
            ConfigurationSources()
        }
        try #require(outcome.withLock { $0 }).get()
    }

    private static func newDirectory() -> String {
        // Short: the path of a Unix socket has room for 107 bytes.
        "/tmp/sb-\(UInt32.random(in: 0 ... .max))"
    }

    private static func configuration(_ path: String) -> ServerConfiguration {
        var configuration = ServerConfiguration()
        configuration.data.directory = path
        configuration.http.port = 0
        configuration.server.loops = 1
        configuration.drain.window = .milliseconds(10)
        configuration.drain.deadline = .seconds(2)
        return configuration
    }

    @Test func twoGuestsTalkInTheLobby() async throws {
        try await withServer { _, screen in
            #expect(screen.administratorLink?.contains("/#sba_") == true)
            #expect(screen.guestTokens.count == 2)
            let (one, two) = (screen.guestTokens[0], screen.guestTokens[1])
            let listener = try SwitchboardClient(url: screen.address, token: one)
            let speaker = try SwitchboardClient(url: screen.address, token: two)
            await listener.start()
            var isReady = false
            var heard: ConversationEvent?
            for await event in listener.events {
                if case .ready = event, !isReady {
                    isReady = true
                    let accepted = try await speaker.post("Hello", in: "lobby")
                    #expect(accepted["sequence"]?.int != nil)
                }
                if case .event(let event) = event, event.kind == "message" {
                    heard = event
                    break
                }
            }
            #expect(heard?.text == "Hello")
            #expect(try await listener.history(of: "lobby").last?.text == "Hello")
            await listener.close()
            await speaker.close()
        }
    }

    @Test func theFirstAdministratorRedeemsTheLinkOnce() async throws {
        try await withServer { _, screen in
            let secret = String(try #require(screen.administratorLink?.split(separator: "#").last))
            let fields: ClientFields = [
                "secret": .string(secret), "handle": "anna", "password": "correct horse", "device": "test",
            ]
            let answer = try await HTTPOperations.with(url: screen.address, token: nil) {
                try await $0.change("redeem", fields)
            }
            let token = try #require(answer["token"]?.string)
            let accounts = try await HTTPOperations.with(url: screen.address, token: token) {
                try await $0.query("accounts")
            }
            #expect(accounts["accounts"]?.array?.contains { $0["account"]?.string == "anna" } == true)
            await #expect(throws: ClientError.self) {
                try await HTTPOperations.with(url: screen.address, token: nil) { try await $0.change("redeem", fields) }
            }
        }
    }

    @Test func theAdminSocketHasTheServersAuthority() async throws {
        try await withServer { server, screen in
            let socket = server.configuration.adminSocketPath
            let attributes = try FileManager.default.attributesOfItem(atPath: socket)
            #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
            try await HTTPOperations.with(url: "unix:\(socket)", token: "admin-socket") { admin in
                try await admin.change("account-add", ["handle": "bob", "kind": "person", "password": "correct horse"])
                let bot = try await admin.change("account-add", ["handle": "robot", "kind": "bot"])
                #expect(bot["token"]?.string?.hasPrefix("sbb_") == true)
            }
            let login = try await HTTPOperations.with(url: screen.address, token: nil) {
                try await $0.change("login", ["handle": "bob", "password": "correct horse", "device": "test"])
            }
            #expect(login["token"]?.string?.hasPrefix("sbd_") == true)
            // The port gives nobody that authority.
            await #expect(throws: ClientError.self) {
                try await HTTPOperations.with(url: screen.address, token: "admin-socket") {
                    try await $0.query("accounts")
                }
            }
        }
    }

    @Test func aDataDirectoryHasOneServer() async throws {
        let path = ServerTests.newDirectory()
        defer { try? FileManager.default.removeItem(atPath: path) }
        try await withServer(in: path) { _, _ in
            do {
                _ = try await Server.open(
                    ServerTests.configuration(path), log: ServerLog(format: .text, level: .critical), scope: .everything
                )
                Issue.record("a second server opened the same directory")
            } catch let failure as Failure {
                #expect(failure.code == .tryAgain)
                #expect(failure.description.contains("in use"))
            }
        }
    }

    @Test func aPortInUseIsOneClearLine() async throws {
        try await withServer { _, screen in
            let port = try #require(Int(screen.address.split(separator: ":").last ?? ""))
            do {
                try await withServer({ $0.http.port = port }, { _, _ in })
                Issue.record("two servers listen at one port")
            } catch let failure as Failure {
                #expect(failure.code == .unavailable)
                #expect(failure.description.contains("in use"))
            }
        }
    }

    @Test func whatWasSaidIsThereAfterARestart() async throws {
        let path = ServerTests.newDirectory()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let token = Mutex("")
        try await withServer(in: path) { _, screen in
            token.withLock { $0 = screen.guestTokens[0] }
            _ = try await HTTPOperations.with(url: screen.address, token: screen.guestTokens[0]) {
                try await $0.change("post", ["conversation": "lobby", "text": "still here"])
            }
        }
        try await withServer(in: path) { _, screen in
            let page = try await HTTPOperations.with(url: screen.address, token: token.withLock { $0 }) {
                try await $0.query("history", ["conversation": "lobby"])
            }
            let texts = (page["events"]?.array ?? []).compactMap { $0["body"]?["text"]?.string }
            #expect(texts.contains("still here"))
        }
    }

    @Test func aReloadTakesWhatItCanAndKeepsTheOldWhenWrong() async throws {
        try await withServer { server, _ in
            let wrong = ConfigurationSources(flags: [("limits.text-bytes", "lots", "--set limits.text-bytes")])
            await server.reload(wrong)
            #expect(server.configuration.limits.textBytes == 64 * 1_024)
            var flags: [(key: String, value: String, flag: String)] = []
            for setting in Settings.all where setting.show(server.configuration) != setting.defaultText {
                let text = setting.show(server.configuration)
                flags.append((setting.key, text.replacing("\"", with: ""), "--set"))
            }
            flags.append(("limits.text-bytes", "1 KiB", "--set"))
            flags.append(("http.own-names", "x.example", "--set"))
            await server.reload(ConfigurationSources(flags: flags))
            #expect(server.configuration.limits.textBytes == 1_024)
            #expect(server.parts.hub.limits.textBytes == 1_024)
            // Needs a restart, so it is not in force.
            #expect(server.configuration.http.ownNames.isEmpty)
        }
    }

    /// What can be reloaded and what can't belong together here: either all of it counts or nothing.
    @Test func aReloadOfHalfAChangeChangesNothing() async throws {
        try await withServer { server, _ in
            var flags: [(key: String, value: String, flag: String)] = []
            for setting in Settings.all where setting.show(server.configuration) != setting.defaultText {
                let text = setting.show(server.configuration)
                flags.append((setting.key, text.replacing("\"", with: ""), "--set"))
            }
            flags += [
                ("tls.mode", "files", "--set"), ("tls.certificate", "/tmp/none.pem", "--set"),
                ("tls.key", "/tmp/none.key", "--set"), ("limits.text-bytes", "1 KiB", "--set"),
            ]
            let old = server.configuration
            await server.reload(ConfigurationSources(flags: flags))
            #expect(server.configuration == old)
            #expect(server.parts.hub.limits.textBytes == 64 * 1_024)
        }
    }

    @Test func theServerDoesNotCallItself() async throws {
        try await withServer({ $0.outbound.ranges = ["127.0.0.0/8"] }) { server, screen in
            let port = try #require(Int(screen.address.split(separator: ":").last ?? ""))
            let endpoints = server.parts.gate.policy.ownEndpoints
            #expect(endpoints.map(\.port) == [port])
        }
    }

    @Test func aUnixSocketIsForTheGroupToo() async throws {
        let path = "/tmp/sb-\(UInt32.random(in: 0 ... .max)).sock"
        try await withServer({ $0.http.unix = [path] }) { _, _ in
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o660)
        }
    }

    /// Guests are for this machine by default: not for whoever comes by a proxy, nor for a page of a foreign name.
    @Test func guestsAndFiguresAreForThisMachineOnly() async throws {
        try await withServer { _, screen in
            func status(_ path: String, _ headers: [(String, String)], post: Bool = false) async throws -> UInt {
                var request = HTTPClientRequest(url: screen.address + path)
                if post {
                    request.method = .POST
                    request.headers.add(name: "content-type", value: "application/json")
                    request.body = .bytes(ByteBuffer(string: "{}"))
                }
                for (name, value) in headers { request.headers.replaceOrAdd(name: name, value: value) }
                return try await HTTPClient.shared.execute(request, timeout: .seconds(10)).status.code
            }
            for headers in [[("x-forwarded-for", "192.0.2.1")], [("via", "1.1 a")], [("host", "rebound.example")]] {
                let figures = try await status("/metrics", headers)
                let guest = try await status("/v1/guest", headers, post: true)
                #expect(figures == 404 && guest == 403, "\(headers)")
            }
            let figures = try await status("/metrics", [])
            let guest = try await status("/v1/guest", [("host", "localhost")], post: true)
            #expect(figures == 200 && guest == 200)
        }
    }

    @Test func healthReadinessAndFigures() async throws {
        try await withServer { _, screen in
            func get(_ path: String) async throws -> (Int, String) {
                let request = HTTPClientRequest(url: screen.address + path)
                let response = try await HTTPClient.shared.execute(request, timeout: .seconds(10))
                let body = try await response.body.collect(upTo: 1 << 20)
                return (Int(response.status.code), String(buffer: body))
            }
            #expect(try await get("/healthz") == (200, "ok\n"))
            #expect(try await get("/readyz") == (200, "ready\n"))
            let (status, text) = try await get("/metrics")
            #expect(status == 200)
            #expect(text.contains("switchboard_ready 1\n"))
        }
    }

    @Test func aClientGetsAGoodbyeWithItsPlace() async throws {
        let heard = Heard()
        try await withServer { _, screen in
            let client = try SwitchboardClient(url: screen.address, token: screen.guestTokens[0])
            await client.start()
            for await event in client.events {
                if case .ready = event { break }
            }
            Task { await heard.listen(to: client) }
        }
        for _ in 0..<250 where heard.reason == nil { try await Task.sleep(for: .milliseconds(20)) }
        #expect(heard.reason?.contains("restart") == true)
        #expect(heard.cursor?.contains("-") == true)
    }

    /// What a client heard when its connection ended.
    private final class Heard: Sendable {
        private let state = Mutex<(reason: String, cursor: String?)?>(nil)
        var reason: String? { state.withLock { $0?.reason } }
        var cursor: String? { state.withLock { $0?.cursor } }

        func listen(to client: SwitchboardClient) async {
            for await event in client.events {
                guard case .disconnected(let reason, _) = event else { continue }
                let cursor = await client.cursor
                state.withLock { $0 = (reason, cursor) }
                await client.close()
            }
        }
    }

    @Test func aSelfSignedCertificateIsTrustedByItsFile() async throws {
        try await withServer({ $0.tls.mode = .selfSigned }) { server, screen in
            #expect(screen.address.hasPrefix("https://"))
            #expect(screen.fingerprint?.split(separator: ":").count == 32)
            let file = server.configuration.data.directory + "/tls/certificate.pem"
            let me = try await HTTPOperations.with(
                url: screen.address, token: screen.guestTokens[0], trust: .file(file)
            ) { try await $0.query("me") }
            #expect(me["account"]?.string?.hasPrefix("guest-") == true)
            await #expect(throws: ClientError.self) {
                try await HTTPOperations.with(url: screen.address, token: screen.guestTokens[0]) {
                    try await $0.query("me")
                }
            }
        }
    }
}

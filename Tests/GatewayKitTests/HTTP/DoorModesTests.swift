import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import Testing
import WireWebSocket

@testable import GatewayKit

/// TLS, proxies, origins, limits on connections, going down.
@Suite(.serialized)
struct DoorModesTests {
    // MARK: TLS

    private static func clientContext(alpn: [String] = []) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = .none
        configuration.applicationProtocols = alpn
        return try NIOSSLContext(configuration: configuration)
    }

    /// A directory with certificates made by the openssl program; `nil` where there is none.
    private static func certificates(_ names: [String]) throws -> String? {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("door-\(UUID())")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        for name in names {
            let openssl = Process()
            openssl.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            openssl.arguments = [
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-days", "1", "-subj", "/CN=\(name)", "-keyout", "\(directory.path)/\(name).key",
                "-out", "\(directory.path)/\(name).pem",
            ]
            openssl.standardError = FileHandle.nullDevice
            openssl.standardOutput = FileHandle.nullDevice
            try openssl.run()
            openssl.waitUntilExit()
            guard openssl.terminationStatus == 0 else { return nil }
        }
        return directory.path
    }

    @Test func speaksEverythingOverTLSAndClear() async throws {
        guard let path = try Self.certificates(["one"]) else { return }
        defer { try? FileManager.default.removeItem(atPath: path) }
        let store = try TLSContextStore(.init(certificates: "\(path)/one.pem", key: "\(path)/one.key"))
        let listeners = [
            DoorListener(.ip(host: "127.0.0.1", port: 0)),
            DoorListener(.ip(host: "127.0.0.1", port: 0), isSecure: true),
        ]
        try await DoorFixture.with(listeners, tls: store) { fixture in
            let (clear, secure) = (fixture.ports[0], fixture.ports[1])
            let request = "GET /whoami HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            #expect(try await RawClient.exchange(clear, request).hasSuffix("127.0.0.1 false true"))
            for alpn in [[], ["http/1.1"]] as [[String]] {
                let answer = try await RawClient.exchange(secure, request, tls: Self.clientContext(alpn: alpn))
                #expect(answer.hasSuffix("127.0.0.1 true true"), "\(alpn)")
            }
            // HTTP/2 by ALPN, and by prior knowledge inside TLS.
            for alpn in [["h2", "http/1.1"], []] as [[String]] {
                let client = try await HTTP2Client.connect(secure, tls: Self.clientContext(alpn: alpn))
                #expect(await (try await client.get("/hello")).answer() == "hello", "\(alpn)")
            }
            let socket = try await WebSocketClient(secure, tls: Self.clientContext())
            try await socket.send("hello")
            #expect(try await socket.next() == .text(ByteBuffer(string: "hello")))
            // Clear text at the TLS port gets nothing but TLS's own complaint, and is counted.
            let wrong = try await RawClient.exchange(secure, request)
            #expect(!wrong.contains("HTTP"))
            #expect(fixture.metrics.refused[.tls] == 1)
        }
    }

    @Test func reloadsCertificatesAndKeepsTheOldOnesWhenTheNewAreBad() async throws {
        guard let path = try Self.certificates(["one", "two"]) else { return }
        defer { try? FileManager.default.removeItem(atPath: path) }
        let store = try TLSContextStore(.init(certificates: "\(path)/one.pem", key: "\(path)/one.key"))
        let first = store.current
        for (pem, key) in [
            ("two.pem", "one.key"), ("none.pem", "one.key"), ("one.key", "one.key"), ("one.pem", "one.pem"),
        ] {
            #expect(throws: TLSContextStore.Failure.self) {
                try store.reload(.init(certificates: "\(path)/\(pem)", key: "\(path)/\(key)"))
            }
            #expect(store.current === first)
        }
        try store.reload(.init(certificates: "\(path)/two.pem", key: "\(path)/two.key"))
        #expect(store.current !== first)
        #expect(throws: TLSContextStore.Failure.self) {
            _ = try TLSContextStore(.init(certificates: "\(path)/none", key: "\(path)/none"))
        }
    }

    // MARK: Proxies

    @Test func believesOnlyTrustedProxies() async throws {
        let request =
            "GET /whoami HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 192.0.2.9\r\nX-Forwarded-Proto: https\r\nConnection: close\r\n\r\n"
        // From any other its name is not believed, but nor are its clients taken for programs on this machine.
        try await DoorFixture.with { fixture in
            let answer = try await RawClient.exchange(fixture.port, request)
            #expect(answer.hasSuffix("127.0.0.1 false false"))
        }
        try await DoorFixture.with(trustedProxies: ["127.0.0.0/8"]) { fixture in
            #expect(try await RawClient.exchange(fixture.port, request).hasSuffix("192.0.2.9 true false"))
            // A proxy that names nobody does not make its client local.
            let plain = "GET /whoami HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            #expect(try await RawClient.exchange(fixture.port, plain).hasSuffix("127.0.0.1 false false"))
            // What the proxy says of the scheme decides about origins.
            let socket = WebSocketClient.handshake(
                "/ws", "Origin: https://localhost\r\nX-Forwarded-For: 192.0.2.9\r\nX-Forwarded-Proto: https\r\n")
            let client = try await RawClient.connect(fixture.port)
            try await client.send(socket)
            #expect(await client.wait { $0.contains("\r\n\r\n") }.hasPrefix("HTTP/1.1 101"))
        }
    }

    @Test func aProxyThatIsNotListedMakesNobodyLocal() async throws {
        let log = RecordedLog()
        try await DoorFixture.with(log: log) { fixture in
            for field in [
                "Forwarded: for=192.0.2.1", "X-Forwarded-For: 192.0.2.1", "X-Real-IP: 192.0.2.1", "via: 1.1 a",
            ] {
                let answer = try await RawClient.exchange(
                    fixture.port, "GET /whoami HTTP/1.1\r\nHost: localhost\r\n\(field)\r\nConnection: close\r\n\r\n")
                #expect(answer.hasSuffix("127.0.0.1 false false"), "\(field)")
            }
            let warnings = log.lines.filter { $0.level == .warning }
            #expect(warnings.count == 1, "said once in a while, not for each request")
            #expect(warnings.first?.text.contains("proxy.trusted") == true)
        }
    }

    /// A web page whose name was made to resolve to this machine.
    @Test func aForeignNameIsNotLocal() async throws {
        try await DoorFixture.with(origins: OriginPolicy(ownNames: ["chat.example.org"])) { fixture in
            for (host, isLocal) in [
                ("rebound.example:8080", false), ("localhost", true), ("127.0.0.1:1", true), ("chat.example.org", true),
            ] {
                let answer = try await RawClient.exchange(
                    fixture.port, "GET /whoami HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n\r\n")
                #expect(answer.hasSuffix("127.0.0.1 false \(isLocal)"), "\(host)")
            }
        }
    }

    @Test func takesProxyHeadersWhereTheyAreExpected() async throws {
        let listener = DoorListener(.ip(host: "127.0.0.1", port: 0), expectsProxyHeader: true)
        let request = Array("GET /whoami HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8)
        try await DoorFixture.with([listener], trustedProxies: ["127.0.0.1"]) { fixture in
            for (header, source, isSecure) in ProxyHeaderTests.good {
                for cut in [0, 1, 6, header.count / 2, header.count] {
                    let client = try await RawClient.connect(fixture.port)
                    var bytes = ByteBuffer(bytes: header + request)
                    if let first = bytes.readSlice(length: cut) { try await client.send(first) }
                    try await Task.sleep(for: .milliseconds(1))
                    try await client.send(bytes)
                    let answer = await client.wait()
                    let expected = "\(source ?? "127.0.0.1") \(isSecure ?? false) false"
                    #expect(answer.hasSuffix(expected), "\(header) cut at \(cut): \(answer)")
                    await client.close()
                }
            }
            for (header, _) in ProxyHeaderTests.bad {
                let client = try await RawClient.connect(fixture.port)
                client.channel.writeAndFlush(ByteBuffer(bytes: header + request), promise: nil)
                await client.wait(seconds: 2)
                #expect(client.isClosed)
                #expect(client.text.isEmpty)
            }
            #expect(fixture.metrics.refused[.proxyHeader] == ProxyHeaderTests.bad.count)
        }
        // From anyone else such a header is not believed, and the connection is closed unread.
        try await DoorFixture.with([listener], trustedProxies: ["10.0.0.0/8"]) { fixture in
            let client = try await RawClient.connect(fixture.port)
            client.channel.writeAndFlush(ByteBuffer(bytes: ProxyHeaderTests.good[0].bytes + request), promise: nil)
            await client.wait(seconds: 2)
            #expect(client.isClosed)
            #expect(client.text.isEmpty)
        }
    }

    @Test func takesUnixSockets() async throws {
        let path = "/tmp/door-\(UInt32.random(in: .min ... .max)).sock"
        try await DoorFixture.with([DoorListener(.unix(path: path))]) { fixture in
            let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(unixDomainSocketPath: path).get()
            try await channel.close()
            #expect(await eventually { fixture.metrics.connectionsAccepted == 1 })
        }
    }

    // MARK: Limits on connections

    @Test func boundsConnectionsOfOneAddress() async throws {
        var limits = DoorLimits()
        limits.connectionsPerAddress = 3
        try await DoorFixture.with(limits: limits) { fixture in
            var held: [WebSocketClient] = []
            for _ in 0..<3 { held.append(try await WebSocketClient(fixture.port)) }
            let fourth = try await RawClient.connect(fixture.port)
            await fourth.wait(seconds: 2)
            #expect(fourth.isClosed)
            #expect(fixture.metrics.refused[.addressConnections] == 1)
            await held[0].client.close()
            #expect(await eventually { fixture.metrics.connectionsOpen == 2 })
            let fifth = try await WebSocketClient(fixture.port)
            #expect(fifth.head.hasPrefix("HTTP/1.1 101"))
        }
    }

    @Test func boundsClientsBehindAProxyByTheirOwnAddress() async throws {
        var limits = DoorLimits()
        limits.connectionsPerAddress = 2
        try await DoorFixture.with(limits: limits, trustedProxies: ["127.0.0.1"]) { fixture in
            var held: [WebSocketClient] = []
            for (address, status) in [("192.0.2.1", 101), ("192.0.2.1", 101), ("192.0.2.1", 429), ("192.0.2.2", 101)] {
                let socket = try await WebSocketClient(fixture.port, headers: "X-Forwarded-For: \(address)\r\n")
                #expect(socket.head.hasPrefix("HTTP/1.1 \(status)"), "\(address): \(socket.head)")
                held.append(socket)
            }
            await held[0].client.close()
            #expect(await eventually { fixture.metrics.webSocketsOpen == 2 })
            let again = try await WebSocketClient(fixture.port, headers: "X-Forwarded-For: 192.0.2.1\r\n")
            #expect(again.head.hasPrefix("HTTP/1.1 101"))
        }
    }

    @Test func stopsAcceptingWhenFullAndGoesOnWhenThereIsRoom() async throws {
        var limits = DoorLimits()
        limits.connections = 4
        try await DoorFixture.with(limits: limits) { fixture in
            var held: [RawClient] = []
            // The kernel completes the handshakes of those that wait.
            for _ in 0..<12 { held.append(try await RawClient.connect(fixture.port)) }
            try await Task.sleep(for: .milliseconds(300))
            // One read of the listener may take a few at once.
            #expect(fixture.metrics.connectionsOpen <= 4 + 4)
            let last = held.removeLast()
            try await last.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(await last.wait(seconds: 0.3) { $0.hasSuffix("hello") }.isEmpty)
            for client in held { await client.close() }
            #expect(await last.wait { $0.hasSuffix("hello") }.hasSuffix("hello"))
        }
    }

    // MARK: Origins

    @Test func answersListedOriginsByCORS() async throws {
        var configuration = OriginPolicy()
        configuration.allowed = [try #require(WebOrigin("https://app.example.org"))]
        let policy = configuration
        let router = Router(context: DoorRequestContext.self)
        router.add(middleware: OriginMiddleware(policy: policy) { $0.remote.isSecure })
        router.get("/hello") { _, _ in "hello" }
        let responder = router.buildResponder()
        let logger = Logger(label: "test")
        let context = {
            DoorRequestContext(
                source: DoorRequestSource(
                    logger: logger, remote: RemoteClient(address: nil, isSecure: false, isProxied: false),
                    eventLoop: MultiThreadedEventLoopGroup.singleton.any()))
        }
        let ask = { (method: HTTPRequest.Method, fields: HTTPFields) in
            try await responder.respond(
                to: Request(
                    head: HTTPRequest(
                        method: method, scheme: "http", authority: "localhost:1", path: "/hello", headerFields: fields),
                    body: .init(buffer: ByteBuffer())), context: context())
        }
        #expect(try await ask(.get, [:]).status == .ok)
        #expect(try await ask(.get, [.origin: "http://localhost:1"]).headers[.accessControlAllowOrigin] == nil)
        #expect(try await ask(.get, [.origin: "https://evil.example"]).status == .forbidden)
        #expect(try await ask(.get, [.origin: "null"]).status == .forbidden)
        let listed = try await ask(.get, [.origin: "https://app.example.org"])
        #expect(listed.headers[.accessControlAllowOrigin] == "https://app.example.org")
        #expect(listed.headers[.vary] == "Origin")
        #expect(listed.headers[.accessControlAllowCredentials] == nil)
        let preflight = try await ask(
            .options,
            [
                .origin: "https://app.example.org", .accessControlRequestMethod: "POST",
                .accessControlRequestHeaders: "authorization",
            ])
        #expect(preflight.status == .noContent)
        #expect(preflight.headers[.accessControlAllowHeaders] == "authorization")
        #expect(preflight.headers[.accessControlAllowMethods]?.contains("DELETE") == true)
        let foreign = try await ask(
            .options, [.origin: "https://evil.example", .accessControlRequestMethod: "POST"])
        #expect(foreign.status == .forbidden)
        #expect(foreign.headers[.accessControlAllowOrigin] == nil)

        try await DoorFixture.with(origins: policy) { fixture in
            for (origin, status, allowed) in [
                ("https://app.example.org", 200, true), ("https://evil.example", 403, false),
            ] {
                let answer = try await RawClient.exchange(
                    fixture.port, "GET /events HTTP/1.1\r\nHost: a\r\nOrigin: \(origin)\r\nConnection: close\r\n\r\n")
                #expect(answer.hasPrefix("HTTP/1.1 \(status)"))
                #expect(answer.lowercased().contains("access-control-allow-origin: \(origin)") == allowed)
            }
        }
    }

    // MARK: Streams

    @Test func streamsEventsOnAKeptConnection() async throws {
        try await DoorFixture.with { fixture in
            let client = try await RawClient.connect(fixture.port)
            try await client.send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n")
            let answer = await client.wait { $0.hasSuffix("0\r\n\r\n") }
            #expect(answer.lowercased().contains("content-type: text/event-stream"))
            #expect(answer.contains("data: 0\n\ndata: 1\n\ndata: 2\n\n"))
            _ = client.take()
            try await client.send("GET /events?refuse HTTP/1.1\r\nHost: a\r\n\r\n")
            let refusal = await client.wait { $0.hasSuffix("who are you") }
            #expect(refusal.hasPrefix("HTTP/1.1 401"))
            _ = client.take()
            try await client.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(await client.wait { $0.hasSuffix("hello") }.hasSuffix("hello"))
            #expect(fixture.metrics.streamsOpened == 2)
            #expect(fixture.metrics.streamsOpen == 0)
            // And a WebSocket on a connection that has been used.
            _ = client.take()
            try await client.send(WebSocketClient.handshake())
            #expect(await client.wait { $0.contains("\r\n\r\n") }.hasPrefix("HTTP/1.1 101"))
        }
    }

    @Test func aReaderThatLeavesEndsItsStreamAtOnce() async throws {
        let log = SessionLog()
        try await DoorFixture.with(streams: [TickSession.route(log: log)]) { fixture in
            let client = try await RawClient.connect(fixture.port)
            try await client.send("GET /events?hold HTTP/1.1\r\nHost: a\r\n\r\n")
            await client.wait { $0.contains("data: 2") }
            await client.close()
            #expect(await eventually { log.lines.contains("stream closed") })
            #expect(await eventually { fixture.metrics.connectionsOpen == 0 })
        }
    }

    /// A handshake or a stream request that announces a body and never sends it.
    @Test func aRequestThatDoesNotEndIsCut() async throws {
        var limits = DoorLimits()
        limits.headTime = .milliseconds(300)
        try await DoorFixture.with(limits: limits) { fixture in
            for request in [
                "GET /events HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n",
                WebSocketClient.handshake("/ws", "Content-Length: 5\r\n"),
            ] {
                let client = try await RawClient.connect(fixture.port)
                try await client.send(request)
                #expect(await client.wait(seconds: 2).hasPrefix("HTTP/1.1 408"))
            }
            let http2 = try await HTTP2Client.connect(fixture.port)
            let stream = try await http2.open(
                HTTPRequest(method: .get, scheme: "http", authority: "a", path: "/events"), ends: false)
            _ = await stream.answer()
            #expect(stream.status == 408)
            #expect(fixture.metrics.refused[.slowBody] == 3)
        }
    }

    // MARK: Going down

    @Test func saysGoodbyeToEverybody() async throws {
        let log = SessionLog()
        try await DoorFixture.with(webSockets: [EchoSession.route(log: log)]) { fixture in
            let sockets = [try await WebSocketClient(fixture.port), try await WebSocketClient(fixture.port)]
            let stream = try await RawClient.connect(fixture.port)
            try await stream.send("GET /events?hold HTTP/1.1\r\nHost: a\r\n\r\n")
            await stream.wait { $0.contains("data: 2") }
            let idle = try await RawClient.connect(fixture.port)
            try await idle.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
            await idle.wait { $0.hasSuffix("hello") }
            let busy = try await RawClient.connect(fixture.port)
            try await busy.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
            let http2 = try await HTTP2Client.connect(fixture.port)
            let overHTTP2 = try await http2.get("/events?hold")
            _ = await eventually { overHTTP2.text.contains("data: 2") }

            await fixture.shutDown()
            for socket in sockets {
                #expect(try await socket.next() == .close(.serviceRestart, reason: "restarting"))
                var close = ByteBuffer()
                WebSocketFrame.writeClose(.serviceRestart, masking: .random, into: &close)
                try await socket.client.send(close)
            }
            #expect(await stream.wait().contains("event: bye\n\n"))
            #expect(await overHTTP2.answer().hasSuffix("event: bye\n\n"))
            await idle.wait()
            #expect(idle.isClosed)
            // A request that was running gets its answer, and is told that it is the last.
            let answer = await busy.wait()
            #expect(answer.hasSuffix("slow"))
            #expect(answer.lowercased().contains("connection: close"))
            #expect(await eventually { !http2.channel.isActive })
            #expect(await eventually { fixture.metrics.connectionsOpen == 0 })
            await #expect(throws: (any Error).self) { _ = try await RawClient.connect(fixture.port) }
        }
    }

    @Test func cutsWhoDoesNotGo() async throws {
        try await DoorFixture.with(drainDeadline: .milliseconds(800)) { fixture in
            let socket = try await WebSocketClient(fixture.port)
            await fixture.shutDown()
            // It never answers the close frame.
            await socket.client.wait(seconds: 3)
            #expect(socket.client.isClosed)
        }
    }

    @Test func saysWhyItCannotListen() async throws {
        try await DoorFixture.with { fixture in
            let group = MultiThreadedEventLoopGroup.singleton
            let address = DoorListener.Address.ip(host: "127.0.0.1", port: fixture.port)
            for listener in [DoorListener(address), DoorListener(.ip(host: "127.0.0.1", port: 0), isSecure: true)] {
                let door = HTTPDoor(
                    configuration: DoorConfiguration(listeners: [listener]),
                    responder: DoorFixture.router().buildResponder(), group: group, logger: Logger(label: "door"))
                await #expect(throws: HTTPDoor.Failure.self) { try await door.run() }
                await #expect(throws: HTTPDoor.Failure.self) { _ = try await door.addresses }
            }
        }
    }
}

struct DoorLimitsTests {
    /// What the documentation promises.
    @Test func defaults() {
        let limits = DoorLimits()
        #expect(limits.connectionsPerAddress == 64)
        #expect(limits.newConnectionsPerMinute == 300)
        #expect(limits.headTime == .seconds(10))
        #expect(limits.keepAliveTime == .seconds(60))
        #expect(limits.headerCount == 100)
        #expect(limits.headerBytes == 32 << 10)
        #expect(limits.targetBytes == 8 << 10)
        #expect(limits.bodyBytes == 1 << 20)
        #expect(limits.bodyTime == .seconds(60))
        #expect(limits.bodyRate == 1024)
        #expect(limits.inboundBudget == 64 << 20)
        #expect(limits.http2Streams == 100)
        #expect(limits.outboundBytes == 1 << 20)
        #expect(limits.outboundStall == .seconds(10))
        #expect(limits.pingAfter == .seconds(30))
        #expect(limits.silence == .seconds(60))
        #expect(DescriptorLimit.connections >= 16)
    }

    @Test func theLongestBeginningDecidesAboutTheBody() {
        var limits = DoorLimits()
        limits.bodyBytesByPath = ["/v1/": 10, "/v1/media": 20, "/x": 5]
        #expect(limits.bodyBytes(forPath: "/v1/media/1?a") == 20)
        #expect(limits.bodyBytes(forPath: "/v1/post") == 10)
        #expect(limits.bodyBytes(forPath: "/") == 1 << 20)
    }
}

import NIOCore
import Testing
import WireWebSocket

@testable import GatewayKit

@Suite(.serialized)
struct WebSocketDoorTests {
    @Test func talksOverHTTP1() async throws {
        let log = SessionLog()
        try await DoorFixture.with(webSockets: [EchoSession.route(log: log)]) { fixture in
            let socket = try await WebSocketClient(fixture.port, headers: "Sec-WebSocket-Protocol: x, echo.v1\r\n")
            #expect(socket.head.hasPrefix("HTTP/1.1 101 Switching Protocols\r\n"))
            #expect(socket.head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
            #expect(socket.head.lowercased().contains("sec-websocket-protocol: echo.v1\r\n"))
            #expect(!socket.head.lowercased().contains("content-length"))
            for text in ["hello", "", String(repeating: "ö", count: 60_000)] {
                try await socket.send(text)
                #expect(try await socket.next() == .text(ByteBuffer(string: text)))
            }
            try await socket.client.send(WebSocketClient.frame(.ping, "are you there"))
            #expect(try await socket.next() == .pong(ByteBuffer(string: "are you there")))
            try await socket.client.send(WebSocketClient.frame(.binary, "bytes"))
            #expect(try await socket.next() == .binary(ByteBuffer(string: "bytes")))
            #expect(fixture.metrics.webSocketsOpen == 1)

            var close = ByteBuffer()
            WebSocketFrame.writeClose(.normalClosure, masking: .random, into: &close)
            try await socket.client.send(close)
            #expect(try await socket.next() == .close(.normalClosure, reason: ""))
            await socket.client.wait()
            #expect(socket.client.isClosed)
            #expect(await eventually { fixture.metrics.connectionsOpen == 0 && fixture.metrics.webSocketsOpen == 0 })
            #expect(fixture.metrics.messagesReceived == 4)
            #expect(log.lines == ["opening 127.0.0.1 echo.v1", "opened", "closed"])
        }
    }

    /// Frames behind the handshake in the same segment, cut at every byte, joined, fragmented.
    @Test func theCutOfTheBytesDoesNotMatter() async throws {
        try await DoorFixture.with { fixture in
            var bytes = ByteBuffer(string: WebSocketClient.handshake())
            let headLength = bytes.readableBytes
            bytes.writeImmutableBuffer(WebSocketClient.frame(.text, "half", isFinal: false))
            bytes.writeImmutableBuffer(WebSocketClient.frame(.ping, "!"))
            bytes.writeImmutableBuffer(WebSocketClient.frame(.continuation, " and half"))
            let answer = { (client: RawClient) async throws -> String in
                let text = await client.wait { $0.contains("half and half") }
                return String(text.suffix(18))
            }
            var answers: Set<String> = []
            for cut in stride(from: headLength - 3, through: bytes.readableBytes, by: 1) {
                let client = try await RawClient.connect(fixture.port)
                var rest = bytes
                if let first = rest.readSlice(length: min(cut, rest.readableBytes)) { try await client.send(first) }
                if rest.readableBytes > 0 { try await client.send(rest) }
                let text = try await answer(client)
                #expect(text.hasSuffix("half and half"), "cut at \(cut) of \(headLength): \(text)")
                answers.insert(text)
                await client.close()
            }
            #expect(answers.count == 1)
        }
    }

    @Test func compressesWhenAsked() async throws {
        try await DoorFixture.with { fixture in
            let socket = try await WebSocketClient(
                fixture.port, headers: "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n")
            #expect(
                socket.head.lowercased().contains(
                    "sec-websocket-extensions: permessage-deflate; server_no_context_takeover"))
            var frame = ByteBuffer()
            let payload = try #require(Deflater().compress(ByteBuffer(string: String(repeating: "again ", count: 100))))
            WebSocketFrame.write(.text, payload, isCompressed: true, masking: .random, into: &frame)
            try await socket.client.send(frame)
            #expect(try await socket.next() == .text(ByteBuffer(string: String(repeating: "again ", count: 100))))
        }
    }

    /// What breaks the protocol or a limit, and the close code that it gets.
    static let violations: [(name: String, bytes: [UInt8], code: UInt16)] = [
        ("an unmasked frame", [0x81, 0x02, 0x68, 0x69], 1002),
        ("a reserved bit", [0xC1, 0x80, 0, 0, 0, 0], 1002),
        ("an unknown opcode", [0x83, 0x80, 0, 0, 0, 0], 1002),
        ("a length of 1 GB", [0x82, 0xFF, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0], 1009),
        ("a negative length", [0x82, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 1002),
        ("invalid UTF-8", [0x81, 0x82, 0, 0, 0, 0, 0xC3, 0x28], 1007),
        ("a long ping", [0x89, 0xFE, 0, 126, 0, 0, 0, 0], 1002),
        ("a fragmented ping", [0x09, 0x80, 0, 0, 0, 0], 1002),
        ("a continuation of nothing", [0x80, 0x80, 0, 0, 0, 0], 1002),
        ("a close with one byte", [0x88, 0x81, 0, 0, 0, 0, 3], 1002),
        ("a reserved close code", [0x88, 0x82, 0, 0, 0, 0, 0x03, 0xED], 1002),
    ]

    @Test func answersViolationsByTheirCode() async throws {
        try await DoorFixture.with { fixture in
            let bystander = try await WebSocketClient(fixture.port)
            for (name, bytes, code) in Self.violations {
                let socket = try await WebSocketClient(fixture.port)
                try await socket.client.send(ByteBuffer(bytes: bytes))
                guard case .close(let answer, _) = try await socket.next() else {
                    Issue.record("\(name): no close")
                    continue
                }
                #expect(answer?.rawValue == code, "\(name)")
                await socket.client.wait()
                #expect(socket.client.isClosed, "\(name)")
            }
            #expect(fixture.metrics.refused[.webSocketViolation] == Self.violations.count)
            try await bystander.send("still here")
            #expect(try await bystander.next() == .text(ByteBuffer(string: "still here")))
        }
    }

    @Test func boundsMessagesAndFragments() async throws {
        let limits = WebSocketLimits(maxMessageBytes: 1000, maxFragments: 10)
        try await DoorFixture.with(webSockets: [EchoSession.route(limits: limits)]) { fixture in
            let long = try await WebSocketClient(fixture.port)
            try await long.send(String(repeating: "x", count: 1001))
            #expect(try await long.next() == .close(.messageTooBig, reason: "message is too long"))
            let flood = try await WebSocketClient(fixture.port)
            try await flood.client.send(WebSocketClient.frame(.text, "", isFinal: false))
            for _ in 0..<1000 {
                flood.client.channel.write(WebSocketClient.frame(.continuation, "", isFinal: false), promise: nil)
            }
            flood.client.channel.flush()
            guard case .close(.messageTooBig, _) = try await flood.next() else {
                Issue.record("no close")
                return
            }
        }
    }

    @Test func refusesHandshakes() async throws {
        var route = EchoSession.route()
        route.requiresSubprotocol = true
        let refusing = WebSocketRoute(path: "/never") { _ in
            .refuse(.serviceUnavailable, headers: [.retryAfter: "7"], body: "later")
        }
        try await DoorFixture.with(webSockets: [route, refusing]) { fixture in
            let plain = "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
            #expect(try await RawClient.exchange(fixture.port, plain).hasPrefix("HTTP/1.1 426"))
            let noProtocol = try await RawClient.exchange(fixture.port, WebSocketClient.handshake())
            #expect(noProtocol.hasPrefix("HTTP/1.1 400"))
            #expect(noProtocol.contains("echo.v1"))
            let refused = try await RawClient.exchange(fixture.port, WebSocketClient.handshake("/never"))
            #expect(refused.hasPrefix("HTTP/1.1 503"))
            #expect(refused.lowercased().contains("retry-after: 7\r\n"))
            #expect(refused.hasSuffix("later"))
            let version = WebSocketClient.handshake().replacing("Version: 13", with: "Version: 8")
            #expect(try await RawClient.exchange(fixture.port, version).hasPrefix("HTTP/1.1 426"))
            let elsewhere = try await RawClient.exchange(fixture.port, WebSocketClient.handshake("/hello"))
            #expect(elsewhere.hasPrefix("HTTP/1.1 200"))
            #expect(fixture.metrics.webSocketsOpened == 0)
        }
    }

    @Test func guardsAgainstForeignPages() async throws {
        try await DoorFixture.with { fixture in
            for (origin, status) in [
                ("http://localhost", "101"), ("http://evil.example", "403"), ("null", "403"), ("", "403"),
            ] {
                let client = try await RawClient.connect(fixture.port)
                try await client.send(WebSocketClient.handshake("/ws", "Origin: \(origin)\r\n"))
                let answer = await client.wait { $0.contains("\r\n\r\n") }
                #expect(answer.hasPrefix("HTTP/1.1 \(status)"), "\(origin): \(answer)")
                await client.close()
            }
            #expect(fixture.metrics.refused[.origin] == 3)
        }
    }

    @Test func theSessionMayClose() async throws {
        let log = SessionLog()
        try await DoorFixture.with(webSockets: [EchoSession.route(log: log)]) { fixture in
            let socket = try await WebSocketClient(fixture.port)
            try await socket.send("close me")
            #expect(try await socket.next() == .close(.init(rawValue: 4000), reason: "as you wish"))
            // The peer's close frame ends it; nothing that follows is looked at.
            try await socket.send("too late")
            var close = ByteBuffer()
            WebSocketFrame.writeClose(.init(rawValue: 4000), masking: .random, into: &close)
            try await socket.client.send(close)
            await socket.client.wait()
            #expect(socket.client.isClosed)
            #expect(await eventually { log.lines.last == "closed" })
        }
    }

    @Test func asksForASignOfLife() async throws {
        var limits = DoorLimits()
        limits.pingAfter = .milliseconds(300)
        limits.silence = .milliseconds(800)
        try await DoorFixture.with(limits: limits) { fixture in
            let dead = try await WebSocketClient(fixture.port)
            let alive = try await WebSocketClient(fixture.port)
            for _ in 0..<4 {
                #expect(try await alive.next() == .ping(ByteBuffer()))
                try await alive.client.send(WebSocketClient.frame(.pong, ""))
            }
            await dead.client.wait(seconds: 2)
            #expect(dead.client.isClosed)
            #expect(!alive.client.isClosed)
            #expect(fixture.metrics.refused[.silent] == 1)
        }
    }

    @Test func pausingHoldsThePeerBack() async throws {
        let log = SessionLog()
        try await DoorFixture.with(webSockets: [EchoSession.route(log: log)]) { fixture in
            let socket = try await WebSocketClient(fixture.port)
            _ = await eventually { log.lines.contains("opened") }
            try await log.each { $0.pauseReading() }
            // One read is on its way already: what it brings is not handed on either.
            try await socket.send("first")
            #expect(try await socket.next(seconds: 0.3) == nil)
            try await socket.send("second")
            #expect(try await socket.next(seconds: 0.3) == nil)
            try await log.each { $0.resumeReading() }
            #expect(try await socket.next() == .text(ByteBuffer(string: "first")))
            #expect(try await socket.next() == .text(ByteBuffer(string: "second")))
        }
    }
}

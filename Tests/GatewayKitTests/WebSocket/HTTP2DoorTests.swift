import HTTPTypes
import NIOCore
import NIOHTTP2
import NIOHTTPTypes
import Testing
import WireWebSocket

@testable import GatewayKit

@Suite(.serialized)
struct HTTP2DoorTests {
    private func webSocket(_ path: String = "/ws", _ fields: HTTPFields = [:]) -> HTTPRequest {
        var request = HTTPRequest(method: .connect, scheme: "http", authority: "localhost", path: path)
        request.extendedConnectProtocol = "websocket"
        request.headerFields = fields
        if let name = HTTPField.Name("sec-websocket-version") { request.headerFields[name] = "13" }
        return request
    }

    @Test func answersManyRequestsOnOneConnection() async throws {
        try await DoorFixture.with { fixture in
            let client = try await HTTP2Client.connect(fixture.port)
            let slow = try await client.get("/slow")
            let streams = try await client.get("/events")
            let hello = try await client.get("/hello")
            #expect(await hello.answer() == "hello")
            #expect(await streams.answer() == "data: 0\n\ndata: 1\n\ndata: 2\n\n")
            #expect(streams.head?.headerFields[.date] != nil)
            #expect(await slow.answer() == "slow")
            let posted = try await client.open(
                HTTPRequest(method: .post, scheme: "http", authority: "localhost", path: "/echo"), ends: false)
            try await posted.send(ByteBuffer(string: "a body"))
            try await posted.channel.writeAndFlush(HTTPRequestPart.end(nil))
            #expect(await posted.answer() == "a body")
            #expect(client.frames.lines.contains("setting 8=1"))
            #expect(fixture.metrics.connectionsAccepted == 1)
        }
    }

    @Test func talksWebSocket() async throws {
        let log = SessionLog()
        try await DoorFixture.with(webSockets: [EchoSession.route(log: log)]) { fixture in
            let client = try await HTTP2Client.connect(fixture.port)
            let stream = try await client.open(webSocket(), ends: false)
            #expect(await eventually { stream.status == 200 })
            var decoder = WebSocketDecoder(role: .client)
            var answers: [WebSocketInput] = []
            for text in ["one", String(repeating: "x", count: 200_000), "three"] {
                try await stream.send(WebSocketClient.frame(.text, text))
            }
            for _ in 0..<500 where answers.count < 3 {
                decoder.append(stream.take())
                while let input = try decoder.next() { answers.append(input) }
                try await Task.sleep(for: .milliseconds(10))
            }
            #expect(answers.first == .text(ByteBuffer(string: "one")))
            #expect(answers.last == .text(ByteBuffer(string: "three")))
            #expect(answers.count == 3)
            // An orderly close is END_STREAM; the connection lives on.
            var close = ByteBuffer()
            WebSocketFrame.writeClose(.normalClosure, masking: .random, into: &close)
            try await stream.send(close)
            #expect(await eventually { stream.isEnded })
            #expect(await eventually { log.lines.last == "closed" })
            #expect(await (try await client.get("/hello")).answer() == "hello")
            #expect(fixture.metrics.webSocketsOpen == 0)
        }
    }

    @Test func refusesHandshakes() async throws {
        try await DoorFixture.with { fixture in
            let client = try await HTTP2Client.connect(fixture.port)
            for (request, status) in [
                (webSocket("/nowhere"), 404), (webSocket("/ws", [.origin: "https://evil.example"]), 403),
            ] {
                let stream = try await client.open(request, ends: false)
                #expect(await eventually { stream.status != nil })
                #expect(stream.status == status)
            }
            #expect(await (try await client.get("/ws")).answer() == "HTTP/2 needs extended CONNECT\n")
        }
    }

    /// A stream whose peer takes nothing is cut, while the others on its connection go on.
    @Test func aSlowStreamIsCut() async throws {
        let log = SessionLog()
        var limits = DoorLimits()
        limits.closeTime = .milliseconds(300)
        try await DoorFixture.with(limits: limits, streams: [TickSession.route(log: log)]) { fixture in
            let client = try await HTTP2Client.connect(fixture.port)
            let slow = try await client.get("/events?flood")
            try await slow.channel.setOption(.autoRead, value: false).get()
            #expect(await eventually { log.lines.contains("limit bytes") })
            #expect(await eventually { log.lines.contains("stream closed") })
        }
    }

    @Test func cutsRapidResets() async throws {
        try await DoorFixture.with { fixture in
            let other = try await RawClient.connect(fixture.port)
            let client = try await HTTP2Client.connect(fixture.port)
            for _ in 0..<400 {
                guard let stream = try? await client.get("/slow") else { break }
                stream.channel.close(promise: nil)
            }
            #expect(await eventually { !client.channel.isActive })
            #expect(fixture.metrics.refused[.http2Violation] == 1)
            try await other.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(await other.wait { $0.hasSuffix("hello") }.hasSuffix("hello"))
        }
    }

    /// Raw frames: floods of SETTINGS and PING, of CONTINUATION, of header fields.
    @Test func cutsFloods() async throws {
        let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + frame(4, 0, 0, [])
        let ping = frame(6, 0, 0, [UInt8](repeating: 1, count: 8))
        let settings = frame(4, 0, 0, [])
        // HEADERS without END_HEADERS, then a field that is never finished.
        let openHeaders = frame(1, 1, 1, [0x82])
        let continuation = frame(9, 0, 1, [0x00, 0x7F])
        // A literal field "x: y" that is not indexed, three thousand times.
        let field: [UInt8] = [0x00, 0x01, 0x78, 0x01, 0x79]
        let fields = Array(repeatElement(field, count: 3000).joined())
        let bomb = frame(1, 5, 1, [0x82, 0x86, 0x84, 0x41, 0x01, 0x61] + fields)
        try await DoorFixture.with { fixture in
            for (name, bytes) in [
                ("ping", Array(repeatElement(ping, count: 400).joined())),
                ("settings", Array(repeatElement(settings, count: 400).joined())),
                ("continuation", openHeaders + Array(repeatElement(continuation, count: 100).joined())),
                ("nonsense", [UInt8](repeating: 0xFF, count: 200)),
                ("a frame of 16 MB", [0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0, 1]),
            ] {
                let client = try await RawClient.connect(fixture.port)
                client.channel.writeAndFlush(ByteBuffer(bytes: preface + bytes), promise: nil)
                await client.wait(seconds: 3)
                #expect(client.isClosed, "\(name)")
            }
            let client = try await RawClient.connect(fixture.port)
            client.channel.writeAndFlush(ByteBuffer(bytes: preface + bomb), promise: nil)
            // Refused as a stream (431) or as a connection, but never served.
            await client.wait(seconds: 1)
            #expect(!client.received.readableBytesView.contains(subsequence: "hello"))
        }
    }

    /// A peer with a window of nothing holds even a short answer back, after it is complete.
    @Test func lastBytesThatAreNotTakenAreGivenUp() async throws {
        var limits = DoorLimits()
        limits.outboundStall = .milliseconds(400)
        try await DoorFixture.with(limits: limits) { fixture in
            let client = try await RawClient.connect(fixture.port)
            let settings = frame(4, 0, 0, [0, 4, 0, 0, 0, 0])
            let path = Array("/hello".utf8)
            let headers = frame(1, 5, 1, [0x82, 0x86, 0x44, UInt8(path.count)] + path + [0x41, 0x01, 0x61])
            let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
            try await client.send(ByteBuffer(bytes: preface + settings + headers))
            #expect(await eventually { fixture.metrics.refused[.slowConsumer] == 1 })
            // RST_STREAM on stream 1.
            let reset: [UInt8] = [0, 0, 4, 3, 0, 0, 0, 0, 1]
            #expect(await eventually { client.received.readableBytesView.firstRange(of: reset) != nil })
            #expect(client.received.readableBytesView.firstRange(of: Array("hello".utf8)) == nil)
        }
    }

    private func frame(_ type: UInt8, _ flags: UInt8, _ stream: UInt8, _ payload: [UInt8]) -> [UInt8] {
        [
            UInt8(payload.count >> 16), UInt8(payload.count >> 8 & 0xFF), UInt8(payload.count & 0xFF), type, flags, 0,
            0, 0, stream,
        ]
            + payload
    }

    @Test func limitsStreamsHeadersAndPaths() async throws {
        var limits = DoorLimits()
        limits.http2Streams = 5
        limits.headerCount = 20
        try await DoorFixture.with(limits: limits) { fixture in
            let client = try await HTTP2Client.connect(fixture.port)
            var fields = HTTPFields()
            for number in 0..<21 {
                if let name = HTTPField.Name("x-\(number)") { fields[name] = "y" }
            }
            let many = try await client.get("/hello", fields)
            _ = await many.answer()
            #expect(many.status == 431)
            let long = try await client.get("/" + String(repeating: "a", count: 9000))
            _ = await long.answer()
            #expect(long.status == 414)
            #expect(client.frames.lines.contains("setting 3=5"))
        }
    }

    @Test func anUnusedConnectionIsLetGo() async throws {
        var limits = DoorLimits()
        limits.pingAfter = .milliseconds(200)
        limits.silence = .seconds(30)
        limits.keepAliveTime = .milliseconds(600)
        try await DoorFixture.with(limits: limits) { fixture in
            let client = try await HTTP2Client.connect(fixture.port)
            #expect(await (try await client.get("/hello")).answer() == "hello")
            #expect(await eventually { client.frames.lines.contains("goaway 0") })
            #expect(await eventually { !client.channel.isActive })
            // It was asked for a sign of life in between, and gave it.
            #expect(fixture.metrics.refused[.silent] == nil)
        }
    }
}

extension ByteBufferView {
    fileprivate func contains(subsequence text: String) -> Bool {
        String(decoding: self, as: UTF8.self).contains(text)
    }
}

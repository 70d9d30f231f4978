import NIOCore
import Testing

@testable import GatewayKit

@Suite(.serialized)
struct HTTP1DoorTests {
    static let close = "Host: localhost\r\nConnection: close\r\n"

    @Test func answersRequestsOneAfterTheOther() async throws {
        try await DoorFixture.with { fixture in
            let client = try await RawClient.connect(fixture.port)
            try await client.send("GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n")
            let first = await client.wait { $0.hasSuffix("hello") }
            #expect(first.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(first.lowercased().contains("\r\ncontent-length: 5\r\n"))
            #expect(first.lowercased().contains("\r\ndate: "))
            _ = client.take()
            // Two more, pipelined, with a body each; the answers come in order.
            try await client.send(
                "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\none"
                    + "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ntwo\r\n0\r\n\r\n"
                    + "GET /long HTTP/1.1\r\n\(Self.close)\r\n")
            let rest = await client.wait()
            #expect(client.isClosed)
            #expect(rest.contains("one"))
            let one = try #require(rest.firstRange(of: "one")), two = try #require(rest.firstRange(of: "two"))
            #expect(one.upperBound < two.lowerBound)
            #expect(rest.contains("part 0;"))
            #expect(rest.contains("part 4;"))
            #expect(rest.hasSuffix("0\r\n\r\n"))
            #expect(fixture.metrics.requests == 4)
        }
    }

    @Test func knowsHTTP10AndHead() async throws {
        try await DoorFixture.with { fixture in
            let old = try await RawClient.exchange(fixture.port, "GET /long HTTP/1.0\r\n\r\n")
            #expect(old.hasPrefix("HTTP/1.0 200"))
            #expect(!old.lowercased().contains("transfer-encoding"))
            #expect(old.hasSuffix("part 0;part 1;part 2;part 3;part 4;"))
            let head = try await RawClient.exchange(fixture.port, "HEAD /hello HTTP/1.1\r\n\(Self.close)\r\n")
            #expect(head.hasSuffix("\r\n\r\n"))
        }
    }

    @Test func aFailingRouteIsAnsweredAndCounted() async throws {
        try await DoorFixture.with { fixture in
            let answer = try await RawClient.exchange(fixture.port, "GET /fault HTTP/1.1\r\n\(Self.close)\r\n")
            #expect(answer.hasPrefix("HTTP/1.1 500"))
            #expect(fixture.metrics.refused[.fault] == 1)
        }
    }

    /// Requests that two programs could read differently, or that no program should send.
    static let hostile: [(name: String, request: String)] = [
        (
            "length and chunks",
            "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        ),
        (
            "chunks and length",
            "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n"
        ),
        ("two lengths", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"),
        ("two equal lengths", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc"),
        ("a list of lengths", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\nabc"),
        ("a signed length", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc"),
        ("a negative length", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\nabc"),
        ("a huge length", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\nabc"),
        ("chunked twice", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
        (
            "chunked on two lines",
            "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        ),
        ("chunked not last", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
        ("another coding", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
        (
            "a vertical tab in the coding",
            "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\u{0B}chunked\r\n\r\n0\r\n\r\n"
        ),
        ("chunks in HTTP/1.0", "POST /echo HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        ("bare LF behind a field", "GET /hello HTTP/1.1\r\nHost: a\nX: y\r\n\r\n"),
        ("bare LF behind the request line", "GET /hello HTTP/1.1\nHost: a\r\n\r\n"),
        ("bare LF at the end", "GET /hello HTTP/1.1\r\nHost: a\r\n\n"),
        ("bare CR in a field", "GET /hello HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n"),
        ("a folded line", "GET /hello HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n"),
        ("a folded first line", "GET /hello HTTP/1.1\r\n Host: a\r\n\r\n"),
        ("space before the colon", "GET /hello HTTP/1.1\r\nHost : a\r\n\r\n"),
        ("space before the length's colon", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length : 3\r\n\r\nabc"),
        ("NUL in a value", "GET /hello HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n"),
        ("NUL in a name", "GET /hello HTTP/1.1\r\nHost: a\r\nX\0: ab\r\n\r\n"),
        ("an empty name", "GET /hello HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n"),
        ("a field without colon", "GET /hello HTTP/1.1\r\nHost: a\r\nfoo\r\n\r\n"),
        ("no Host", "GET /hello HTTP/1.1\r\n\r\n"),
        ("two Hosts", "GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
        ("a Host with a path", "GET /hello HTTP/1.1\r\nHost: a/b\r\n\r\n"),
        ("a Host with a name and a space", "GET /hello HTTP/1.1\r\nHost: a b\r\n\r\n"),
        (
            "a bad chunk length",
            "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nabc\r\n0\r\n\r\n"
        ),
        (
            "a chunk longer than said",
            "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n"
        ),
        ("a chunk ended by LF", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc\n0\n\n"),
        (
            "a huge chunk",
            "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff1\r\nabc"
        ),
        ("HTTP/3.0", "GET /hello HTTP/3.0\r\nHost: a\r\n\r\n"),
        ("HTTP/0.9", "GET /hello\r\n\r\n"),
        ("a target without slash", "GET hello HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("a proxy request", "CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n"),
    ]

    @Test func refusesWhatCouldBeSmuggled() async throws {
        try await DoorFixture.with { fixture in
            for (name, request) in Self.hostile {
                let client = try await RawClient.connect(fixture.port)
                client.push(request + "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
                let answer = await client.wait(seconds: 2)
                #expect(client.isClosed, "\(name): not closed: \(answer)")
                let status = answer.split(separator: " ").dropFirst().first.flatMap { Int($0) }
                #expect(status == nil || (400..<600).contains(status ?? 0), "\(name): \(answer)")
                #expect(!answer.contains("hello"), "\(name): \(answer)")
                #expect(!answer.contains("\u{0B}"))
            }
        }
    }

    @Test func limitsTheHead() async throws {
        try await DoorFixture.with { fixture in
            let many = String(repeating: "X: y\r\n", count: 100_000)
            let large = "X: \(String(repeating: "y", count: 40_000))\r\n"
            let target = "/" + String(repeating: "a", count: 9000)
            for (request, status) in [
                ("GET /hello HTTP/1.1\r\nHost: a\r\n\(many)\r\n", "431"),
                ("GET /hello HTTP/1.1\r\nHost: a\r\n\(large)\r\n", "431"),
                ("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n", "414"),
            ] {
                let answer = try await RawClient.exchange(fixture.port, request)
                #expect(answer.hasPrefix("HTTP/1.1 \(status)"), "\(answer.prefix(200))")
            }
            // As many as are allowed.
            let full = String(repeating: "X: y\r\n", count: 98)
            let answer = try await RawClient.exchange(fixture.port, "GET /hello HTTP/1.1\r\n\(Self.close)\(full)\r\n")
            #expect(answer.hasPrefix("HTTP/1.1 200"))
            #expect(fixture.metrics.refused[.headTooLarge] ?? 0 >= 3)
        }
    }

    @Test func limitsTheBody() async throws {
        var limits = DoorLimits()
        limits.bodyBytes = 1000
        limits.bodyBytesByPath = ["/count": 3 << 20]
        try await DoorFixture.with(limits: limits) { fixture in
            let long = String(repeating: "x", count: 1001)
            let declared = try await RawClient.exchange(
                fixture.port, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n\(long)")
            #expect(declared.hasPrefix("HTTP/1.1 413"))
            let chunked = try await RawClient.exchange(
                fixture.port,
                "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n\(long)\r\n0\r\n\r\n")
            #expect(chunked.hasPrefix("HTTP/1.1 413"))
            // A large body is streamed to a route that allows it.
            let large = String(repeating: "y", count: 2 << 20)
            let streamed = try await RawClient.exchange(
                fixture.port, "POST /count HTTP/1.1\r\n\(Self.close)Content-Length: \(large.utf8.count)\r\n\r\n\(large)"
            )
            #expect(streamed.hasSuffix("\r\n\r\n\(large.utf8.count)"))
        }
    }

    @Test func asksForAnExpectedBody() async throws {
        try await DoorFixture.with { fixture in
            let client = try await RawClient.connect(fixture.port)
            try await client.send(
                "POST /echo HTTP/1.1\r\n\(Self.close)Content-Length: 4\r\nExpect: 100-continue\r\n\r\n")
            let asked = await client.wait { $0.contains("\r\n\r\n") }
            #expect(asked.hasPrefix("HTTP/1.1 100 Continue\r\n"))
            #expect(!asked.lowercased().contains("transfer-encoding"))
            try await client.send("body")
            #expect(await client.wait().hasSuffix("\r\n\r\nbody"))
        }
    }

    @Test func cutsSlowHeadsAndIdleConnections() async throws {
        var limits = DoorLimits()
        limits.headTime = .milliseconds(400)
        limits.keepAliveTime = .milliseconds(800)
        try await DoorFixture.with(limits: limits) { fixture in
            // Never a byte; and one byte at a time.
            let silent = try await RawClient.connect(fixture.port)
            let slow = try await RawClient.connect(fixture.port)
            for byte in "GET /hello HTTP/1.1\r\nHost: a" {
                slow.push(String(byte))
                try await Task.sleep(for: .milliseconds(30))
            }
            await slow.wait(seconds: 2)
            #expect(slow.isClosed)
            #expect(slow.text.isEmpty)
            await silent.wait(seconds: 2)
            #expect(silent.isClosed)
            #expect(fixture.metrics.refused[.slowHead] == 2)
            // A connection in use may rest for longer, but not forever.
            let kept = try await RawClient.connect(fixture.port)
            try await kept.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
            await kept.wait { $0.hasSuffix("hello") }
            try await Task.sleep(for: .milliseconds(500))
            #expect(!kept.isClosed)
            await kept.wait(seconds: 3)
            #expect(kept.isClosed)
        }
    }

    @Test func cutsSlowBodies() async throws {
        var limits = DoorLimits()
        limits.bodyTime = .milliseconds(500)
        try await DoorFixture.with(limits: limits) { fixture in
            let client = try await RawClient.connect(fixture.port)
            client.push("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10000\r\n\r\n")
            for _ in 0..<30 where !client.isClosed {
                client.push("x")
                try await Task.sleep(for: .milliseconds(50))
            }
            #expect(await client.wait().hasPrefix("HTTP/1.1 408"))
            #expect(fixture.metrics.refused[.slowBody] == 1)
        }
    }

    @Test(arguments: [
        "NICK alice\r\nUSER a 0 * :a\r\n", "SSH-2.0-OpenSSH_9.2\r\n", "\u{10}\u{0E}\u{00}\u{04}MQTT",
        "\u{16}\u{03}\u{01}",
        "<?xml version='1.0'?><stream:stream>", "{\"hello\":1}\n", "*1\r\n$4\r\nPING\r\n", "PRIVMSG #a :b\r\n",
        "EHLO example.org\r\n", "HTTP/1.1 200 OK\r\n\r\n", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nGET / HTTP/1.1\r\n\r\n",
    ])
    func anotherProtocolGetsNothing(_ bytes: String) async throws {
        try await DoorFixture.with { fixture in
            let client = try await RawClient.connect(fixture.port)
            client.push(bytes)
            await client.wait(seconds: 2)
            #expect(client.isClosed)
            #expect(client.text.isEmpty, "\(client.text)")
            #expect(fixture.metrics.refused[.wrongProtocol] == 1)
        }
    }

    /// RFC 9112 section 9.6: the answer to what came before is out first.
    @Test func aMalformedRequestIsAnsweredOnAConnectionThatWasKept() async throws {
        try await DoorFixture.with { fixture in
            let malformed = "GET /hello HTTP/1.1\r\nHost : a\r\n\r\n"
            let kept = try await RawClient.connect(fixture.port)
            try await kept.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
            await kept.wait { $0.hasSuffix("hello") }
            _ = kept.take()
            try await kept.send(malformed)
            #expect(await kept.wait().hasPrefix("HTTP/1.1 400"))
            #expect(await eventually { kept.isClosed })
            let pipelined = try await RawClient.connect(fixture.port)
            try await pipelined.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n" + malformed)
            let answers = await pipelined.wait()
            #expect(answers.hasPrefix("HTTP/1.1 200") && answers.contains("slowHTTP/1.1 400"), "\(answers)")
        }
    }

    @Test func aLongAnswerIsWrittenAsThePeerTakesIt() async throws {
        try await DoorFixture.with { fixture in
            let slow = try await RawClient.connect(fixture.port, receiveBuffer: 4096)
            try await slow.channel.setOption(.autoRead, value: false).get()
            slow.push("GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            #expect(await eventually { fixture.metrics.bytesSent > 0 })
            try await Task.sleep(for: .milliseconds(200))
            // The kernel takes megabytes on loopback.
            #expect(fixture.metrics.bytesSent < 32 << 20)
            try await slow.channel.setOption(.autoRead, value: true).get()
            #expect(await eventually(seconds: 20) { slow.received.readableBytes > 64 << 20 })
        }
    }

    @Test func aPeerThatHangsUpIsNoErrorOfOurs() async throws {
        let log = RecordedLog()
        try await DoorFixture.with(log: log) { fixture in
            let client = try await RawClient.connect(fixture.port, receiveBuffer: 4096)
            try await client.channel.setOption(.autoRead, value: false).get()
            try await client.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(await eventually { fixture.metrics.bytesSent > 0 })
            await client.close()
            #expect(await eventually { log.lines.contains { $0.text == "request failed" } })
            #expect(log.lines.allSatisfy { $0.level < .warning })
        }
    }

    @Test func aPeerThatLeavesCancelsItsRequest() async throws {
        try await DoorFixture.with { fixture in
            let client = try await RawClient.connect(fixture.port)
            try await client.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
            await client.close()
            #expect(await eventually { fixture.metrics.connectionsOpen == 0 })
            // One that only ends its own side still gets its answer.
            let half = try await RawClient.connect(fixture.port)
            try await half.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
            try await half.channel.close(mode: .output)
            #expect(await half.wait().hasSuffix("slow"))
        }
    }
}

import NIOCore
import Testing

@testable import GatewayKit

/// What a request's body may cost before anybody knows who sends it.
@Suite(.serialized)
struct BodyAllowanceTests {
    private func post(_ path: String, length: Int) -> String {
        "POST \(path) HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(length)\r\n\r\n"
    }

    @Test func aBodyOfAnybodyIsSmall() async throws {
        try await DoorFixture.with(bodyAllowance: { $0.path == "/echo" ? .small : .standard }) { fixture in
            let fits = String(repeating: "x", count: 16 << 10)
            for (path, body, status) in [
                ("/echo", fits, "200"), ("/echo", fits + "x", "413"), ("/count", fits + "x", "200"),
            ] {
                let client = try await RawClient.connect(fixture.port)
                client.push(post(path, length: body.utf8.count) + body)
                let answer = await client.wait { $0.contains("\r\n\r\n") }
                #expect(answer.hasPrefix("HTTP/1.1 \(status)"), "\(path): \(answer.prefix(100))")
                await client.close()
            }
        }
    }

    @Test func whatIsRefusedByItsHeadIsNotWaitedFor() async throws {
        try await DoorFixture.with(bodyAllowance: { _ in .dropped }) { fixture in
            let client = try await RawClient.connect(fixture.port)
            try await client.send(post("/count", length: 10_000_000) + "the beginning")
            let answer = await client.wait { $0.hasSuffix("0") }
            #expect(answer.hasPrefix("HTTP/1.1 200") && answer.hasSuffix("\r\n\r\n0"))
            #expect(answer.lowercased().contains("\r\nconnection: close\r\n"))
            #expect(fixture.door.shared.bodies.bytes == 0)
            // Nothing is asked for, and a body that is there already is no request.
            let whole = try await RawClient.connect(fixture.port)
            try await whole.send(
                "POST /count HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello"
                    + "GET /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            let both = await whole.wait()
            #expect(!both.contains("100 Continue") && both.hasSuffix("hello"))
        }
    }

    @Test func allBodiesTogetherAreBounded() async throws {
        var limits = DoorLimits()
        limits.inboundBudget = 200 << 10
        try await DoorFixture.with(
            limits: limits, bodyAllowance: { $0.path == "/echo" ? .atMost(60 << 10) : .standard }
        ) { fixture in
            let part = String(repeating: "x", count: 70 << 10)
            var held: [RawClient] = []
            for _ in 0..<2 {
                let client = try await RawClient.connect(fixture.port)
                try await client.send(post("/count", length: 100 << 10) + part)
                held.append(client)
            }
            #expect(await eventually { fixture.door.shared.bodies.bytes == 140 << 10 })
            let third = try await RawClient.connect(fixture.port)
            third.push(post("/count", length: 100 << 10) + part)
            let refused = await third.wait { $0.contains("\r\n\r\n") }
            #expect(refused.hasPrefix("HTTP/1.1 503") && refused.lowercased().contains("\r\nretry-after: "))
            #expect(fixture.metrics.refused[.bodyBudget] == 1)
            // What anybody may send has half of it.
            let open = try await RawClient.connect(fixture.port)
            open.push(post("/echo", length: 10) + "0123456789")
            #expect(await open.wait { $0.contains("\r\n\r\n") }.hasPrefix("HTTP/1.1 503"))
            for client in held { await client.close() }
            #expect(await eventually { fixture.door.shared.bodies.bytes == 0 })
            let again = try await RawClient.connect(fixture.port)
            again.push(post("/echo", length: 10) + "0123456789")
            #expect(await again.wait { $0.hasSuffix("789") }.hasPrefix("HTTP/1.1 200"))
        }
    }
}

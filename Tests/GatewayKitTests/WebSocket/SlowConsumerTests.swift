import NIOCore
import Testing
import WireWebSocket

@testable import GatewayKit

@Suite(.serialized)
struct SlowConsumerTests {
    private func frame(_ count: Int) -> ByteBuffer {
        var frame = ByteBuffer()
        WebSocketFrame.write(.binary, ByteBuffer(repeating: 7, count: count), into: &frame)
        return frame
    }

    @Test func aSlowReaderIsCutWhileOthersGoOn() async throws {
        let log = SessionLog()
        var limits = DoorLimits()
        limits.closeTime = .milliseconds(500)
        try await DoorFixture.with(limits: limits, webSockets: [EchoSession.route(log: log)]) { fixture in
            let slow = try await WebSocketClient(fixture.port, receiveBuffer: 4096)
            try await slow.client.channel.setOption(.autoRead, value: false).get()
            let quick = try await WebSocketClient(fixture.port)
            _ = await eventually { log.lines.filter { $0 == "opened" }.count == 2 }
            let frame = frame(16 << 10)
            // The socket's own buffers take megabytes on loopback before the queue begins to grow.
            var largest = 0, received = 0
            for _ in 0..<2000 where !log.lines.contains("limit bytes") {
                try await log.each { connection in
                    connection.write(frame)
                    connection.flush()
                }
                largest = max(largest, fixture.metrics.outboundQueued)
                while case .binary? = try await quick.next(seconds: 0) { received += 1 }
            }
            #expect(log.lines.contains("limit bytes"))
            #expect(largest <= 1 << 20 + 128 << 10)
            #expect(fixture.metrics.refused[.slowConsumer] == 1)
            #expect(await eventually { log.lines.contains("closed") })
            #expect(log.lines.filter { $0 == "closed" }.count == 1)
            #expect(fixture.metrics.outboundQueued == 0)
            try await quick.send("still here")
            while let input = try await quick.next() {
                if input == .text(ByteBuffer(string: "still here")) { break }
                received += 1
            }
            #expect(received > 50)
            #expect(!quick.client.isClosed)
        }
    }

    @Test func aPeerThatTakesNothingIsCutInTime() async throws {
        let log = SessionLog()
        var limits = DoorLimits()
        limits.outboundBytes = 64 << 20
        limits.outboundStall = .milliseconds(500)
        limits.closeTime = .milliseconds(300)
        try await DoorFixture.with(limits: limits, webSockets: [EchoSession.route(log: log)]) { fixture in
            let slow = try await WebSocketClient(fixture.port, receiveBuffer: 4096)
            try await slow.client.channel.setOption(.autoRead, value: false).get()
            _ = await eventually { log.lines.contains("opened") }
            let frame = frame(16 << 20)
            try await log.each { connection in
                connection.write(frame)
                connection.flush()
            }
            #expect(await eventually { log.lines.contains("limit stalled") })
            #expect(await eventually { log.lines.contains("closed") })
        }
    }

    @Test func aPeerThatCatchesUpIsToldSo() async throws {
        let log = SessionLog()
        var limits = DoorLimits()
        limits.outboundBytes = 64 << 20
        try await DoorFixture.with(limits: limits, webSockets: [EchoSession.route(log: log)]) { fixture in
            let slow = try await WebSocketClient(fixture.port, receiveBuffer: 4096)
            try await slow.client.channel.setOption(.autoRead, value: false).get()
            _ = await eventually { log.lines.contains("opened") }
            let frame = frame(16 << 20)
            try await log.each { connection in
                connection.write(frame)
                connection.flush()
            }
            #expect(fixture.metrics.outboundQueued > 0)
            #expect(!log.lines.contains("writable"))
            try await slow.client.channel.setOption(.autoRead, value: true).get()
            #expect(await eventually(seconds: 20) { log.lines.contains("writable") })
            #expect(fixture.metrics.outboundQueued == 0)
        }
    }

    @Test func allQueuesTogetherAreBounded() async throws {
        let log = SessionLog()
        var limits = DoorLimits()
        limits.outboundBytes = 64 << 20
        limits.outboundBudget = 8 << 20
        limits.closeTime = .milliseconds(300)
        try await DoorFixture.with(limits: limits, webSockets: [EchoSession.route(log: log)]) { fixture in
            for _ in 0..<3 {
                let slow = try await WebSocketClient(fixture.port, receiveBuffer: 4096)
                try await slow.client.channel.setOption(.autoRead, value: false).get()
            }
            _ = await eventually { log.lines.filter { $0 == "opened" }.count == 3 }
            let frame = frame(1 << 20)
            for _ in 0..<40 where !log.lines.contains("limit budget") {
                try await log.each { connection in
                    connection.write(frame)
                    connection.flush()
                }
            }
            #expect(log.lines.contains("limit budget"))
        }
    }

    @Test func aStreamIsCutTheSameWay() async throws {
        let log = SessionLog()
        var limits = DoorLimits()
        limits.closeTime = .milliseconds(300)
        try await DoorFixture.with(limits: limits, streams: [TickSession.route(log: log)]) { fixture in
            let slow = try await RawClient.connect(fixture.port, receiveBuffer: 4096)
            try await slow.channel.setOption(.autoRead, value: false).get()
            slow.push("GET /events?flood HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(await eventually { log.lines.contains("limit bytes") })
            #expect(await eventually { log.lines.contains("stream closed") })
            #expect(await eventually { fixture.metrics.connectionsOpen == 0 })
        }
    }
}

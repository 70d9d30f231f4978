import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket
import TestKit

/// The client API over a real WebSocket, by NIO's own WebSocket code: not the one that the server uses.
final class SocketFrames: FrameConnection {
    private let channel: NIOAsyncChannel<WebSocketFrame, WebSocketFrame>
    private let frames: AsyncStream<String>
    private let pump: Task<Void, Never>
    private let outbound: AsyncStream<WebSocketFrame>.Continuation

    private init(_ channel: NIOAsyncChannel<WebSocketFrame, WebSocketFrame>) {
        self.channel = channel
        let (frames, inbound) = AsyncStream.makeStream(of: String.self)
        let (toSend, outbound) = AsyncStream.makeStream(of: WebSocketFrame.self)
        self.frames = frames
        self.outbound = outbound
        pump = Task {
            _ = try? await channel.executeThenClose { incoming, outgoing in
                try await withThrowingTaskGroup(of: Void.self) { tasks in
                    tasks.addTask {
                        for await frame in toSend { try await outgoing.write(frame) }
                        outgoing.finish()
                    }
                    for try await frame in incoming {
                        switch frame.opcode {
                        case .text: inbound.yield(String(buffer: frame.unmaskedData))
                        case .connectionClose: outbound.finish()
                        default: break
                        }
                    }
                    outbound.finish()
                    try await tasks.waitForAll()
                }
            }
            inbound.finish()
        }
    }

    static func connect(port: Int, group: MultiThreadedEventLoopGroup) async throws -> SocketFrames {
        let upgraded = try await ClientBootstrap(group: group).connect(host: "127.0.0.1", port: port) { channel in
            channel.eventLoop.makeCompletedFuture {
                let upgrader = NIOTypedWebSocketClientUpgrader<NIOAsyncChannel<WebSocketFrame, WebSocketFrame>?>(
                    maxFrameSize: 1 << 20
                ) { channel, _ in
                    channel.eventLoop.makeCompletedFuture {
                        try NIOAsyncChannel<WebSocketFrame, WebSocketFrame>(wrappingChannelSynchronously: channel)
                    }
                }
                let head = HTTPRequestHead(
                    version: .http1_1, method: .GET, uri: "/v1/socket",
                    headers: ["Host": "127.0.0.1:\(port)", "Content-Length": "0"])
                let upgrade = NIOTypedHTTPClientUpgradeConfiguration(
                    upgradeRequestHead: head, upgraders: [upgrader]
                ) { $0.eventLoop.makeSucceededFuture(nil) }
                return try channel.pipeline.syncOperations.configureUpgradableHTTPClientPipeline(
                    configuration: .init(upgradeConfiguration: upgrade))
            }
        }
        guard let channel = try await upgraded.get() else { throw PlayFailure("the socket was refused") }
        return SocketFrames(channel)
    }

    func send(_ frame: String) async throws {
        outbound.yield(
            WebSocketFrame(
                fin: true, opcode: .text, maskKey: .random(), data: ByteBuffer(string: frame)))
    }

    func receive() async throws -> String? {
        for await frame in frames { return frame }
        return nil
    }

    func close() async {
        outbound.yield(WebSocketFrame(fin: true, opcode: .connectionClose, maskKey: .random(), data: ByteBuffer()))
        outbound.finish()
        await pump.value
    }
}

import Hub
import NIOCore
import WireWebSocket

/// The outbound forms of the client API on one event loop.
///
/// *Lives on* that event loop. Dialects are compared by identity, so all sessions of a loop share these; those that need
/// no state of the loop are the same on every loop.
final class Dialects {
    let socket: Dialect
    let stream: Dialect
    let list: Dialect
    private let deflater = Deflater()
    private let epoch: Int64
    private let eventLoop: any EventLoop
    /// By window; made on first need.
    private var deflated: [Int: (dialect: Dialect, compressor: Compressor)] = [:]

    init(shared: SharedDialects, eventLoop: any EventLoop) {
        socket = shared.socket
        stream = shared.stream
        list = shared.list
        epoch = shared.epoch
        self.eventLoop = eventLoop
    }

    /// The dialect of sockets that agreed on permessage-deflate with a window. RFC 7692: every message is compressed on its
    /// own, so one compressed message serves them all.
    ///
    /// - Returns: the dialect, and what compresses the frames of a single session alike.
    func deflated(windowBits: Int) -> (dialect: Dialect, compressor: Compressor) {
        if let known = deflated[windowBits] { return known }
        let compressor = Compressor(deflater: deflater, windowBits: windowBits)
        let box = NIOLoopBound(compressor, eventLoop: eventLoop)
        let dialect = Dialect("client-api/socket+deflate-\(windowBits)") { [epoch] delivery, buffer in
            box.value.append(delivery.frameType, to: &buffer) { delivery.writeMembers(&$0, epoch: epoch) }
        }
        deflated[windowBits] = (dialect, compressor)
        return (dialect, compressor)
    }
}

/// The dialects that need no state.
struct SharedDialects: Sendable {
    let epoch: Int64
    let socket: Dialect
    let stream: Dialect
    let list: Dialect

    init(epoch: Int64) {
        self.epoch = epoch
        socket = SharedDialects.dialect("client-api/socket", .socket, epoch)
        stream = SharedDialects.dialect("client-api/stream", .stream, epoch)
        list = SharedDialects.dialect("client-api/list", .list, epoch)
    }

    private static func dialect(_ name: String, _ framing: Framing, _ epoch: Int64) -> Dialect {
        Dialect(name) { delivery, buffer in framing.append(delivery, epoch: epoch, to: &buffer) }
    }
}

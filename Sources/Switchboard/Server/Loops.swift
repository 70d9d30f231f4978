import Hub
import NIOCore
import NIOPosix

/// The threads of a server. ``shutdown()`` must be called, and last of all.
struct Loops: Sendable {
    /// Without sockets: the log is written there, and it may block.
    let lane: MultiThreadedEventLoopGroup
    let sockets: MultiThreadedEventLoopGroup
    let readers: NIOThreadPool

    /// - Parameter count: loops with sockets; 0: one per core.
    init(count: Int, readers: Int) {
        lane = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        sockets = MultiThreadedEventLoopGroup(numberOfThreads: count > 0 ? count : System.coreCount)
        self.readers = NIOThreadPool(numberOfThreads: readers)
        self.readers.start()
    }

    var readerPool: ReaderPool {
        // A pool that is going down still runs what it took: the caller waits for an answer.
        ReaderPool { [readers] work in readers.submit { _ in work() } }
    }

    func shutdown() async {
        do {
            try await sockets.shutdownGracefully()
            try await readers.shutdownGracefully()
            try await lane.shutdownGracefully()
        } catch {
            // A loop that was shut down before is the only reason; the process ends anyhow.
        }
    }
}

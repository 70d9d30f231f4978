import GatewayKit
import Glibc
import Hub
import ServiceLifecycle
import Synchronization

/// Work that goes on until the server goes down, and is then cancelled.
struct Background: Service {
    let work: @Sendable () async throws -> Void

    init(_ work: @escaping @Sendable () async throws -> Void) { self.work = work }

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown(work)
        } catch is CancellationError {
            // That is how it ends.
        }
    }
}

/// The clock of the hub.
enum SystemClock {
    @Sendable static func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(rawValue: Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000)
    }
}

/// Carries the log's fatal error to a server that is made after the log.
///
/// *Lives on* no loop: set once from the opening task, read on the lane; guarded by its lock.
final class FatalBox: Sendable {
    private let server = Mutex<Server?>(nil)

    func connect(_ server: Server) { self.server.withLock { $0 = server } }

    func happened(_ error: StoreError) {
        guard let server = server.withLock({ $0 }) else { return }
        let isFirst = server.state.withLock { state in
            defer { state.fatal = state.fatal ?? error }
            return state.fatal == nil
        }
        guard isFirst else { return }
        server.logger.critical(
            "the log can't be trusted to reach the disk; the server ends", metadata: ["reason": "\(error)"])
        server.stop()
    }
}

/// The files of a data directory.
enum DataFiles {
    /// What the database takes on the disk.
    static func bytes(in directory: String) -> Int {
        var total = 0
        for name in ["switchboard.sqlite", "switchboard.sqlite-wal", "search.sqlite", "search.sqlite-wal"] {
            var about = stat()
            if stat("\(directory)/\(name)", &about) == 0 { total += Int(about.st_size) }
        }
        return total
    }
}

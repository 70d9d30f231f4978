import Foundation
import Glibc
import SwitchboardClient
import WireJSON

/// The server that is measured: one that runs already, or a child of this process with its own data directory.
///
/// *Lives on* the task that made it. ``stop()`` must be called.
final class BenchTarget {
    let url: String
    /// Nil where the server's process is not known.
    let process: Int32?
    /// The child's configuration file, which is printed with the figures.
    let configuration: String?
    private let child: Process?
    private let directory: String?
    private let trust: ServerTrust

    /// Limits that would end a measurement are raised by ordinary configuration. Nothing else differs from the defaults.
    static let configurationText = """
        server: { name: bench.test }
        limits:
          commands-per-second: 1000000
          command-burst: 1000000
          signals-per-second: 1000000
          signal-burst: 1000000
          reads-per-second: 1000000
          read-burst: 1000000
          sessions-per-account: 100000
        door:
          connections-per-address: 1000000
          new-connections-per-minute: 1000000

        """

    init(url: String, trust: ServerTrust) {
        self.url = url
        self.trust = trust
        process = nil
        configuration = nil
        child = nil
        directory = nil
    }

    /// Starts a child with an empty data directory.
    static func start(more settings: [String]) async throws -> BenchTarget {
        BenchTarget.raiseFileLimit()
        let directory = FileManager.default.temporaryDirectory.path + "/switchboard-bench-\(getpid())"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let file = directory + "/switchboard.yaml"
        try Data(configurationText.utf8).write(to: URL(fileURLWithPath: file))
        let child = Process()
        child.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        child.arguments =
            [
                "serve", "--json", "--config", file, "--data", directory + "/data", "--port", "0", "--log-level",
                "warning",
            ] + settings.flatMap { ["--set", $0] }
        let output = Pipe()
        child.standardOutput = output
        child.standardInput = FileHandle.nullDevice
        var environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix(Setting.variablePrefix) }
        environment["SWIFT_BACKTRACE"] = "enable=no"
        if let counter = environment.removeValue(forKey: AllocationCount.variable) {
            environment["LD_PRELOAD"] = counter
            environment["ALLOCATION_COUNT"] = AllocationCount.path(in: directory)
        }
        child.environment = environment
        try child.run()
        do {
            let line = try await readLine(output.fileHandleForReading)
            let ready = try ClientValue(parsing: line)
            guard let address = ready["address"]?.string else {
                throw Failure(.software, "the child did not say where it listens")
            }
            return BenchTarget(address, child, directory)
        } catch {
            child.terminate()
            throw error is Failure ? error : Failure(.software, "the child did not start: \(error)")
        }
    }

    private init(_ url: String, _ child: Process, _ directory: String) {
        self.url = url
        self.child = child
        self.directory = directory
        trust = .system
        process = child.processIdentifier
        configuration = BenchTarget.configurationText
    }

    private static func readLine(_ handle: FileHandle) async throws -> String {
        try await withCheckedThrowingContinuation { continuation in
            Thread {
                var line: [UInt8] = []
                var byte: UInt8 = 0
                while read(handle.fileDescriptor, &byte, 1) == 1, byte != 0x0A { line.append(byte) }
                if line.isEmpty {
                    continuation.resume(throwing: Failure(.software, "the child ended at once"))
                } else {
                    continuation.resume(returning: String(decoding: line, as: UTF8.self))
                }
            }.start()
        }
    }

    /// Ends the child and removes its data.
    func stop() {
        child?.terminate()
        child?.waitUntilExit()
        if let directory { try? FileManager.default.removeItem(atPath: directory) }
    }

    /// Tokens of so many accounts: bots by the child's admin socket, or guests of a server that runs already.
    func accounts(_ count: Int) async throws -> [String] {
        var tokens: [String] = []
        let admin = directory.map { "unix:\($0)/data/admin.sock" }
        try await HTTPOperations.with(url: admin ?? url, token: admin == nil ? nil : "admin-socket", trust: trust) {
            operations in
            for number in 0..<count {
                let answer =
                    admin == nil
                    ? try await operations.change("guest", ["device": "bench"])
                    : try await operations.change("account-add", ["handle": .string("bench-\(number)"), "kind": "bot"])
                guard let token = answer["token"]?.string else {
                    throw ClientError.protocolViolation("no token in the answer")
                }
                tokens.append(token)
            }
        }
        return tokens
    }

    func operations(_ token: String) throws -> HTTPOperations {
        try HTTPOperations(url: url, token: token, trust: trust)
    }
    func connector() throws -> SocketConnector { try SocketConnector(address: ServerAddress(url), trust: trust) }

    /// Processor seconds of the server so far; nil where its process is not known.
    var cpuSeconds: Double? { process.map { ProcessFigures.cpuSeconds(of: $0) } }
    /// Allocations of the server so far; nil unless they are counted.
    var allocations: UInt64? { directory.flatMap(AllocationCount.read) }
    var residentBytes: Int? { process.map { ProcessFigures.residentBytes(of: $0) } }

    /// Ten thousand connections need as many descriptors, here and in the child.
    static func raiseFileLimit() {
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(resource, &limit) == 0 else { return }
        limit.rlim_cur = min(limit.rlim_max, 262_144)
        setrlimit(resource, &limit)
    }
}

import ArgumentParser
import NIOPosix

/// `switchboard bench …`.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measure a server.",
        discussion: """
            Without --url each starts a server of its own with an empty data directory; its limits are raised by a \
            configuration file that is printed with the figures. Generator and server share the machine. \
            With ALLOCATION_COUNTER naming the library of Benchmarks/allocations.c, fan-out counts allocations too: \
            `make bench` sees to it.
            """,
        subcommands: [All.self, Post.self, FanOut.self, Idle.self, Overview.self], defaultSubcommand: All.self)

    struct Options: ParsableArguments {
        @Option(help: "Measure the server at this address.") var url: String?
        @Flag(help: "Trust any certificate.") var insecure = false
        @Option(help: ArgumentHelp("A setting of the server that is started.", valueName: "key=value")) var set:
            [String] = []
        @Flag(help: "Print one JSON object.") var json = false

        func run(_ body: (BenchRuns) async throws -> BenchReport) async throws {
            let target =
                if let url {
                    BenchTarget(url: url, trust: insecure ? .anything : .system)
                } else {
                    try await BenchTarget.start(more: set)
                }
            defer { target.stop() }
            let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
            let report: BenchReport
            do {
                report = try await body(BenchRuns(target: target, group: group))
            } catch {
                try await group.shutdownGracefully()
                throw error
            }
            try await group.shutdownGracefully()
            let text =
                json
                ? report.json(configuration: target.configuration) + "\n"
                : report.text(configuration: target.configuration)
            writeFully(text, to: 1)
        }
    }

    struct All: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "all", abstract: "All of them, one after the other.")
        @OptionGroup var options: Options

        func run() async throws {
            try await options.run { try await $0.post(.init()) }
            try await options.run { try await $0.fanOut(listeners: 1_000, bursts: 10, burst: 100, bytes: 100) }
            try await options.run { try await $0.overview(conversations: 300, messages: 10, rounds: 50) }
            try await options.run { try await $0.idle(connections: 10_000) }
        }
    }

    struct Post: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Durable posts over WebSocket.")
        @OptionGroup var options: Options
        @Option(help: "Connections that post.") var senders = 100
        @Option(help: "Conversations that they are spread over.") var conversations = 50
        @Option(help: "How long.") var seconds = 10
        @Option(help: "Bytes of each text.") var bytes = 100
        @Option(help: "Posts that each sender has under way.") var window = 1

        func run() async throws {
            try await options.run {
                try await $0.post(
                    .init(
                        senders: senders, conversations: conversations, window: window, bytes: bytes,
                        seconds: seconds))
            }
        }
    }

    struct FanOut: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "fanout", abstract: "One conversation, many WebSocket listeners.")
        @OptionGroup var options: Options
        @Option(help: "Listeners.") var listeners = 1_000
        @Option(help: "Bursts.") var bursts = 10
        @Option(help: "Posts in a burst.") var burst = 100
        @Option(help: "Bytes of each text.") var bytes = 100

        func run() async throws {
            try await options.run {
                try await $0.fanOut(listeners: listeners, bursts: bursts, burst: burst, bytes: bytes)
            }
        }
    }

    struct Idle: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Memory of idle WebSocket sessions.")
        @OptionGroup var options: Options
        @Option(help: "Sessions.") var connections = 10_000

        func run() async throws { try await options.run { try await $0.idle(connections: connections) } }
    }

    struct Overview: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "The first screen of a busy account.")
        @OptionGroup var options: Options
        @Option(help: "Conversations of the account.") var conversations = 300
        @Option(help: "Unread messages in each.") var messages = 10
        @Option(help: "How often it is asked for.") var rounds = 50

        func run() async throws {
            try await options.run {
                try await $0.overview(conversations: conversations, messages: messages, rounds: rounds)
            }
        }
    }
}

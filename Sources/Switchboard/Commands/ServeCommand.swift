import ArgumentParser
import Glibc
import Hub
import NIOCore
import ServiceLifecycle
import UnixSignals

/// `switchboard serve`.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Run the server.",
        discussion: """
            SIGTERM and SIGINT let the clients go with a goodbye and then end; a second one ends at once, which loses \
            nothing either. SIGHUP reads the configuration again.
            """)

    @OptionGroup var options: ConfigurationOptions
    @Option(name: .long, help: "The port (http.port).") var port: String?
    @Option(name: .long, help: "The addresses to listen at, separated by commas (http.bind).") var bind: String?
    @Option(name: .long, help: "The server's domain name (server.name).") var name: String?
    @Option(name: .long, help: "off, files or self-signed (tls.mode).") var tls: String?
    @Option(name: .long, help: "text or json (log.format).") var logFormat: String?
    @Option(name: .long, help: "trace, debug, info, notice, warning, error or critical (log.level).")
    var logLevel: String?
    @Flag(name: .long, help: "Say that the server is ready in one line of JSON.") var json = false

    func run() async throws {
        let start = NIODeadline.now()
        var flags: [(key: String, value: String, flag: String)] = []
        for (key, value, flag) in [
            ("http.port", port, "--port"), ("http.bind", bind, "--bind"), ("server.name", name, "--name"),
            ("tls.mode", tls, "--tls"), ("log.format", logFormat, "--log-format"),
            ("log.level", logLevel, "--log-level"),
        ] {
            if let value { flags.append((key, value, flag)) }
        }
        let sources = try options.sources(more: flags)
        let configuration = try sources.read().configuration
        let log = ServerLog(format: configuration.log.format, level: configuration.log.level)
        let server = try await Server.open(configuration, log: log, scope: .everything)
        try await server.run(since: start) { [json] _, screen in
            writeFully(json ? screen.json + "\n" : screen.text, to: STDOUT_FILENO)
        } reload: {
            sources
        }
    }
}

import ArgumentParser
import Foundation

/// The flags by which every command that reads the configuration finds and changes it.
struct ConfigurationOptions: ParsableArguments {
    @Option(name: .long, help: "The configuration file; by default switchboard.yaml, if there is one.")
    var config: String?
    @Option(name: .long, help: ArgumentHelp("Set one key, as in --set http.port=9000.", valueName: "key=value"))
    var set: [String] = []
    @Option(name: .long, help: "The data directory (data.directory).")
    var data: String?

    /// Where this run's configuration comes from.
    func sources(
        environment: [String: String] = ProcessInfo.processInfo.environment,
        more: [(key: String, value: String, flag: String)] = []
    ) throws(Failure) -> ConfigurationSources {
        var flags = more
        if let data { flags.append(("data.directory", data, "--data")) }
        for assignment in set {
            guard let equals = assignment.firstIndex(of: "=") else {
                throw Failure(.usage, "--set needs KEY=VALUE, as in --set http.port=9000, not \(quoted(assignment))")
            }
            let key = String(assignment[..<equals])
            flags.append((key, String(assignment[assignment.index(after: equals)...]), "--set \(key)"))
        }
        return ConfigurationSources(
            path: config ?? environment["SWITCHBOARD_CONFIG"], usualPath: ConfigurationSources.usualPath,
            environment: environment, flags: flags)
    }

    func read() throws -> ServerConfiguration { try sources().read().configuration }
}

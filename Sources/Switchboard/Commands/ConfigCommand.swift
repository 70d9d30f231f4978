import ArgumentParser
import Foundation
import WireJSON

/// `switchboard config …`.
struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Check and explain the configuration.",
        subcommands: [Check.self, Explain.self, Diff.self, Example.self, Documentation.self])

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Say whether the configuration is right.")
        @OptionGroup var options: ConfigurationOptions

        func run() throws {
            let sources = try options.sources()
            let result = try sources.read()
            let changed = ConfigurationRules.differences(ServerConfiguration(), result.configuration).count
            print(
                "\(sources.foundPath ?? "no file"): right; \(changed) of \(Settings.all.count) keys differ from the defaults"
            )
        }
    }

    struct Explain: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Say what a key means, or list all keys.")
        @OptionGroup var options: ConfigurationOptions
        @Argument(help: "A key, as in http.port, or a section, as in http.") var key: String?

        func run() throws {
            let result = try options.sources().read()
            guard let key else { return print(ConfigurationText.overview(result.configuration)) }
            let settings = Settings.all.filter { $0.key == key || $0.section == key }
            guard !settings.isEmpty else {
                let hint = Settings.suggestion(for: key).map { "; did you mean \($0)?" } ?? ""
                throw Failure(.usage, "unknown key \(quoted(key))\(hint)")
            }
            let texts = settings.map {
                ConfigurationText.explain($0, current: result.configuration, origin: result.origins[$0.key])
            }
            print(texts.joined(separator: "\n\n"))
        }
    }

    struct Diff: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say what differs from the defaults, and who said so.")
        @OptionGroup var options: ConfigurationOptions
        @Flag(help: "As JSON.") var json = false

        func run() throws {
            let result = try options.sources().read()
            guard json else { return print(ConfigurationText.difference(result)) }
            let buffer = JSONWriter.write { writer in
                writer.object { writer in
                    for setting in ConfigurationRules.differences(ServerConfiguration(), result.configuration) {
                        writer.key(string: setting.key)
                        writer.string(setting.show(result.configuration))
                    }
                }
            }
            print(String(buffer: buffer))
        }
    }

    struct Example: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print a file with every key, commented out.")

        func run() { print(ConfigurationText.example(), terminator: "") }
    }

    struct Documentation: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the page of the documentation.", shouldDisplay: false)

        func run() { print(ConfigurationText.documentation(), terminator: "") }
    }
}

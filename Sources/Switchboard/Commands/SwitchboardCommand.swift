import ArgumentParser
import Glibc
import SwitchboardClient

/// The program.
@main
struct SwitchboardCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "switchboard",
        abstract: "A messaging server: one conversation, many front doors.",
        discussion: "Without a subcommand it serves: on this machine only, port 8080, data in ./switchboard-data.",
        version: Version.text,
        subcommands: [
            ServeCommand.self, ChatCommand.self, SendCommand.self, TailCommand.self, AccountCommand.self,
            InviteCommand.self, BackupCommand.self, RestoreCommand.self, ConfigCommand.self, BenchCommand.self,
            VersionCommand.self,
        ],
        defaultSubcommand: ServeCommand.self)

    static func main() async {
        // A reader of our output that goes away is no reason to die from a signal.
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let failure as Failure {
            leave(failure)
        } catch let error as ClientError {
            leave(Failure(error))
        } catch let refusal as ConfigurationRefusal {
            leave(Failure(.configuration, refusal.description))
        } catch {
            exit(withError: error)
        }
    }

    private static func leave(_ failure: Failure) -> Never {
        RawTerminal.restore()
        for line in failure.description.split(separator: "\n") { printError("switchboard: \(line)") }
        Glibc.exit(failure.code.rawValue)
    }
}

struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "version", abstract: "Say which version this is.")
    @Flag(help: "As JSON.") var json = false

    func run() {
        print(json ? "{\"version\":\"\(Version.text)\"}" : "Switchboard \(Version.text)")
    }
}

import ArgumentParser
import Foundation
import Hub
import StoreSQLite
import WireJSON

/// `switchboard restore`.
struct RestoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Check a backup, and put it in the place of the data directory's database.",
        discussion: """
            The server must not be running. What was there before is kept in the data directory, under backups/. Clients are \
            told that the log is another one now, and one-time links are void.
            """)
    @OptionGroup var options: ConfigurationOptions
    @Flag(help: "Only check the backup.") var verify = false
    @Flag(help: "Print the report as JSON.") var json = false
    @Argument(help: "The backup.") var path: String

    func run() throws {
        do {
            let report: StoreReport
            guard access(path, R_OK) == 0 else { throw Failure(.noInput, "\(path) can't be read") }
            if verify {
                report = try SQLiteStore.verify(path)
            } else {
                report = try SQLiteStore.restore(
                    from: path, into: try options.read().data.directory, at: SystemClock.now())
            }
            print(json ? RestoreCommand.json(report) : RestoreCommand.text(report, path))
            if !report.isSound { throw Failure(.badData, "\(path) is damaged") }
            if !verify, !json { print("It is in place; start the server.") }
        } catch let error as StoreError {
            throw Failure(error)
        }
    }

    private static func text(_ report: StoreReport, _ path: String) -> String {
        let lines = [
            path, "  accounts       \(report.accounts)", "  conversations  \(report.conversations)",
            "  events         \(report.events)", "  position       \(report.position) of epoch \(report.epoch)",
        ]
        let verdict = report.isSound ? ["  sound"] : report.problems.map { "  ✗ \($0)" }
        return (lines + verdict).joined(separator: "\n")
    }

    private static func json(_ report: StoreReport) -> String {
        let buffer = JSONWriter.write { writer in
            writer.object { writer in
                writer.field("sound", report.isSound)
                writer.field("epoch", report.epoch)
                writer.field("position", report.position.rawValue)
                writer.field("accounts", report.accounts)
                writer.field("conversations", report.conversations)
                writer.field("events", report.events)
                writer.array("problems") { writer in for problem in report.problems { writer.string(problem) } }
            }
        }
        return String(buffer: buffer)
    }
}

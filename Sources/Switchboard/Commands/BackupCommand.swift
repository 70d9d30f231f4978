import ArgumentParser
import Foundation
import SwitchboardClient

/// `switchboard backup`.
struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Copy everything into one file, while the server runs or not.")
    @OptionGroup var options: ConfigurationOptions
    @Flag(help: "Print the answer as JSON.") var json = false
    @Argument(help: "The new file.") var path: String

    func run() async throws {
        // The server may have another working directory.
        let absolute = URL(fileURLWithPath: path).standardizedFileURL.path
        guard !FileManager.default.fileExists(atPath: absolute) else {
            throw Failure(.cannotCreate, "\(path) is there already")
        }
        let answer = try await AdminOperations.with(options) { operations in
            try await operations.change("backup", ["path": .string(absolute)], seconds: 24 * 3_600)
        }
        if json { return print(answer) }
        let bytes = answer["bytes"]?.int ?? 0
        print("\(path): \((bytes + 512 * 1_024) >> 20) MiB, everything up to position \(answer["position"]?.int ?? 0)")
    }
}

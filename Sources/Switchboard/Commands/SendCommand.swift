import ArgumentParser
import Glibc
import SwitchboardClient

/// `switchboard send`.
struct SendCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "send", abstract: "Post a message, or every line of the standard input.",
        discussion: "It ends when everything is on the server's disk.")
    @OptionGroup var options: ClientOptions
    @Option(name: .long, help: "The id of the message that this one answers.") var replyTo: String?
    @Flag(name: .long, help: "Print each acceptance as a line of JSON.") var json = false
    @Argument(help: "The conversation: lobby, ~12, or @bob.") var conversation: String
    @Argument(help: "The text; without one, the lines of the standard input.") var text: [String] = []

    func run() async throws {
        let client = try await options.connect(device: "switchboard send", presence: "offline")
        do {
            if !conversation.hasPrefix("@") { try await client.join(conversation) }
            if text.isEmpty {
                for await line in StandardInput.lines where !line.isEmpty { try await post(line, client) }
            } else {
                try await post(text.joined(separator: " "), client)
            }
        } catch {
            await client.close()
            throw error
        }
        await client.close()
    }

    private func post(_ text: String, _ client: SwitchboardClient) async throws {
        let accepted = try await client.post(text, in: conversation, replyTo: replyTo)
        if json { writeFully("\(accepted)\n", to: STDOUT_FILENO) }
    }
}

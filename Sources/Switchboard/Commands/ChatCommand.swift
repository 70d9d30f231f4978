import ArgumentParser
import Glibc
import SwitchboardClient

/// `switchboard chat`.
struct ChatCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chat", abstract: "Chat in the terminal.",
        discussion: """
            What is typed is posted; lines that begin with / are commands, which /help lists. In a pipe each line that comes \
            in is posted, and each message goes out as a line.
            """)
    @OptionGroup var options: ClientOptions
    @Argument(help: "The conversation: lobby, ~12, or @bob.") var conversation = "lobby"

    func run() async throws {
        let client = try await options.connect(device: "switchboard chat")
        guard isatty(STDIN_FILENO) == 1, isatty(STDOUT_FILENO) == 1 else {
            return try await ChatPipe(client: client, conversation: conversation).run()
        }
        try await ChatScreen(client: client).run(in: conversation)
    }
}

/// Chat without a person at the keyboard: lines in, lines out.
struct ChatPipe {
    let client: SwitchboardClient
    let conversation: String

    func run() async throws {
        let place = try await ChatSession.enter(conversation, client)
        let writer = Task {
            for await line in StandardInput.lines where !line.isEmpty {
                try await client.post(line, in: place)
            }
            // What others answer to the last line is still wanted, but not for ever.
            try await Task.sleep(for: .milliseconds(500))
            await client.close()
        }
        for await event in client.events {
            if case .event(let event) = event, event.conversation == place, let line = ChatText.plain(event, place: nil)
            {
                writeFully(line + "\n", to: STDOUT_FILENO)
            }
        }
        writer.cancel()
        if let failure = await client.failure { throw failure }
        try await writer.value
    }
}

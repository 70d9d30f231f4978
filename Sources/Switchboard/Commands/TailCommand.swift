import ArgumentParser
import Glibc
import SwitchboardClient

/// `switchboard tail`.
struct TailCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tail", abstract: "Follow a conversation, or all of one's conversations.",
        discussion: "A lost connection is taken up again where it was lost: nothing is missing and nothing comes twice."
    )
    @OptionGroup var options: ClientOptions
    @Option(name: [.customShort("n"), .long], help: "Show so many events of the past first.") var lines: Int = 10
    @Option(name: .long, help: "Resume from a cursor.") var since: String?
    @Option(name: .long, help: "End after so many events.") var count: Int?
    @Flag(name: .long, help: "Every frame as a line of JSON.") var json = false
    @Argument(help: "The conversation: lobby, ~12, or @bob; without one, all.") var conversation: String?

    func run() async throws {
        let client = try await options.connect(device: "switchboard tail", presence: "offline", cursor: since)
        let text = ChatText(isColoured: isatty(STDOUT_FILENO) == 1, zone: ChatText.localZone())
        var places = Places()
        var only: String?
        if let conversation {
            only = try await join(conversation, client)
            for event in try await client.history(of: conversation, limit: Int64(max(lines, 1))) where lines > 0 {
                show(event, text, places)
            }
        }
        var left = count ?? .max
        for await event in client.events {
            switch event {
            case .conversation(let conversation): places.learn(conversation)
            case .event(let event) where only == nil || event.conversation == only:
                show(event, text, places)
                left -= 1
            case .disconnected(let reason, let pause):
                printError("switchboard: \(reason); again in \(pause) ms")
            case .gap(let conversation, let first):
                printError("switchboard: events of \(conversation) before \(first) are gone")
            default: break
            }
            if left <= 0 { break }
        }
        if let failure = await client.failure { throw failure }
        await client.close()
    }

    private func join(_ conversation: String, _ client: SwitchboardClient) async throws -> String? {
        if conversation.hasPrefix("@") { return try await client.direct(with: String(conversation.dropFirst())) }
        return try await client.join(conversation)["conversation"]?.string
    }

    private func show(_ event: ConversationEvent, _ text: ChatText, _ places: Places) {
        if json { return writeFully("\(event.frame)\n", to: STDOUT_FILENO) }
        let place = conversation == nil ? places.name(event.conversation) : nil
        if text.isColoured {
            for line in text.lines(event, number: nil, place: place, quote: nil) { print(line) }
        } else if let line = ChatText.plain(event, place: place) {
            writeFully(line + "\n", to: STDOUT_FILENO)
        }
    }
}

/// What conversations are called.
struct Places: Sendable {
    private var names: [String: String] = [:]

    mutating func learn(_ conversation: ClientValue) {
        guard let id = conversation["id"]?.string else { return }
        names[id] = conversation["address"]?.string ?? conversation["name"]?.string ?? id
    }

    func name(_ id: String) -> String { names[id] ?? id }
    /// The id of a conversation that is called so.
    func id(of name: String) -> String? { names.first { $0.value == name }?.key }
    var all: [String] { names.values.sorted() }
}

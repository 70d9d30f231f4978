import ArgumentParser
import SwitchboardClient

/// `switchboard invite`.
struct InviteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "invite", abstract: "Make an invitation link, for a server on this machine.",
        discussion: "Whoever has the link makes an account with it, and is in the conversations that it names.")
    @OptionGroup var options: ConfigurationOptions
    @Option(help: "How many people may use it.") var uses: Int = 1
    @Option(help: "For how many hours it is good.") var hours: Int?
    @Flag(help: "Print the answer as JSON.") var json = false
    @Argument(help: "Conversations that the newcomers are in at once.") var conversations: [String] = []

    func run() async throws {
        var fields: ClientFields = ["uses": .int(Int64(uses))]
        if let hours { fields["hours"] = .int(Int64(hours)) }
        if !conversations.isEmpty { fields["conversations"] = .array(conversations.map { .string($0) }) }
        let answer = try await AdminOperations.with(options) { [fields] in try await $0.change("invite-link", fields) }
        print(json ? "\(answer)" : answer["link"]?.string ?? "\(answer)")
    }
}

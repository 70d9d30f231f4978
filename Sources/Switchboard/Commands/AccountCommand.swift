import ArgumentParser
import Glibc
import SwitchboardClient

/// `switchboard account …`.
struct AccountCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "account", abstract: "Make and manage accounts, of a server on this machine.",
        subcommands: [
            Add.self, List.self, Password.self, Disable.self, Enable.self, Administrator.self, ResetLink.self,
            Delete.self,
        ])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Make an account.")
        @OptionGroup var options: ConfigurationOptions
        @Flag(help: "It may administer the server.") var administrator = false
        @Flag(help: "A bot: it has a token, which is shown once, instead of a password.") var bot = false
        @Option(help: "What others see instead of the handle.") var name: String?
        @Flag(help: "No password: the person chooses one by a link (account reset-link).") var noPassword = false
        @Flag(help: "Print the answer as JSON.") var json = false
        @Argument(help: "The handle: a letter, then letters, digits, - and _.") var handle: String

        func run() async throws {
            var fields: ClientFields = ["handle": .string(handle), "kind": .string(bot ? "bot" : "person")]
            if let name { fields["name"] = .string(name) }
            if administrator { fields["administrator"] = true }
            if !bot, !noPassword { fields["password"] = .string(try AccountCommand.newPassword(of: handle)) }
            let answer = try await AdminOperations.with(options) { [fields] in
                try await $0.change("account-add", fields)
            }
            if json { return print(answer) }
            print("\(handle) has an account now.")
            if let token = answer["token"]?.string { print("Its token, shown only now:\n\n  \(token)\n") }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the accounts.")
        @OptionGroup var options: ConfigurationOptions
        @Flag(help: "One JSON object per line.") var json = false

        func run() async throws {
            let accounts = try await AdminOperations.with(options) { operations in
                var all: [ClientValue] = []
                var after: String?
                while true {
                    var fields: ClientFields = ["limit": 500]
                    if let after { fields["after"] = .string(after) }
                    let page = try await operations.query("accounts", fields)
                    let accounts = page["accounts"]?.array ?? []
                    all += accounts
                    guard page["more"]?.bool ?? (accounts.count == 500), let last = accounts.last?["account"]?.string,
                        last != after
                    else { return all }
                    after = last
                }
            }
            if json { return accounts.forEach { print($0) } }
            print(AccountList.text(accounts), terminator: "")
        }
    }

    struct Password: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Set a password; all devices of the account are signed out.")
        @OptionGroup var options: ConfigurationOptions
        @Argument var handle: String

        func run() async throws {
            let password = try AccountCommand.newPassword(of: handle)
            try await AdminOperations.with(options) { [handle] operations in
                _ = try await operations.change(
                    "account-password", ["account": .string(handle), "password": .string(password)])
            }
            print("\(handle) has a new password, and is signed out everywhere.")
        }
    }

    struct Disable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "End an account's sessions and let it in no more.")
        @OptionGroup var options: ConfigurationOptions
        @Argument var handle: String

        func run() async throws {
            try await AccountCommand.set(options, handle, "disabled", true)
            print("\(handle) is disabled.")
        }
    }

    struct Enable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Let a disabled account in again.")
        @OptionGroup var options: ConfigurationOptions
        @Argument var handle: String

        func run() async throws {
            try await AccountCommand.set(options, handle, "disabled", false)
            print("\(handle) is enabled.")
        }
    }

    struct Administrator: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Make an account an administrator, or end that.")
        @OptionGroup var options: ConfigurationOptions
        @Flag(help: "End it.") var remove = false
        @Argument var handle: String

        func run() async throws {
            try await AccountCommand.set(options, handle, "administrator", !remove)
            print("\(handle) is \(remove ? "no longer" : "now") an administrator.")
        }
    }

    struct ResetLink: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a link by which a person sets a new password, once.")
        @OptionGroup var options: ConfigurationOptions
        @Argument var handle: String

        func run() async throws {
            let answer = try await AdminOperations.with(options) { [handle] operations in
                try await operations.change("account-reset", ["account": .string(handle)])
            }
            print(answer["link"]?.string ?? "\(answer)")
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Close an account for good; its handle stays taken.")
        @OptionGroup var options: ConfigurationOptions
        @Flag(help: "Blank its messages too.") var erase = false
        @Argument var handle: String

        func run() async throws {
            try await AdminOperations.with(options) { [handle, erase] operations in
                _ = try await operations.change("account-delete", ["account": .string(handle), "erase": .bool(erase)])
            }
            print("\(handle) is being closed.")
        }
    }

    fileprivate static func set(
        _ options: ConfigurationOptions, _ handle: String, _ name: String, _ value: Bool
    ) async throws {
        try await AdminOperations.with(options) { operations in
            _ = try await operations.change("account-set", ["account": .string(handle), name: .bool(value)])
        }
    }

    /// Asks twice on a terminal; a pipe gives it once.
    fileprivate static func newPassword(of handle: String) throws(Failure) -> String {
        guard let first = RawTerminal.readSecret("New password of \(handle): "), !first.isEmpty else {
            throw Failure(.noInput, "no password was given")
        }
        guard isatty(STDIN_FILENO) == 1 else { return first }
        guard RawTerminal.readSecret("Once more: ") == first else {
            throw Failure(.usage, "the two passwords differ")
        }
        return first
    }
}

/// Accounts as a table for people.
enum AccountList {
    static func text(_ accounts: [ClientValue]) -> String {
        var rows = [["ACCOUNT", "KIND", "NAME", "NOTES"]]
        for account in accounts {
            var notes: [String] = []
            if account["administrator"]?.bool ?? false { notes.append("administrator") }
            if account["disabled"]?.bool ?? false { notes.append("disabled") }
            rows.append([
                account["account"]?.string ?? "?", account["kind"]?.string ?? "",
                TerminalText.safe(account["displayName"]?.string ?? ""), notes.joined(separator: ", "),
            ])
        }
        return table(rows)
    }

    /// Columns as wide as their widest cell.
    static func table(_ rows: [[String]]) -> String {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            rows.map { $0.indices.contains(column) ? TerminalWidth.of($0[column]) : 0 }.max() ?? 0
        }
        return rows.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                line += cell
                if column + 1 < row.count {
                    line += String(repeating: " ", count: widths[column] - TerminalWidth.of(cell) + 2)
                }
            }
            while line.last == " " { line.removeLast() }
            return line + "\n"
        }.joined()
    }
}

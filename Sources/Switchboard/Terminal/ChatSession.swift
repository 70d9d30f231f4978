import SwitchboardClient

/// What a chat knows: where one is, what was said, who is typing. Pure but for ``enter(_:_:)``.
struct ChatSession: Sendable {
    /// A message that a command can name by its number.
    struct Line: Sendable {
        let number: Int
        let event: ConversationEvent
    }
    private(set) var account = ""
    /// The conversation that is open.
    private(set) var place = ""
    var places = Places()
    private(set) var lines: [Line] = []
    private(set) var newest: [String: Int64] = [:]
    private var typing: [String: Int64] = [:]
    private static let linesLimit = 2_000
    /// Milliseconds after which somebody who said nothing more is no longer typing.
    private static let typingTime: Int64 = 8_000

    /// Joins where that is needed, and gives the conversation's id.
    static func enter(_ conversation: String, _ client: SwitchboardClient) async throws -> String {
        if conversation.hasPrefix("@") { return try await client.direct(with: String(conversation.dropFirst())) }
        let answer = try await client.join(conversation)
        guard let id = answer["conversation"]?.string else {
            throw ClientError.protocolViolation("no conversation in the answer")
        }
        return id
    }

    mutating func signedIn(as account: String) { self.account = account }

    mutating func open(_ id: String) {
        place = id
        typing = [:]
    }

    /// Remembers an event; the number of the line if commands can name it.
    mutating func add(_ event: ConversationEvent) -> Int? {
        newest[event.conversation] = max(newest[event.conversation] ?? 0, event.sequence)
        typing[event.author] = nil
        guard event.kind == "message" else { return nil }
        let number = (lines.last?.number ?? 0) + 1
        lines.append(Line(number: number, event: event))
        if lines.count > Self.linesLimit { lines.removeFirst(lines.count - Self.linesLimit) }
        return number
    }

    mutating func isTyping(_ account: String, _ active: Bool, now: Int64) {
        typing[account] = active && account != self.account ? now : nil
    }

    /// `anna and bob are typing …`, or nothing.
    func typingText(now: Int64) -> String {
        let names = typing.filter { now - $0.value < Self.typingTime }.keys.sorted().map { TerminalText.safe($0) }
        switch names.count {
        case 0: return ""
        case 1: return "\(names[0]) is typing …"
        case 2: return "\(names[0]) and \(names[1]) are typing …"
        default: return "\(names.count) people are typing …"
        }
    }

    func line(_ number: Int) -> Line? { lines.last { $0.number == number } }
    /// The newest message of one's own in the open conversation.
    var ownLast: Line? { lines.last { $0.event.author == account && $0.event.conversation == place } }
    func text(of event: String) -> String? { lines.last { $0.event.id == event }?.event.text }
    var authors: Set<String> { Set(lines.suffix(200).map(\.event.author)) }
}

/// What a line that begins with a slash asks for.
enum ChatCommandLine: Equatable {
    case post(String)
    case join(String)
    case leave
    case message(account: String, text: String)
    /// Nil: the newest of one's own.
    case edit(number: Int?, text: String)
    case remove(number: Int?)
    case react(number: Int?, key: String)
    case reply(number: Int, text: String)
    case history(Int)
    case search(String)
    case who, list, help, quit
    case wrong(String)

    static let overview = [
        ("/join NAME", "open a conversation"), ("/leave", "leave this one"), ("/list", "your conversations"),
        ("/msg ACCOUNT TEXT", "say something to one person"),
        ("/edit [N] TEXT", "change your last message, or number N"),
        ("/remove [N]", "remove it"), ("/react [N] 👍", "react to the last message, or to number N"),
        ("/reply N TEXT", "answer message N"), ("/history [N]", "show the last N events"),
        ("/search WORDS", "find messages"), ("/who", "who is here"), ("/quit", "leave the program"),
    ]

    init(_ line: String) {
        guard line.hasPrefix("/"), !line.hasPrefix("//") else {
            self = .post(line.hasPrefix("//") ? String(line.dropFirst()) : line)
            return
        }
        let words = line.dropFirst().split(separator: " ", maxSplits: 1)
        let name = words.first.map(String.init) ?? ""
        let rest = words.count > 1 ? words[1].drop { $0 == " " } : ""
        self = ChatCommandLine.command(name, String(rest))
    }

    private static func command(_ name: String, _ rest: String) -> Self {
        switch name {
        case "join", "j": rest.isEmpty ? .wrong("/join needs a conversation") : .join(rest)
        case "leave", "part": .leave
        case "msg", "m": message(rest)
        case "edit", "e": edit(rest)
        case "remove", "delete":
            rest.isEmpty
                ? .remove(number: nil) : number(rest).map { .remove(number: $0) } ?? .wrong("/remove needs a number")
        case "react", "r": react(rest)
        case "reply": reply(rest)
        case "history", "h":
            rest.isEmpty
                ? .history(30) : number(rest).map { .history(min($0, 500)) } ?? .wrong("/history needs a number")
        case "search", "s": rest.isEmpty ? .wrong("/search needs words") : .search(rest)
        case "who", "w": .who
        case "list", "l": .list
        case "help", "?": .help
        case "quit", "q", "exit": .quit
        default: .wrong("there is no /\(TerminalText.safe(name)); /help lists what there is")
        }
    }

    /// A positive number, perhaps with a `#` before it.
    private static func number(_ text: some StringProtocol) -> Int? {
        guard let number = Int(text.hasPrefix("#") ? text.dropFirst().description : text.description), number > 0 else {
            return nil
        }
        return number
    }

    private static func split(_ rest: String) -> (Substring, String) {
        let words = rest.split(separator: " ", maxSplits: 1)
        return (words.first ?? "", words.count > 1 ? String(words[1].drop { $0 == " " }) : "")
    }

    private static func message(_ rest: String) -> Self {
        let (account, text) = split(rest)
        guard !account.isEmpty, !text.isEmpty else { return .wrong("/msg needs an account and a text") }
        return .message(account: String(account.hasPrefix("@") ? account.dropFirst() : account), text: text)
    }

    private static func edit(_ rest: String) -> Self {
        let (first, text) = split(rest)
        if let number = number(first), !text.isEmpty { return .edit(number: number, text: text) }
        return rest.isEmpty ? .wrong("/edit needs the new text") : .edit(number: nil, text: rest)
    }

    private static func react(_ rest: String) -> Self {
        let (first, key) = split(rest)
        if let number = number(first), !key.isEmpty { return .react(number: number, key: key) }
        return rest.isEmpty ? .wrong("/react needs an emoji") : .react(number: nil, key: rest)
    }

    private static func reply(_ rest: String) -> Self {
        let (first, text) = split(rest)
        guard let number = number(first), !text.isEmpty else { return .wrong("/reply needs a number and a text") }
        return .reply(number: number, text: text)
    }
}

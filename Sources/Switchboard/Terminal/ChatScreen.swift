import Glibc
import SwitchboardClient

/// A chat on a terminal: what is said scrolls by as ordinary lines, so that the terminal's own scrollback holds it; below
/// stand who is typing and the line that is being written.
///
/// *Lives on* its own executor; keys and events come from two tasks.
actor ChatScreen {
    private let client: SwitchboardClient
    private let text: ChatText
    private var session = ChatSession()
    private var editor = LineEditor()
    private var keys = KeyDecoder()
    private var status = "connecting …"
    private var isConnected = false
    private var isShown = false
    private var typingSent: Int64 = 0
    private var isOver = false
    private var ending: CheckedContinuation<Void, Never>?
    private var mishap: (any Error)?

    init(client: SwitchboardClient) {
        self.client = client
        text = ChatText(isColoured: true, zone: ChatText.localZone())
    }

    /// Chats until the person leaves or the server wants no more of them.
    func run(in conversation: String) async throws {
        guard RawTerminal() != nil else { throw Failure(.noInput, "the standard input is no terminal") }
        defer { RawTerminal.restore() }
        writeFully(text.dim("/help lists the commands; Control-D leaves") + "\n", to: STDOUT_FILENO)
        draw()
        let tasks = [
            Task { await self.listen() }, Task { await self.type(in: conversation) }, Task { await self.tick() },
        ]
        if !isOver { await withCheckedContinuation { ending = $0 } }
        for task in tasks { task.cancel() }
        erase()
        await client.close()
        if let mishap { throw mishap }
        if let failure = await client.failure { throw failure }
    }

    /// The person's side. A thread may stay in `read` when this is over: the process ends soon.
    private func type(in conversation: String) async {
        do {
            try await enter(conversation)
            for await chunk in StandardInput.chunks {
                await take(chunk)
                if isOver { break }
            }
        } catch {
            mishap = error
        }
        end()
    }

    /// Who is typing changes by time alone.
    private func tick() async {
        while !isOver {
            do {
                try await Task.sleep(for: .seconds(1))
            } catch {
                return
            }
            draw()
        }
    }

    private func end() {
        isOver = true
        ending?.resume()
        ending = nil
    }

    // MARK: Events

    private func listen() async {
        for await event in client.events { heard(event) }
        end()
    }

    private func heard(_ event: ClientEvent) {
        switch event {
        case .connected(let account, _, _):
            session.signedIn(as: account)
            isConnected = true
            status = ""
        case .disconnected(let reason, let pause):
            isConnected = false
            status = "\(TerminalText.safe(reason)); again in \((pause + 999) / 1_000) s"
        case .conversation(let conversation): session.places.learn(conversation)
        case .event(let event): show(event)
        case .typing(let place, let account, let active):
            if place == session.place { session.isTyping(account, active, now: ChatScreen.now()) }
        case .gap, .resync: say([text.dim("— some of what was said is not here; /history reads it —")])
        case .ready, .other: return
        }
        draw()
    }

    private func show(_ event: ConversationEvent) {
        let quote = (event.target ?? event.replyTo).flatMap { session.text(of: $0) }
        let number = session.add(event)
        let place = event.conversation == session.place ? nil : session.places.name(event.conversation)
        say(text.lines(event, number: number, place: place, quote: quote))
    }

    // MARK: Keys

    private func take(_ bytes: [UInt8]) async {
        for key in keys.feed(bytes) {
            switch editor.handle(key) {
            case .submitted(let line):
                draw()
                await perform(ChatCommandLine(line))
            case .changed: await tellTyping()
            case .leave: isOver = true
            case .clearScreen:
                writeFully("\u{1B}[2J\u{1B}[H", to: STDOUT_FILENO)
                isShown = false
            case .complete: complete()
            case .nothing, .pageUp, .pageDown: break
            }
        }
        draw()
    }

    private func tellTyping() async {
        let now = ChatScreen.now()
        guard !editor.isEmpty, !editor.text.hasPrefix("/"), now - typingSent > 3_000 else { return }
        typingSent = now
        await client.typing(true, in: session.place)
    }

    private func complete() {
        let word = editor.word
        guard !word.isEmpty else { return }
        let names =
            session.authors.sorted() + session.places.all
            + ChatCommandLine.overview.map { String($0.0.prefix { $0 != " " }) }
        guard let match = names.first(where: { $0.hasPrefix(word) && $0 != word }) else { return }
        editor.replaceWord(with: match + " ")
    }

    // MARK: Commands

    private func perform(_ command: ChatCommandLine) async {
        do {
            try await tryPerform(command)
        } catch {
            say([text.style("✗ \(TerminalText.safe("\(error)"))", "31")])
        }
    }

    private func tryPerform(_ command: ChatCommandLine) async throws {
        switch command {
        case .post(let line):
            typingSent = 0
            try await client.post(line, in: session.place)
        case .join(let name): try await enter(name)
        case .leave:
            try await client.leave(session.place)
            say([text.dim("You left; /join opens another conversation.")])
        case .message(let account, let line): try await client.post(line, in: "@\(account)")
        case .edit(let number, let line): try await client.edit(try own(number), in: session.place, text: line)
        case .remove(let number):
            try await client.change(
                "redact", ["conversation": .string(session.place), "event": .string(try own(number))])
        case .react(let number, let key):
            let line = number.flatMap { session.line($0) } ?? session.lines.last
            guard let line else { throw ChatMistake("there is no such message") }
            try await client.react(key, to: line.event.id, in: line.event.conversation)
        case .reply(let number, let answer):
            guard let line = session.line(number) else { throw ChatMistake("there is no message \(number)") }
            try await client.post(answer, in: line.event.conversation, replyTo: line.event.id)
        case .history(let count):
            for event in try await client.history(of: session.place, limit: Int64(count)) { show(event) }
        case .search(let words): try await search(words)
        case .who: try await who()
        case .list: say(session.places.all.map { "  \(TerminalText.safe($0))" })
        case .help: say(ChatCommandLine.overview.map { "  \($0.0.padded(to: 20)) \(text.dim($0.1))" })
        case .quit: isOver = true
        case .wrong(let reason): say([text.style("✗ \(reason)", "31")])
        }
    }

    private func own(_ number: Int?) throws -> String {
        guard let line = number.map({ session.line($0) }) ?? session.ownLast else {
            throw ChatMistake("there is no such message of yours")
        }
        return line.event.id
    }

    private func enter(_ conversation: String) async throws {
        let id = try await ChatSession.enter(conversation, client)
        session.open(id)
        let about = try await client.query("conversation", ["conversation": .string(id)])
        session.places.learn(about["conversation"] ?? about)
        let subject =
            (about["conversation"] ?? about)["subject"]?.string.map { "  \(text.dim(TerminalText.safe($0)))" } ?? ""
        say(["", text.bold("── \(TerminalText.safe(session.places.name(id))) ──") + subject])
        let known = session.newest[id] ?? 0
        for event in try await client.history(of: id, limit: 30) where event.sequence > known { show(event) }
        draw()
    }

    private func search(_ words: String) async throws {
        let answer = try await client.query("search", ["text": .string(words), "limit": 20])
        let results = answer["results"]?.array ?? []
        if results.isEmpty { return say([text.dim("nothing was found")]) }
        for result in results.reversed() {
            guard let frame = result["event"], let event = ConversationEvent(frame, in: session.place) else { continue }
            say(text.lines(event, number: nil, place: session.places.name(event.conversation), quote: nil))
        }
    }

    private func who() async throws {
        let answer = try await client.query("members", ["conversation": .string(session.place), "limit": 200])
        let names = (answer["members"]?.array ?? []).filter { $0["standing"]?.string == "joined" }.map { member in
            let state = member["presence"]?["state"]?.string ?? member["presence"]?.string ?? ""
            return text.name(member["account"]?.string ?? "?")
                + (state == "online" ? "" : text.dim(" (\(state.isEmpty ? "?" : TerminalText.safe(state)))"))
        }
        say(["  " + names.joined(separator: ", ")])
    }

    // MARK: Drawing

    private static func now() -> Int64 { Int64(Glibc.time(nil)) * 1_000 }

    /// Lines go above the two that are kept at the bottom.
    private func say(_ lines: [String]) {
        guard !lines.isEmpty else { return }
        erase()
        writeFully(lines.joined(separator: "\n") + "\n", to: STDOUT_FILENO)
        draw()
    }

    private func erase() {
        guard isShown else { return }
        isShown = false
        writeFully("\r\u{1B}[1A\u{1B}[J", to: STDOUT_FILENO)
    }

    private func draw() {
        guard !isOver else { return }
        let columns = RawTerminal.columns
        let prompt = "\(TerminalText.safe(session.places.name(session.place)))> "
        let width = TerminalWidth.of(prompt)
        let (visible, cursor) = editor.view(columns: max(columns - width - 1, 8))
        let typing = session.typingText(now: ChatScreen.now())
        let note = TerminalWidth.prefix(isConnected ? typing : status, columns: columns - 1)
        var frame = isShown ? "\r\u{1B}[1A\u{1B}[J" : ""
        frame += text.dim(note) + "\n" + text.bold(prompt) + visible
        frame += "\r" + (width + cursor > 0 ? "\u{1B}[\(width + cursor)C" : "")
        isShown = true
        writeFully(frame, to: STDOUT_FILENO)
    }
}

/// Something that a person asked for and that there is not.
struct ChatMistake: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

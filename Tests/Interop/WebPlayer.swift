import Foundation
import TestKit
import WireJSON

/// A connection that carries the client API's frames: in-process or over a real one.
protocol FrameConnection: Sendable {
    func send(_ frame: String) async throws
    /// The next frame; nil when the connection is over.
    func receive() async throws -> String?
    func close() async
}

/// A person on the client API.
final class WebPlayer: Player {
    typealias Frame = [String: JSONValue]

    let handle: String
    private let open: () async throws -> any FrameConnection
    private let token: String
    private var connection: (any FrameConnection)?
    private var pump: Task<Void, Never>?
    private let inbox = FrameInbox()
    private var cursor: String?
    private var requests = 0
    /// `~12` → the name by which a play calls it.
    private var places: [String: String] = [:]

    init(handle: String, token: String, open: @escaping () async throws -> any FrameConnection) {
        self.handle = handle
        self.token = token
        self.open = open
    }

    // MARK: The connection

    func connect() async throws {
        let connection = try await open()
        self.connection = connection
        var hello = #"{"type":"hello","token":"\#(token)""#
        if let cursor { hello += #","cursor":"\#(cursor)""# }
        try await connection.send(hello + "}")
        let inbox = inbox
        pump = Task {
            while let text = try? await connection.receive() {
                guard let value = try? JSONValue(parsing: text), case .object(let members) = value else { continue }
                await inbox.add(Dictionary(members.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first }))
            }
        }
        _ = try await take("ready") { $0.text("type") == "ready" }
    }

    func disconnect() async {
        await connection?.close()
        pump?.cancel()
        await pump?.value
        if let last = await inbox.lastCursor { cursor = last }
        connection = nil
    }

    /// Sends an operation and waits for its reply: the result, or the error's code.
    private func ask(_ type: String, _ fields: [(String, JSONValue)]) async throws -> Result<Frame, Refusal> {
        guard let connection else { throw PlayFailure("\(handle) is not connected") }
        requests += 1
        let id = "r\(requests)"
        let object = JSONValue.object(
            ([("type", .string(type)), ("id", .string(id))] + fields).map { JSONValue.Member($0.0, $0.1) })
        try await connection.send(object.description)
        let reply = try await take("reply to \(type)") { $0.text("type") == "reply" && $0.text("id") == id }
        if let error = reply.object("error") { return .failure(Refusal(code: error.text("code") ?? "?")) }
        return .success(reply.object("ok") ?? [:])
    }

    struct Refusal: Error { let code: String }

    private func take(_ what: String, _ matches: @escaping @Sendable (Frame) -> Bool) async throws -> Frame {
        for _ in 0..<500 {
            if let frame = await inbox.take(where: matches) { return frame }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw PlayFailure("\(handle) waited in vain for: \(what); has \(await inbox.summary)")
    }

    // MARK: Acting

    func perform(_ action: PlayAction, _ stage: Stage) async throws -> String? {
        switch action {
        case .connect:
            try await connect()
            return nil
        case .disconnect:
            await disconnect()
            return nil
        case .search(let text, let label): return try await search(text, label, stage)
        case .history(let place, let label): return try await history(place, label, stage)
        case .unread(let count, let place):
            let ok = try await ask("unread", [("conversation", .string(try name(place, stage)))]).get()
            guard ok.number("count") == Int64(count) else { throw PlayFailure("unread is \(ok)") }
            return nil
        case .say(_, _, let label), .reply(_, _, let label), .thread(_, _, let label):
            let (type, fields) = try request(action, stage)
            return try await refusal {
                let ok = try await ask(type, fields).get()
                guard let label, let id = ok.text("id"), let place = ok.text("conversation"),
                    let sequence = ok.number("sequence")
                else { return }
                stage.spoken[label] = .init(conversation: place, id: id, sequence: sequence)
            }
        default:
            let (type, fields) = try request(action, stage)
            return try await refusal { _ = try await ask(type, fields).get() }
        }
    }

    private func refusal(_ body: () async throws -> Void) async throws -> String? {
        do {
            try await body()
            return nil
        } catch let refusal as Refusal {
            return refusal.code
        }
    }

    /// `garden`, or `@Bob` as that person's handle.
    private func name(_ place: String, _ stage: Stage) throws -> String {
        place.hasPrefix("@") ? "@" + (try stage.handle(String(place.dropFirst()))) : place
    }

    private func request(_ action: PlayAction, _ stage: Stage) throws -> (String, [(String, JSONValue)]) {
        let place = { (name: String) in ("conversation", JSONValue.string(try self.name(name, stage))) }
        let person = { (name: String) in ("account", JSONValue.string(try stage.handle(name))) }
        let about = { (label: String) -> [(String, JSONValue)] in
            let event = try stage.event(label)
            return [("conversation", .string(event.conversation)), ("event", .string(event.id))]
        }
        let ref = ("ref", JSONValue.string("play-\(handle)-\(requests)"))
        switch action {
        case .create(let kind, let access, let name):
            return ("create", [("kind", .string(kind)), ("handle", .string(name)), ("access", .string(access)), ref])
        case .join(let name): return ("join", [try place(name)])
        case .leave(let name): return ("leave", [try place(name)])
        case .knock(let name): return ("knock", [try place(name)])
        case .invite(let who, let name): return ("invite", [try place(name), try person(who)])
        case .kick(let who, let name): return ("kick", [try place(name), try person(who)])
        case .ban(let who, let name): return ("ban", [try place(name), try person(who)])
        case .unban(let who, let name): return ("unban", [try place(name), try person(who)])
        case .rank(let who, let role, let name):
            return ("rank", [try place(name), try person(who), ("role", .string(role))])
        case .say(let text, let name, _): return ("post", [try place(name), ("text", .string(text)), ref])
        case .reply(let text, let label, _):
            let event = try stage.event(label)
            return (
                "post",
                [
                    ("conversation", .string(event.conversation)), ("text", .string(text)),
                    ("replyTo", .string(event.id)), ref,
                ]
            )
        case .thread(let text, let label, _):
            let event = try stage.event(label)
            return (
                "post",
                [
                    ("conversation", .string(event.conversation)), ("text", .string(text)),
                    ("thread", .string(event.id)), ref,
                ]
            )
        case .edit(let label, let text): return ("edit", try about(label) + [("text", .string(text)), ref])
        case .redact(let label): return ("redact", try about(label) + [ref])
        case .react(let key, let label, let removed):
            return ("react", try about(label) + [("key", .string(key)), ("removed", .bool(removed)), ref])
        case .pin(let label, let removed): return ("pin", try about(label) + [("removed", .bool(removed)), ref])
        case .read(let label):
            let event = try stage.event(label)
            return ("read", [("conversation", .string(event.conversation)), ("readUpTo", .int(event.sequence))])
        case .type(let name, let active): return ("typing", [try place(name), ("active", .bool(active))])
        case .live(let text, let name):
            let steps = JSONValue.array([.object([JSONValue.Member("reset", .string(text))])])
            return ("live", [try place(name), ("ref", .string("live-1")), ("number", .int(1)), ("steps", steps)])
        case .set(let what, let name, let value): return ("set", [try place(name), (what, .string(value))])
        case .presence(let state): return ("presence", [("state", .string(state))])
        case .attend(let name, let present): return ("attend", [try place(name), ("present", .bool(present))])
        case .block(let who, let removed): return ("block", [try person(who), ("removed", .bool(removed))])
        case .report(let label, let reason): return ("report", try about(label) + [("reason", .string(reason))])
        case .displayName(let name): return ("profile", [("displayName", .string(name))])
        case .connect, .disconnect, .search, .history, .unread:
            throw PlayFailure("not a request: \(action)")
        }
    }

    private func search(_ text: String, _ label: String, _ stage: Stage) async throws -> String? {
        let wanted = try stage.event(label).id
        for _ in 0..<100 {
            let ok = try await ask("search", [("text", .string(text))]).get()
            let found = (ok["results"]?.array ?? []).compactMap { $0.object?.object("event")?.text("id") }
            if found.contains(wanted) { return nil }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw PlayFailure("the search for \(text) does not find \(label)")
    }

    private func history(_ place: String, _ label: String, _ stage: Stage) async throws -> String? {
        let wanted = try stage.event(label).id
        let ok = try await ask("history", [("conversation", .string(try name(place, stage)))]).get()
        let found = (ok["events"]?.array ?? []).compactMap { $0.object?.text("id") }
        guard found.contains(wanted) else { throw PlayFailure("the history has no \(label)") }
        return nil
    }

    // MARK: Noticing

    func notice(_ notice: PlayNotice, _ stage: Stage) async throws {
        if notice == .nothing { return try await noticeNothing() }
        let matches = try await matcher(notice, stage)
        _ = try await take("\(notice)", matches)
    }

    private func noticeNothing() async throws {
        try await Task.sleep(for: .milliseconds(200))
        let own = handle
        if let frame = await inbox.takeLater(where: {
            $0.text("kind") == "message" && $0.text("author") != own
        }) {
            throw PlayFailure("\(handle) heard something more: \(frame)")
        }
    }

    /// The conversation's id by its name, asked once.
    private func id(_ place: String, _ stage: Stage) async throws -> String {
        let name = try name(place, stage)
        if let known = places[name] { return known }
        let ok = try await ask("conversation", [("conversation", .string(name))]).get()
        guard let id = ok.text("id") else { throw PlayFailure("no id for \(place) in \(ok)") }
        places[name] = id
        return id
    }

    private func matcher(_ notice: PlayNotice, _ stage: Stage) async throws -> @Sendable (Frame) -> Bool {
        switch notice {
        case .hears(let text, let from, let place):
            let (who, id) = (try stage.handle(from), try await id(place, stage))
            return {
                $0.text("kind") == "message" && $0.text("author") == who && $0.text("conversation") == id
                    && $0.object("body")?.text("text") == text
            }
        case .edited(let label, let text):
            let target = try stage.event(label).id
            return {
                $0.text("kind") == "edit" && $0.object("target")?.text("id") == target
                    && $0.object("body")?.text("text") == text
            }
        case .redacted(let label):
            let target = try stage.event(label).id
            return { $0.text("kind") == "redaction" && $0.object("target")?.text("id") == target }
        case .reaction(let key, let label, let from, let removed):
            let (target, who) = (try stage.event(label).id, try stage.handle(from))
            return {
                $0.text("kind") == "reaction" && $0.object("target")?.text("id") == target && $0.text("key") == key
                    && $0.text("author") == who && ($0["removed"] == .bool(true)) == removed
            }
        case .pinned(let label, let removed):
            let target = try stage.event(label).id
            return {
                $0.text("kind") == "pin" && $0.object("target")?.text("id") == target
                    && ($0["removed"] == .bool(true)) == removed
            }
        case .member(let who, let standing, let place):
            let (account, id) = (try stage.handle(who), try await conversationOfOwnRemoval(place, stage))
            return {
                $0.text("kind") == "membership" && $0.object("member")?.text("account") == account
                    && $0.object("member")?.text("standing") == standing && $0.text("conversation") == id
            }
        case .role(let who, let role, _):
            let account = try stage.handle(who)
            return {
                $0.text("kind") == "membership" && $0.object("member")?.text("account") == account
                    && $0.object("member")?.text("role") == role
            }
        case .state(let type, _, let value):
            return {
                $0.text("kind") == "state" && $0.object("state")?.text("type") == type
                    && $0.object("state")?.text("value") == value
            }
        case .read(let who, let label):
            let (account, sequence) = (try stage.handle(who), try stage.event(label).sequence)
            return {
                $0.text("type") == "receipt" && $0.text("account") == account && $0.number("readUpTo") == sequence
            }
        case .typing(let who, _):
            let account = try stage.handle(who)
            return { $0.text("type") == "typing" && $0.text("account") == account && $0["active"] == .bool(true) }
        case .live(let text, let who, _):
            let account = try stage.handle(who)
            return {
                $0.text("type") == "live" && $0.text("account") == account
                    && $0["steps"]?.array?.first?.object?.text("reset") == text
            }
        case .presence(let who, let state):
            let account = try stage.handle(who)
            return {
                $0.text("type") == "presence" && $0.text("account") == account && $0.text("state") == state
            }
        case .attendance(let who, _):
            let account = try stage.handle(who)
            return {
                $0.text("type") == "attendance" && $0.text("account") == account && $0["present"] == .bool(true)
            }
        case .displayName(let name, let who):
            let account = try stage.handle(who)
            return {
                $0.text("type") == "profile" && $0.text("account") == account && $0.text("displayName") == name
            }
        case .nothing: return { _ in false }
        }
    }

    /// A private conversation can't be asked about before one is invited: its id comes with the frame.
    private func conversationOfOwnRemoval(_ place: String, _ stage: Stage) async throws -> String {
        for _ in 0..<200 {
            if let id = try? await id(place, stage) { return id }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw PlayFailure("\(handle) knows no \(place)")
    }
}

/// Frames that came and were not noticed yet.
actor FrameInbox {
    private var frames: [(number: Int, frame: WebPlayer.Frame)] = []
    private var count = 0
    private var lastNoticed = 0
    private(set) var lastCursor: String?

    func add(_ frame: WebPlayer.Frame) {
        count += 1
        frames.append((count, frame))
        if let cursor = frame.text("cursor"), frame.text("type") != "welcome" { lastCursor = cursor }
    }

    func take(where matches: (WebPlayer.Frame) -> Bool) -> WebPlayer.Frame? {
        guard let index = frames.firstIndex(where: { matches($0.frame) }) else { return nil }
        let taken = frames.remove(at: index)
        if taken.frame.text("kind") == "message" { lastNoticed = max(lastNoticed, taken.number) }
        return taken.frame
    }

    /// Only what came after the last message that was noticed.
    func takeLater(where matches: (WebPlayer.Frame) -> Bool) -> WebPlayer.Frame? {
        frames.first { $0.number > lastNoticed && matches($0.frame) }?.frame
    }

    var summary: String { frames.suffix(5).map { "\($0.frame)" }.joined(separator: "\n    ") }
}

extension [String: JSONValue] {
    func text(_ key: String) -> String? { if case .string(let text)? = self[key] { text } else { nil } }
    func number(_ key: String) -> Int64? { if case .int(let number)? = self[key] { number } else { nil } }
    func object(_ key: String) -> [String: JSONValue]? { self[key]?.object }
}

extension JSONValue {
    var array: [JSONValue]? { if case .array(let values) = self { values } else { nil } }
    var object: [String: JSONValue]? {
        guard case .object(let members) = self else { return nil }
        return Dictionary(members.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
    }
}

import Glibc
import SwitchboardClient

/// How a chat looks as text: pure, so that it can be read in a test.
struct ChatText: Sendable {
    /// Whether colours and other marks of a terminal may be used.
    let isColoured: Bool
    /// Minutes east of UTC, for the times.
    let zone: Int

    private static let palette = [31, 32, 33, 34, 35, 36, 91, 92, 93, 94, 95, 96]

    func style(_ text: String, _ code: String) -> String { isColoured ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text }
    func dim(_ text: String) -> String { style(text, "2") }
    func bold(_ text: String) -> String { style(text, "1") }

    /// A name in its colour: the same in every run.
    func name(_ handle: String) -> String {
        var hash: UInt32 = 2_166_136_261
        for byte in handle.utf8 { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
        let colour = Self.palette[Int(hash % UInt32(Self.palette.count))]
        return style(TerminalText.safe(handle), "1;\(colour)")
    }

    /// `14:05`.
    func time(_ milliseconds: Int64) -> String {
        let minutes = ((milliseconds / 60_000 + Int64(zone)) % 1_440 + 1_440) % 1_440
        let (hour, minute) = (minutes / 60, minutes % 60)
        return dim("\(hour < 10 ? "0" : "")\(hour):\(minute < 10 ? "0" : "")\(minute)")
    }

    /// The lines of an event; none for what says nothing to people.
    ///
    /// - Parameters:
    ///   - number: by which commands name a message.
    ///   - place: the conversation's name, where it is not the one that is open.
    ///   - quote: what the event is about, if it is known.
    func lines(_ event: ConversationEvent, number: Int?, place: String?, quote: String?) -> [String] {
        let before = time(event.at) + (place.map { " " + dim("[\(TerminalText.safe($0))]") } ?? "")
        let mark = number.map { dim(" \($0)") } ?? ""
        let author = name(event.author)
        let about = quote.map { " “\(TerminalWidth.prefix(TerminalText.safe($0), columns: 40))”" } ?? " a message"
        func note(_ text: String) -> [String] { ["\(before)  \(author) \(dim(text))"] }
        if event.isErased { return [] }
        switch event.kind {
        case "message":
            let reply = event.replyTo == nil ? "" : dim("(answers\(about)) ")
            return message("\(before)\(mark) \(author) \(reply)", event)
        case "edit":
            return message("\(before)  \(author) \(dim("changed\(about) to")) ", event)
        case "redaction": return note("removed\(about)")
        case "reaction":
            let key = TerminalText.safe(event.frame["key"]?.string ?? "?")
            return note((event.frame["removed"]?.bool ?? false) ? "took \(key) from\(about)" : "\(key) on\(about)")
        case "membership": return note(membership(event))
        case "state": return state(event).map(note) ?? []
        case "pin": return note((event.frame["removed"]?.bool ?? false) ? "unpinned\(about)" : "pinned\(about)")
        case "call": return note("call: \(TerminalText.safe(event.frame["call"]?["step"]?.string ?? "?"))")
        case "sealed": return note("sent an encrypted message")
        default: return []
        }
    }

    private func message(_ head: String, _ event: ConversationEvent) -> [String] {
        let text = TerminalText.safe(event.text ?? "", keepsLineBreaks: true)
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        for attachment in event.frame["body"]?["attachments"]?.array ?? [] {
            lines.append("📎 " + TerminalText.safe(attachment["name"]?.string ?? attachment["reference"]?.string ?? "?"))
        }
        guard let first = lines.first else { return [head] }
        return [head + first] + lines.dropFirst().map { "      " + $0 }
    }

    private func membership(_ event: ConversationEvent) -> String {
        let member = event.frame["member"]
        let who = TerminalText.safe(member?["account"]?.string ?? "?")
        let reason = event.frame["reason"]?.string.map { ": \(TerminalText.safe($0))" } ?? ""
        let isOwn = who == event.author
        switch member?["standing"]?.string {
        case "joined": return isOwn ? "came in" : "let \(who) in"
        case "left": return (isOwn ? "left" : "removed \(who)") + reason
        case "invited": return "invited \(who)"
        case "banned": return "banned \(who)" + reason
        case "knocking": return "asks to come in" + reason
        default: return "changed \(who)"
        }
    }

    private func state(_ event: ConversationEvent) -> String? {
        guard let state = event.frame["state"], state["namespace"]?.string == "" else { return nil }
        let value = TerminalText.safe(state["value"]?.string ?? "")
        switch state["type"]?.string {
        case "name": return "named this place “\(value)”"
        case "subject": return "set the subject: \(value)"
        default: return nil
        }
    }

    /// An event for a program that reads lines: `author: text`. Nil for what is no message.
    static func plain(_ event: ConversationEvent, place: String?) -> String? {
        guard event.kind == "message", let text = event.text else { return nil }
        let line = TerminalText.safe(text.replacing("\n", with: " "))
        return (place.map { "\($0) " } ?? "") + "\(event.author): \(line)"
    }

    /// Minutes east of UTC of this machine.
    static func localZone() -> Int {
        var now = Glibc.time(nil)
        var parts = tm()
        localtime_r(&now, &parts)
        return parts.tm_gmtoff / 60
    }
}

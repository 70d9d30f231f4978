import SwitchboardClient
import Testing

@testable import Switchboard

/// The line editor and its keys, as pure machines.
struct LineEditorTests {
    private func edited(_ keys: [Key]) -> LineEditor {
        var editor = LineEditor()
        for key in keys { _ = editor.handle(key) }
        return editor
    }
    private func typed(_ text: String) -> [Key] { text.map { .text($0) } }

    @Test func lettersGoToTheCursor() {
        let editor = edited(typed("helo") + [.left, .text("l"), .end, .text("!")])
        #expect(editor.text == "hello!")
        #expect(editor.cursor == 6)
    }

    @Test func removing() {
        #expect(edited(typed("abc") + [.backspace]).text == "ab")
        #expect(edited(typed("abc") + [.home, .delete]).text == "bc")
        #expect(edited([.backspace, .delete]).text == "")
        #expect(edited(typed("one two") + [.control("w")]).text == "one ")
        #expect(edited(typed("one two") + [.control("u")]).text == "")
        #expect(edited(typed("one two") + [.wordLeft, .control("k")]).text == "one ")
        #expect(edited(typed("one two") + [.control("w"), .home, .control("y")]).text == "twoone ")
    }

    @Test func enterGivesTheLineAndEmptiesTheEditor() {
        var editor = edited(typed("hi"))
        #expect(editor.handle(.enter) == .submitted("hi"))
        #expect(editor.isEmpty)
        #expect(edited(typed("   ")).text == "   ")
        var blank = edited(typed("   "))
        #expect(blank.handle(.enter) == .changed)
    }

    @Test func historyComesBackAndTheDraftIsKept() {
        var editor = LineEditor()
        for line in ["one", "two"] { for key in typed(line) + [.enter] { _ = editor.handle(key) } }
        for key in typed("dra") { _ = editor.handle(key) }
        _ = editor.handle(.up)
        #expect(editor.text == "two")
        _ = editor.handle(.up)
        _ = editor.handle(.up)
        #expect(editor.text == "one")
        _ = editor.handle(.down)
        _ = editor.handle(.down)
        #expect(editor.text == "dra")
    }

    @Test func controlCEmptiesThenLeaves() {
        var editor = edited(typed("x"))
        #expect(editor.handle(.control("c")) == .changed)
        #expect(editor.handle(.control("c")) == .leave)
        #expect(editor.handle(.control("d")) == .leave)
    }

    @Test func aPasteIsOneLine() {
        var editor = LineEditor()
        #expect(editor.handle(.paste("one\r\ntwo\tthree\u{1B}[31m")) == .changed)
        #expect(editor.text == "one two three[31m")
    }

    @Test func combiningMarksJoinTheirLetter() {
        let editor = edited([.text("e"), .text("\u{301}"), .text("x"), .backspace])
        #expect(editor.text == "e\u{301}")
        #expect(editor.cursor == 1)
    }

    @Test func theViewHasTheCursorInIt() {
        let editor = edited(typed("0123456789"))
        #expect(editor.view(columns: 5).text == "6789")
        #expect(editor.view(columns: 5).cursor == 4)
        #expect(editor.view(columns: 80).text == "0123456789")
        let wide = edited(typed("日本語日本語"))
        let view = wide.view(columns: 7)
        #expect(TerminalWidth.of(view.text) <= 7)
        #expect(view.cursor <= 6)
    }

    /// Whatever is typed, the cursor stays in the line and the view on the screen.
    @Test(arguments: 0..<50)
    func randomKeysNeverBreakTheEditor(_ seed: UInt64) {
        var random = Seeded(state: seed &* 7_919 + 1)
        var editor = LineEditor()
        let keys: [Key] = [
            .text("a"), .text("ß"), .text("日"), .text("👩‍👩‍👧"), .text("\u{301}"), .text(" "), .enter, .tab, .backspace,
            .delete,
            .left, .right, .up, .down, .home, .end, .wordLeft, .wordRight, .control("w"), .control("u"), .control("k"),
            .control("y"), .control("p"), .control("n"), .paste("x y\nz"), .pageUp,
        ]
        for _ in 0..<300 {
            _ = editor.handle(keys[Int.random(in: 0..<keys.count, using: &random)])
            #expect((0...editor.characters.count).contains(editor.cursor))
            let view = editor.view(columns: 10)
            #expect(view.cursor < 10)
            #expect(TerminalWidth.of(view.text) <= 10)
        }
    }
}

struct KeyDecoderTests {
    private let stream = Array("a\u{1B}[Aé日\u{1B}[1;5D\r\u{7F}\u{1B}[200~p\r\nq\u{1B}[201~\u{03}\u{1B}[3~\u{1B}b👍".utf8)
    private let keys: [Key] = [
        .text("a"), .up, .text("é"), .text("日"), .wordLeft, .enter, .backspace, .paste("p\r\nq"), .control("c"),
        .delete,
        .wordLeft, .text("👍"),
    ]

    @Test func knownKeys() {
        var decoder = KeyDecoder()
        #expect(decoder.feed(stream) == keys)
    }

    @Test func everySplitGivesTheSameKeys() {
        for split in 0...stream.count {
            var decoder = KeyDecoder()
            #expect(decoder.feed(stream[..<split]) + decoder.feed(stream[split...]) == keys)
        }
    }

    @Test func noiseGivesNoCrashAndIsForgotten() {
        var random = Seeded(state: 99)
        var decoder = KeyDecoder()
        for _ in 0..<5_000 { _ = decoder.feed([UInt8.random(in: 0...255, using: &random)]) }
        var endless = KeyDecoder()
        #expect(
            endless.feed(Array("\u{1B}[".utf8) + Array(repeating: UInt8(ascii: "1"), count: 40) + Array("x".utf8)).last
                == .text("x"))
    }
}

struct TerminalTextTests {
    @Test(arguments: [
        ("abc", 3), ("日本", 4), ("é", 1), ("e\u{301}", 1), ("👍", 2), ("👩‍👩‍👧", 2), ("❤️", 2), ("", 0), ("\u{200B}", 0),
    ])
    func widths(_ text: String, _ columns: Int) { #expect(TerminalWidth.of(text) == columns) }

    @Test func prefixNeverTakesHalfACharacter() {
        #expect(TerminalWidth.prefix("日本語", columns: 5) == "日本")
        #expect(TerminalWidth.prefix("日本語", columns: 0) == "")
    }

    @Test func foreignTextCanNotMoveTheCursor() {
        #expect(TerminalText.safe("a\u{1B}[31mb\r\n\u{9B}c\u{202E}d") == "a�[31mb��" + "�cd")
        #expect(TerminalText.safe("a\nb", keepsLineBreaks: true) == "a\nb")
    }

    @Test(arguments: [
        ("hello", ChatCommandLine.post("hello")), ("//x", .post("/x")), ("/join garden", .join("garden")),
        ("/msg @bob hi there", .message(account: "bob", text: "hi there")),
        ("/edit better", .edit(number: nil, text: "better")),
        ("/edit 3 better", .edit(number: 3, text: "better")), ("/react 👍", .react(number: nil, key: "👍")),
        ("/react #2 👍", .react(number: 2, key: "👍")), ("/reply 4 yes", .reply(number: 4, text: "yes")),
        ("/history", .history(30)), ("/history 9999", .history(500)), ("/search two words", .search("two words")),
        ("/who", .who), ("/quit", .quit), ("/q", .quit), ("/remove", .remove(number: nil)),
    ])
    func commands(_ line: String, _ command: ChatCommandLine) { #expect(ChatCommandLine(line) == command) }

    @Test(arguments: [
        "/", "/nonsense", "/join", "/msg bob", "/msg", "/reply x y", "/reply 3", "/history x", "/react", "/edit",
        "/remove x",
    ])
    func wrongCommandsSayWhy(_ line: String) {
        guard case .wrong = ChatCommandLine(line) else {
            Issue.record("\(line) was taken for \(ChatCommandLine(line))")
            return
        }
    }

    private func event(_ json: String) throws -> ConversationEvent {
        try #require(ConversationEvent(try ClientValue(parsing: json)))
    }

    @Test func anEventIsALine() throws {
        let text = ChatText(isColoured: false, zone: 0)
        let message = try event(
            #"{"conversation":"~1","sequence":9,"id":"x","author":"bob","at":50700000,"kind":"message","body":{"text":"Hi \u001b[1m"}}"#
        )
        #expect(text.lines(message, number: 3, place: nil, quote: nil) == ["14:05 3 bob Hi �[1m"])
        #expect(ChatText.plain(message, place: nil) == "bob: Hi �[1m")
        let edit = try event(
            #"{"conversation":"~1","sequence":10,"id":"y","author":"bob","at":0,"kind":"edit","target":{"id":"x","sequence":9},"body":{"text":"Ho"}}"#
        )
        #expect(text.lines(edit, number: nil, place: nil, quote: "Hi") == ["00:00  bob changed “Hi” to Ho"])
        let joined = try event(
            #"{"conversation":"~1","sequence":1,"id":"z","author":"bob","at":0,"kind":"membership","member":{"account":"bob","standing":"joined"}}"#
        )
        #expect(text.lines(joined, number: nil, place: "lobby", quote: nil) == ["00:00 [lobby]  bob came in"])
    }

    @Test func whoIsTypingIsForgottenWhenTheyAreDone() throws {
        var session = ChatSession()
        session.signedIn(as: "me")
        session.isTyping("bob", true, now: 0)
        session.isTyping("me", true, now: 0)
        #expect(session.typingText(now: 1_000) == "bob is typing …")
        session.isTyping("anna", true, now: 1_000)
        #expect(session.typingText(now: 1_000) == "anna and bob are typing …")
        #expect(session.typingText(now: 8_500) == "anna is typing …")
        #expect(session.typingText(now: 60_000) == "")
    }
}

/// The line that a person is writing: text, cursor and what was written before. Pure: keys in, outcomes out.
struct LineEditor: Sendable {
    enum Outcome: Sendable, Equatable {
        case nothing
        /// The line or the cursor is another now.
        case changed
        /// A finished line; the editor is empty again.
        case submitted(String)
        /// Control-C on an empty line, or Control-D on one.
        case leave
        case clearScreen
        case complete
        case pageUp, pageDown
    }
    private(set) var characters: [Character] = []
    /// Before which character the cursor stands.
    private(set) var cursor = 0
    private var history: [String] = []
    /// Which line of the history is shown; its count: the line that is being written.
    private var place = 0
    private var draft: [Character] = []
    private var killed: [Character] = []
    private static let historyLimit = 500
    /// Characters of one line.
    private static let lengthLimit = 65_536

    var text: String { String(characters) }
    var isEmpty: Bool { characters.isEmpty }

    mutating func setText(_ text: String) {
        characters = Array(text.prefix(Self.lengthLimit))
        cursor = characters.count
    }

    mutating func handle(_ key: Key) -> Outcome {
        switch key {
        case .text(let character): return insert([character])
        // A pasted line break is no decision to send: it becomes a space in a line.
        case .paste(let text):
            return insert(
                text.replacing("\r\n", with: "\n").map { $0.isNewline || $0 == "\t" ? " " : $0 }.filter {
                    $0.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
                })
        case .enter: return submit()
        case .backspace: return remove(cursor - 1..<cursor)
        case .delete: return remove(cursor..<cursor + 1)
        case .left: return move(to: cursor - 1)
        case .right: return move(to: cursor + 1)
        case .home: return move(to: 0)
        case .end: return move(to: characters.count)
        case .wordLeft: return move(to: wordStart)
        case .wordRight: return move(to: wordEnd)
        case .up: return recall(place - 1)
        case .down: return recall(place + 1)
        case .tab: return .complete
        case .pageUp: return .pageUp
        case .pageDown: return .pageDown
        case .control(let letter): return control(letter)
        }
    }

    private mutating func control(_ letter: Character) -> Outcome {
        switch letter {
        case "a": return move(to: 0)
        case "b": return move(to: cursor - 1)
        case "c":
            guard !characters.isEmpty else { return .leave }
            setText("")
            return .changed
        case "d": return characters.isEmpty ? .leave : remove(cursor..<cursor + 1)
        case "e": return move(to: characters.count)
        case "f": return move(to: cursor + 1)
        case "k": return kill(cursor..<characters.count)
        case "l": return .clearScreen
        case "n": return recall(place + 1)
        case "p": return recall(place - 1)
        case "u": return kill(0..<cursor)
        case "w": return kill(wordStart..<cursor)
        case "y": return insert(killed)
        default: return .nothing
        }
    }

    private mutating func insert(_ more: [Character]) -> Outcome {
        guard !more.isEmpty, characters.count + more.count <= Self.lengthLimit else { return .nothing }
        // A combining mark joins the character before it, so the line is put together as text again.
        let before = String(characters[..<cursor]) + String(more)
        let after = String(characters[cursor...])
        characters = Array(before + after)
        cursor = min(before.count, characters.count)
        return .changed
    }

    private mutating func remove(_ range: Range<Int>) -> Outcome {
        let range = range.clamped(to: 0..<characters.count)
        guard !range.isEmpty else { return .nothing }
        characters.removeSubrange(range)
        cursor = range.lowerBound
        return .changed
    }

    private mutating func kill(_ range: Range<Int>) -> Outcome {
        guard !range.isEmpty else { return .nothing }
        killed = Array(characters[range])
        return remove(range)
    }

    private mutating func move(to place: Int) -> Outcome {
        let bounded = min(max(place, 0), characters.count)
        guard bounded != cursor else { return .nothing }
        cursor = bounded
        return .changed
    }

    private mutating func submit() -> Outcome {
        let line = text
        setText("")
        guard !line.allSatisfy(\.isWhitespace) else { return .changed }
        if history.last != line { history.append(line) }
        if history.count > Self.historyLimit { history.removeFirst() }
        place = history.count
        return .submitted(line)
    }

    private mutating func recall(_ wanted: Int) -> Outcome {
        guard wanted != place, (0...history.count).contains(wanted) else { return .nothing }
        if place == history.count { draft = characters }
        place = wanted
        characters = wanted == history.count ? draft : Array(history[wanted])
        cursor = characters.count
        return .changed
    }

    private var wordStart: Int {
        var index = cursor
        while index > 0, characters[index - 1].isWhitespace { index -= 1 }
        while index > 0, !characters[index - 1].isWhitespace { index -= 1 }
        return index
    }

    private var wordEnd: Int {
        var index = cursor
        while index < characters.count, characters[index].isWhitespace { index += 1 }
        while index < characters.count, !characters[index].isWhitespace { index += 1 }
        return index
    }

    // MARK: Showing

    /// What fits into so many columns with the cursor in it, and the column of the cursor.
    func view(columns: Int) -> (text: String, cursor: Int) {
        let columns = max(columns, 4)
        var start = 0
        var width = TerminalWidth.of(String(characters[..<cursor]))
        // The cursor itself takes a column at the end of the line.
        while width > columns - 1, start < cursor {
            width -= TerminalWidth.of(characters[start])
            start += 1
        }
        return (TerminalWidth.prefix(String(characters[start...]), columns: columns), width)
    }

    /// The word before the cursor, for completion, and the line with another word in its place.
    var word: String { String(characters[wordStart..<cursor]) }

    mutating func replaceWord(with text: String) {
        let start = wordStart
        characters.replaceSubrange(start..<cursor, with: Array(text))
        cursor = start + text.count
    }
}

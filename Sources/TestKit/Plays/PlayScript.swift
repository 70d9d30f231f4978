/// A play: who is on which door, and what happens, a line each.
///
/// ```
/// Alice is on web
/// Alice says "Hello" in garden as hello
/// Bob hears "Hello" from Alice in garden
/// ```
///
/// The same file is played in-process and over connections, and by people on any mix of protocols.
package struct PlayScript: Sendable {
    package struct Line: Sendable {
        package let number: Int
        package let text: String
        package let person: String
        package let step: PlayStep
    }

    package let name: String
    /// Person → protocol, in order of appearance.
    package let cast: [(person: String, door: String)]
    package let lines: [Line]

    /// Reads a play; a line that can't be understood is an error that names it.
    package init(name: String, text: String) throws(PlayFailure) {
        var cast: [(person: String, door: String)] = []
        var lines: [Line] = []
        for (index, raw) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let line = raw.drop { $0 == " " }
            if line.isEmpty || line.hasPrefix("#") { continue }
            let words = try PlayScript.words(String(line), number: index + 1)
            guard let person = words.first?.text else { continue }
            if words.count == 4, words[1].text == "is", words[2].text == "on" {
                cast.append((person, words[3].text))
                continue
            }
            guard let step = PlayStep(Array(words.dropFirst())) else {
                throw PlayFailure("\(name):\(index + 1): not understood: \(line)")
            }
            lines.append(Line(number: index + 1, text: String(line), person: person, step: step))
        }
        self.name = name
        self.cast = cast
        self.lines = lines
    }

    struct Word {
        let text: String
        let isQuoted: Bool
    }

    private static func words(_ line: String, number: Int) throws(PlayFailure) -> [Word] {
        var words: [Word] = []
        var rest = line[...]
        while let first = rest.first {
            if first == " " {
                rest = rest.dropFirst()
            } else if first == "\"" {
                var text = ""
                rest = rest.dropFirst()
                while let next = rest.first, next != "\"" {
                    rest = rest.dropFirst()
                    if next == "\\", let escaped = rest.first {
                        rest = rest.dropFirst()
                        text.append(escaped == "n" ? "\n" : escaped)
                    } else {
                        text.append(next)
                    }
                }
                if rest.isEmpty { throw PlayFailure("line \(number): a quotation that does not end") }
                rest = rest.dropFirst()
                words.append(Word(text: text, isQuoted: true))
            } else {
                let word = rest.prefix { $0 != " " }
                words.append(Word(text: String(word), isQuoted: false))
                rest = rest.dropFirst(word.count)
            }
        }
        return words
    }
}

/// Why a play did not go as written.
package struct PlayFailure: Error, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}

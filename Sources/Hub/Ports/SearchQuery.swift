/// What people type into a search field, read once for every index: words that must all occur, `"phrases"`,
/// `prefix*` and `-excluded` ones. Everything else is text, so that no index's own grammar can be reached.
package struct SearchQuery: Hashable, Sendable {
    /// One word or phrase.
    package struct Term: Hashable, Sendable {
        package let text: String
        /// The last word of the text may go on.
        package let isPrefix: Bool

        package init(text: String, isPrefix: Bool = false) {
            self.text = text
            self.isPrefix = isPrefix
        }
    }
    /// All of them occur.
    package private(set) var required: [Term] = []
    /// None of them occurs.
    package private(set) var excluded: [Term] = []
    /// More terms than these are left out.
    package static let termLimit = 32

    /// Reads any text. Total: what has no letter or digit is left out.
    package init(_ text: String) {
        var rest = Substring(text)
        while required.count + excluded.count < SearchQuery.termLimit {
            rest = rest.drop(while: \.isWhitespace)
            guard let first = rest.first else { return }
            let isExcluded = first == "-"
            let (words, isPrefix) = SearchQuery.takeTerm(from: isExcluded ? rest.dropFirst() : rest, &rest)
            guard words.unicodeScalars.contains(where: \.isWordPart) else { continue }
            let term = Term(text: String(words), isPrefix: isPrefix)
            if isExcluded { excluded.append(term) } else { required.append(term) }
        }
    }

    /// Takes the word or phrase at the start of `text`; `rest` is what follows it.
    private static func takeTerm(from text: Substring, _ rest: inout Substring) -> (words: Substring, isPrefix: Bool) {
        guard text.first == "\"" else {
            let word = text.prefix { !$0.isWhitespace && $0 != "\"" }
            rest = text[word.endIndex...]
            return word.last == "*" ? (word.dropLast(), true) : (word, false)
        }
        let phrase = text.dropFirst().prefix { $0 != "\"" }
        rest = text[phrase.endIndex...].dropFirst()
        guard rest.first == "*" else { return (phrase, false) }
        rest = rest.dropFirst()
        return (phrase, true)
    }
}

extension Unicode.Scalar {
    fileprivate var isWordPart: Bool { properties.isAlphabetic || properties.numericType != nil }
}

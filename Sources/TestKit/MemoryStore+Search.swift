import Foundation
import Hub

extension MemoryStore {
    package func cursor() throws(StoreError) -> Position { withContents { $0.searchCursor } }

    package func update(
        _ documents: [SearchDocument], removed: [SearchKey], through: Position
    ) throws(StoreError) {
        withContents { contents in
            for document in documents { contents.documents[document.key] = document }
            for key in removed { contents.documents[key] = nil }
            contents.searchCursor = through
        }
    }

    package func search(
        _ query: String, in conversations: [ConversationID], before: Position?, limit: Int
    ) throws(StoreError) -> [SearchHit] {
        let query = SearchQuery(query)
        let scope = Set(conversations)
        guard !query.required.isEmpty else { return [] }
        return withContents { contents in
            let found = contents.documents.values.filter { document in
                scope.contains(document.key.conversation) && before.map { document.position < $0 } ?? true
                    && query.required.allSatisfy { SearchWords(document.text).match($0) != nil }
                    && query.excluded.allSatisfy { SearchWords(document.text).match($0) == nil }
            }
            return found.sorted { $0.position > $1.position }.prefix(max(limit, 0)).map { document in
                let words = SearchWords(document.text)
                return SearchHit(
                    key: document.key, position: document.position,
                    snippet: words.marked(query.required.compactMap { words.match($0) }))
            }
        }
    }
}

/// A text as words: runs of letters and digits, compared without case and diacritics.
private struct SearchWords {
    private let words: [(folded: String, original: String)]

    init(_ text: String) {
        words = text.unicodeScalars.split { !($0.properties.isAlphabetic || $0.properties.numericType != nil) }
            .map { word in
                let original = String(String.UnicodeScalarView(word))
                return (
                    original.lowercased().folding(options: .diacriticInsensitive, locale: nil), original
                )
            }
    }

    /// Where the term first occurs.
    func match(_ term: SearchQuery.Term) -> Range<Int>? {
        let wanted = SearchWords(term.text).words.map(\.folded)
        guard let last = wanted.last, words.count >= wanted.count else { return nil }
        for start in 0...(words.count - wanted.count) {
            let found = words[start..<start + wanted.count].map(\.folded)
            guard found.dropLast().elementsEqual(wanted.dropLast()), let end = found.last else { continue }
            if term.isPrefix ? end.hasPrefix(last) : end == last { return start..<start + wanted.count }
        }
        return nil
    }

    func marked(_ matches: [Range<Int>]) -> String {
        words.indices.map { index in
            let isMatch = matches.contains { $0.contains(index) }
            return isMatch ? "\u{E000}\(words[index].original)\u{E001}" : words[index].original
        }.joined(separator: " ")
    }
}

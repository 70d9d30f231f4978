import Hub

extension StoreContract {
    static let searching: [StoreContract] = [
        StoreContract("search finds words, phrases and prefixes, and leaves out what is excluded") { store in
            let texts = [
                "The quick brown fox", "a lazy DOG sleeps", "quick thinking, lazy evening", "Größe und Höhe",
                "foxes are quick-witted", "drop table \"documents\"; --", "日本語 text", "naïve café 42",
            ]
            try index(store, texts)
            func find(_ query: String) throws -> [Int] { try hits(store, query).map { Int($0.key.sequence.rawValue) } }
            try require(find("quick"), is: [5, 3, 1], "newest first")
            try require(find("QUICK lazy"), is: [3])
            try require(find("\"quick brown\""), is: [1])
            try require(find("\"brown quick\""), is: [])
            try require(find("quick -fox"), is: [5, 3])
            try require(find("quick -\"brown fox\""), is: [5, 3])
            try require(find("quick -fox*"), is: [3])
            try require(find("fox*"), is: [5, 1])
            try require(find("\"quick wit\"*"), is: [5])
            try require(find("grosse"), is: [], "ß is a letter of its own")
            try require(find("große hohe"), is: [4], "without marks")
            try require(find("cafe naive"), is: [8])
            try require(find("42"), is: [8])
            try require(find("quick-witted"), is: [5])
            try require(find("-quick"), is: [], "nothing is asked for")
        },
        StoreContract("no text that people type is an error or an operator") { store in
            try index(store, ["alpha beta", "gamma OR delta", "alpha AND near"])
            let typed = [
                "", " ", "\"", "\"\"", "*", "-", "--", "-*", "(", ")", "alpha)", "NEAR(alpha beta)", "text:alpha",
                "alpha AND", "OR", "NOT", "^alpha", "{text}:", "alpha + beta", "'", "a'b", "\u{0}", "\u{E000}",
                "alpha\u{0}beta", "\"alpha", "😀", "rowid:1", "%", "_", "\\", ";", "alpha -", "*alpha", "- alpha",
                String(repeating: "alpha ", count: 500), String(repeating: "(", count: 5_000),
            ]
            for query in typed { _ = try hits(store, query) }
            try require(hits(store, "OR").map(\.key.sequence.rawValue), is: [2], "a word like any other")
            try require(hits(store, "alpha AND").map(\.key.sequence.rawValue), is: [3])
            try require(hits(store, "NEAR(alpha beta)").map(\.key.sequence.rawValue), is: [])
        },
        StoreContract("search stays in its conversations and comes in pages") { store in
            let (one, two) = (ConversationID(rawValue: 1), ConversationID(rawValue: 2))
            let documents = (1...20).map { index in
                SearchDocument(
                    key: SearchKey(
                        conversation: index.isMultiple(of: 4) ? two : one, sequence: Sequence(rawValue: Int64(index))),
                    position: Position(rawValue: Int64(index * 10)), text: "word \(index)")
            }
            try store.update(documents, removed: [], through: Position(rawValue: 200))
            try require(store.cursor(), is: Position(rawValue: 200))
            let mine = documents.filter { $0.key.conversation == one }.reversed().map(\.position)
            var found: [Position] = []
            while true {
                let page = try store.search("word", in: [one], before: found.last, limit: 4)
                if page.isEmpty { break }
                found += page.map(\.position)
            }
            try require(found, is: Array(mine))
            try require(store.search("word", in: [], before: nil, limit: 4), is: [])
            try require(store.search("word", in: [one, two], before: nil, limit: 100).count, is: 20)
        },
        StoreContract("an edit replaces what is found, and what was removed is not found") { store in
            let keys = try index(store, ["first words", "second words"])
            let edited = SearchDocument(key: keys[0], position: Position(rawValue: 1), text: "other content")
            try store.update([edited], removed: [keys[1]], through: Position(rawValue: 9))
            try require(hits(store, "words"), is: [])
            try require(hits(store, "content").map(\.key), is: [keys[0]])
            try store.update([], removed: keys, through: Position(rawValue: 10))
            try require(hits(store, "content"), is: [])
            try require(store.cursor(), is: Position(rawValue: 10))
        },
        StoreContract("a snippet marks what was found, and nobody else can mark") { store in
            try index(store, ["some \u{E000}fake\u{E001} Needle here"])
            let hit = try hits(store, "needle").first.orViolation("no hit")
            try require(hit.snippet.contains("\u{E000}Needle\u{E001}"), "the snippet is \(hit.snippet)")
            try require(hit.snippet.unicodeScalars.filter { $0 == "\u{E000}" }.count, is: 1)
        },
    ]

    @discardableResult
    private static func index(_ store: any StorePorts, _ texts: [String]) throws -> [SearchKey] {
        let documents = texts.enumerated().map { index, text in
            SearchDocument(
                key: SearchKey(
                    conversation: ConversationID(rawValue: 1), sequence: Sequence(rawValue: Int64(index + 1))),
                position: Position(rawValue: Int64(index + 1)), text: text)
        }
        try store.update(documents, removed: [], through: Position(rawValue: Int64(texts.count)))
        return documents.map(\.key)
    }

    private static func hits(_ store: any StorePorts, _ query: String) throws -> [SearchHit] {
        try store.search(query, in: [ConversationID(rawValue: 1)], before: nil, limit: 100)
    }
}

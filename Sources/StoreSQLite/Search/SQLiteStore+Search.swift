import Hub

extension SQLiteStore {
    package func cursor() throws(StoreError) -> Position {
        try search { index in try index.cursor() }
    }

    package func update(
        _ documents: [SearchDocument], removed: [SearchKey], through: Position
    ) throws(StoreError) {
        try search { index in try index.update(documents, removed: removed, through: through) }
    }

    package func search(
        _ query: String, in conversations: [ConversationID], before: Position?, limit: Int
    ) throws(StoreError) -> [SearchHit] {
        try search { index in
            try index.search(SearchQuery(query), in: conversations, before: before, limit: limit)
        }
    }

    private func search<Value>(_ body: (SearchFile) throws -> Value) throws(StoreError) -> Value {
        do {
            return try body(index)
        } catch {
            throw StoreError(error)
        }
    }
}

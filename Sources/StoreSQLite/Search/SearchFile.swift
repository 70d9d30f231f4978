import Foundation
import GRDB
import Hub
import Logging

/// The full text of messages, in a file of its own: it can be deleted at any time and is then built again from the log.
///
/// Matching is without case and diacritics, on whole words of any script that separates them.
///
/// *Lives on* the search follower's thread for writes, on reader threads for searches.
final class SearchFile: Sendable {
    private let pool: DatabasePool
    private static let version: Int64 = 1

    /// Opens the file; one that is damaged, of another version or of another epoch of the log is made anew.
    init(path: String, epoch: Int64, logger: Logger) throws {
        do {
            pool = try SearchFile.open(path, epoch)
        } catch {
            logger.notice("the search index is made anew", metadata: ["reason": "\(error)"])
            for suffix in ["", "-wal", "-shm", "-journal"] { try removeFile(path + suffix) }
            pool = try SearchFile.open(path, epoch)
        }
    }

    private static func open(_ path: String, _ epoch: Int64) throws -> DatabasePool {
        if access(path, F_OK) != 0 { try makePrivateFile(path) }
        var configuration = Configuration()
        configuration.label = "switchboard.search"
        configuration.maximumReaderCount = 2
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { db in
            try db.execute(sql: "PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -2000")
        }
        let pool = try DatabasePool(path: path, configuration: configuration)
        try pool.writeWithoutTransaction { db in
            let version = try Schema.version(of: db)
            if version == 0 { try create(db, epoch) }
            let known = try Int64.fetchOne(db, sql: "SELECT epoch FROM progress")
            guard known == epoch, version == 0 || version == SearchFile.version else {
                throw Damage(what: "it belongs to another epoch of the log, or to another version")
            }
        }
        return pool
    }

    private static func create(_ db: Database, _ epoch: Int64) throws {
        try db.inTransaction(.immediate) {
            try db.execute(
                sql: """
                    CREATE TABLE progress (epoch INTEGER NOT NULL, position INTEGER NOT NULL) STRICT;
                    CREATE TABLE documents (
                        position INTEGER PRIMARY KEY,
                        conversation INTEGER NOT NULL,
                        sequence INTEGER NOT NULL,
                        text TEXT NOT NULL,
                        UNIQUE (conversation, sequence)
                    ) STRICT;
                    CREATE VIRTUAL TABLE words USING fts5 (
                        text, content = 'documents', content_rowid = 'position',
                        tokenize = 'unicode61 remove_diacritics 2'
                    );
                    CREATE TRIGGER documents_inserted AFTER INSERT ON documents BEGIN
                        INSERT INTO words (rowid, text) VALUES (new.position, new.text);
                    END;
                    CREATE TRIGGER documents_deleted AFTER DELETE ON documents BEGIN
                        INSERT INTO words (words, rowid, text) VALUES ('delete', old.position, old.text);
                    END;
                    PRAGMA user_version = \(SearchFile.version);
                    """)
            try db.execute(sql: "INSERT INTO progress VALUES (?, 0)", arguments: [epoch])
            return .commit
        }
    }

    func close() throws { try pool.close() }

    func cursor() throws -> Position {
        try pool.read { db in try db.first("SELECT position FROM progress", [], { try $0.value(0) }) ?? .zero }
    }

    func update(_ documents: [SearchDocument], removed: [SearchKey], through: Position) throws {
        try pool.write { db in
            for document in documents {
                try SearchFile.remove(document.key, db)
                try db.run(
                    "INSERT INTO documents (position, conversation, sequence, text) VALUES (?, ?, ?, ?)",
                    [
                        document.position.rawValue, document.key.conversation.rawValue,
                        document.key.sequence.rawValue, SearchFile.unmarked(document.text),
                    ])
            }
            for key in removed { try SearchFile.remove(key, db) }
            // A removed word stays in the index until the part that holds it is merged with the part that removes it.
            if !removed.isEmpty { try db.run("INSERT INTO words (words, rank) VALUES ('merge', -16)") }
            try db.run("UPDATE progress SET position = ?", [through.rawValue])
        }
    }

    private static func remove(_ key: SearchKey, _ db: Database) throws {
        try db.run(
            "DELETE FROM documents WHERE conversation = ? AND sequence = ?",
            [key.conversation.rawValue, key.sequence.rawValue])
    }

    /// Nobody may put the marks of a snippet into it.
    private static func unmarked(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { $0 == "\u{E000}" || $0 == "\u{E001}" }) else { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.filter { $0 != "\u{E000}" && $0 != "\u{E001}" }))
    }

    func search(
        _ query: SearchQuery, in conversations: [ConversationID], before: Position?, limit: Int
    ) throws -> [SearchHit] {
        guard let expression = query.expression else { return [] }
        return try pool.read { db in
            try db.all(
                """
                SELECT d.conversation, d.sequence, d.position,
                    snippet(words, 0, char(0xE000), char(0xE001), '…', 24)
                FROM words JOIN documents d ON d.position = words.rowid
                WHERE words MATCH ? AND words.rowid < ? AND d.conversation IN (SELECT value FROM json_each(?))
                ORDER BY words.rowid DESC LIMIT ?
                """, [expression, before?.rawValue ?? .max, conversations.jsonList, max(limit, 0)]
            ) { row in
                SearchHit(
                    key: SearchKey(conversation: try row.value(0), sequence: try row.value(1)),
                    position: try row.value(2), snippet: try row.text(3))
            }
        }
    }
}

extension SearchQuery {
    /// In the index's own grammar; nil if nothing is asked for. Every term is a quoted string there, so that nothing of
    /// what was typed is an operator.
    var expression: String? {
        guard !required.isEmpty else { return nil }
        let all = required.map(\.quoted).joined(separator: " AND ")
        return excluded.isEmpty ? all : "(\(all)) NOT (\(excluded.map(\.quoted).joined(separator: " OR ")))"
    }
}

extension SearchQuery.Term {
    fileprivate var quoted: String {
        let safe = text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
            .filter { $0 != "\0" }
        return "\"\(safe)\"" + (isPrefix ? " *" : "")
    }
}

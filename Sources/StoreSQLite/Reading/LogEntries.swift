import GRDB
import Hub

/// Events of one conversation with what later events made of them.
///
/// One statement each for the events, the reactions and the threads of a page; one more per edited message.
struct LogEntries {
    private let db: Database
    private let conversation: ConversationID

    init(_ db: Database, _ conversation: ConversationID) {
        self.db = db
        self.conversation = conversation
    }

    /// - Parameters:
    ///   - condition: continues `EventRow.select`; its first value is the conversation.
    ///   - values: the further ones.
    func page(_ condition: String, _ values: [any Bindable]) throws -> [LogEntry] {
        var reader = EventReader()
        return try entries(
            db.all(EventRow.select + condition, [conversation.rawValue] + values) { row in try reader.row(row) })
    }

    private func entries(_ rows: [EventRow]) throws -> [LogEntry] {
        // Only what people say gets answers; the rest of a page needs no lookups.
        let targets = rows.map(\.event.sequence)
        guard !targets.isEmpty else { return [] }
        let list = targets.jsonList
        let reactions = try reactions(to: list)
        let threads = try threads(of: list)
        return try rows.map { row in
            let sequence = row.event.sequence
            return LogEntry(
                event: row.event, edit: try edit(of: row), reactions: reactions[sequence] ?? [],
                thread: threads[sequence])
        }
    }

    private func edit(of row: EventRow) throws -> LogEntry.Edit? {
        guard let edited = row.edited, case .message = row.event.content else { return nil }
        var reader = EventReader()
        let edit = try db.first(
            EventRow.select + "WHERE e.conversation = ? AND e.sequence = ?",
            [conversation.rawValue, edited.rawValue]
        ) { row in try reader.event(row) }
        guard let event = edit, case .edit(_, let body) = event.content else { return nil }
        return LogEntry.Edit(sequence: edited, time: event.time, body: body)
    }

    private func reactions(to list: String) throws -> [Sequence: [LogEntry.ReactionCount]] {
        var groups: [Sequence: [(key: String, by: [LogEntry.Reactor])]] = [:]
        var rows = try db.rows(
            """
            SELECT r.target, r.key, r.account, a.handle, a.server, r.sequence
            FROM json_each(?) AS page CROSS JOIN reactions r ON r.conversation = ? AND r.target = page.value
                JOIN accounts a ON a.id = r.account
            ORDER BY r.target, r.sequence
            """, [list, conversation.rawValue])
        while let row = try rows.next() {
            let target: Sequence = try row.value(0)
            let key = try row.text(1)
            let reactor = LogEntry.Reactor(try row.party(2, 3), at: try row.value(5))
            if let index = groups[target]?.firstIndex(where: { $0.key == key }) {
                groups[target]?[index].by.append(reactor)
            } else {
                groups[target, default: []].append((key, [reactor]))
            }
        }
        return groups.mapValues { $0.map { LogEntry.ReactionCount(key: $0.key, by: $0.by) } }
    }

    private func threads(of list: String) throws -> [Sequence: LogEntry.ThreadSummary] {
        let rows = try db.all(
            """
            SELECT e.thread, count(*), max(e.sequence)
            FROM json_each(?) AS page CROSS JOIN events e INDEXED BY events_by_thread
                ON e.conversation = ? AND e.thread = page.value AND e.erased = 0
            GROUP BY e.thread
            """, [list, conversation.rawValue]
        ) { row in
            let summary = LogEntry.ThreadSummary(
                count: Int(truncatingIfNeeded: try row.integer(1)), last: try row.value(2))
            return (try row.value(0) as Sequence, summary)
        }
        return Dictionary(rows, uniquingKeysWith: { $1 })
    }
}

extension Collection where Element: RawRepresentable, Element.RawValue == Int64 {
    /// `[1,2,3]`: a list as one value of a statement, for `json_each`.
    var jsonList: String { "[" + map { String($0.rawValue) }.joined(separator: ",") + "]" }
}

import GRDB
import Hub

/// An event as its row and the rows of its author and subject say it.
struct EventRow {
    let event: Event
    /// The newest edit.
    let edited: Sequence?

    /// Ends before the condition: `EventRow.select + "WHERE e.conversation = ? …"`.
    static let select = """
        SELECT e.position, e.conversation, e.sequence, e.id, e.author, a.handle, a.server, e.device, e.time, e.kind,
            e.token, e.target, e.target_id, e.thread, e.thread_id, e.erased, e.edited, e.subject, s.handle, s.server,
            e.text, e.detail, e.bytes
        FROM events e JOIN accounts a ON a.id = e.author LEFT JOIN accounts s ON s.id = e.subject

        """

}

/// Reads the rows of one statement. A page has few authors, so their addresses are read once.
struct EventReader {
    private var authors: [AccountID: Party] = [:]

    mutating func row(_ row: Columns) throws -> EventRow {
        let event = Event(
            position: try row.value(0), conversation: try row.value(1), sequence: try row.value(2),
            id: try row.eventID(3), author: try author(row), device: try row.optionalValue(7),
            time: try row.value(8), token: try row.optionalText(10).flatMap(Token.init),
            content: try EventReader.content(row))
        return EventRow(event: event, edited: try row.optionalValue(16))
    }

    mutating func event(_ row: Columns) throws -> Event { try self.row(row).event }

    private mutating func author(_ row: Columns) throws -> Party {
        let id: AccountID = try row.value(4)
        if let known = authors[id] { return known }
        let party = Party(id: id, address: try row.address(5))
        authors[id] = party
        return party
    }

    private static func content(_ row: Columns) throws -> Content {
        guard let kind = Content.Kind(rawValue: Int(truncatingIfNeeded: try row.integer(9))) else {
            throw row.damage(9)
        }
        if try row.bool(15) { return .erased(kind) }
        let detail = try EventDetail(row.optionalText(21))
        switch kind {
        case .message:
            return .message(
                Message(body: try body(row, detail), replyTo: try row.reference(11), thread: try row.reference(13)))
        case .edit: return .edit(target: try target(row), body: try body(row, detail))
        case .redaction: return .redaction(target: try target(row), reason: try row.optionalText(20))
        case .reaction: return .reaction(target: try target(row), key: try row.text(20), removed: detail.removed)
        case .pin: return .pin(target: try target(row), removed: detail.removed)
        case .membership:
            guard let standing = detail.standing, let rank = detail.rank else { throw row.damage(21) }
            return .membership(
                MembershipChange(
                    subject: try row.party(17, 18), standing: standing, rank: rank, reason: try row.optionalText(20)))
        case .state:
            guard let namespace = detail.namespace, let type = detail.type, let key = detail.key else {
                throw row.damage(21)
            }
            return .state(
                StateChange(
                    key: StateKey(namespace: namespace, type: type, key: key), value: try row.optionalText(20)))
        case .call:
            guard let call = detail.call, let step = detail.step else { throw row.damage(21) }
            return .call(CallChange(call: call, step: step, duration: detail.duration))
        case .sealed: return .sealed(scheme: try row.text(20), bytes: try row.bytes(22))
        case .custom:
            guard let namespace = detail.namespace, let type = detail.type else { throw row.damage(21) }
            return .custom(namespace: namespace, type: type, payload: try row.text(20))
        }
    }

    private static func target(_ row: Columns) throws -> EventReference {
        guard let target = try row.reference(11) else { throw row.damage(11) }
        return target
    }

    private static func body(_ row: Columns, _ detail: EventDetail) throws -> Body {
        Body(
            text: try row.text(20), spans: detail.spans, attachments: detail.attachments, mentions: detail.mentions,
            extras: detail.extras)
    }
}

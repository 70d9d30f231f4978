import GRDB
import Hub

/// One batch of writes while its transaction is open.
///
/// The rules have decided what is written; this checks only that it continues the log: sequences without holes,
/// positions that were never given before.
struct Appending {
    private let db: Database
    private let head: Int64
    private var positions: Set<Int64> = []
    private var top: Int64
    /// The conversations that got events: their new last sequence and position.
    private var ends: [ConversationID: (sequence: Sequence, position: Position)] = [:]

    init(_ db: Database) throws {
        self.db = db
        guard let head = try db.first("SELECT position FROM log", [], { try $0.integer(0) }) else {
            throw Damage(what: "the log has no head")
        }
        self.head = head
        top = head
    }

    mutating func add(_ write: Write) throws {
        switch write {
        case .createConversation(let identity): try create(identity)
        case .event(let event, let fingerprint): try add(event, fingerprint)
        case .member(let id, let member): try set(member, in: id)
        case .state(let id, let change, let sequence): try set(change, at: sequence, in: id)
        case .timeline(let id, let timeline):
            try update(id, "UPDATE conversations SET timeline = ? WHERE id = ?", timeline.compactText)
        case .receipt(let receipt): try set(receipt)
        case .edited(let id, let target, let edit):
            try db.run(
                "UPDATE events SET edited = ? WHERE conversation = ? AND sequence = ?",
                [edit.rawValue, id.rawValue, target.rawValue])
        case .reaction(let id, let target, let key, let account, let sequence, let removed):
            try setReaction(key, by: account, to: target, at: sequence, removed: removed, in: id)
        case .pin(let id, let target, let sequence, let removed):
            try setPin(target, at: sequence, removed: removed, in: id)
        case .erase(let id, let sequences):
            for sequence in sequences { try erase(sequence, in: id) }
        case .prune(let id, let before, let through): try prune(id, before: before, through: through)
        case .report(let report): try add(report)
        case .profile(let id, let profile, let position): try set(profile, of: id, at: position)
        }
    }

    /// Moves the heads.
    mutating func finish() throws {
        for (id, end) in ends {
            try db.run(
                "UPDATE conversations SET last_sequence = ?, last_position = ? WHERE id = ?",
                [end.sequence.rawValue, end.position.rawValue, id.rawValue])
        }
        if top > head { try db.run("UPDATE log SET position = ?", [top]) }
    }

    private mutating func take(_ position: Position) throws {
        guard position.rawValue > head, positions.insert(position.rawValue).inserted else {
            throw StoreError.constraint("position \(position) is taken")
        }
        top = max(top, position.rawValue)
    }

    /// Runs a statement that changes the conversation whose id is its last value.
    private func update(_ id: ConversationID, _ sql: String, _ value: any Bindable) throws {
        try db.run(sql, [value, id.rawValue])
        guard db.changesCount == 1 else { throw StoreError.constraint("unknown \(id)") }
    }

    // MARK: Conversations

    private mutating func create(_ identity: ConversationIdentity) throws {
        try db.run(
            """
            INSERT INTO conversations (id, kind, handle, server, low, high, sealing, created, timeline)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                identity.id.rawValue, identity.kind.rawValue, identity.address?.handle.text,
                identity.address?.serverColumn, identity.pair?.low.rawValue, identity.pair?.high.rawValue,
                identity.sealing, identity.created.rawValue, VisibilityTimeline(.members).compactText,
            ])
    }

    private func set(_ member: Member, in id: ConversationID) throws {
        let account = member.party.id.rawValue
        let wasJoined = try db.first(
            "SELECT standing = 'joined' FROM members WHERE conversation = ? AND account = ?", [id.rawValue, account],
            { try $0.bool(0) })
        try db.run(
            """
            INSERT INTO members (conversation, account, standing, rank, intervals, since) VALUES (?, ?, ?, ?, ?, ?)
            ON CONFLICT DO UPDATE SET standing = excluded.standing, rank = excluded.rank,
                intervals = excluded.intervals, since = excluded.since
            """,
            [
                id.rawValue, account, member.standing.rawValue, member.rank.rawValue, member.intervals.compactText,
                member.since.rawValue,
            ])
        let change = (member.isJoined ? 1 : 0) - (wasJoined == true ? 1 : 0)
        if change != 0 { try update(id, "UPDATE conversations SET joined = joined + ? WHERE id = ?", change) }
    }

    private func set(_ change: StateChange, at sequence: Sequence, in id: ConversationID) throws {
        let key = change.key
        if let value = change.value {
            try db.run(
                """
                INSERT INTO state (conversation, namespace, type, key, value, sequence) VALUES (?, ?, ?, ?, ?, ?)
                ON CONFLICT DO UPDATE SET value = excluded.value, sequence = excluded.sequence
                """,
                [id.rawValue, key.namespace, key.type, key.key, value, sequence.rawValue])
        } else {
            try db.run(
                "DELETE FROM state WHERE conversation = ? AND namespace = ? AND type = ? AND key = ?",
                [id.rawValue, key.namespace, key.type, key.key])
        }
        switch key {
        case .name: try update(id, "UPDATE conversations SET name = ? WHERE id = ?", change.value)
        case .subject: try update(id, "UPDATE conversations SET subject = ? WHERE id = ?", change.value)
        case .access:
            let access = change.value.flatMap(Access.init(rawValue:)) ?? .private
            try update(id, "UPDATE conversations SET access = ? WHERE id = ?", access.rawValue)
        default: break
        }
    }

    private mutating func set(_ receipt: Receipt) throws {
        try take(receipt.position)
        try db.run(
            """
            INSERT INTO receipts (conversation, account, thread, delivered, read, position, time)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT DO UPDATE SET delivered = excluded.delivered, read = excluded.read,
                position = excluded.position, time = excluded.time
            """,
            [
                receipt.conversation.rawValue, receipt.party.id.rawValue, receipt.thread?.rawValue ?? 0,
                receipt.deliveredUpTo.rawValue, receipt.readUpTo.rawValue, receipt.position.rawValue,
                receipt.time.rawValue,
            ])
    }

    private mutating func set(_ profile: Profile, of account: AccountID, at position: Position) throws {
        try take(position)
        try db.run(
            """
            UPDATE accounts SET display_name = ?, avatar = ?, status_text = ?, profile_position = ? WHERE id = ?
            """,
            [profile.displayName, profile.avatar, profile.statusText, position.rawValue, account.rawValue])
        guard db.changesCount == 1 else { throw StoreError.constraint("unknown \(account)") }
    }

    private func add(_ report: Report) throws {
        try db.run(
            """
            INSERT INTO reports (conversation, target, target_id, reporter, reason, time) VALUES (?, ?, ?, ?, ?, ?)
            """,
            [
                report.conversation.rawValue, report.target.sequence.rawValue, report.target.id,
                report.reporter.id.rawValue, report.reason, report.time.rawValue,
            ])
    }

    // MARK: Events

    private mutating func add(_ event: Event, _ fingerprint: Fingerprint?) throws {
        try take(event.position)
        try advance(to: event)
        let columns = EventColumns(event.content)
        try db.run(
            """
            INSERT INTO events (position, conversation, sequence, id, author, device, time, kind, token, fingerprint,
                target, target_id, thread, thread_id, erased, subject, text, detail, bytes)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                event.position.rawValue, event.conversation.rawValue, event.sequence.rawValue, event.id,
                event.author.id.rawValue, event.device?.rawValue, event.time.rawValue, columns.kind.rawValue,
                event.token?.text, fingerprint?.rawValue, columns.target?.sequence.rawValue, columns.target?.id,
                columns.thread?.sequence.rawValue, columns.thread?.id, columns.isErased ? 1 : 0,
                columns.subject?.rawValue, columns.text, columns.detail, columns.bytes,
            ])
        if case .message(let message) = event.content, !message.body.mentions.isEmpty {
            for address in Set(message.body.mentions) { try addMention(of: address, in: event) }
        }
    }

    /// The sequence must be the next one; ``finish()`` writes the new head.
    private mutating func advance(to event: Event) throws {
        let end = try ends[event.conversation] ?? storedEnd(of: event.conversation)
        guard event.sequence == end.sequence.next, event.position > end.position else {
            throw StoreError.constraint("\(event.conversation) is at \(end.sequence), not before \(event.sequence)")
        }
        ends[event.conversation] = (event.sequence, event.position)
    }

    private func storedEnd(of id: ConversationID) throws -> (sequence: Sequence, position: Position) {
        let end = try db.first("SELECT last_sequence, last_position FROM conversations WHERE id = ?", [id.rawValue]) {
            (sequence: try $0.value(0) as Sequence, position: try $0.value(1) as Position)
        }
        guard let end else { throw StoreError.constraint("unknown \(id)") }
        return end
    }

    private func addMention(of address: Address, in event: Event) throws {
        try db.run(
            """
            INSERT INTO mentions (account, conversation, sequence, author)
            SELECT id, ?, ?, ? FROM accounts WHERE handle = ? AND server = ?
            """,
            [
                event.conversation.rawValue, event.sequence.rawValue, event.author.id.rawValue, address.handle.text,
                address.serverColumn,
            ])
    }

    private func setReaction(
        _ key: String, by account: AccountID, to target: Sequence, at sequence: Sequence, removed: Bool,
        in id: ConversationID
    ) throws {
        if removed {
            try db.run(
                "DELETE FROM reactions WHERE conversation = ? AND target = ? AND key = ? AND account = ?",
                [id.rawValue, target.rawValue, key, account.rawValue])
        } else {
            try db.run(
                """
                INSERT INTO reactions (conversation, target, key, account, sequence) VALUES (?, ?, ?, ?, ?)
                ON CONFLICT DO UPDATE SET sequence = excluded.sequence
                """,
                [id.rawValue, target.rawValue, key, account.rawValue, sequence.rawValue])
        }
    }

    private func setPin(_ target: Sequence, at sequence: Sequence, removed: Bool, in id: ConversationID) throws {
        if removed {
            try db.run("DELETE FROM pins WHERE conversation = ? AND target = ?", [id.rawValue, target.rawValue])
        } else {
            try db.run(
                """
                INSERT INTO pins (conversation, target, sequence) VALUES (?, ?, ?)
                ON CONFLICT DO UPDATE SET sequence = excluded.sequence
                """,
                [id.rawValue, target.rawValue, sequence.rawValue])
        }
    }

    // MARK: Forgetting

    private func erase(_ sequence: Sequence, in id: ConversationID) throws {
        let place: [any Bindable] = [id.rawValue, sequence.rawValue]
        try db.run(
            """
            UPDATE events SET erased = 1, text = NULL, detail = NULL, bytes = NULL, subject = NULL
            WHERE conversation = ? AND sequence = ?
            """, place)
        try db.run("DELETE FROM reactions WHERE conversation = ? AND target = ?", place)
        try db.run("DELETE FROM pins WHERE conversation = ? AND target = ?", place)
        try db.run("DELETE FROM mentions WHERE conversation = ? AND sequence = ?", place)
    }

    private func prune(_ id: ConversationID, before: Sequence, through: Position) throws {
        for change in try stateChanges(of: id, before: before) { try keepBefore(change, in: id) }
        let place: [any Bindable] = [id.rawValue, before.rawValue]
        // A repeat of what is gone must not be taken for something new, however late it comes.
        try db.run(
            """
            INSERT OR IGNORE INTO spent_tokens
            SELECT device, token, conversation, id, sequence, position, time, ifnull(fingerprint, 0) FROM events
            WHERE conversation = ? AND sequence < ? AND token IS NOT NULL
                AND device IN (SELECT id FROM devices)
            """, place)
        try db.run("DELETE FROM events WHERE conversation = ? AND sequence < ?", place)
        try db.run("DELETE FROM reactions WHERE conversation = ? AND target < ?", place)
        try db.run("DELETE FROM pins WHERE conversation = ? AND target < ?", place)
        try db.run("DELETE FROM mentions WHERE conversation = ? AND sequence < ?", place)
        try db.run(
            "UPDATE conversations SET first_sequence = max(first_sequence, ?), pruned_through = ? WHERE id = ?",
            [before.rawValue, through.rawValue, id.rawValue])
        guard db.changesCount == 1 else { throw StoreError.constraint("unknown \(id)") }
    }

    private func stateChanges(of id: ConversationID, before: Sequence) throws -> [StateChange] {
        var reader = EventReader()
        return try db.all(
            EventRow.select + "WHERE e.conversation = ? AND e.kind = 7 AND e.sequence < ? ORDER BY e.sequence",
            [id.rawValue, before.rawValue]
        ) { row in
            guard case .state(let change) = try reader.event(row).content else { return nil }
            return change
        }.compactMap { $0 }
    }

    private func keepBefore(_ change: StateChange, in id: ConversationID) throws {
        let key = change.key
        if let value = change.value {
            try db.run(
                """
                INSERT INTO state_before (conversation, namespace, type, key, value) VALUES (?, ?, ?, ?, ?)
                ON CONFLICT DO UPDATE SET value = excluded.value
                """,
                [id.rawValue, key.namespace, key.type, key.key, value])
        } else {
            try db.run(
                "DELETE FROM state_before WHERE conversation = ? AND namespace = ? AND type = ? AND key = ?",
                [id.rawValue, key.namespace, key.type, key.key])
        }
    }
}

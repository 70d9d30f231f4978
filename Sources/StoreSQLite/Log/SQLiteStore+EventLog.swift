import GRDB
import Hub

/// The log as its one writer uses it: on the writer's own connection, which sees what it has committed.
extension SQLiteStore {
    package func head() throws(StoreError) -> LogHead {
        let head = try writer.read { db in
            try db.first("SELECT epoch, position, (SELECT ifnull(max(id), 0) FROM conversations) FROM log") { row in
                LogHead(epoch: try row.integer(0), position: try row.value(1), lastConversation: try row.value(2))
            }
        }
        guard let head else { throw .damaged("the log has no head") }
        return head
    }

    package func append(_ writes: [Write]) throws(StoreError) {
        try writer.transaction { db in
            var batch = try Appending(db)
            for write in writes { try batch.add(write) }
            try batch.finish()
        }
    }

    package func conversation(_ id: ConversationID) throws(StoreError) -> ConversationState? {
        try writer.read { db in
            guard let head = try ConversationRow.find(db, id)?.head else { return nil }
            let members = try db.all(MemberRow.select + "WHERE m.conversation = ?", [id.rawValue]) { row in
                try MemberRow.member(row)
            }
            return ConversationState(
                identity: head.identity, firstSequence: head.firstSequence, lastSequence: head.lastSequence,
                lastPosition: head.lastPosition, prunedThrough: head.prunedThrough,
                members: Dictionary(members.map { ($0.party.id, $0) }, uniquingKeysWith: { $1 }),
                values: try db.state(of: id), timeline: head.timeline)
        }
    }

    package func conversation(at address: Address) throws(StoreError) -> ConversationID? {
        try writer.read { db in try db.conversation(at: address) }
    }

    package func direct(_ pair: ConversationIdentity.Pair, sealing: String?) throws(StoreError) -> ConversationID? {
        try writer.read { db in
            try db.first(
                """
                SELECT id FROM conversations
                WHERE low = ? AND high = ? AND kind = 'direct' AND ifnull(sealing, '') = ?
                """,
                [pair.low.rawValue, pair.high.rawValue, sealing ?? ""], { try $0.value(0) })
        }
    }

    package func accountState(_ id: AccountID) throws(StoreError) -> AccountState? {
        try writer.read { db in
            guard let account = try db.account(id) else { return nil }
            let conversations: [ConversationID] = try db.all(
                """
                SELECT conversation FROM members
                WHERE account = ? AND standing IN ('joined', 'invited', 'knocking')
                """, [id.rawValue], { try $0.value(0) })
            return AccountState(
                account: account, ledger: try db.ledger(of: id), blocked: try db.blocked(by: id),
                conversations: Set(conversations))
        }
    }

    package func accountID(at address: Address) throws(StoreError) -> AccountID? {
        try writer.read { db in
            try db.first(
                "SELECT id FROM accounts WHERE handle = ? AND server = ? AND deleted = 0",
                [address.handle.text, address.serverColumn], { try $0.value(0) })
        }
    }

    package func hasDevice(_ device: DeviceID, of account: AccountID) throws(StoreError) -> Bool {
        try writer.read { db in
            try db.first(
                "SELECT 1 FROM devices WHERE id = ? AND account = ?", [device.rawValue, account.rawValue],
                { _ in true }) ?? false
        }
    }

    package func seats(
        of account: AccountID, in conversations: [ConversationID]
    ) throws(StoreError) -> [SeatRow] {
        try writer.read { db in try db.seats(of: account, in: conversations) }
    }

    package func acceptance(device: DeviceID, token: Token) throws(StoreError) -> StoredAcceptance? {
        try writer.read { db in
            try db.first(
                """
                SELECT conversation, id, sequence, position, time, ifnull(fingerprint, 0) FROM events
                WHERE device = ?1 AND token = ?2
                UNION ALL
                SELECT conversation, id, sequence, position, time, fingerprint FROM spent_tokens
                WHERE device = ?1 AND token = ?2
                LIMIT 1
                """, [device.rawValue, token.text]
            ) { row in
                let acceptance = Acceptance(
                    conversation: try row.value(0),
                    event: EventReference(id: try row.eventID(1), sequence: try row.value(2)),
                    position: try row.value(3), time: try row.value(4), isRepeat: true)
                return StoredAcceptance(acceptance: acceptance, fingerprint: try row.value(5))
            }
        }
    }

    package func envelope(_ id: EventID, in conversation: ConversationID) throws(StoreError) -> Envelope? {
        try writer.read { db in
            try db.first(
                """
                SELECT sequence, author, kind, erased, time, thread, thread_id FROM events
                WHERE id = ? AND conversation = ?
                """, [id, conversation.rawValue]
            ) { row in
                guard let kind = Content.Kind(rawValue: Int(truncatingIfNeeded: try row.integer(2))) else {
                    throw row.damage(2)
                }
                return Envelope(
                    reference: EventReference(id: id, sequence: try row.value(0)), author: try row.value(1),
                    kind: kind, isErased: try row.bool(3), time: try row.value(4), thread: try row.reference(5))
            }
        }
    }

    package func edits(of target: Sequence, in conversation: ConversationID) throws(StoreError) -> [Sequence] {
        try writer.read { db in
            try db.all(
                """
                SELECT sequence FROM events
                WHERE conversation = ? AND target = ? AND kind = 2 AND erased = 0 ORDER BY sequence
                """, [conversation.rawValue, target.rawValue], { try $0.value(0) })
        }
    }

    package func hasReaction(
        _ key: String, by account: AccountID, on target: Sequence, in conversation: ConversationID
    ) throws(StoreError) -> Bool {
        try writer.read { db in
            try db.first(
                "SELECT 1 FROM reactions WHERE conversation = ? AND target = ? AND key = ? AND account = ?",
                [conversation.rawValue, target.rawValue, key, account.rawValue], { _ in true }) ?? false
        }
    }

    package func isPinned(_ target: Sequence, in conversation: ConversationID) throws(StoreError) -> Bool {
        try writer.read { db in
            try db.first(
                "SELECT 1 FROM pins WHERE conversation = ? AND target = ?",
                [conversation.rawValue, target.rawValue], { _ in true }) ?? false
        }
    }

    package func receipt(
        of account: AccountID, in conversation: ConversationID, thread: Sequence?
    ) throws(StoreError) -> Receipt? {
        try writer.read { db in
            try db.first(
                ReceiptRow.select + "WHERE r.conversation = ? AND r.account = ? AND r.thread = ?",
                [conversation.rawValue, account.rawValue, thread?.rawValue ?? 0], ReceiptRow.receipt)
        }
    }

    package func lastSequence(
        olderThan time: Timestamp, in conversation: ConversationID
    ) throws(StoreError) -> Sequence? {
        try writer.read { db in
            guard let head = try ConversationRow.find(db, conversation)?.head else { return nil }
            let young: Sequence? = try db.first(
                """
                SELECT sequence FROM events INDEXED BY events_in_order
                WHERE conversation = ? AND time >= ? ORDER BY sequence LIMIT 1
                """, [conversation.rawValue, time.rawValue], { try $0.value(0) })
            let last = young.map { Sequence(rawValue: $0.rawValue - 1) } ?? head.lastSequence
            return last >= head.firstSequence ? last : nil
        }
    }

    package func conversationsWithRetention() throws(StoreError) -> [ConversationID] {
        try writer.read { db in
            try db.all(
                """
                SELECT DISTINCT conversation FROM state
                WHERE namespace = '' AND type = 'retention' ORDER BY conversation
                """, [], { try $0.value(0) })
        }
    }
}

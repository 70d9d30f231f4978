import Hub

extension MemoryStore {
    package func head() throws(StoreError) -> LogHead {
        withContents { contents in
            LogHead(
                epoch: contents.epoch, position: contents.position,
                lastConversation: contents.conversations.keys.max() ?? ConversationID(rawValue: 0))
        }
    }

    package func append(_ writes: [Write]) throws(StoreError) {
        try withContents { (contents) throws(StoreError) in try contents.append(writes) }
    }

    package func conversation(_ id: ConversationID) throws(StoreError) -> ConversationState? {
        withContents { contents in
            contents.conversations[id].map { stored in
                ConversationState(
                    identity: stored.identity, firstSequence: stored.first, lastSequence: stored.last,
                    lastPosition: stored.lastPosition, prunedThrough: stored.prunedThrough, members: stored.members,
                    values: stored.values, timeline: stored.timeline)
            }
        }
    }

    package func conversation(at address: Address) throws(StoreError) -> ConversationID? { try find(address) }

    package func direct(_ pair: ConversationIdentity.Pair, sealing: String?) throws(StoreError) -> ConversationID? {
        withContents { contents in
            contents.conversations.values.map(\.identity)
                .first { $0.kind == .direct && $0.pair == pair && $0.sealing == sealing }?.id
        }
    }

    package func accountState(_ id: AccountID) throws(StoreError) -> AccountState? {
        withContents { contents in
            guard let account = contents.living(id) else { return nil }
            let mine = contents.conversations.values.filter { conversation in
                switch conversation.members[id]?.standing {
                case .joined, .invited, .knocking: true
                case .left, .banned, nil: false
                }
            }
            return AccountState(
                account: account, ledger: contents.ledger(of: id)?.identity.id, blocked: contents.blocked(by: id),
                conversations: Set(mine.map(\.identity.id)))
        }
    }

    package func acceptance(device: DeviceID, token: Token) throws(StoreError) -> StoredAcceptance? {
        withContents { contents in
            let key = MemoryToken(device: device, token: token)
            if let place = contents.tokens[key] {
                return contents.conversations[place.conversation]?[place.sequence]?.acceptance
            }
            return contents.devices[device] == nil ? nil : contents.spentTokens[key]
        }
    }

    package func accountID(at address: Address) throws(StoreError) -> AccountID? {
        withContents { contents in
            contents.accounts.values.first { $0.account.address == address && !$0.isDeleted }?.account.id
        }
    }

    package func hasDevice(_ device: DeviceID, of account: AccountID) throws(StoreError) -> Bool {
        withContents { $0.devices[device]?.device.account == account }
    }

    package func seats(
        of account: AccountID, in conversations: [ConversationID]
    ) throws(StoreError) -> [SeatRow] {
        withContents { contents in
            conversations.compactMap { contents.conversations[$0] }.compactMap { conversation in
                guard let member = conversation.members[account] else { return nil }
                let isDirect = conversation.identity.kind == .direct
                let other = isDirect ? conversation.identity.pair?.other(than: account) : nil
                let postRank = conversation.values[.permission(.post)].flatMap { Int($0) }
                return SeatRow(
                    conversation.head, member: member, postRank: postRank.flatMap(Rank.init(rawValue:)),
                    other: other.flatMap { contents.accounts[$0]?.account.party })
            }
        }
    }

    package func envelope(_ id: EventID, in conversation: ConversationID) throws(StoreError) -> Envelope? {
        withContents { contents in
            guard let place = contents.places[id], place.conversation == conversation,
                let stored = contents.conversations[conversation]?[place.sequence]
            else { return nil }
            return Envelope(
                reference: EventReference(id: id, sequence: place.sequence), author: stored.event.author.id,
                kind: stored.event.content.kind, isErased: stored.isErased, time: stored.event.time,
                thread: stored.thread)
        }
    }

    package func edits(of target: Sequence, in conversation: ConversationID) throws(StoreError) -> [Sequence] {
        withContents { contents in
            let events = contents.conversations[conversation]?.events ?? []
            return events.compactMap { stored in
                guard case .edit(let reference, _) = stored.event.content, reference.sequence == target else {
                    return nil
                }
                return stored.event.sequence
            }
        }
    }

    package func hasReaction(
        _ key: String, by account: AccountID, on target: Sequence, in conversation: ConversationID
    ) throws(StoreError) -> Bool {
        withContents { contents in
            let reaction = MemoryReactionKey(target: target, key: key, account: account)
            return contents.conversations[conversation]?.reactions[reaction] != nil
        }
    }

    package func isPinned(_ target: Sequence, in conversation: ConversationID) throws(StoreError) -> Bool {
        withContents { $0.conversations[conversation]?.pins[target] != nil }
    }

    package func receipt(
        of account: AccountID, in conversation: ConversationID, thread: Sequence?
    ) throws(StoreError) -> Receipt? {
        withContents { contents in
            contents.receipts[MemoryReceiptKey(conversation: conversation, account: account, thread: thread)]
        }
    }

    package func lastSequence(olderThan time: Timestamp, in conversation: ConversationID) throws(StoreError)
        -> Sequence?
    {
        withContents { contents in
            let events = contents.conversations[conversation]?.events ?? []
            return events.prefix { $0.event.time < time }.last?.event.sequence
        }
    }

    package func conversationsWithRetention() throws(StoreError) -> [ConversationID] {
        withContents { contents in
            contents.conversations.values
                .filter { $0.values.keys.contains { $0.namespace.isEmpty && $0.type == "retention" } }
                .map(\.identity.id).sorted()
        }
    }
}

extension MemoryContents {
    func ledger(of account: AccountID) -> MemoryConversation? {
        conversations.values.first { $0.identity.kind == .ledger && $0.identity.pair?.low == account }
    }

    func blocked(by account: AccountID) -> Set<AccountID> {
        let keys = ledger(of: account)?.values.keys.filter { $0.namespace.isEmpty && $0.type == "block" } ?? []
        let addresses = Set(keys.map(\.key))
        return Set(accounts.values.map(\.account).filter { addresses.contains($0.address.description) }.map(\.id))
    }
}

import Hub

extension StoreContract {
    static let appending: [StoreContract] = [
        StoreContract("what was appended is the head, and is read back") { store in
            var script = StoreScript(store)
            let alice = try script.account("alice")
            let group = try script.group("garden", [alice])
            let event = try script.post("hello", by: alice, in: group)
            try require(
                store.head(),
                is: LogHead(epoch: 1, position: event.position, lastConversation: group))
            let state = try store.conversation(group)
            try require(state?.lastSequence, is: event.sequence)
            try require(state?.lastPosition, is: event.position)
            try require(store.entry(event.id, in: group), is: LogEntry(event: event))
            try require(store.events(after: .zero, limit: 10).last, is: event)
            try script.receipt(alice, in: group, read: event.sequence)
            try script.profile(alice, "Alice")
            try require(store.head().position, is: script.position, "receipts and profiles take positions")
        },
        StoreContract("a batch with one bad write leaves nothing behind") { store in
            var script = StoreScript(store)
            let alice = try script.account("alice")
            let bob = try script.account("bob")
            let group = try script.group("garden", [alice])
            let message = try script.post("first", by: alice, in: group)
            let before = try store.head()
            let token = try token("t-1")
            let device = DeviceID(rawValue: 5)
            let good = try script.writes(
                .message(Message(body: Body(text: "second", mentions: [bob.address]))), by: alice, in: group,
                device: device, token: token)
            let reaction = try script.writes(
                .reaction(target: message.reference, key: "+", removed: false), by: alice, in: group)
            let bad = Write.member(
                ConversationID(rawValue: 99),
                Member(
                    party: bob.party, standing: .joined, rank: .member, intervals: [], since: script.time))
            try requireConstraint("a member of nowhere") {
                try script.append(good.writes + reaction.writes + [bad])
            }
            try require(store.head(), is: before)
            try require(store.acceptance(device: device, token: token), is: nil)
            try require(store.envelope(good.event.id, in: group), is: nil)
            try require(store.conversation(group)?.lastSequence, is: message.sequence)
            try require(store.hasReaction("+", by: alice.id, on: message.sequence, in: group), is: false)
            try require(store.page(group, .before(nil), limit: 10).count, is: 2)
            try script.append(good.writes)
            try require(store.entry(good.event.id, in: group)?.event, is: good.event, "the same again, alone")
        },
        StoreContract("holes, repeats and places that were taken are refused") { store in
            var script = StoreScript(store)
            let alice = try script.account("alice")
            let group = try script.group("garden", [alice])
            let last = try script.post("first", by: alice, in: group)
            func event(
                position: Int64 = 1, sequence: Int64 = 1, id: EventID? = nil, conversation: ConversationID? = nil,
                author: Party? = nil
            ) -> Write {
                .event(
                    Event(
                        position: Position(rawValue: last.position.rawValue + position),
                        conversation: conversation ?? group,
                        sequence: Sequence(rawValue: last.sequence.rawValue + sequence),
                        id: id ?? EventID(high: 1, low: UInt64(position)), author: author ?? alice.party, device: nil,
                        time: script.time, token: nil, content: .message(Message(body: Body(text: "x")))),
                    fingerprint: nil)
            }
            let nobody = Party(id: AccountID(rawValue: 99), address: alice.address)
            let refused: [(String, [Write])] = [
                ("a hole", [event(sequence: 2)]),
                ("a repeat", [event(sequence: 0)]),
                ("a position that is taken", [event(position: 0)]),
                (
                    "a position twice in a batch",
                    [event(), event(position: 1, sequence: 2, id: .init(high: 9, low: 9))]
                ),
                ("an event id that is taken", [event(id: last.id)]),
                (
                    "an event id twice in a batch",
                    [event(), event(position: 2, sequence: 2, id: .init(high: 1, low: 1))]
                ),
                ("an unknown conversation", [event(conversation: ConversationID(rawValue: 99))]),
                ("an unknown author", [event(author: nobody)]),
                ("a profile of nobody", [.profile(nobody.id, Profile(), at: Position(rawValue: 1_000))]),
                (
                    "a state of nowhere",
                    [
                        .state(.init(rawValue: 99), StateChange(key: .name, value: "x"), sequence: .init(rawValue: 1))
                    ]
                ),
            ]
            for (what, writes) in refused {
                try requireConstraint(what) { try script.append(writes) }
                try require(store.head().position, is: last.position, what)
            }
            try script.append([event()])
        },
        StoreContract("a conversation's address, its pair and an account's ledger are taken once") { store in
            var script = StoreScript(store)
            let alice = try script.account("alice")
            let bob = try script.account("bob")
            let pair = ConversationIdentity.Pair(bob.id, alice.id)
            let group = try script.create(.group, address: script.address("garden"))
            let remote = try script.create(.group, address: script.address("garden@far.example"))
            let open = try script.create(.direct, pair: pair)
            let sealed = try script.create(.direct, pair: pair, sealing: "mls")
            let ledger = try script.ledger(alice)
            let note = try script.create(.direct, pair: .init(alice.id, alice.id))
            try require(store.conversation(at: script.address("garden")), is: group)
            try require(store.find(script.address("garden@far.example")), is: remote)
            try require(store.find(script.address("nowhere")), is: nil)
            try require(store.direct(pair, sealing: nil), is: open)
            try require(store.direct(pair, sealing: "mls"), is: sealed)
            try require(store.direct(.init(alice.id, alice.id), sealing: nil), is: note)
            try require(store.direct(.init(bob.id, bob.id), sealing: nil), is: nil)
            try require(store.accountState(alice.id)?.ledger, is: ledger)
            try require(store.head().lastConversation, is: note)
            for (kind, address, pair, sealing) in [
                (ConversationKind.group, "garden", nil, nil), (.direct, nil, pair, nil), (.direct, nil, pair, "mls"),
                (.ledger, nil, ConversationIdentity.Pair(alice.id, alice.id), nil),
                (.direct, nil, ConversationIdentity.Pair(alice.id, AccountID(rawValue: 99)), nil),
            ] {
                try requireConstraint("a second \(kind)") {
                    _ = try script.create(
                        kind, address: address.map { try script.address($0) }, pair: pair, sealing: sealing)
                }
            }
            let identity = try store.conversation(sealed)?.identity
            try require(identity?.sealing == "mls" && identity?.pair == pair, "a sealed one's identity")
        },
        StoreContract("a token is remembered in its event, per device, even when that is erased") { store in
            var script = StoreScript(store)
            let alice = try script.account("alice")
            let group = try script.group("garden", [alice])
            let token = try token("2026-01-01/ü")
            let device = DeviceID(rawValue: 11)
            let other = DeviceID(rawValue: 12)
            let event = try script.add(
                .message(Message(body: Body(text: "once"))), by: alice, in: group, device: device, token: token,
                fingerprint: Fingerprint(rawValue: -42))
            let stored = StoredAcceptance(
                acceptance: Acceptance(
                    conversation: group, event: event.reference, position: event.position, time: event.time,
                    isRepeat: true), fingerprint: Fingerprint(rawValue: -42))
            try require(store.acceptance(device: device, token: token), is: stored)
            try require(store.acceptance(device: other, token: token), is: nil)
            let again = try script.writes(
                .message(Message(body: Body(text: "twice"))), by: alice, in: group, device: device, token: token)
            try requireConstraint("a token's second use") { try script.append(again.writes) }
            try script.reload()
            try script.add(
                .message(Message(body: Body(text: "other"))), by: alice, in: group, device: other, token: token)
            // Events without a device don't compete for tokens.
            for _ in 0..<2 {
                try script.add(.redaction(target: event.reference, reason: nil), by: alice, in: group, token: token)
            }
            try script.append([.erase(group, [event.sequence])])
            try require(store.acceptance(device: device, token: token), is: stored)
        },
        StoreContract("readers see whole batches only") { store in
            try StoreContract.checkReadersSeeWholeBatches(store)
        },
    ]

    private static func token(_ text: String) throws -> Token {
        guard let token = Token(text) else { throw ContractViolation(description: "«\(text)» is not a token") }
        return token
    }
}

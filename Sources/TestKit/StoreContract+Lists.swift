import Hub

extension StoreContract {
    static let lists: [StoreContract] = [
        StoreContract("memberships keep standing, rank, intervals and what judges visibility") { store in
            var script = StoreScript(store)
            let alice = try script.account("alice")
            let bob = try script.account("bob")
            let group = try script.group("garden", [alice], history: .everyone)
            try script.membership(.invited, of: bob, group)
            try script.join(bob, group)
            try script.membership(.left, of: bob, group)
            try script.state(.history, HistoryVisibility.sinceJoined.rawValue, by: alice, in: group)
            try script.join(bob, group, rank: .reader)
            let state = try store.conversation(group).orViolation("no state")
            let expected = try script.states[group].orViolation("no state in the script")
            try require(state.members, is: expected.members)
            try require(state.members[bob.id]?.intervals.count, is: 2)
            try require(state.timeline, is: expected.timeline)
            try require(state.timeline.entries.map(\.visibility), is: [.members, .everyone, .sinceJoined])
            try require(state.timeline.entries.map(\.from.rawValue), is: expected.timeline.entries.map(\.from.rawValue))
            let row = try store.membership(of: bob.id, in: group).orViolation("no membership")
            try require(row.member, is: expected.members[bob.id])
            try require(row.timeline, is: expected.timeline)
            try require(row.identity, is: expected.identity)
            try require(row.lastSequence, is: expected.lastSequence)
            try require(store.membership(of: bob.id, in: ConversationID(rawValue: 99)) == nil, "elsewhere")
        },
        StoreContract("an account's state names where it is or is asked to be") { store in
            var script = StoreScript(store)
            let alice = try script.account("alice")
            let far = try script.account("bob@far.example")
            let near = try script.account("bob")
            var groups: [Standing: ConversationID] = [:]
            for standing in Standing.allCases {
                let group = try script.group("g-\(standing.rawValue)", [])
                try script.membership(standing, of: alice, group)
                groups[standing] = group
            }
            let ledger = try script.ledger(alice)
            try script.state(.block(far.address), "1", by: alice, in: ledger)
            try script.state(.block(try script.address("nobody")), "1", by: alice, in: ledger)
            try script.state(StateKey(namespace: "x", type: "block", key: "bob"), "1", by: alice, in: ledger)
            let state = try store.accountState(alice.id).orViolation("no state")
            let expected = Set([.joined, .invited, .knocking].compactMap { groups[$0] } + [ledger])
            try require(state.conversations, is: expected)
            try require(state.account, is: alice)
            try require(state.blocked, is: [far.id])
            try require(store.blocked(by: alice.id), is: [far.id])
            try script.state(.block(near.address), "1", by: alice, in: ledger)
            try script.state(.block(far.address), nil, by: alice, in: ledger)
            try require(store.blocked(by: alice.id), is: [near.id])
            try require(store.memberships(of: alice.id).map(\.member.standing), is: Standing.allCases + [.joined])
        },
        StoreContract("members are listed by handle, page by page, whatever their standing") { store in
            var script = StoreScript(store)
            let people = try ["dora", "bob", "carol", "alice", "erik"].map { try script.account($0) }
            let group = try script.group("garden", people)
            try script.membership(.banned, of: people[0], group)
            var found: [Member] = []
            while true {
                let page = try store.members(of: group, after: found.last?.party.address.handle, limit: 2)
                if page.isEmpty { break }
                found += page
            }
            try require(found.map(\.party), is: people.map(\.party).sorted { $0.address.handle < $1.address.handle })
            try require(store.head(of: group)?.joinedCount, is: 4)
            try script.join(people[0], group)
            try script.join(people[1], group, rank: .admin)
            try require(store.head(of: group)?.joinedCount, is: 5, "a change of rank adds nobody")
        },
        StoreContract("the directory lists public conversations by name and handle") { store in
            var script = StoreScript(store)
            let alice = try script.account("alice")
            let names = ["garden": "Ünder the Trees", "kitchen": "Cooking", "attic": nil]
            for (handle, name) in names.sorted(by: { $0.key < $1.key }) {
                let group = try script.group(handle, [alice], access: .public)
                if let name { try script.state(.name, name, by: alice, in: group) }
            }
            try script.group("hidden", [alice], access: .unlisted)
            try script.group("garden@far.example", [alice], access: .public)
            let closed = try script.group("closed", [alice], access: .public)
            try script.state(.access, Access.private.rawValue, by: alice, in: closed)
            func find(_ text: String, after: String? = nil, limit: Int = 10) throws -> [String?] {
                let after = try after.map { try script.address($0).handle }
                return try store.directory(containing: text, after: after, limit: limit)
                    .map { $0.identity.address?.description }
            }
            try require(find(""), is: ["attic", "garden", "kitchen"])
            try require(find("", after: "attic", limit: 1), is: ["garden"])
            try require(find("üNDER"), is: ["garden"])
            try require(find("COOK"), is: ["kitchen"])
            try require(find("tti"), is: ["attic"])
            try require(find("%"), is: [])
        },
        StoreContract("summaries come in the order asked, with the newest message that can be seen") { store in
            var script = StoreScript(store)
            let alice = try script.account("alice")
            let bob = try script.account("bob")
            let group = try script.group("garden", [alice, bob])
            let direct = try script.direct(alice, bob)
            let note = try script.direct(alice, alice)
            let first = try script.post("first", by: bob, in: group)
            let second = try script.post("second", by: alice, in: group, mentions: [bob])
            try script.add(.reaction(target: second.reference, key: "+", removed: false), by: bob, in: group)
            try script.state(.name, "Garden", by: alice, in: group)
            try script.receipt(bob, in: group, read: first.sequence)
            let order = [direct, ConversationID(rawValue: 99), group, note]
            let summaries = try store.summaries(of: order, for: bob.id, blocked: [])
            try require(summaries.map(\.head.identity.id), is: [direct, group, note])
            try require(summaries[0].other, is: alice.party)
            try require(summaries[0].last, is: nil)
            try require(summaries[1].other, is: nil)
            try require(summaries[1].head.name, is: "Garden")
            try require(summaries[1].member?.party, is: bob.party)
            try require(summaries[1].last, is: store.entry(second.id, in: group))
            try require(summaries[1].readUpTo, is: first.sequence)
            try require(
                summaries[1].unread, is: Unread(marker: first.sequence, count: 1, mentions: 1, first: second.sequence))
            try require(summaries[2].member, is: nil, "a note to another's self")
            try require(summaries[2].last, is: nil)
            let own = try store.summaries(of: [note, group], for: alice.id, blocked: [bob.id])
            try require(own[0].other, is: alice.party)
            try require(own[1].last?.event, is: second)
            try script.redact(second, by: alice)
            try require(
                store.summaries(of: [group], for: alice.id, blocked: [bob.id])[0].last, is: nil,
                "the rest is blocked or erased")
        },
        StoreContract("a sealed message is unread like any other") { store in
            var script = StoreScript(store)
            let (alice, bob) = (try script.account("alice"), try script.account("bob"))
            let group = try script.group("garden", [alice, bob])
            try script.post("open", by: alice, in: group)
            let sealed = try script.add(.sealed(scheme: "mls", bytes: [1, 2, 3]), by: alice, in: group)
            let unread = try store.unread(in: group, for: bob.id, blocked: [])
            try require(unread.count, is: 2)
            try script.receipt(bob, in: group, read: Sequence(rawValue: sealed.sequence.rawValue - 1))
            try require(store.unread(in: group, for: bob.id, blocked: []).first, is: sealed.sequence)
            let summary = try store.summaries(of: [group], for: bob.id, blocked: []).first
            try require(summary?.last?.event, is: sealed)
        },
        StoreContract("unread stops counting at its limit") { store in
            var script = StoreScript(store)
            let alice = try script.account("alice")
            let bob = try script.account("bob")
            let group = try script.group("garden", [alice, bob])
            var batch: [Write] = []
            for index in 0..<(Unread.limit + 10) {
                let mentions = index.isMultiple(of: 100) || index >= Unread.limit ? [bob.address] : []
                batch += try script.writes(
                    .message(Message(body: Body(text: "\(index)", mentions: mentions))), by: alice, in: group
                ).writes
            }
            try script.append(batch)
            let unread = try store.unread(in: group, for: bob.id, blocked: [])
            try require(unread, is: Unread(marker: .zero, count: 1_000, mentions: 10, first: Sequence(rawValue: 3)))
            try require(unread.isCapped, "it says so")
        },
    ]
}

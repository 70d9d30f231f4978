import Foundation
import Hub
import Synchronization

extension StoreContract {
    static let accounts: [StoreContract] = [
        StoreContract("an empty store answers everything with nothing") { store in
            try require(store.head(), is: LogHead(epoch: 1, position: .zero, lastConversation: .init(rawValue: 0)))
            let account = AccountID(rawValue: 7)
            let conversation = ConversationID(rawValue: 7)
            try require(store.conversation(conversation) == nil, "a conversation")
            try require(store.head(of: conversation) == nil, "a head")
            try require(store.account(account) == nil, "an account")
            try require(store.accountState(account) == nil, "an account's state")
            try require(store.page(conversation, .before(nil), limit: 10), is: [])
            try require(store.events(after: .zero, limit: 10), is: [])
            let changes = try store.changes(
                for: account, in: ChangeScope([conversation]), after: .zero, through: .last, limit: 10)
            try require(changes.changes.isEmpty && changes.isComplete, "changes")
            try require(store.summaries(of: [conversation], for: account, blocked: []).isEmpty, "a summary")
            try require(
                store.unread(in: conversation, for: account, blocked: []),
                is: Unread(marker: .zero, count: 0, mentions: 0, first: nil))
            try require(store.followerCursor("search"), is: .zero)
            try require(store.cursor(), is: .zero)
            try require(store.secret("salt") == nil, "a secret")
            try require(!store.hasAdministrator(), "an administrator")
        },
        StoreContract("an account is found by id and address, and its address is taken once") { store in
            let script = StoreScript(store)
            let alice = try script.account("alice")
            let remote = try script.account("alice@elsewhere.example")
            try require(store.account(alice.id), is: alice)
            try require(store.account(at: alice.address), is: alice)
            try require(store.account(at: remote.address), is: remote)
            try requireConstraint("a second alice") { _ = try script.account("alice") }
            try require(store.accounts(after: nil, limit: 10), is: [alice], "the local accounts")
        },
        StoreContract("accounts are listed by handle, page by page") { store in
            let script = StoreScript(store)
            let made = try ["carol", "alice", "bob", "dave"].map { try script.account($0) }
            let names = made.map(\.address.handle).sorted()
            var found: [Handle] = []
            while true {
                let page = try store.accounts(after: found.last, limit: 3).map(\.address.handle)
                if page.isEmpty { break }
                found += page
            }
            try require(found, is: names)
        },
        StoreContract("an account is changed in parts") { store in
            let script = StoreScript(store)
            let bob = try script.account("bob", kind: .guest)
            try store.update(bob.id, administrator: true, disabled: nil, kind: nil)
            try require(store.hasAdministrator(), "bob is one")
            try store.update(bob.id, administrator: nil, disabled: true, kind: .person)
            let changed = try store.account(bob.id)
            try require(changed?.isAdministrator == true && changed?.isDisabled == true, "both were kept")
            try require(changed?.kind, is: .person)
            try require(!store.hasAdministrator(), "a disabled one does not count")
            try requireConstraint("a change of nobody") {
                try store.update(AccountID(rawValue: 99), administrator: true, disabled: nil, kind: nil)
            }
        },
        StoreContract("credentials are kept by scheme") { store in
            let alice = try StoreScript(store).account("alice")
            try store.setCredential("verifier-1", scheme: "scram-sha-256", of: alice.id)
            try store.setCredential("verifier-2", scheme: "scram-sha-512", of: alice.id)
            try store.setCredential("verifier-3", scheme: "scram-sha-256", of: alice.id)
            try require(store.credential(of: alice.id, scheme: "scram-sha-256"), is: "verifier-3")
            try store.setCredential(nil, scheme: "scram-sha-256", of: alice.id)
            try require(store.credential(of: alice.id, scheme: "scram-sha-256"), is: nil)
            try require(store.credential(of: alice.id, scheme: "scram-sha-512"), is: "verifier-2")
        },
        StoreContract("devices are found by their token's hash, and an id is never used again") { store in
            let script = StoreScript(store)
            let alice = try script.account("alice")
            let hash: [UInt8] = Array(0..<32)
            let phone = try store.createDevice(of: alice.id, name: "phone", tokenHash: hash, at: script.time)
            let found = try store.device(tokenHash: hash)
            try require(found?.device, is: phone)
            try require(found?.account, is: alice)
            try requireConstraint("a token's second use") {
                _ = try store.createDevice(of: alice.id, name: "copy", tokenHash: hash, at: script.time)
            }
            let later = script.time.adding(milliseconds: 5)
            try store.setDevice(phone.id, lastSeen: later)
            try require(store.devices(of: alice.id).map(\.lastSeen), is: [later])
            try require(store.revoke(phone.id), "it was there")
            try require(!store.revoke(phone.id), "it was not there any more")
            try require(store.device(tokenHash: hash) == nil, "a revoked device")
            let next = try store.createDevice(of: alice.id, name: "new", tokenHash: hash, at: script.time)
            try require(next.id > phone.id, "the id of a revoked device came back")
        },
        StoreContract("a transaction that throws leaves nothing") { store in
            var script = StoreScript(store)
            let alice = try script.account("alice")
            let group = try script.group("garden", [alice])
            let link = OneTimeLink(
                hash: [5], purpose: .resetPassword(alice.id), expires: script.time.adding(milliseconds: 1), uses: 1)
            try store.createLink(link)
            let webhook = Webhook(
                id: "w", account: alice.id, conversation: group, direction: .incoming(tokenHash: [6]),
                created: script.time)
            let newBob = try script.newcomer("bob")
            let time = script.time
            for failure in [StoreError.constraint("a test's"), .unavailable("a test's")] {
                do throws(StoreError) {
                    try store.transaction { access throws(StoreError) -> Void in
                        let bob = try access.create(newBob)
                        try access.setCredential("verifier", scheme: "scram-sha-256", of: bob.id)
                        _ = try access.createDevice(of: alice.id, name: "phone", tokenHash: [1], at: time)
                        try access.update(alice.id, administrator: true, disabled: true, kind: nil)
                        _ = try access.redeemLink(hash: [5], at: time)
                        try access.save(webhook)
                        try access.setSecret([1], named: "salt")
                        try access.setFollowerCursor("push", to: Position(rawValue: 1))
                        throw failure
                    }
                } catch {
                    try require(error, is: failure)
                }
            }
            try require(store.accounts(after: nil, limit: 10), is: [alice])
            try require(store.devices(of: alice.id), is: [])
            try require(store.link(hash: [5]), is: link)
            try require(store.webhooks(), is: [])
            try require(store.secret("salt"), is: nil)
            try require(store.followerCursor("push"), is: .zero)
        },
        StoreContract("a transaction reads what it wrote, goes on after a constraint, and is kept whole") { store in
            var script = StoreScript(store)
            let alice = try script.account("alice")
            let group = try script.group("garden", [alice])
            let webhook = Webhook(
                id: "w", account: alice.id, conversation: group, direction: .incoming(tokenHash: [6]),
                created: script.time)
            let (newAlice, newBob, time) = (try script.newcomer("alice"), try script.newcomer("bob"), script.time)
            let bob = try store.transaction { access throws(StoreError) -> Account in
                do throws(StoreError) {
                    _ = try access.create(newAlice)
                } catch .constraint {
                    // Taken: another name will do.
                }
                let bob = try access.create(newBob)
                let device = try access.createDevice(of: bob.id, name: "phone", tokenHash: [1], at: time)
                try access.setCredential("verifier", scheme: "scram-sha-256", of: bob.id)
                try access.save(webhook)
                guard try access.account(at: bob.address) == bob, try access.devices(of: bob.id) == [device],
                    try access.device(tokenHash: [1])?.account == bob, try access.webhook("w") == webhook,
                    try access.credential(of: bob.id, scheme: "scram-sha-256") == "verifier"
                else { throw .unavailable("what was written is not there") }
                return bob
            }
            try require(store.accounts(after: nil, limit: 10), is: [alice, bob])
            try require(store.credential(of: bob.id, scheme: "scram-sha-256"), is: "verifier")
            try require(store.devices(of: bob.id).count, is: 1)
            try require(store.webhook("w"), is: webhook)
            try require(store.webhook("x"), is: nil)
        },
        StoreContract("a transaction that refuses leaves nothing") { store in
            let script = StoreScript(store)
            let newAlice = try script.newcomer("alice")
            let refused = try store.decide { access throws(StoreError) -> Result<Account, Rejection> in
                _ = try access.create(newAlice)
                return .failure(Rejection(.forbidden, "a test's"))
            }
            try require(refused, is: .failure(Rejection(.forbidden, "a test's")))
            try require(store.accounts(after: nil, limit: 10), is: [])
            let made = try store.decide { access throws(StoreError) -> Result<Account, Rejection> in
                .success(try access.create(newAlice))
            }
            try require(store.accounts(after: nil, limit: 10), is: [made.get()])
        },
        StoreContract("a deleted account leaves its handle and what it said") { store in
            var script = StoreScript(store)
            let alice = try script.account("alice", isAdministrator: true)
            let bob = try script.account("bob")
            let group = try script.group("garden", [alice, bob])
            let said = try script.post("hello", by: alice, in: group)
            let ledger = try script.ledger(alice)
            try script.state(.block(bob.address), "1", by: alice, in: ledger)
            try script.profile(alice, "Alice")
            try store.setCredential("secret", scheme: "scram-sha-256", of: alice.id)
            _ = try store.createDevice(of: alice.id, name: "phone", tokenHash: [1], at: script.time)
            try script.append([
                .report(
                    Report(
                        conversation: group, target: said.reference, reporter: alice.party, reason: "spam",
                        time: script.time))
            ])
            try store.delete(alice.id)
            let found: Account? = try store.account(at: alice.address)
            try require(store.account(alice.id) == nil && found == nil, "the account")
            try require(store.accountState(alice.id) == nil, "the account's state")
            try require(!store.hasAdministrator(), "an administrator")
            try require(store.credential(of: alice.id, scheme: "scram-sha-256"), is: nil)
            try require(store.devices(of: alice.id), is: [])
            try require(store.device(tokenHash: [1]) == nil, "the device")
            try require(store.reports(limit: 10), is: [])
            try require(store.state(of: ledger), is: [:])
            try require(
                store.page(ledger, .before(nil), limit: 10).map(\.event.content),
                is: [.erased(.membership), .erased(.state)], "the ledger")
            try require(store.blocked(by: alice.id), is: [])
            try require(store.entry(said.id, in: group)?.event, is: said)
            try requireConstraint("alice's handle") { _ = try script.account("alice") }
            try requireConstraint("a second deletion") { try store.delete(alice.id) }
        },
        StoreContract("a link is worth as many uses as it says, until it is over") { store in
            let script = StoreScript(store)
            let alice = try script.account("alice")
            let over = script.time.adding(milliseconds: 1_000)
            let rooms = [ConversationID(rawValue: 3), ConversationID(rawValue: 1)]
            let purposes: [OneTimeLink.Purpose] = [
                .firstAdministrator, .invite(conversations: rooms, by: alice.id), .invite(conversations: [], by: nil),
                .resetPassword(alice.id),
            ]
            for (index, purpose) in purposes.enumerated() {
                let link = OneTimeLink(hash: [UInt8(index), 0, 255], purpose: purpose, expires: over, uses: 2)
                try store.createLink(link)
                try require(store.link(hash: link.hash), is: link)
                try requireConstraint("a second link of that hash") { try store.createLink(link) }
                try require(store.redeemLink(hash: link.hash, at: script.time)?.uses, is: 1)
                try require(store.redeemLink(hash: link.hash, at: script.time)?.purpose, is: purpose)
                try require(store.redeemLink(hash: link.hash, at: script.time), is: nil, "a third use")
            }
            let late = OneTimeLink(hash: [9], purpose: .firstAdministrator, expires: over, uses: 1)
            try store.createLink(late)
            try require(store.redeemLink(hash: [9], at: over), is: nil, "a link that is over")
            try require(store.redeemLink(hash: [8], at: script.time), is: nil, "an unknown link")
        },
        StoreContract("many who redeem at once get no more uses than there are") { store in
            let script = StoreScript(store)
            let link = OneTimeLink(
                hash: [4], purpose: .firstAdministrator, expires: script.time.adding(milliseconds: 1), uses: 3)
            try store.createLink(link)
            let successes = Mutex(0)
            let failures = Mutex<[String]>([])
            DispatchQueue.concurrentPerform(iterations: 16) { _ in
                do {
                    if try store.redeemLink(hash: [4], at: script.time) != nil { successes.withLock { $0 += 1 } }
                } catch {
                    failures.withLock { $0.append("\(error)") }
                }
            }
            try require(failures.withLock { $0 }, is: [])
            try require(successes.withLock { $0 }, is: 3)
        },
        StoreContract("webhooks, secrets and followers keep what they were given") { store in
            var script = StoreScript(store)
            let bot = try script.account("bot", kind: .bot)
            let group = try script.group("garden", [bot])
            let out = Webhook(
                id: "out", account: bot.id, conversation: group,
                direction: .outgoing(url: "https://example.org/", secret: [1, 2]), created: script.time)
            let into = Webhook(
                id: "in", account: bot.id, conversation: group, direction: .incoming(tokenHash: [3]),
                created: script.time)
            try store.save(out)
            try store.save(into)
            try store.save(out)
            try require(store.webhooks(), is: [into, out])
            try require(store.deleteWebhook("in"), "it was there")
            try require(!store.deleteWebhook("in"), "it was not there any more")
            try requireConstraint("a webhook of nobody") {
                try store.save(
                    Webhook(
                        id: "x", account: AccountID(rawValue: 99), conversation: group,
                        direction: .incoming(tokenHash: []), created: script.time))
            }
            try store.setSecret([1, 2, 3], named: "salt")
            try store.setSecret([4], named: "salt")
            try require(store.secret("salt"), is: [4])
            try store.setFollowerCursor("push", to: Position(rawValue: 17))
            try require(store.followerCursor("push"), is: Position(rawValue: 17))
            try require(store.followerCursor("other"), is: .zero)
        },
    ]
}

import Hub
import TestKit
import Testing

@testable import GatewayKit

/// One-time links: the first administrator, invitations, new passwords.
@Suite struct LinkTests {
    private func redeem(
        _ secret: String, _ handle: String?, as actor: Actor? = nil, on bench: AccountBench,
        from remote: RemoteClient = .near
    ) async -> Result<Redemption, Rejection> {
        let newcomer = handle.map { Newcomer(handle: $0, password: "password of \($0)", device: "browser") }
        return await outcome { () throws(Rejection) in
            try await bench.service.redeem(secret, newcomer: newcomer, password: nil, as: actor, remote: remote)
        }
    }

    // MARK: The first administrator

    @Test func theFirstAdministratorIsMadeOnce() async throws {
        let bench = try await AccountBench()
        let link = try #require(try await bench.service.firstAdministratorLink())
        let other = try #require(try await bench.service.firstAdministratorLink())
        #expect(link.url == "http://127.0.0.1:8080/#\(link.secret.reveal())")
        #expect(link.expires == bench.clock.now.adding(milliseconds: 30 * 60_000))
        // The operator's own choice: a reserved handle will do.
        let made = try await redeem(link.secret.reveal(), "admin", on: bench).get()
        #expect(made.account.isAdministrator)
        let signIn = try #require(made.signIn)
        #expect(try await bench.actor(signIn.token.reveal()).get().isAdministrator)
        #expect(await redeem(link.secret.reveal(), "second", on: bench).code == .notFound)
        #expect(await redeem(other.secret.reveal(), "second", on: bench).code == .forbidden)
        #expect(try await bench.service.firstAdministratorLink() == nil)
    }

    /// The disk is full between the account and its password: there is neither, and the link is as good as it was.
    @Test(arguments: ["setCredential", "redeemLink"])
    func anAdministratorIsMadeWholeOrNotAtAll(step: String) async throws {
        let bench = try await AccountBench()
        let link = try #require(try await bench.service.firstAdministratorLink())
        bench.directory.breakDown(at: step)
        #expect(await redeem(link.secret.reveal(), "boss", on: bench).code == .unavailable)
        bench.directory.breakDown(at: nil)
        #expect(try bench.store.accounts(after: nil, limit: 1).isEmpty)
        #expect(try await redeem(link.secret.reveal(), "boss", on: bench).get().account.isAdministrator)
        #expect(await bench.login("boss").code == nil)
    }

    @Test func linksEnd() async throws {
        let bench = try await AccountBench()
        let link = try #require(try await bench.service.firstAdministratorLink())
        bench.advance(seconds: 30 * 60)
        #expect(await redeem(link.secret.reveal(), "alice", on: bench).code == .notFound)
        #expect(await redeem(TokenSecret.generate(.firstAdmin).reveal(), "alice", on: bench).code == .notFound)
        #expect(await redeem("nonsense", "alice", on: bench).code == .notFound)
        #expect(try bench.store.accounts(after: nil, limit: 1).isEmpty)
    }

    @Test func triesAreCountedPerAddress() async throws {
        let bench = try await AccountBench()
        for _ in 0..<10 { #expect(await redeem("nonsense", "alice", on: bench, from: .far).code == .notFound) }
        #expect(await redeem("nonsense", "alice", on: bench, from: .far).code == .rateLimited)
    }

    // MARK: Invitations

    /// Whoever comes at the same moment: one use makes one account.
    @Test func oneUseMakesOneAccountHoweverManyComeAtOnce() async throws {
        let bench = try await AccountBench()
        let link = try await bench.service.inviteLink(to: [], uses: 1, hours: nil, by: .operator)
        let codes = await withTaskGroup(of: Rejection.Code?.self) { group in
            for number in 0..<8 {
                group.addTask { await redeem(link.secret.reveal(), "person\(number)", on: bench).code }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(codes.filter { $0 == nil }.count == 1)
        #expect(codes.filter { $0 == .notFound }.count == 7)
        #expect(try bench.store.accounts(after: nil, limit: 10).count == 1)
    }

    @Test func aTakenHandleCostsNoUse() async throws {
        let bench = try await AccountBench()
        try await bench.person("alice")
        let link = try await bench.service.inviteLink(to: [], uses: 1, hours: nil, by: .operator)
        #expect(await redeem(link.secret.reveal(), "alice", on: bench).code == .nameTaken)
        #expect(await redeem(link.secret.reveal(), "admin", on: bench).code == .invalidName)
        #expect(await redeem(link.secret.reveal(), nil, on: bench).code == .invalidValue)
        #expect(await redeem(link.secret.reveal(), "bob", on: bench).code == nil)
        #expect(await redeem(link.secret.reveal(), "carol", on: bench).code == .notFound)
    }

    @Test func conversationsAreJoinedByThePowerOfTheMaker() async throws {
        let bench = try await AccountBench()
        let admin = try await bench.person("boss", administrator: true)
        let garden = try await bench.group("garden", by: admin.actor)
        let cellar = try await bench.group("cellar", by: admin.actor, access: .private)
        let link = try await bench.service.inviteLink(
            to: [garden, cellar], uses: 2, hours: 1, by: .account(admin.actor))
        let made = try await redeem(link.secret.reveal(), "bob", on: bench).get()
        #expect(made.joined == [garden, cellar])
        #expect(try bench.member(made.account.id, of: cellar)?.isJoined == true)
        _ = try await bench.service.change(admin.account.id, disabled: true, administrator: nil, by: .operator)
        // Its maker may no longer make accounts.
        #expect(await redeem(link.secret.reveal(), "carol", on: bench).code == .forbidden)
    }

    @Test func aMembersLinkIsForPeopleWhoHaveAnAccount() async throws {
        let bench = try await AccountBench()
        let alice = try await bench.person("alice")
        let bob = try await bench.person("bob")
        let cellar = try await bench.group("cellar", by: alice.actor, access: .private)
        let link = try await bench.service.inviteLink(to: [cellar], uses: 2, hours: nil, by: .account(alice.actor))
        #expect(await redeem(link.secret.reveal(), "carol", on: bench).code == .forbidden)
        let joined = try await redeem(link.secret.reveal(), nil, as: bob.actor, on: bench).get()
        #expect(joined.joined == [cellar] && joined.signIn == nil)
        // With open registration strangers come in by it too.
        var configuration = bench.service.configuration
        configuration.registration = .open
        try bench.service.setConfiguration(configuration)
        #expect(try await redeem(link.secret.reveal(), "carol", on: bench).get().joined == [cellar])
    }

    @Test func whoMayNotInviteMakesNoLink() async throws {
        let bench = try await AccountBench()
        let alice = try await bench.person("alice")
        let bob = try await bench.person("bob")
        let garden = try await bench.group("garden", by: alice.actor)
        let refused = await outcome { () throws(Rejection) in
            try await bench.service.inviteLink(to: [garden], uses: 1, hours: nil, by: .account(bob.actor))
        }
        #expect(refused.code == .forbidden)
        let bare = await outcome { () throws(Rejection) in
            try await bench.service.inviteLink(to: [], uses: 1, hours: nil, by: .account(bob.actor))
        }
        #expect(bare.code == .forbidden)
    }

    @Test func closedMeansClosed() async throws {
        let bench = try await AccountBench { $0.registration = .closed }
        let link = try await bench.service.inviteLink(to: [], uses: 1, hours: nil, by: .operator)
        #expect(await redeem(link.secret.reveal(), "bob", on: bench).code == .forbidden)
    }

    // MARK: New passwords

    @Test func aResetSetsThePasswordAndEndsAllDevices() async throws {
        let bench = try await AccountBench()
        let alice = try await bench.person("alice")
        let session = try await bench.attach(alice.actor)
        let link = try await bench.service.resetLink(for: alice.account.id, by: .operator)
        let done = try await bench.service.redeem(
            link.secret.reveal(), newcomer: nil, password: "a new password", remote: .near)
        #expect(done.signIn == nil)
        #expect(try await session.isRevoked())
        #expect(await bench.login("alice").code == .unauthenticated)
        #expect(await bench.login("alice", password: "a new password").code == nil)
        let again = await outcome { () throws(Rejection) in
            try await bench.service.redeem(
                link.secret.reveal(), newcomer: nil, password: "another password", remote: .near)
        }
        #expect(again.code == .notFound)
    }

    /// Between the password, the link and the devices there is no moment.
    @Test(arguments: ["redeemLink", "revoke"])
    func aResetIsMadeWholeOrNotAtAll(step: String) async throws {
        let bench = try await AccountBench()
        let alice = try await bench.person("alice")
        let link = try await bench.service.resetLink(for: alice.account.id, by: .operator)
        let reset = { @Sendable () async -> Rejection.Code? in
            await outcome { () throws(Rejection) in
                try await bench.service.redeem(
                    link.secret.reveal(), newcomer: nil, password: "a new password", remote: .near)
            }.code
        }
        bench.directory.breakDown(at: step)
        #expect(await reset() == .unavailable)
        bench.directory.breakDown(at: nil)
        #expect(await bench.actor(alice.token.reveal()).code == nil)
        #expect(await bench.login("alice").code == nil)
        #expect(await reset() == nil)
        #expect(await bench.login("alice", password: "a new password").code == nil)
        #expect(await bench.actor(alice.token.reveal()).code == .unauthenticated)
    }

    @Test func onlyAdministratorsMakeResetLinks() async throws {
        let bench = try await AccountBench()
        let alice = try await bench.person("alice")
        let refused = await outcome { () throws(Rejection) in
            try await bench.service.resetLink(for: alice.account.id, by: .account(alice.actor))
        }
        #expect(refused.code == .forbidden)
    }
}

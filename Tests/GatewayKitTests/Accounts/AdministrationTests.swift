import Hub
import NIOCore
import TestKit
import Testing

@testable import GatewayKit

/// What administrators do, and that nobody else does it.
@Suite struct AdministrationTests {
    @Test func nobodyElseDoes() async throws {
        let bench = try await AccountBench()
        try await bench.person("boss", administrator: true)
        let alice = try await bench.person("alice")
        let bob = try await bench.person("bob")
        let service = bench.service
        let authority = Authority.account(alice.actor)
        let attempts: [@Sendable () async throws -> Void] = [
            { _ = try await service.accounts(after: nil, limit: 10, by: authority) },
            {
                _ = try await service.addPerson(
                    "new", password: nil, displayName: nil, isAdministrator: true, by: authority)
            },
            { _ = try await service.addBot("bot2", displayName: nil, by: authority) },
            { _ = try await service.change(alice.account.id, disabled: nil, administrator: true, by: authority) },
            { try await service.setPassword("12345678", of: bob.account.id, by: authority) },
            { try await service.delete(bob.account.id, erase: true, by: authority) },
            { _ = try await service.reports(by: authority) },
            { _ = try await service.resetLink(for: bob.account.id, by: authority) },
        ]
        for attempt in attempts {
            await #expect { try await attempt() } throws: { ($0 as? Rejection)?.code == .forbidden }
        }
        #expect(await bench.login("bob").code == nil)
    }

    /// The session says that she is an administrator; the directory says that she was.
    @Test func aRightThatWasWithdrawnIsGoneAtOnce() async throws {
        let bench = try await AccountBench()
        let boss = try await bench.person("boss", administrator: true)
        let other = try await bench.person("other", administrator: true)
        let session = try await bench.attach(other.actor)
        _ = try await bench.service.change(
            other.account.id, disabled: nil, administrator: false, by: .account(boss.actor))
        #expect(try await session.isRevoked())
        #expect(other.actor.isAdministrator)
        let refused = await outcome { () throws(Rejection) in
            try await bench.service.accounts(after: nil, limit: 10, by: .account(other.actor))
        }
        #expect(refused.code == .forbidden)
        #expect(try await bench.actor(other.token.reveal()).get().isAdministrator == false)
    }

    /// A request under way, whose token is revoked before it is done: it leaves nothing that lasts.
    @Test func aDeviceThatIsRevokedGivesNothingAnyMore() async throws {
        let bench = try await AccountBench { $0.registration = .open }
        let boss = try await bench.person("boss", administrator: true)
        let phone = try await bench.login("boss").get()
        let bob = try await bench.person("bob")
        let robot = try await bench.service.addBot("robot", displayName: nil, by: .operator)
        let visitor = try await bench.service.guest(displayName: nil, device: "browser", remote: .near)
        let garden = try await bench.group("garden", by: boss.actor)
        let invite = try await bench.service.inviteLink(to: [garden], uses: 9, hours: nil, by: .operator)
        try await bench.service.revoke(phone.device.id, by: boss.actor)
        try await bench.service.logout(visitor.actor)
        let service = bench.service
        let actor = phone.actor
        let authority = Authority.account(actor)
        let newcomer = Newcomer(handle: "new", password: "12345678", device: "browser")
        let attempts: [@Sendable () async throws -> Void] = [
            { _ = try await service.exchange(actor, device: "new") },
            { try await service.revoke(boss.device.id, by: actor) },
            {
                try await service.changePassword(
                    old: "password of boss", new: "a new password", revokesOthers: true, by: actor, remote: .near)
            },
            { try await service.close(actor, password: "password of boss", erase: false, remote: .near) },
            { try await service.export(of: actor, event: { _ in ByteBuffer() }, into: { _ in }) },
            { _ = try await service.accounts(after: nil, limit: 10, by: authority) },
            {
                _ = try await service.addPerson(
                    "new", password: nil, displayName: nil, isAdministrator: true, by: authority)
            },
            { _ = try await service.addBot("bot2", displayName: nil, by: authority) },
            { _ = try await service.renewToken(ofBot: robot.account.id, by: authority) },
            { _ = try await service.change(bob.account.id, disabled: nil, administrator: true, by: authority) },
            { try await service.setPassword("12345678", of: bob.account.id, by: authority) },
            { try await service.delete(bob.account.id, erase: true, by: authority) },
            { _ = try await service.resetLink(for: bob.account.id, by: authority) },
            { _ = try await service.inviteLink(to: [garden], uses: 1, hours: nil, by: authority) },
            {
                _ = try await service.redeem(
                    invite.secret.reveal(), newcomer: nil, password: nil, as: actor, remote: .near)
            },
            {
                _ = try await service.redeem(
                    invite.secret.reveal(), newcomer: newcomer, password: nil, as: visitor.actor, remote: .near)
            },
            { _ = try await service.register(newcomer, as: visitor.actor, remote: .near) },
        ]
        for (index, attempt) in attempts.enumerated() {
            await #expect("attempt \(index)") {
                try await attempt()
            } throws: {
                ($0 as? Rejection)?.code == .unauthenticated
            }
        }
        #expect(try bench.store.devices(of: boss.account.id).map(\.id) == [boss.device.id])
        #expect(try bench.store.accounts(after: nil, limit: 10).count == 4)
        #expect(await bench.login("boss").code == nil)
        #expect(await bench.actor(robot.token.reveal()).code == nil)
    }

    /// The look comes too early: what is revoked after it counts in the transaction all the same.
    @Test func aDeviceThatIsRevokedAfterTheFirstLookGivesNothing() async throws {
        let bench = try await AccountBench()
        let boss = try await bench.person("boss", administrator: true)
        let store = bench.store
        let attempts: [@Sendable (Actor) async throws -> Void] = [
            { _ = try await bench.service.exchange($0, device: "new") },
            { _ = try await bench.service.addBot("robot", displayName: nil, by: .account($0)) },
            { _ = try await bench.service.inviteLink(to: [], uses: 1, hours: nil, by: .account($0)) },
            { _ = try await bench.service.resetLink(for: boss.account.id, by: .account($0)) },
            { try await bench.service.setPassword("12345678", of: boss.account.id, by: .account($0)) },
        ]
        for attempt in attempts {
            let phone = try await bench.login("boss").get()
            bench.directory.before("transaction") { _ = try store.revoke(phone.device.id) }
            await #expect {
                try await attempt(phone.actor)
            } throws: {
                ($0 as? Rejection)?.code == .unauthenticated
            }
        }
        #expect(try store.devices(of: boss.account.id).map(\.id) == [boss.device.id])
        #expect(try store.accounts(after: nil, limit: 10).count == 1)
        #expect(await bench.login("boss").code == nil)
    }

    @Test func accountsAreListedInPages() async throws {
        let bench = try await AccountBench()
        for name in ["carol", "alice", "bob"] { try await bench.person(name) }
        let first = try await bench.service.accounts(after: nil, limit: 2, by: .operator)
        #expect(first.accounts.map(\.address.handle.text) == ["alice", "bob"])
        #expect(first.hasMore)
        let second = try await bench.service.accounts(after: Handle("bob"), limit: 2, by: .operator)
        #expect(second.accounts.map(\.address.handle.text) == ["carol"])
        #expect(!second.hasMore)
    }

    @Test func disablingEndsSessionsAndEnablingOpensAgain() async throws {
        let bench = try await AccountBench()
        let alice = try await bench.person("alice")
        let session = try await bench.attach(alice.actor)
        _ = try await bench.service.change(alice.account.id, disabled: true, administrator: nil, by: .operator)
        #expect(try await session.isRevoked())
        #expect(await bench.actor(alice.token.reveal()).code == .unauthenticated)
        #expect(await bench.login("alice").code == .unauthenticated)
        _ = try await bench.service.change(alice.account.id, disabled: false, administrator: nil, by: .operator)
        #expect(await bench.actor(alice.token.reveal()).code == nil)
    }

    @Test func theServersOwnAccountIsNobodysToTakeOrToEnd() async throws {
        let bench = try await AccountBench()
        let handle = try #require(Handle(AccountService.serverHandle))
        let server = try bench.store.create(
            NewAccount(
                address: Address(handle: handle), kind: .bot, displayName: nil, isAdministrator: false,
                created: bench.clock.now, expires: nil))
        let actor = Actor(
            party: server.party, device: DeviceID(rawValue: 0), isAdministrator: true, kind: .bot)
        // Who acts for it may administer, though its account is no administrator's.
        #expect(try await bench.service.accounts(after: nil, limit: 10, by: Authority(actor)).accounts.count == 1)
        let ends: [@Sendable () async throws -> Void] = [
            { try await bench.service.delete(server.id, erase: false, by: .operator) },
            { _ = try await bench.service.change(server.id, disabled: true, administrator: nil, by: .operator) },
            { try await bench.service.close(actor, password: nil, erase: false, remote: .near) },
        ]
        for end in ends {
            await #expect { try await end() } throws: { ($0 as? Rejection)?.code == .notApplicable }
        }
        let taken = try await AccountBench()
        let refused = await outcome { () throws(Rejection) in
            try await taken.service.addBot("Server", displayName: nil, by: .operator)
        }
        #expect(refused.code == .invalidName)
    }

    // MARK: Bots

    @Test func aBotHasATokenOfItsOwnKind() async throws {
        let bench = try await AccountBench()
        let robot = try await bench.service.addBot("robot", displayName: "Robot", by: .operator)
        #expect(robot.token.reveal().hasPrefix("sbb_"))
        let actor = try await bench.actor(robot.token.reveal()).get()
        #expect(actor.kind == .bot)
        let session = try await bench.attach(actor)
        let renewed = try await bench.service.renewToken(ofBot: robot.account.id, by: .operator)
        #expect(try await session.isRevoked())
        #expect(await bench.actor(robot.token.reveal()).code == .unauthenticated)
        #expect(await bench.actor(renewed.token.reveal()).code == nil)
        let promoted = await outcome { () throws(Rejection) in
            try await bench.service.change(robot.account.id, disabled: nil, administrator: true, by: .operator)
        }
        #expect(promoted.code == .notApplicable)
    }

    /// A credential is bound to what it was issued for.
    @Test func aTokenOfOneKindIsWorthNothingAsAnother() async throws {
        let bench = try await AccountBench()
        let robot = try await bench.service.addBot("robot", displayName: nil, by: .operator)
        let alice = try await bench.person("alice")
        // A device token that belongs to a bot, and a bot token that belongs to a person, however they came to be.
        let forBot = try await bench.service.enrol(robot.account, device: "odd", kind: .device)
        let forPerson = try await bench.service.enrol(alice.account, device: "odd", kind: .bot)
        for token in [forBot.token, forPerson.token] {
            #expect(await bench.actor(token.reveal()).code == .unauthenticated)
        }
        for kind in [TokenKind.invite, .reset, .firstAdmin, .webhook] {
            let odd = try await bench.service.enrol(alice.account, device: "odd", kind: kind)
            #expect(await bench.actor(odd.token.reveal()).code == .unauthenticated)
        }
    }
}

import Hub
import TestKit
import Testing

@testable import GatewayKit

/// Expiring accounts for the asking.
@Suite struct GuestTests {
    private func guest(_ bench: AccountBench, from remote: RemoteClient) async -> Result<SignIn, Rejection> {
        await outcome { () throws(Rejection) in
            try await bench.service.guest(displayName: "Visitor", device: "browser", remote: remote)
        }
    }

    @Test func loopbackOnlyUnlessConfigured() async throws {
        let bench = try await AccountBench()
        #expect(bench.service.configuration.guests == .loopback)
        let signIn = try await guest(bench, from: .near).get()
        #expect(signIn.account.kind == .guest && signIn.account.address.handle.isGuest)
        #expect(signIn.account.expires == bench.clock.now.adding(milliseconds: 24 * 3_600_000))
        #expect(await bench.actor(signIn.token.reveal()).code == nil)
        #expect(await guest(bench, from: .far).code == .forbidden)
        // A proxy on this machine does not make its clients local.
        let proxied = RemoteClient(address: NetworkAddress(plain: "127.0.0.1"), isSecure: false, isProxied: true)
        #expect(await guest(bench, from: proxied).code == .forbidden)
        #expect(await guest(bench, from: RemoteClient(address: nil, isSecure: false, isProxied: false)).code == nil)
    }

    @Test func everyoneOrNobody() async throws {
        let open = try await AccountBench { $0.guests = .everyone }
        #expect(await guest(open, from: .far).code == nil)
        let shut = try await AccountBench { $0.guests = .off }
        #expect(await guest(shut, from: .near).code == .forbidden)
    }

    @Test func oneAddressCannotMakeMany() async throws {
        let bench = try await AccountBench { $0.guests = .everyone }
        for _ in 0..<10 { #expect(await guest(bench, from: .far).code == nil) }
        #expect(await guest(bench, from: .far).code == .rateLimited)
        #expect(await guest(bench, from: .at("192.0.2.1")).code == nil)
    }

    @Test func thereIsALimitOfAll() async throws {
        let bench = try await AccountBench { $0.guestLimit = 2 }
        for _ in 0..<2 { #expect(await guest(bench, from: .near).code == nil) }
        #expect(await guest(bench, from: .near).code == .limitReached)
    }

    @Test func aGuestEndsWhenItsTimeIsOver() async throws {
        let bench = try await AccountBench { $0.guestLifetime = 60_000 }
        let owner = try await bench.person("owner")
        let garden = try await bench.group("garden", by: owner.actor)
        let first = try await guest(bench, from: .near).get()
        _ = try await bench.hub.submit(.conversation(garden, .join), by: first.actor, token: nil)
        let session = try await bench.attach(first.actor)
        bench.advance(seconds: 30)
        let second = try await guest(bench, from: .near).get()
        await bench.service.tick(endsGuests: true)
        #expect(try await session.isOpen())
        bench.advance(seconds: 30)
        // Before the sweep comes by, the token is worth nothing already.
        #expect(await bench.actor(first.token.reveal()).code == .unauthenticated)
        await bench.service.tick(endsGuests: true)
        #expect(try await session.isRevoked())
        #expect(try bench.store.account(first.account.id) == nil)
        #expect(try bench.member(first.account.id, of: garden)?.isJoined == false)
        #expect(try bench.store.account(second.account.id) != nil)
        #expect(try bench.store.account(owner.account.id) != nil)
    }

    @Test func aGuestBecomesAnAccountAndKeepsItsPlacesAndRanks() async throws {
        let bench = try await AccountBench { $0.registration = .open }
        let owner = try await bench.person("owner")
        let garden = try await bench.group("garden", by: owner.actor)
        let cellar = try await bench.group("cellar", by: owner.actor, access: .private)
        let visitor = try await guest(bench, from: .near).get()
        for place in [garden, cellar] {
            _ = try await bench.hub.submit(
                .conversation(place, .invite(visitor.account.id)), by: owner.actor, token: nil)
            _ = try await bench.hub.submit(.conversation(place, .join), by: visitor.actor, token: nil)
        }
        _ = try await bench.hub.submit(
            .conversation(garden, .setRank(visitor.account.id, .helper)), by: owner.actor, token: nil)

        let newcomer = Newcomer(handle: "dora", password: "password of dora", device: "browser")
        let person = try await bench.service.register(newcomer, as: visitor.actor, remote: .near)
        #expect(try bench.member(person.account.id, of: garden)?.rank == .helper)
        #expect(try bench.member(person.account.id, of: cellar)?.isJoined == true)
        #expect(await bench.actor(visitor.token.reveal()).code == .unauthenticated)
        await bench.service.finishClosings()
        #expect(try bench.store.account(visitor.account.id) == nil)
        #expect(await bench.login("dora").code == nil)
    }

    @Test func registrationIsByInvitationUnlessOpen() async throws {
        let bench = try await AccountBench()
        let newcomer = Newcomer(handle: "dora", password: "password of dora", device: "browser")
        let refused = await outcome { () throws(Rejection) in
            try await bench.service.register(newcomer, remote: .near)
        }
        #expect(refused.code == .forbidden)
    }

    @Test(arguments: ["admin", "Adm1n", "guest-x", "u-x", "1abc", "", "a b", "nickserv"])
    func namesThatNobodyGets(handle: String) async throws {
        let bench = try await AccountBench { $0.registration = .open }
        let newcomer = Newcomer(handle: handle, password: "password of dora", device: "browser")
        let refused = await outcome { () throws(Rejection) in
            try await bench.service.register(newcomer, remote: .near)
        }
        #expect(refused.code == .invalidName)
    }
}

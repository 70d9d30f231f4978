import Crypto
import Hub
import TestKit
import Testing

@testable import GatewayKit

/// Accounts of people whom a host application vouches for.
@Suite struct HostTokenLoginTests {
    static let secret = Array("0123456789abcdef0123456789abcdef".utf8)

    /// A bench whose host application is called «shop».
    private func bench(
        createsAccounts: Bool = true, _ configure: @escaping (inout AccountConfiguration) -> Void = { _ in }
    ) async throws -> AccountBench {
        let clock = ManualClock()
        let key = try #require(HostTokenKey(secret: SecretBytes(Self.secret)))
        let verifier = HostTokenVerifier(
            rules: HostTokenRules(realm: "shop", audience: "chat"), keys: try HostKeySet(keys: [key]),
            clock: .init(seconds: { clock.now.rawValue / 1_000 }))
        return try await AccountBench(clock: clock) {
            $0.hosts = [.init(verifier: verifier, createsAccounts: createsAccounts)]
            configure(&$0)
        }
    }

    private func token(
        _ subject: String, _ bench: AccountBench, lasting: Int64 = 600, issued: Bool = true, more: String = "",
        key: [UInt8] = secret
    ) -> String {
        let now = bench.clock.now.rawValue / 1_000
        let iat = issued ? #","iat":\#(now)"# : ""
        let claims = #"{"sub":"\#(subject)","aud":"chat","exp":\#(now + lasting)\#(iat)\#(more)}"#
        let parts = [#"{"alg":"HS256"}"#, claims].map { StrictBase64.encode($0.utf8, as: .url) }
        let signed = parts.joined(separator: ".")
        let code = HMAC<SHA256>.authenticationCode(for: Array(signed.utf8), using: SymmetricKey(data: key))
        return "\(signed).\(StrictBase64.encode(Array(code), as: .url))"
    }

    @Test func theFirstTokenMakesTheAccountAndLaterOnesFindIt() async throws {
        let bench = try await bench()
        let text = token("carol", bench, more: #","name":"Carol C.","picture":"https://shop.example.com/c.png""#)
        let first = try await bench.actor(text).get()
        #expect(first.party.address.handle.text == "carol")
        let account = try #require(try bench.store.account(first.account))
        #expect(account.profile == Profile(displayName: "Carol C.", avatar: "https://shop.example.com/c.png"))
        bench.advance(seconds: 60)
        // Another token of the same person is the same device: a `ref` stays unique.
        #expect(try await bench.actor(token("carol", bench)).get() == first)
        #expect(try await bench.actor(token("carol", bench, lasting: 60)).get() == first)
    }

    @Test func manyFirstTokensAtOnceMakeOneAccount() async throws {
        let bench = try await bench()
        let text = token("carol", bench)
        let actors = try await withThrowingTaskGroup(of: Actor.self) { group in
            for _ in 0..<20 { group.addTask { try await bench.actor(text).get() } }
            return try await group.reduce(into: Set<Actor>()) { $0.insert($1) }
        }
        #expect(actors.count == 1)
        #expect(try bench.store.accounts(after: nil, limit: 10).count == 1)
    }

    /// A handle is no proof of identity.
    @Test func aSubjectDoesNotOpenTheAccountOfALocalNamesake() async throws {
        let bench = try await bench()
        let local = try await bench.person("alice")
        let actor = try await bench.actor(token("alice", bench)).get()
        #expect(actor.account != local.account.id)
        let subject = try #require(HostSubject(realm: "shop", subject: "alice"))
        #expect(actor.party.address.handle.text == subject.mappedHandle)
        #expect(try await bench.actor(token("alice", bench)).get() == actor)
    }

    /// Two applications have a «carol» each: after a revocation, too, each finds its own.
    @Test func subjectsOfTwoApplicationsAreTwoPeople() async throws {
        let bench = try await bench()
        let shop = try await bench.actor(token("carol", bench)).get()
        try await bench.service.revoke(shop.device, by: shop)
        bench.advance(seconds: 1)
        let key = try #require(HostTokenKey(secret: SecretBytes(Self.secret)))
        let clock = bench.clock
        var configuration = bench.service.configuration
        configuration.hosts = [
            .init(
                verifier: HostTokenVerifier(
                    rules: HostTokenRules(realm: "forum", audience: "chat"), keys: try HostKeySet(keys: [key]),
                    clock: .init(seconds: { clock.now.rawValue / 1_000 })))
        ]
        try bench.service.setConfiguration(configuration)
        let forum = try await bench.actor(token("carol", bench)).get()
        #expect(forum.account != shop.account)
        #expect(forum.party.address.handle.text.hasPrefix("u-"))
    }

    @Test(arguments: ["Alice", "user@shop.example.com", "admin", "guest-x", "u-abc", "名前", "a b"])
    func whatIsNoHandleIsMapped(subject: String) async throws {
        let bench = try await bench()
        let handle = try await bench.actor(token(subject, bench)).get().party.address.handle.text
        #expect(handle.hasPrefix("u-") && handle.utf8.count == 22)
        #expect(try await bench.actor(token(subject, bench)).get().party.address.handle.text == handle)
    }

    @Test func strangersStayOutsideWhereTheHostMayNotMakeAccounts() async throws {
        let bench = try await bench(createsAccounts: false)
        #expect(await bench.actor(token("carol", bench)).code == .unauthenticated)
    }

    @Test func whatIsNotBelievedIsRefusedInOneWord() async throws {
        let bench = try await bench()
        let expired = token("carol", bench, lasting: -61)
        let forged = token("carol", bench, key: Array(repeating: 7, count: 32))
        let unsigned = StrictBase64.encode(#"{"alg":"none"}"#.utf8, as: .url) + ".e30."
        for text in [expired, forged, unsigned, "..", "a.b.c"] {
            #expect(await bench.actor(text).failure == .notSignedIn)
        }
        #expect(try bench.store.accounts(after: nil, limit: 1).isEmpty)
    }

    @Test func noSessionOutlivesTheNewestToken() async throws {
        let bench = try await bench()
        let actor = try await bench.actor(token("carol", bench, lasting: 100)).get()
        let session = try await bench.attach(actor)
        bench.advance(seconds: 50)
        _ = await bench.actor(token("carol", bench, lasting: 100))
        bench.advance(seconds: 120)
        await bench.service.tick(endsGuests: false)
        #expect(try await session.isOpen())
        bench.advance(seconds: 100)
        await bench.service.tick(endsGuests: false)
        #expect(try await session.isRevoked())
    }

    @Test func afterARevocationOnlyANewlyIssuedTokenOpensTheDoor() async throws {
        let bench = try await bench()
        let old = token("carol", bench)
        let actor = try await bench.actor(old).get()
        let session = try await bench.attach(actor)
        bench.advance(seconds: 5)
        let lastSecond = token("carol", bench)
        try await bench.service.revoke(actor.device, by: actor)
        #expect(try await session.isRevoked())
        #expect(await bench.actor(old).code == .unauthenticated)
        #expect(await bench.actor(lastSecond).code == .unauthenticated)
        #expect(await bench.actor(token("carol", bench, issued: false)).code == .unauthenticated)
        bench.advance(seconds: 1)
        let again = try await bench.actor(token("carol", bench)).get()
        #expect(again.account == actor.account)
        #expect(again.device != actor.device)
    }

    /// The device that a newer token made does not open the door for the older one.
    @Test func afterARevocationAnOldTokenStaysOutAlsoWhenANewOneIsIn() async throws {
        let bench = try await bench()
        let old = token("carol", bench)
        let actor = try await bench.actor(old).get()
        try await bench.service.revoke(actor.device, by: actor)
        bench.advance(seconds: 1)
        let again = try await bench.actor(token("carol", bench)).get()
        #expect(await bench.actor(old).code == .unauthenticated)
        #expect(await bench.actor(token("carol", bench, issued: false)).code == .unauthenticated)
        #expect(try await bench.actor(token("carol", bench)).get() == again)
    }

    /// Nor does it when the newer one comes between the look and the decision.
    @Test func anOldTokenStaysOutWhileANewOneComesIn() async throws {
        let bench = try await bench()
        let old = token("carol", bench)
        let actor = try await bench.actor(old).get()
        try await bench.service.revoke(actor.device, by: actor)
        let store = bench.store
        let subject = try #require(HostSubject(realm: "shop", subject: "carol"))
        let now = bench.clock.now
        bench.directory.before("transaction") {
            _ = try store.createDevice(of: actor.account, name: "new", tokenHash: subject.deviceHash, at: now)
        }
        #expect(await bench.actor(old).code == .unauthenticated)
    }

    /// Closings can take long, or fail for long: no session stays for them.
    @Test func sessionsEndInTimeWhateverWaits() async throws {
        let bench = try await bench()
        let actor = try await bench.actor(token("carol", bench, lasting: 100)).get()
        let session = try await bench.attach(actor)
        bench.directory.breakDown(at: "accounts")
        bench.advance(seconds: 200)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await bench.service.run() }
            defer { group.cancelAll() }
            let isRevoked = try await session.isRevoked()
            #expect(isRevoked)
        }
    }

    @Test func aDisabledPersonStaysOutside() async throws {
        let bench = try await bench()
        let actor = try await bench.actor(token("carol", bench)).get()
        _ = try await bench.service.change(actor.account, disabled: true, administrator: nil, by: .operator)
        #expect(await bench.actor(token("carol", bench)).code == .unauthenticated)
    }

    @Test func aGuestOfTheHostExpiresAndBecomesAPersonWithItsPlaces() async throws {
        let bench = try await bench()
        let owner = try await bench.person("owner")
        let garden = try await bench.group("garden", by: owner.actor, access: .private)
        let guest = try await bench.actor(token("carol", bench, more: #","guest":true"#)).get()
        #expect(guest.kind == .guest && guest.party.address.handle.isGuest)
        #expect(try bench.store.account(guest.account)?.expires != nil)
        _ = try await bench.hub.submit(.conversation(garden, .invite(guest.account)), by: owner.actor, token: nil)
        _ = try await bench.hub.submit(.conversation(garden, .join), by: guest, token: nil)

        let person = try await bench.actor(token("carol", bench)).get()
        #expect(person.kind == .person && person.party.address.handle.text == "carol")
        #expect(try bench.member(person.account, of: garden)?.isJoined == true)
        await bench.service.finishClosings()
        #expect(try bench.store.account(guest.account) == nil)
        #expect(try bench.member(guest.account, of: garden)?.isJoined == false)
        #expect(try await bench.actor(token("carol", bench)).get() == person)
    }

    @Test func aHostTokenIsExchangedForADeviceOfItsOwn() async throws {
        let bench = try await bench()
        let actor = try await bench.actor(token("carol", bench)).get()
        let signIn = try await bench.service.exchange(actor, device: "phone")
        #expect(signIn.device.id != actor.device)
        #expect(try await bench.actor(signIn.token.reveal()).get().account == actor.account)
    }
}

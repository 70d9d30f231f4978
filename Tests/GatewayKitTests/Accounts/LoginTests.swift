import Hub
import Synchronization
import TestKit
import Testing

@testable import GatewayKit

/// Signing in by password, and the devices that come of it.
@Suite struct LoginTests {
    @Test func aPasswordGivesADeviceWhoseTokenOpensTheDoor() async throws {
        let bench = try await AccountBench()
        try await bench.person("alice")
        let signIn = try await bench.login("Alice", password: "password of alice").get()
        #expect(signIn.device.name == "phone")
        let actor = try await bench.actor(signIn.token.reveal()).get()
        #expect(actor == signIn.actor)
        #expect(actor.party.address.handle.text == "alice")
        // What is stored opens nothing.
        let stored = String(decoding: signIn.token.hash.bytes, as: UTF8.self)
        #expect(await bench.actor(stored).code == .unauthenticated)
        let verifier = try #require(try bench.store.credential(of: signIn.account.id, scheme: "scram-sha-256"))
        #expect(!verifier.contains("password of alice"))
        #expect(try bench.store.credential(of: signIn.account.id, scheme: "scram-sha-512") != nil)
    }

    struct Attempt: Sendable {
        let name: String
        let password: String
    }

    /// The answer and the work must not tell whether there is an account: counted, not timed.
    @Test func knownAndUnknownAccountsTakeTheSameWorkAndAnswer() async throws {
        let work = Mutex<[String]>([])
        let passwords = PasswordPool { mechanism, iterations in
            work.withLock { $0.append("\(mechanism.rawValue) \(iterations)") }
        }
        let bench = try await AccountBench(passwords: passwords)
        try await bench.person("alice")
        let closed = try await bench.person("closed")
        _ = try await bench.service.change(closed.account.id, disabled: true, administrator: nil, by: .operator)
        _ = try await bench.service.addBot("robot", displayName: nil, by: .operator)
        _ = try await bench.service.addPerson(
            "hosted", password: nil, displayName: nil, isAdministrator: false, by: .operator)

        var answers: Set<Rejection> = []
        var efforts: Set<[String]> = []
        for attempt in [
            Attempt(name: "alice", password: "wrong"), Attempt(name: "nobody", password: "wrong"),
            Attempt(name: "closed", password: "wrong"), Attempt(name: "closed", password: "password of closed"),
            Attempt(name: "robot", password: "wrong"), Attempt(name: "hosted", password: "wrong"),
        ] {
            work.withLock { $0 = [] }
            _ = bench.directory.takeCalls()
            guard case .failure(let answer) = await bench.login(attempt.name, password: attempt.password) else {
                Issue.record("\(attempt) was let in")
                continue
            }
            answers.insert(answer)
            efforts.insert(bench.directory.takeCalls() + work.withLock { $0 })
        }
        #expect(answers == [.wrongPassword])
        #expect(efforts == [["account(at:)", "credential", "SCRAM-SHA-256 \(AccountBench.iterations)"]])
        try await passwords.shutdown()
    }

    /// A1–A8: 10 in 5 minutes per account over all addresses, known or not; live sessions are not touched.
    @Test(arguments: ["alice", "nobody"])
    func guessingIsSlowedDownAndTheOwnerStaysIn(name: String) async throws {
        let bench = try await AccountBench()
        let owner = try await bench.person("alice")
        let session = try await bench.attach(owner.actor)
        for guess in 0..<10 {
            let remote = RemoteClient.at("203.0.\(guess).1")
            #expect(await bench.login(name, password: "guess \(guess)", from: remote).code == .unauthenticated)
        }
        let refused = await bench.login(name, from: .at("192.0.2.1"))
        guard case .failure(let rejection) = refused else {
            Issue.record("the eleventh was looked at")
            return
        }
        #expect(rejection.code == .rateLimited)
        #expect((1...300_000).contains(try #require(rejection.retryAfter)))
        #expect(await bench.actor(owner.token.reveal()).code == nil)
        #expect(try await session.isOpen())
        bench.advance(seconds: 300)
        #expect(await bench.login(name, from: .at("192.0.2.1")).code == (name == "alice" ? nil : .unauthenticated))
    }

    @Test func oneAddressCannotTryManyAccounts() async throws {
        let bench = try await AccountBench()
        for guess in 0..<10 {
            #expect(await bench.login("name\(guess)", from: .far).code == .unauthenticated)
        }
        #expect(await bench.login("another", from: .far).code == .rateLimited)
        #expect(await bench.login("another", from: .at("192.0.2.1")).code == .unauthenticated)
    }

    @Test func rightPasswordsAreNotCounted() async throws {
        let bench = try await AccountBench()
        try await bench.person("alice")
        for _ in 0..<15 { #expect(await bench.login("alice").code == nil) }
    }

    @Test func tooManyAtOnceAreToldToComeBackAndAreNotCounted() async throws {
        let passwords = PasswordPool(threads: 1, queue: 0)
        let bench = try await AccountBench(passwords: passwords)
        try await bench.person("alice")
        var configuration = bench.service.configuration
        // Slow enough that all of them are there before the first is done.
        configuration.iterations = 2_000_000
        try bench.service.setConfiguration(configuration)
        let codes = await withTaskGroup(of: Rejection.Code?.self) { group in
            for number in 0..<9 {
                group.addTask { await bench.login("nobody", from: .at("203.0.\(number).1")).code }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(codes.filter { $0 == .unauthenticated }.count >= 1)
        #expect(codes.filter { $0 == .busy }.count >= 1)
        #expect(codes.allSatisfy { $0 == .busy || $0 == .unauthenticated })
        configuration.iterations = AccountBench.iterations
        try bench.service.setConfiguration(configuration)
        let left = 10 - codes.filter { $0 == .unauthenticated }.count
        for _ in 0..<left { #expect(await bench.login("nobody", from: .at("192.0.2.1")).code == .unauthenticated) }
        #expect(await bench.login("nobody", from: .at("192.0.3.1")).code == .rateLimited)
        try await passwords.shutdown()
    }

    // MARK: Devices

    @Test func aRevokedDeviceIsGoneFromEveryConnection() async throws {
        let bench = try await AccountBench()
        let laptop = try await bench.person("alice")
        let phone = try await bench.login("alice").get()
        let onLaptop = try await bench.attach(laptop.actor)
        let onPhone = try await bench.attach(phone.actor)
        try await bench.service.revoke(phone.device.id, by: laptop.actor)
        #expect(try await onPhone.isRevoked())
        #expect(try await onLaptop.isOpen())
        #expect(await bench.actor(phone.token.reveal()).code == .unauthenticated)
        #expect(await bench.actor(laptop.token.reveal()).code == nil)
        #expect(try await bench.service.devices(of: laptop.actor).map(\.id) == [laptop.device.id])
    }

    @Test func nobodyRevokesSomebodyElsesDevice() async throws {
        let bench = try await AccountBench()
        let alice = try await bench.person("alice")
        let bob = try await bench.person("bob")
        let refused = await outcome { () throws(Rejection) in
            try await bench.service.revoke(alice.device.id, by: bob.actor)
        }
        #expect(refused.code == .notFound)
        #expect(await bench.actor(alice.token.reveal()).code == nil)
    }

    @Test func oneDeviceMoreTakesThePlaceOfTheOneUnseenForLongest() async throws {
        let bench = try await AccountBench { $0.devicesPerAccount = 2 }
        let first = try await bench.person("alice")
        bench.advance(seconds: 1)
        let second = try await bench.login("alice").get()
        let session = try await bench.attach(first.actor)
        bench.advance(seconds: 1)
        let third = try await bench.login("alice").get()
        #expect(try await session.isRevoked())
        #expect(try await bench.service.devices(of: third.actor).map(\.id) == [second.device.id, third.device.id])
    }

    @Test func lastSeenIsWrittenOnceInTenMinutesAndLater() async throws {
        let bench = try await AccountBench()
        let alice = try await bench.person("alice")
        _ = bench.directory.takeCalls()
        for _ in 0..<5 { _ = await bench.actor(alice.token.reveal()) }
        await bench.service.tick(endsGuests: false)
        #expect(!bench.directory.takeCalls().contains("setDevice"))
        bench.advance(seconds: 600)
        for _ in 0..<5 { _ = await bench.actor(alice.token.reveal()) }
        #expect(!bench.directory.takeCalls().contains("setDevice"), "not while somebody waits")
        await bench.service.tick(endsGuests: false)
        #expect(bench.directory.takeCalls().filter { $0 == "setDevice" }.count == 1)
        #expect(try bench.store.devices(of: alice.account.id).first?.lastSeen == bench.clock.now)
    }

    @Test(arguments: ["", String(repeating: "x", count: 101), "a\u{7}b"])
    func badDeviceNames(name: String) async throws {
        let bench = try await AccountBench()
        try await bench.person("alice")
        let refused = await outcome { () throws(Rejection) in
            try await bench.service.login(
                handle: "alice", password: "password of alice", device: name, remote: .near)
        }
        #expect(refused.code == .invalidValue)
    }

    @Test(arguments: ["", "sbd_", "a.b.c", "sbd_" + String(repeating: "A", count: 49), "Bearer x", "\u{0}"])
    func whatIsNoTokenOpensNothing(text: String) async throws {
        let bench = try await AccountBench()
        #expect(await bench.actor(text).code == .unauthenticated)
    }

    // MARK: Passwords

    @Test func aNewPasswordEndsTheOldOneAndOtherDevicesOnRequest() async throws {
        let bench = try await AccountBench()
        let laptop = try await bench.person("alice")
        let phone = try await bench.login("alice").get()
        let wrong = await outcome { () throws(Rejection) in
            try await bench.service.changePassword(
                old: "not it", new: "a new password", revokesOthers: true, by: laptop.actor, remote: .near)
        }
        #expect(wrong.code == .unauthenticated)
        try await bench.service.changePassword(
            old: "password of alice", new: "a new password", revokesOthers: true, by: laptop.actor, remote: .near)
        #expect(await bench.login("alice").code == .unauthenticated)
        #expect(await bench.login("alice", password: "a new password").code == nil)
        #expect(await bench.actor(laptop.token.reveal()).code == nil)
        #expect(await bench.actor(phone.token.reveal()).code == .unauthenticated)
    }

    @Test func shortPasswordsAreRefused() async throws {
        let bench = try await AccountBench()
        let refused = await outcome { () throws(Rejection) in
            try await bench.service.addPerson(
                "alice", password: "1234567", displayName: nil, isAdministrator: false, by: .operator)
        }
        #expect(refused.code == .invalidValue)
    }
}

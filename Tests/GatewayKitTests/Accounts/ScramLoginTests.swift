import Hub
import TestKit
import Testing

@testable import GatewayKit

/// Logins by SCRAM: RFC 5802 in two requests, and no way to ask who has an account.
@Suite struct ScramLoginTests {
    struct Challenge: Sendable {
        let text: String
        let state: String
        var client: ScramClient
        let serverFirst: [UInt8]
    }

    private func begin(
        _ name: String, password: String, _ bench: AccountBench, by mechanism: ScramMechanism = .sha256,
        from remote: RemoteClient = .near
    ) async throws -> Challenge {
        let client = ScramClient(
            mechanism: mechanism, username: name, password: try OpaqueString(password))
        guard
            case .challenge(let message, let state) = try await bench.service.beginScram(
                mechanism: mechanism, message: client.first(), remote: remote)
        else { throw Rejection(.fault, "no challenge") }
        return Challenge(
            text: String(decoding: message, as: UTF8.self), state: state, client: client, serverFirst: message)
    }

    @Test(arguments: ScramMechanism.allCases)
    func thePasswordNeverTravelsAndBothSidesAreProved(mechanism: ScramMechanism) async throws {
        let bench = try await AccountBench()
        try await bench.person("alice")
        var challenge = try await begin("Alice", password: "password of alice", bench, by: mechanism)
        let final = try challenge.client.receive(serverFirst: challenge.serverFirst)
        guard
            case .success(let message, let signIn) = try await bench.service.finishScram(
                state: challenge.state, message: final, device: "phone")
        else { throw Rejection(.fault, "not let in") }
        try challenge.client.receive(serverFinal: message)
        #expect(signIn.account.address.handle.text == "alice")
        #expect(await bench.actor(signIn.token.reveal()).code == nil)
    }

    @Test func anUnknownNameHasAStableSaltAndFailsLikeAWrongPassword() async throws {
        let bench = try await AccountBench()
        try await bench.person("alice")
        for name in ["nobody", "alice"] {
            var first = try await begin(name, password: "wrong password", bench)
            let second = try await begin(name.uppercased(), password: "wrong password", bench)
            #expect(salt(first.text) == salt(second.text))
            let final = try first.client.receive(serverFirst: first.serverFirst)
            let state = first.state
            let refused = await outcome { () throws(Rejection) in
                try await bench.service.finishScram(state: state, message: final, device: "phone")
            }
            #expect(refused.failure == .wrongPassword)
        }
    }

    private func salt(_ serverFirst: String) -> Substring? {
        serverFirst.split(separator: ",").first { $0.hasPrefix("s=") }
    }

    /// The two look-ups of one step are the same for a name that exists and one that does not.
    @Test func bothKindsOfNameTakeTheSameLookUps() async throws {
        let bench = try await AccountBench()
        try await bench.person("alice")
        _ = bench.directory.takeCalls()
        _ = try await begin("alice", password: "x", bench)
        let known = bench.directory.takeCalls()
        _ = try await begin("nobody", password: "x", bench)
        #expect(bench.directory.takeCalls() == known)
    }

    @Test func aStateIsGoodOnceAndForAMinute() async throws {
        let bench = try await AccountBench()
        try await bench.person("alice")
        var challenge = try await begin("alice", password: "password of alice", bench)
        let final = try challenge.client.receive(serverFirst: challenge.serverFirst)
        let state = challenge.state
        let finish = { @Sendable () async -> Result<AccountService.ScramAnswer, Rejection> in
            await outcome { () throws(Rejection) in
                try await bench.service.finishScram(state: state, message: final, device: "phone")
            }
        }
        #expect(await finish().code == nil)
        #expect(await finish().code == .unauthenticated)

        var late = try await begin("alice", password: "password of alice", bench)
        let lateFinal = try late.client.receive(serverFirst: late.serverFirst)
        bench.advance(seconds: 60)
        let lateState = late.state
        let refused = await outcome { () throws(Rejection) in
            try await bench.service.finishScram(state: lateState, message: lateFinal, device: "phone")
        }
        #expect(refused.code == .unauthenticated)
    }

    @Test func anAccountThatIsDisabledInBetweenIsNotLetIn() async throws {
        let bench = try await AccountBench()
        let alice = try await bench.person("alice")
        var challenge = try await begin("alice", password: "password of alice", bench)
        let final = try challenge.client.receive(serverFirst: challenge.serverFirst)
        _ = try await bench.service.change(alice.account.id, disabled: true, administrator: nil, by: .operator)
        let state = challenge.state
        let refused = await outcome { () throws(Rejection) in
            try await bench.service.finishScram(state: state, message: final, device: "phone")
        }
        #expect(refused.code == .unauthenticated)
    }

    /// Whoever was asked for the old password does not get in by it after a reset, however far the login was.
    @Test func aPasswordThatIsResetInBetweenLetsNobodyIn() async throws {
        let bench = try await AccountBench()
        let alice = try await bench.person("alice")
        let service = bench.service
        var challenge = try await begin("alice", password: "password of alice", bench)
        let final = try challenge.client.receive(serverFirst: challenge.serverFirst)
        try await service.setPassword("a new password", of: alice.account.id, by: .operator)
        let state = challenge.state
        let refused = await outcome { () throws(Rejection) in
            try await service.finishScram(state: state, message: final, device: "phone")
        }
        #expect(refused.failure == .wrongPassword)
        #expect(try bench.store.devices(of: alice.account.id).isEmpty)
    }

    /// The same where the reset comes after the proof, and before the device is made.
    @Test func aProofIsWorthNothingAfterAReset() async throws {
        let bench = try await AccountBench()
        let alice = try await bench.person("alice")
        let service = bench.service
        let store = bench.store
        let other = PasswordPool()
        let verifiers = try await other.verifiers(
            for: try OpaqueString("a new password"), [.sha256], iterations: AccountBench.iterations)
        let reset: @Sendable () throws -> Void = {
            for mechanism in ScramMechanism.allCases {
                try store.setCredential(
                    verifiers[mechanism.scheme], scheme: mechanism.scheme, of: alice.account.id)
            }
        }
        let old = "password of alice"
        var challenge = try await begin("alice", password: old, bench)
        let final = try challenge.client.receive(serverFirst: challenge.serverFirst)
        let state = challenge.state
        let before = try ScramMechanism.allCases.map { mechanism in
            (mechanism.scheme, try store.credential(of: alice.account.id, scheme: mechanism.scheme))
        }
        let attempts: [@Sendable () async throws -> Void] = [
            { _ = try await service.finishScram(state: state, message: final, device: "phone") },
            { _ = try await service.login(handle: "alice", password: old, device: "phone", remote: .near) },
            {
                try await service.changePassword(
                    old: old, new: "the thief's password", revokesOthers: false, by: alice.actor, remote: .near)
            },
            { try await service.close(alice.actor, password: old, erase: false, remote: .near) },
        ]
        for attempt in attempts {
            for (scheme, verifier) in before {
                try store.setCredential(verifier, scheme: scheme, of: alice.account.id)
            }
            bench.directory.before("transaction", reset)
            await #expect {
                try await attempt()
            } throws: {
                ($0 as? Rejection) == .wrongPassword
            }
        }
        #expect(try store.devices(of: alice.account.id).map(\.id) == [alice.device.id])
        #expect(await bench.login("alice", password: "a new password").code == nil)
        try await other.shutdown()
    }

    /// Guesses by SCRAM and by password are one count.
    @Test func guessesAreCountedOverBothWays() async throws {
        let bench = try await AccountBench()
        try await bench.person("alice")
        for guess in 0..<5 {
            _ = await bench.login("alice", password: "guess", from: .at("203.0.\(guess).1"))
            _ = try await begin("alice", password: "guess", bench, from: .at("203.0.\(guess).1"))
        }
        let refused = await outcome { () throws(Rejection) in
            try await bench.service.beginScram(
                mechanism: .sha256, message: Array("n,,n=alice,r=abc".utf8), remote: .at("192.0.2.1"))
        }
        #expect(refused.code == .rateLimited)
    }

    @Test func hostileMessages() async throws {
        let bench = try await AccountBench()
        for text in ["", "n,,", "y", "p=x,,n=a,r=b", "n,a=admin,n=alice,r=x", "n,,n=alice,r=\u{0}"] {
            let refused = await outcome { () throws(Rejection) in
                try await bench.service.beginScram(mechanism: .sha256, message: Array(text.utf8), remote: .near)
            }
            #expect(refused.code == .unauthenticated)
        }
    }
}

extension Result where Failure == Rejection {
    var failure: Rejection? {
        if case .failure(let rejection) = self { rejection } else { nil }
    }
}

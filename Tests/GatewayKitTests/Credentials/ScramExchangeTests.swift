import Testing

@testable import GatewayKit

/// Whole exchanges, RFC 5802 and RFC 7677.
@Suite struct ScramExchangeTests {
    static let clientNonce = "rOprNGfwEbeRWgbNEkqO"
    static let serverNonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"

    struct Transcript: Sendable {
        let mechanism: ScramMechanism
        let stored: String
        let proof: String
        let serverSignature: String
    }

    /// SHA-256: RFC 7677 section 3. SHA-512: the same exchange, computed with Python's hashlib and hmac.
    static let transcripts = [
        Transcript(
            mechanism: .sha256, stored: PasswordVerifierTests.stored256,
            proof: "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
            serverSignature: "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="),
        Transcript(
            mechanism: .sha512, stored: PasswordVerifierTests.stored512,
            proof: "gMGXRcevScNtxZ6/8lQYpGtnsNAc3mGcmNomv+xnoOMw+3R2xNJdMNnzMlTN8PPC6wdp6dybEmDYXYTxwnYPJQ==",
            serverSignature: "ZQnYEgWQMFmmsM8aQMF0nDDCy/AgCzkwk8CmMZYcMg0vSVlKDanekLtifDSeVGT4+5ZxXnJq199RVG2rR7N7Zw=="),
    ]

    @Test(arguments: transcripts)
    func publishedExchange(transcript: Transcript) throws {
        let verifier = try #require(PasswordVerifier(serialised: transcript.stored))
        var server = ScramServer(mechanism: transcript.mechanism, nonce: Self.serverNonce)
        var client = ScramClient(
            mechanism: transcript.mechanism, username: "user", password: try OpaqueString("pencil"),
            nonce: Self.clientNonce)

        #expect(text(client.first()) == "n,,n=user,r=rOprNGfwEbeRWgbNEkqO")
        #expect(try server.receive(client.first()) == .lookUp(username: "user"))
        let serverFirst = try server.answer(verifier, isDecoy: false)
        let nonce = Self.clientNonce + Self.serverNonce
        #expect(text(serverFirst) == "r=\(nonce),s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")
        let clientFinal = try client.receive(serverFirst: serverFirst)
        #expect(text(clientFinal) == "c=biws,r=\(nonce),p=\(transcript.proof)")
        let serverFinal = Array("v=\(transcript.serverSignature)".utf8)
        #expect(try server.receive(clientFinal) == .authenticated(username: "user", serverFinal: serverFinal))
        try client.receive(serverFinal: serverFinal)
    }

    /// Computed with Python's hashlib and hmac.
    @Test func boundExchange() throws {
        let channel = Array(UInt8(0)..<32)
        let verifier = try #require(
            PasswordVerifier(
                password: OpaqueString("correct horse \u{e9}"), iterations: 10_000, salt: Array(UInt8(0)..<16)))
        var server = ScramServer(
            mechanism: .sha256, isPlus: true, bindings: [.tlsExporter: channel], nonce: "servernonce")
        #expect(
            try server.receive(Array("p=tls-exporter,,n=alice,r=clientnonce".utf8)) == .lookUp(username: "alice"))
        _ = try server.answer(verifier, isDecoy: false)
        let final =
            "c=cD10bHMtZXhwb3J0ZXIsLAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f,r=clientnonceservernonce,"
            + "p=oYMuMhRZ9JKEzw7/477BsLSvCD9h1iib+8P7Z/4f/nI="
        let answer = Array("v=aoko7+l+COM7UVlSBuqHPrHd/atfBPEkANbaL/QL/TI=".utf8)
        #expect(try server.receive(Array(final.utf8)) == .authenticated(username: "alice", serverFinal: answer))
    }

    // MARK: Our client against our server

    /// Plays one exchange; returns the server's outcome.
    private func play(
        _ server: inout ScramServer, _ client: inout ScramClient, _ verifier: PasswordVerifier, isDecoy: Bool = false,
        changing change: ([UInt8]) -> [UInt8] = { $0 }
    ) throws -> ScramServer.Step {
        _ = try server.receive(client.first())
        let serverFirst = try server.answer(verifier, isDecoy: isDecoy)
        let step = try server.receive(change(try client.receive(serverFirst: serverFirst)))
        if case .authenticated(_, let serverFinal) = step {
            try client.receive(serverFinal: serverFinal)
        }
        return step
    }

    private func verifier(_ mechanism: ScramMechanism = .sha256) throws -> PasswordVerifier {
        let stored = mechanism == .sha256 ? PasswordVerifierTests.stored256 : PasswordVerifierTests.stored512
        return try #require(PasswordVerifier(serialised: stored))
    }

    private func client(
        _ password: String = "pencil", name: String = "user", identity: String? = nil,
        binding: ScramClient.Binding = .unsupported, offer: ScramOffer? = nil
    ) throws -> ScramClient {
        ScramClient(
            mechanism: .sha256, username: name, password: try OpaqueString(password), authorisationIdentity: identity,
            binding: binding, offer: offer)
    }

    @Test(arguments: ScramChannelBinding.allCases)
    func everyBindingWorks(type: ScramChannelBinding) throws {
        let data: [UInt8] = [1, 2, 3]
        var server = ScramServer(
            mechanism: .sha256, isPlus: true, bindings: [.tlsExporter: data, .tlsServerEndPoint: data])
        var client = try client(binding: .bound(type, data: data))
        guard case .authenticated = try play(&server, &client, verifier()) else {
            Issue.record("not authenticated")
            return
        }
    }

    @Test func wrongPassword() throws {
        var server = ScramServer(mechanism: .sha256)
        var client = try client("pencils")
        #expect(throws: ScramFailure.invalidProof) { try play(&server, &client, verifier()) }
    }

    @Test func storedKeyAloneIsNoProof() throws {
        // Who has stolen the verifier still lacks ClientKey: the proof made from StoredKey is refused.
        let verifier = try verifier()
        var server = ScramServer(mechanism: .sha256, nonce: "s")
        _ = try server.receive(Array("n,,n=user,r=c".utf8))
        let serverFirst = try server.answer(verifier, isDecoy: false)
        let withoutProof = ScramClientFinal.withoutProof(binding: Array("n,,".utf8), nonce: "cs")
        let message = ScramExchange.authMessage(Array("n=user,r=c".utf8), serverFirst, withoutProof)
        let signature = ScramMechanism.sha256.authenticate(message, key: verifier.storedKey)
        let proof = try #require(ScramExchange.xor(verifier.storedKey, signature))
        let final = ScramClientFinal(binding: Array("n,,".utf8), nonce: "cs", proof: proof).encoded
        #expect(throws: ScramFailure.invalidProof) { try server.receive(final) }
    }

    @Test func everyBitOfTheProofCounts() throws {
        var server = ScramServer(mechanism: .sha256)
        var client = try client()
        _ = try server.receive(client.first())
        let right = try ScramClientFinal(
            parsing: client.receive(serverFirst: server.answer(verifier(), isDecoy: false)))
        for bit in 0..<256 {
            var attempt = server
            var proof = right.proof.reveal()
            proof[bit / 8] ^= 1 << (bit % 8)
            let wrong = ScramClientFinal(binding: right.binding, nonce: right.nonce, proof: SecretBytes(proof))
            #expect(throws: ScramFailure.invalidProof) { try attempt.receive(wrong.encoded) }
        }
        #expect(try server.receive(right.encoded) != .lookUp(username: "user"))
    }

    @Test(arguments: [0, 1, 31, 33, 64])
    func proofOfAnotherLength(length: Int) throws {
        var server = ScramServer(mechanism: .sha256)
        var client = try client()
        #expect(throws: ScramFailure.invalidProof) {
            try play(&server, &client, verifier()) { message in
                let final = try? ScramClientFinal(parsing: message)
                return ScramClientFinal(
                    binding: final?.binding ?? [], nonce: final?.nonce ?? "-",
                    proof: SecretBytes(repeatElement(0, count: length))
                ).encoded
            }
        }
    }

    @Test func changedNonceIsRefused() throws {
        var server = ScramServer(mechanism: .sha256)
        var client = try client()
        #expect(throws: ScramFailure.otherError) {
            try play(&server, &client, verifier()) { message in
                guard let final = try? ScramClientFinal(parsing: message) else { return [] }
                return ScramClientFinal(binding: final.binding, nonce: final.nonce + "x", proof: final.proof).encoded
            }
        }
    }

    // MARK: Unknown accounts

    @Test func unknownAndWrongPasswordLookAlike() throws {
        let decoys = try #require(DecoyVerifiers(secret: .random(count: 32), iterations: 4_096))
        var answers: [(first: [UInt8], failure: ScramFailure?)] = []
        for (verifier, isDecoy) in [(try verifier(), false), (decoys.verifier(for: "user"), true)] {
            var server = ScramServer(mechanism: .sha256, nonce: "server")
            var client = try client("wrong")
            _ = try server.receive(client.first())
            let first = try server.answer(verifier, isDecoy: isDecoy)
            let final = try client.receive(serverFirst: first)
            var failure: ScramFailure?
            do {
                _ = try server.receive(final)
            } catch {
                failure = error
            }
            answers.append((first, failure))
        }
        let known = try #require(answers.first)
        let unknown = try #require(answers.last)
        #expect(known.failure == .invalidProof)
        #expect(unknown.failure == .invalidProof)
        #expect(known.first.count == unknown.first.count)
        #expect(ScramServer.serverFinal(for: .invalidProof) == Array("e=invalid-proof".utf8))
    }

    @Test func aDecoyNeverSucceedsEvenWithTheRightProof() throws {
        var server = ScramServer(mechanism: .sha256)
        var client = try client()
        #expect(throws: ScramFailure.invalidProof) { try play(&server, &client, verifier(), isDecoy: true) }
    }

    // MARK: Channel binding, RFC 5802 section 6

    @Test func flagsAndNames() throws {
        let data: [ScramChannelBinding: [UInt8]] = [.tlsExporter: [1]]
        func failure(_ first: String, isPlus: Bool, _ bindings: [ScramChannelBinding: [UInt8]]) -> ScramFailure? {
            var server = ScramServer(mechanism: .sha256, isPlus: isPlus, bindings: bindings)
            do {
                _ = try server.receive(Array("\(first),,n=u,r=x".utf8))
                return nil
            } catch {
                return error
            }
        }
        #expect(failure("n", isPlus: false, [:]) == nil)
        #expect(failure("n", isPlus: false, data) == nil)
        #expect(failure("y", isPlus: false, [:]) == nil)
        #expect(failure("y", isPlus: false, data) == .serverDoesSupportChannelBinding)
        #expect(failure("n", isPlus: true, data) == .channelBindingsDoNotMatch)
        #expect(failure("y", isPlus: true, data) == .channelBindingsDoNotMatch)
        #expect(failure("p=tls-exporter", isPlus: true, data) == nil)
        #expect(failure("p=tls-exporter", isPlus: false, data) == .channelBindingNotSupported)
        #expect(failure("p=tls-exporter", isPlus: true, [:]) == .channelBindingNotSupported)
        #expect(failure("p=tls-server-end-point", isPlus: true, data) == .unsupportedChannelBindingType)
        #expect(failure("p=tls-unique", isPlus: true, data) == .unsupportedChannelBindingType)
    }

    @Test func aManInTheMiddleHasAnotherChannel() throws {
        var server = ScramServer(mechanism: .sha256, isPlus: true, bindings: [.tlsExporter: [1, 2, 3]])
        var client = try client(binding: .bound(.tlsExporter, data: [1, 2, 4]))
        #expect(throws: ScramFailure.channelBindingsDoNotMatch) { try play(&server, &client, verifier()) }
    }

    @Test func theHeaderIsRepeatedExactly() throws {
        for other in ["y,,", "n,a=user,", "", "n,", "n,,x"] {
            var server = ScramServer(mechanism: .sha256)
            var client = try client()
            #expect(throws: ScramFailure.channelBindingsDoNotMatch) {
                try play(&server, &client, verifier()) { message in
                    guard let final = try? ScramClientFinal(parsing: message) else { return [] }
                    return ScramClientFinal(binding: Array(other.utf8), nonce: final.nonce, proof: final.proof).encoded
                }
            }
        }
    }

    // MARK: Downgrade, XEP-0474

    private static let offered = ScramOffer(
        mechanisms: ["SCRAM-SHA-256-PLUS", "PLAIN", "SCRAM-SHA-256"],
        bindings: ["tls-server-end-point", "tls-exporter"])

    /// Computed with Python's hashlib.
    @Test func offerHash() {
        #expect(
            StrictBase64.encode(Self.offered.hash(.sha256)) == "OpwIlj6pDmUR+0q4Zqaqb5xWu6SDmduyUo4bUQEUWCQ=")
        #expect(
            StrictBase64.encode(ScramOffer(mechanisms: Self.offered.mechanisms, bindings: []).hash(.sha256))
                == "Z+P3PzJhSNM+xxd4jrDvbS/dhhA+2CVR2QOmUGbvAPk=")
    }

    @Test func anUntouchedOfferPasses() throws {
        var server = ScramServer(mechanism: .sha256, offer: Self.offered)
        var client = try client(offer: Self.offered)
        guard case .authenticated = try play(&server, &client, verifier()) else {
            Issue.record("not authenticated")
            return
        }
    }

    @Test func aStrippedOfferIsFoundOut() throws {
        var server = ScramServer(mechanism: .sha256, offer: Self.offered)
        var client = try client(offer: ScramOffer(mechanisms: ["PLAIN", "SCRAM-SHA-256"], bindings: []))
        #expect(throws: ScramClient.Failure.offerWasChanged) { try play(&server, &client, verifier()) }
    }

    @Test func strippingTheHashBreaksTheProof() throws {
        var server = ScramServer(mechanism: .sha256, offer: Self.offered)
        var client = try client(offer: ScramOffer(mechanisms: ["PLAIN", "SCRAM-SHA-256"], bindings: []))
        _ = try server.receive(client.first())
        let serverFirst = text(try server.answer(verifier(), isDecoy: false))
        let stripped = try #require(serverFirst.split(separator: ",h=").first)
        let final = try client.receive(serverFirst: Array(stripped.utf8))
        #expect(throws: ScramFailure.invalidProof) { try server.receive(final) }
    }

    // MARK: Identity and order

    @Test func anIdentityMustBeOnesOwn() throws {
        var server = ScramServer(mechanism: .sha256)
        var own = try client(identity: "user")
        #expect(try play(&server, &own, verifier()) != .lookUp(username: "user"))
        for identity in ["admin", "User", "user ", "use"] {
            var server = ScramServer(mechanism: .sha256)
            #expect(throws: ScramFailure.otherError) {
                try server.receive(Array("n,a=\(identity),n=user,r=x".utf8))
            }
        }
        var unicode = ScramServer(mechanism: .sha256)
        #expect(throws: ScramFailure.otherError, "canonically equal is not equal") {
            try unicode.receive(Array("n,a=\u{e9},n=e\u{301},r=x".utf8))
        }
    }

    @Test func stepsOutOfOrderEndTheExchange() throws {
        let verifier = try verifier()
        var early = ScramServer(mechanism: .sha256)
        #expect(throws: ScramFailure.otherError) { try early.answer(verifier, isDecoy: false) }
        #expect(throws: ScramFailure.otherError) { try early.receive(Array("n,,n=user,r=x".utf8)) }

        var twice = ScramServer(mechanism: .sha256)
        _ = try twice.receive(Array("n,,n=user,r=x".utf8))
        #expect(throws: ScramFailure.otherError) { try twice.receive(Array("n,,n=user,r=x".utf8)) }
        #expect(throws: ScramFailure.otherError) { try twice.answer(verifier, isDecoy: false) }

        var failed = ScramServer(mechanism: .sha256)
        var client = try client("wrong")
        _ = try failed.receive(client.first())
        let serverFirst = try failed.answer(verifier, isDecoy: false)
        let wrong = try client.receive(serverFirst: serverFirst)
        #expect(throws: ScramFailure.invalidProof) { try failed.receive(wrong) }
        #expect(throws: ScramFailure.otherError, "one guess for each exchange") { try failed.receive(wrong) }

        var other = ScramServer(mechanism: .sha512)
        _ = try other.receive(Array("n,,n=user,r=x".utf8))
        #expect(throws: ScramFailure.otherError, "a verifier of another mechanism") {
            try other.answer(verifier, isDecoy: false)
        }
    }

    @Test func noncesDiffer() {
        let nonces = Set((0..<1_000).map { _ in ScramServer.randomNonce() })
        #expect(nonces.count == 1_000)
        #expect(nonces.allSatisfy { $0.utf8.count == 24 && !$0.contains(",") })
    }

    // MARK: A hostile server

    @Test func theClientChecksTheServer() throws {
        func failure(serverFirst: String) throws -> ScramClient.Failure? {
            var client = ScramClient(
                mechanism: .sha256, username: "user", password: try OpaqueString("pencil"), nonce: "abc")
            do {
                _ = try client.receive(serverFirst: Array(serverFirst.utf8))
                return nil
            } catch {
                return error
            }
        }
        #expect(try failure(serverFirst: "r=abcdef,s=Zm9v,i=4096") == nil)
        #expect(try failure(serverFirst: "r=abc,s=Zm9v,i=4096") == .foreignNonce)
        #expect(try failure(serverFirst: "r=xyzabc,s=Zm9v,i=4096") == .foreignNonce)
        #expect(try failure(serverFirst: "r=abcdef,s=Zm9v,i=1") == .unacceptableIterations(1))
        #expect(try failure(serverFirst: "r=abcdef,s=Zm9v,i=999999999") == .unacceptableIterations(999_999_999))
        #expect(try failure(serverFirst: "e=other-error") == .malformed)
    }

    @Test func aServerWithoutTheVerifierIsNotProved() throws {
        var client = try client()
        let nonce = try ScramClientFirst(parsing: client.first()).nonce
        _ = try client.receive(serverFirst: Array("r=\(nonce)x,s=Zm9v,i=4096".utf8))
        let forged = ScramServerFinal.signature(SecretBytes(repeatElement(0, count: 32))).encoded
        var other = client
        #expect(throws: ScramClient.Failure.serverNotProved) { try client.receive(serverFinal: forged) }
        #expect(throws: ScramClient.Failure.malformed) { try client.receive(serverFinal: forged) }
        #expect(throws: ScramClient.Failure.refused("invalid-proof")) {
            try other.receive(serverFinal: ScramServer.serverFinal(for: .invalidProof))
        }
    }

    private func text(_ bytes: [UInt8]) -> String {
        String(decoding: bytes, as: UTF8.self)
    }
}

import Crypto
import NIOCore
import Synchronization
import Testing

@testable import GatewayKit

/// A host application that may say anything: header and claims are raw JSON.
private struct Issuer {
    let p256 = P256.Signing.PrivateKey()
    let ed25519 = Curve25519.Signing.PrivateKey()
    let secret = SecretBytes.random(count: 32)

    func keys(ids: Bool = true) throws -> HostKeySet {
        let point = p256.publicKey.rawRepresentation
        return try HostKeySet(keys: [
            try #require(HostTokenKey(secret: secret, id: "h")),
            try #require(HostTokenKey(p256X: Array(point.prefix(32)), y: Array(point.suffix(32)), id: "p")),
            try #require(HostTokenKey(ed25519: Array(ed25519.publicKey.rawRepresentation), id: "e")),
        ])
    }

    func token(_ header: String, _ claims: String, signedAs algorithm: HostTokenAlgorithm = .es256) throws -> String {
        let message = [header, claims].map { StrictBase64.encode($0.utf8, as: .url) }.joined(separator: ".")
        let bytes = Array(message.utf8)
        let signature: [UInt8] =
            switch algorithm {
            case .hs256: Array(HMAC<SHA256>.authenticationCode(for: bytes, using: SymmetricKey(data: secret.reveal())))
            case .es256: Array(try p256.signature(for: bytes).rawRepresentation)
            case .edDSA: Array(try ed25519.signature(for: bytes))
            }
        return "\(message).\(StrictBase64.encode(signature, as: .url))"
    }
}

@Suite struct HostTokenRulesTests {
    private let rules = HostTokenRules(realm: "app", audience: "chat")
    private let issuer = Issuer()
    private let now: Int64 = 1_700_000_000
    private let header = #"{"alg":"ES256","kid":"p"}"#

    private func claims(
        _ extra: String = "", exp: String = "1700003600", aud: String = #""chat""#, sub: String = "alice"
    )
        -> String
    {
        #"{"sub":"\#(sub)","aud":\#(aud),"exp":\#(exp)\#(extra)}"#
    }

    private func refusal(
        _ token: String, _ rules: HostTokenRules? = nil, keys: HostKeySet? = nil
    ) throws -> HostTokenRefusal? {
        do {
            _ = try (rules ?? self.rules).check(token, keys: keys ?? issuer.keys(), now: now)
            return nil
        } catch let error as HostTokenRefusal {
            return error
        }
    }

    private func refusal(header: String? = nil, claims: String, signedAs: HostTokenAlgorithm = .es256) throws
        -> HostTokenRefusal?
    {
        try refusal(issuer.token(header ?? self.header, claims, signedAs: signedAs))
    }

    // MARK: Made by others

    @Test(arguments: [HostTokenGoldens.hs256, HostTokenGoldens.es256, HostTokenGoldens.edDSA])
    func tokensOfAnotherProgram(token: String) throws {
        let file = try HostKeySet(parsing: Array(HostTokenGoldens.keySet.utf8), from: .file)
        let secret = try #require(HostTokenKey(secret: SecretBytes(HostTokenGoldens.secret), id: "hs-1"))
        let keys = try HostKeySet(keys: file.keys + [secret])
        let rules = HostTokenRules(realm: "app", audience: "chat", issuer: "https://host.example")
        let claims = try rules.check(token, keys: keys, now: HostTokenGoldens.now)
        #expect(claims.subject == HostSubject(realm: "app", subject: "alice"))
        #expect(claims.name == "Alice Ärger")
        #expect(claims.picture == "https://host.example/a.png")
        #expect(!claims.isGuest)
        #expect(claims.expires == 1_700_003_600)

        // Every letter of it counts.
        let letters = Array(token.utf8)
        for index in stride(from: 0, to: letters.count, by: 3) {
            var other = letters
            other[index] = letters[index] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            #expect(throws: HostTokenRefusal.self) {
                try rules.check(String(decoding: other, as: UTF8.self), keys: keys, now: HostTokenGoldens.now)
            }
        }
    }

    /// The signatures of the standards' examples are right, so that the check gets as far as their claims, which are no
    /// login's.
    @Test(arguments: [
        (HostTokenGoldens.rfc7515A1, HostTokenGoldens.rfc7515A1Key, HostTokenRefusal.missingAudience),
        (HostTokenGoldens.rfc7515A3, HostTokenGoldens.rfc7515A3Key, .missingAudience),
        (HostTokenGoldens.rfc8037A4, HostTokenGoldens.rfc8037A4Key, .malformed),
    ])
    func publishedExamples(token: String, key: String, refusal: HostTokenRefusal) throws {
        let keys = try HostKeySet(parsing: Array(key.utf8), from: .file)
        #expect(throws: refusal) { try rules.check(token, keys: keys, now: 1_300_819_000) }
        // A changed payload under the same signature.
        let parts = token.split(separator: ".")
        let changed = "\(parts[0]).\(parts[1].dropLast(4))AAAA.\(parts[2])"
        #expect(throws: HostTokenRefusal.badSignature) { try rules.check(changed, keys: keys, now: 1_300_819_000) }
    }

    // MARK: Algorithms

    @Test(arguments: [("h", HostTokenAlgorithm.hs256), ("p", .es256), ("e", .edDSA)])
    func eachAlgorithm(id: String, algorithm: HostTokenAlgorithm) throws {
        let header = #"{"alg":"\#(algorithm.rawValue)","kid":"\#(id)"}"#
        #expect(try refusal(header: header, claims: claims(), signedAs: algorithm) == nil)
    }

    @Test func theExactNameOfEd25519() throws {
        #expect(try refusal(header: #"{"alg":"Ed25519","kid":"e"}"#, claims: claims(), signedAs: .edDSA) == nil)
    }

    @Test(arguments: ["none", "None", "NONE", "nOnE"])
    func unsecuredTokens(name: String) throws {
        let header = #"{"alg":"\#(name)","kid":"p"}"#
        #expect(try refusal(header: header, claims: claims()) == .unsecured)
        let bare = try issuer.token(header, claims()).split(separator: ".").prefix(2).joined(separator: ".")
        #expect(try refusal(bare + ".") == .unsecured)
    }

    @Test(arguments: [
        "HS384", "HS512", "RS256", "PS256", "ES384", "ES256K", "es256", "hs256", "", " ES256", "EdDSA ", "Ed448",
    ])
    func otherAlgorithms(name: String) throws {
        #expect(try refusal(header: #"{"alg":"\#(name)","kid":"p"}"#, claims: claims()) == .unsupportedAlgorithm)
    }

    /// CVE-2015-9235: the public key, known to all, used as the secret of an HMAC.
    @Test func algorithmConfusion() throws {
        for material in [
            Array(issuer.p256.publicKey.pemRepresentation.utf8), Array(issuer.p256.publicKey.derRepresentation),
            Array(issuer.p256.publicKey.rawRepresentation),
        ] {
            let message = [#"{"alg":"HS256","kid":"p"}"#, claims()].map { StrictBase64.encode($0.utf8, as: .url) }
                .joined(separator: ".")
            let code = HMAC<SHA256>.authenticationCode(for: Array(message.utf8), using: SymmetricKey(data: material))
            #expect(try refusal("\(message).\(StrictBase64.encode(code, as: .url))") == .algorithmMismatch)
        }
        for (id, algorithm) in [("h", "ES256"), ("h", "EdDSA"), ("p", "EdDSA"), ("e", "ES256"), ("e", "HS256")] {
            let header = #"{"alg":"\#(algorithm)","kid":"\#(id)"}"#
            #expect(try refusal(header: header, claims: claims()) == .algorithmMismatch)
        }
    }

    @Test func keysInTheTokenAreNotUsed() throws {
        // The attacker signs with a key of their own and brings it along.
        let attacker = Issuer()
        let point = attacker.p256.publicKey.rawRepresentation
        let x = StrictBase64.encode(point.prefix(32), as: .url)
        let y = StrictBase64.encode(point.suffix(32), as: .url)
        let jwk = #"{"kty":"EC","crv":"P-256","x":"\#(x)","y":"\#(y)","kid":"p"}"#
        for extra in [
            #""jwk":\#(jwk)"#, #""jku":"https://evil.example/keys""#, #""x5u":"https://evil.example/""#,
            #""x5c":["AA=="]"#,
        ] {
            let token = try attacker.token(#"{"alg":"ES256","kid":"p",\#(extra)}"#, claims())
            #expect(try refusal(token) == .badSignature)
        }
    }

    @Test func unknownKeys() throws {
        for header in [
            #"{"alg":"ES256","kid":"q"}"#, #"{"alg":"ES256"}"#, #"{"alg":"ES256","kid":""}"#,
            #"{"alg":"ES256","kid":null}"#,
            #"{"alg":"ES256","kid":"../../dev/null"}"#, #"{"alg":"ES256","kid":"' or 1=1"}"#,
        ] {
            #expect(try refusal(header: header, claims: claims()) == .unknownKey)
        }
        #expect(try refusal(header: #"{"alg":"ES256","kid":7}"#, claims: claims()) == .malformed)
    }

    @Test func aLoneKeyNeedsNoName() throws {
        let der = Array(issuer.p256.publicKey.derRepresentation)
        let unnamed = try HostKeySet(keys: [try #require(HostTokenKey(subjectPublicKeyInfo: der))])
        let named = try HostKeySet(keys: [try #require(HostTokenKey(subjectPublicKeyInfo: der, id: "p"))])
        let without = try issuer.token(#"{"alg":"ES256"}"#, claims())
        let other = try issuer.token(#"{"alg":"ES256","kid":"other"}"#, claims())
        #expect(try refusal(without, keys: unnamed) == nil)
        #expect(try refusal(other, keys: unnamed) == nil)
        #expect(try refusal(without, keys: named) == nil)
        #expect(try refusal(other, keys: named) == .unknownKey)
    }

    @Test func criticalExtensionsAreRefused() throws {
        #expect(
            try refusal(header: #"{"alg":"ES256","kid":"p","crit":["b64"],"b64":false}"#, claims: claims())
                == .unsupportedExtension)
        #expect(try refusal(header: #"{"alg":"ES256","kid":"p","crit":[]}"#, claims: claims()) == .unsupportedExtension)
    }

    @Test func signatures() throws {
        let token = try issuer.token(header, claims())
        let message = token.split(separator: ".").prefix(2).joined(separator: ".")
        for length in [0, 1, 63, 65, 128] {
            let zeros = StrictBase64.encode(repeatElement(0, count: length), as: .url)
            #expect(try refusal("\(message).\(zeros)") == .badSignature)
        }
        // CVE-2022-21449: r and s of nought verify anything where nobody checks.
        #expect(
            try refusal("\(message).\(StrictBase64.encode(repeatElement(0, count: 64), as: .url))") == .badSignature)
        let der = try issuer.p256.signature(for: Array(message.utf8)).derRepresentation
        #expect(try refusal("\(message).\(StrictBase64.encode(der, as: .url))") == .badSignature)
    }

    // MARK: Claims

    @Test func expiry() throws {
        #expect(try refusal(claims: #"{"sub":"alice","aud":"chat"}"#) == .missingExpiry)
        #expect(try refusal(claims: claims(exp: "null")) == .missingExpiry)
        #expect(try refusal(claims: claims(exp: "1699999941")) == nil, "a minute of leeway")
        #expect(try refusal(claims: claims(exp: "1699999940")) == .expired)
        #expect(try refusal(claims: claims(exp: "0")) == .expired)
        #expect(try refusal(claims: claims(exp: "1700000000.5")) == nil)
        for odd in ["-1", "1e300", "99999999999999999999", #""1700003600""#, "true", "[]"] {
            #expect(try refusal(claims: claims(exp: odd)) == .malformed, "\(odd)")
        }
    }

    @Test func notBeforeAndIssuedAt() throws {
        #expect(try refusal(claims: claims(#","nbf":1700000060"#)) == nil)
        #expect(try refusal(claims: claims(#","nbf":1700000061"#)) == .notYetValid)
        #expect(try refusal(claims: claims(#","iat":1700000060"#)) == nil)
        #expect(try refusal(claims: claims(#","iat":1700000061"#)) == .issuedInFuture)
        #expect(try refusal(claims: claims(#","nbf":"x""#)) == .malformed)
        #expect(try refusal(claims: claims(#","iat":-1"#)) == .malformed)
    }

    @Test func audience() throws {
        #expect(try refusal(claims: #"{"sub":"alice","exp":1700003600}"#) == .missingAudience)
        #expect(try refusal(claims: claims(aud: "null")) == .missingAudience)
        #expect(try refusal(claims: claims(aud: "[]")) == .missingAudience)
        #expect(try refusal(claims: claims(aud: #"["shop","chat"]"#)) == nil)
        for wrong in [#""shop""#, #""Chat""#, #""chat ""#, #""""#, #"["shop"]"#, #"["chatter","cha"]"#] {
            #expect(try refusal(claims: claims(aud: wrong)) == .wrongAudience)
        }
        #expect(try refusal(claims: claims(aud: "7")) == .malformed)
        #expect(try refusal(claims: claims(aud: #"{"chat":1}"#)) == .malformed)
    }

    @Test func issuerWhereOneIsConfigured() throws {
        let strict = HostTokenRules(realm: "app", audience: "chat", issuer: "https://host.example")
        #expect(try refusal(issuer.token(header, claims()), strict) == .wrongIssuer)
        #expect(try refusal(issuer.token(header, claims(#","iss":"https://host.example/""#)), strict) == .wrongIssuer)
        #expect(try refusal(issuer.token(header, claims(#","iss":"https://host.example""#)), strict) == nil)
    }

    @Test func subject() throws {
        #expect(try refusal(claims: #"{"aud":"chat","exp":1700003600}"#) == .badSubject)
        #expect(try refusal(claims: claims(sub: "")) == .badSubject)
        #expect(try refusal(claims: claims(sub: #"a\u0000b"#)) == .badSubject)
        #expect(try refusal(claims: claims(sub: String(repeating: "x", count: 256))) == .badSubject)
        #expect(try refusal(claims: #"{"sub":7,"aud":"chat","exp":1700003600}"#) == .malformed)
    }

    @Test func theRestIsBounded() throws {
        let long = String(repeating: "x", count: 3_000)
        let token = try issuer.token(
            header, claims(#","name":"\#(long)","picture":"javascript:alert(1)","guest":true,"other":{"deep":[1]}"#))
        let found = try rules.check(token, keys: issuer.keys(), now: now)
        #expect(found.name == nil)
        #expect(found.picture == nil)
        #expect(found.isGuest)
        #expect(try refusal(claims: claims(#","guest":"yes""#)) == .malformed)
    }

    // MARK: Form

    @Test func malformedTokens() throws {
        let good = try issuer.token(header, claims())
        let parts = good.split(separator: ".").map(String.init)
        let list = { (text: String) in StrictBase64.encode(text.utf8, as: .url) }
        for bad in [
            "", ".", "..", "...", "a.b", parts[0], "\(parts[0]).\(parts[1])", good + ".", good + ".x", "." + good,
            good + "=",
            " " + good, good + "\n", "Bearer " + good, "\(list("[]")).\(parts[1]).\(parts[2])",
            "\(list("{}")).\(parts[1]).\(parts[2])",
            "\(list(#"{"alg":7}"#)).\(parts[1]).\(parts[2])", "\(parts[0])=.\(parts[1]).\(parts[2])",
            "\(list(#"{"alg":"ES256""#)).\(parts[1]).\(parts[2])",
            "\(StrictBase64.encode([0xFF, 0xFE], as: .url)).\(parts[1]).\(parts[2])",
            String(repeating: ".", count: 9_000),
            String(repeating: "a", count: 10_000_000),
        ] {
            #expect(try refusal(bad) == .malformed, "\(bad.prefix(40))")
        }
        for claims in ["", "[]", "7", "null", #"{"sub":"alice""#, "\u{0}", String(repeating: "[", count: 4_000)] {
            #expect(try refusal(issuer.token(header, claims)) == .malformed, "\(claims.prefix(40))")
        }
    }

    @Test func oneOutwardAnswer() {
        #expect(Set(HostTokenRefusal.allCases.map(\.outwardAnswer)).count == 1)
        #expect(HostTokenRefusal.allCases.count == 15)
    }
}

@Suite struct HostKeySetTests {
    private func malformation(_ document: String, from source: HostKeySet.Source = .file) -> HostKeySet.Malformation? {
        do {
            _ = try HostKeySet(parsing: Array(document.utf8), from: source)
            return nil
        } catch {
            return error
        }
    }

    @Test func aSetWithStrangers() throws {
        let keys = try HostKeySet(parsing: Array(HostTokenGoldens.keySet.utf8), from: .address).keys
        #expect(keys.map(\.id) == ["ec-1", "ed-1"])
        #expect(keys.map(\.algorithm) == [.es256, .edDSA])
    }

    @Test(arguments: [
        (HostTokenGoldens.p256PEM, HostTokenGoldens.es256), (HostTokenGoldens.ed25519PEM, HostTokenGoldens.edDSA),
    ])
    func pemFiles(pem: String, token: String) throws {
        let rules = HostTokenRules(realm: "app", audience: "chat")
        for text in [pem, pem.replacing("\n", with: "\r\n"), "\n\n" + pem] {
            let keys = try HostKeySet(parsing: Array(text.utf8), from: .file)
            #expect(try rules.check(token, keys: keys, now: HostTokenGoldens.now).expires == 1_700_003_600)
        }
    }

    @Test func whatIsNoKeyFile() {
        for text in [
            "", "hello", "{", "{}", "[]", #"{"keys":7}"#, "-----BEGIN PUBLIC KEY-----",
            "-----BEGIN PUBLIC KEY-----\n!!!!\n-----END PUBLIC KEY-----",
            "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----",
            #"{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}"#, #"{"kty":"EC","crv":"P-256"}"#,
            #"{"kty":"OKP","crv":"Ed25519","x":"AA"}"#,
            #"{"kty":"oct"}"#, #"{"kty":"oct","k":"not base64!"}"#,
        ] {
            #expect(malformation(text) == .unreadable, "\(text)")
        }
        let zero = StrictBase64.encode(repeatElement(0, count: 32), as: .url)
        #expect(
            malformation(#"{"kty":"EC","crv":"P-256","x":"\#(zero)","y":"\#(zero)"}"#) == .unreadable,
            "not on the curve")
        #expect(malformation(#"{"keys":[]}"#) == .noUsableKey)
        #expect(malformation(#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#) == .noUsableKey)
        #expect(malformation("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----") == .noUsableKey)
        #expect(malformation(String(repeating: " ", count: 65_537)) == .tooLong)
    }

    @Test func privateKeysDoNotBelongHere() {
        // secret-ok: it holds nothing
        #expect(malformation("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----") == .privateKey)
        let jwk = HostTokenGoldens.rfc8037A4Key.replacing("\"kty\"", with: "\"d\": \"AAAA\", \"kty\"")
        #expect(malformation(jwk) == .privateKey)
    }

    @Test func shortSecretsAreRefused() {
        for length in [0, 1, 16, 31] {
            let key = StrictBase64.encode(repeatElement(7, count: length), as: .url)
            #expect(malformation(#"{"kty":"oct","k":"\#(key)"}"#) == .weakSecret)
            #expect(HostTokenKey(secret: SecretBytes(repeatElement(7, count: length))) == nil)
        }
        let key = StrictBase64.encode(repeatElement(7, count: 32), as: .url)
        #expect(malformation(#"{"kty":"oct","k":"\#(key)"}"#) == nil)
        #expect(
            malformation(#"{"kty":"oct","k":"\#(key)"}"#, from: .address) == .noUsableKey, "published is not secret")
        #expect(malformation(#"{"kty":"oct","k":"\#(key)","alg":"ES256"}"#) == .noUsableKey)
        #expect(malformation(#"{"kty":"oct","k":"\#(key)","key_ops":["sign"]}"#) == .noUsableKey)
        #expect(malformation(#"{"kty":"oct","k":"\#(key)","key_ops":["sign","verify"]}"#) == nil)
    }

    @Test func choicesMustBeClear() throws {
        let first = try #require(HostTokenKey(secret: .random(count: 32), id: "a"))
        let same = try #require(HostTokenKey(secret: .random(count: 32), id: "a"))
        let unnamed = try #require(HostTokenKey(secret: .random(count: 32)))
        #expect(throws: HostKeySet.Malformation.ambiguous) { try HostKeySet(keys: [first, same]) }
        #expect(throws: HostKeySet.Malformation.ambiguous) { try HostKeySet(keys: [first, unnamed]) }
        #expect(throws: HostKeySet.Malformation.ambiguous) { try HostKeySet(keys: [unnamed, unnamed]) }
        #expect(throws: HostKeySet.Malformation.noUsableKey) { try HostKeySet(keys: []) }
        #expect(try HostKeySet(keys: [unnamed]).keys.count == 1)
    }
}

@Suite struct HostTokenVerifierTests {
    /// An address with keys, and a clock.
    private final class World: Sendable {
        struct State {
            var document: [UInt8]? = nil
            var fetches = 0
            /// Fetches don't end.
            var isSlow = false
            var uptime = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
            var reports: [HostTokenVerifier.Refresh] = []
        }

        let state = Mutex(State())

        func publish(_ document: String?) {
            state.withLock { $0.document = document.map { Array($0.utf8) } }
        }

        func advance(_ time: TimeAmount) {
            state.withLock { $0.uptime = $0.uptime + time }
        }

        var fetches: Int { state.withLock { $0.fetches } }
        var reports: Int { state.withLock { $0.reports.count } }

        func verifier(deadline: Duration = HostTokenVerifier.deadline) -> HostTokenVerifier {
            HostTokenVerifier(
                rules: HostTokenRules(realm: "app", audience: "chat"),
                clock: .init(seconds: { HostTokenGoldens.now }, uptime: { self.state.withLock { $0.uptime } }),
                deadline: deadline,
                report: { report in self.state.withLock { $0.reports.append(report) } },
                fetch: {
                    let document = self.state.withLock { state in
                        state.fetches += 1
                        return state.document
                    }
                    await Task.yield()
                    while self.state.withLock({ $0.isSlow }) { try await Task.sleep(for: .milliseconds(1)) }
                    guard let document else { throw Unreachable() }
                    return document
                })
        }
    }

    private struct Unreachable: Error {}

    private static let onlyEd = #"""
        {"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "ed-1", "x": "OjMEXaq39zwdNEBw5cBawAVY_7F3fzIKnrhWQgY2AgQ"},
                  {"kty": "OKP", "crv": "Ed25519", "kid": "ed-0", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}
        """#

    @Test func fixedKeys() async throws {
        let keys = try HostKeySet(parsing: Array(HostTokenGoldens.keySet.utf8), from: .file)
        let verifier = HostTokenVerifier(
            rules: HostTokenRules(realm: "app", audience: "chat"), keys: keys,
            clock: .init(seconds: { HostTokenGoldens.now }))
        #expect(try await verifier.verify(HostTokenGoldens.es256).name == "Alice Ärger")
        await #expect(throws: HostTokenRefusal.unknownKey) { try await verifier.verify(HostTokenGoldens.hs256) }
    }

    @Test func keysAreFetchedOnceAndKept() async throws {
        let world = World()
        world.publish(HostTokenGoldens.keySet)
        let verifier = world.verifier()
        for _ in 0..<10 {
            _ = try await verifier.verify(HostTokenGoldens.es256)
        }
        #expect(world.fetches == 1)
    }

    @Test func anUnknownKeyFetchesAgainOnceAMinute() async throws {
        let world = World()
        world.publish(Self.onlyEd)
        let verifier = world.verifier()
        _ = try await verifier.verify(HostTokenGoldens.edDSA)
        world.publish(HostTokenGoldens.keySet)
        for _ in 0..<100 {
            await #expect(throws: HostTokenRefusal.unknownKey) { try await verifier.verify(HostTokenGoldens.es256) }
        }
        #expect(world.fetches == 1, "too early")
        world.advance(.seconds(59))
        await #expect(throws: HostTokenRefusal.unknownKey) { try await verifier.verify(HostTokenGoldens.es256) }
        world.advance(.seconds(1))
        _ = try await verifier.verify(HostTokenGoldens.es256)
        #expect(world.fetches == 2)
    }

    @Test func whoComesDuringAFetchWaitsForIt() async throws {
        let world = World()
        world.publish(HostTokenGoldens.keySet)
        let verifier = world.verifier()
        try await withThrowingTaskGroup(of: HostClaims.self) { group in
            for _ in 0..<50 {
                group.addTask { try await verifier.verify(HostTokenGoldens.es256) }
            }
            for try await claims in group {
                #expect(claims.name == "Alice Ärger")
            }
        }
        #expect(world.fetches == 1)
    }

    @Test(arguments: [nil, "", "{", #"{"keys":[]}"#, #"{"keys":[{"kty":"oct","k":"AAAA"}]}"#])
    func aFailedFetchKeepsTheOldKeys(answer: String?) async throws {
        let world = World()
        world.publish(HostTokenGoldens.keySet)
        let verifier = world.verifier()
        _ = try await verifier.verify(HostTokenGoldens.es256)
        world.publish(answer)
        for count in 2...21 {
            world.advance(.minutes(11))
            _ = try await verifier.verify(HostTokenGoldens.es256)
            #expect(await eventually { world.reports == count })
        }
        #expect(world.fetches == 21)
        #expect(
            world.state.withLock { state in
                state.reports.first == .updated(keys: 2)
                    && state.reports.dropFirst().allSatisfy { report in
                        if case .failed = report { true } else { false }
                    }
            })
    }

    @Test func failuresAreNotRepeatedWithinAMinute() async throws {
        let world = World()
        let verifier = world.verifier()
        for _ in 0..<100 {
            await #expect(throws: HostTokenRefusal.unknownKey) { try await verifier.verify(HostTokenGoldens.es256) }
        }
        #expect(world.fetches == 1)
        world.publish(HostTokenGoldens.keySet)
        world.advance(.minutes(1))
        _ = try await verifier.verify(HostTokenGoldens.es256)
        #expect(world.fetches == 2)
    }

    @Test func withdrawnKeysEnd() async throws {
        let world = World()
        world.publish(HostTokenGoldens.keySet)
        let verifier = world.verifier()
        _ = try await verifier.verify(HostTokenGoldens.es256)
        world.publish(Self.onlyEd)
        _ = try await verifier.verify(HostTokenGoldens.es256)
        world.advance(.minutes(10))
        // Nobody waits for the fetch that this begins.
        _ = try await verifier.verify(HostTokenGoldens.es256)
        #expect(await eventually { world.reports == 2 })
        await #expect(throws: HostTokenRefusal.unknownKey) { try await verifier.verify(HostTokenGoldens.es256) }
        #expect(world.fetches == 2)
    }

    /// After a quiet time the first to come waits, or a key that was withdrawn long ago would open once more.
    @Test func keysOfLongAgoAreNotBelievedUnasked() async throws {
        let world = World()
        world.publish(HostTokenGoldens.keySet)
        let verifier = world.verifier()
        _ = try await verifier.verify(HostTokenGoldens.es256)
        world.publish(Self.onlyEd)
        world.advance(.minutes(20))
        await #expect(throws: HostTokenRefusal.unknownKey) { try await verifier.verify(HostTokenGoldens.es256) }
    }

    /// An address that takes its time: those whose keys are at hand come in meanwhile.
    @Test func nobodyWaitsForAFetchWithKeysAtHand() async throws {
        let world = World()
        world.publish(HostTokenGoldens.keySet)
        let verifier = world.verifier(deadline: .seconds(60))
        _ = try await verifier.verify(HostTokenGoldens.es256)
        world.state.withLock { $0.isSlow = true }
        world.advance(.minutes(10))
        for _ in 0..<10 { _ = try await verifier.verify(HostTokenGoldens.es256) }
        #expect(world.reports == 1)
        world.state.withLock { $0.isSlow = false }
        #expect(await eventually { world.reports == 2 })
    }

    /// An address that never comes to an end: the fetch is given up, and another one begins a minute later.
    @Test func aFetchHasADeadline() async throws {
        let world = World()
        world.publish(HostTokenGoldens.keySet)
        world.state.withLock { $0.isSlow = true }
        let verifier = world.verifier(deadline: .seconds(1))
        await #expect(throws: HostTokenRefusal.unknownKey) { try await verifier.verify(HostTokenGoldens.es256) }
        #expect(world.reports == 1)
        world.state.withLock { $0.isSlow = false }
        // A busy machine may miss the deadline again; then the next minute is another chance.
        var isKnown = false
        for _ in 0..<60 where !isKnown {
            world.advance(.minutes(1))
            isKnown = (try? await verifier.verify(HostTokenGoldens.es256)) != nil
        }
        #expect(isKnown && world.fetches >= 2)
    }

    @Test func otherRefusalsFetchNothing() async throws {
        let world = World()
        world.publish(HostTokenGoldens.keySet)
        let verifier = world.verifier()
        _ = try await verifier.verify(HostTokenGoldens.es256)
        world.advance(.minutes(5))
        await #expect(throws: HostTokenRefusal.badSignature) {
            try await verifier.verify(String(HostTokenGoldens.es256.dropLast(4)) + "AAAA")
        }
        await #expect(throws: HostTokenRefusal.malformed) { try await verifier.verify("x") }
        #expect(world.fetches == 1)
    }
}

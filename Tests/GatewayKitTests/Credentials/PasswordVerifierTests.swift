import Testing

@testable import GatewayKit

@Suite struct PasswordVerifierTests {
    /// What Python's hashlib and hmac give for RFC 7677's password and salt.
    static let stored256 =
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
        + "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
    static let stored512 =
        "SCRAM-SHA-512$4096:W22ZaJ0SNY7soEsUEjb6gQ==$6AAub3065EYRmyFpM2RNwqK+eGnrkYuEWbXn19LsEmBqzu8QaCXNc1FwpnX9NhH2hK"
        + "/60dzj9DoO5DvVkOHbvg==:jZHbYjC1aHh0/hKbxyBuGFjDrgjgKTT1esA7awWiKcRZ0o/0b1yWEebBeSVkkCFewf91nLDfKF24mvD5nmE6rA=="

    @Test(arguments: [(ScramMechanism.sha256, stored256), (.sha512, stored512)])
    func derivesWhatOthersDerive(mechanism: ScramMechanism, stored: String) throws {
        let salt = try #require(StrictBase64.decode("W22ZaJ0SNY7soEsUEjb6gQ=="))
        let verifier = try #require(
            PasswordVerifier(password: OpaqueString("pencil"), mechanism: mechanism, iterations: 4_096, salt: salt))
        #expect(verifier.serialised() == stored)
        #expect(PasswordVerifier(serialised: stored) == verifier)
        #expect(verifier.accepts(try OpaqueString("pencil")))
        #expect(!verifier.accepts(try OpaqueString("pencil ")))
        #expect(!verifier.accepts(try OpaqueString("Pencil")))
    }

    @Test func defaultsAreSound() throws {
        let verifier = try #require(PasswordVerifier(password: OpaqueString("pencil")))
        #expect(verifier.mechanism == .sha256)
        #expect(verifier.iterations == 100_000)
        #expect(verifier.salt.count == 16)
        let other = try #require(PasswordVerifier(password: OpaqueString("pencil")))
        #expect(verifier.salt != other.salt, "each verifier has its own salt")
        #expect(verifier.accepts(try OpaqueString("pencil")))
    }

    @Test func spellingsOfOnePasswordAgree() throws {
        let verifier = try #require(PasswordVerifier(password: OpaqueString("caf\u{e9} au lait"), iterations: 4_096))
        #expect(verifier.accepts(try OpaqueString("cafe\u{301}\u{a0}au lait")))
    }

    @Test func limitsHoldWhenMade() throws {
        let password = try OpaqueString("pencil")
        #expect(PasswordVerifier(password: password, iterations: 4_095) == nil)
        #expect(PasswordVerifier(password: password, iterations: 10_000_001) == nil)
        #expect(PasswordVerifier(password: password, iterations: -1) == nil)
        #expect(PasswordVerifier(password: password, iterations: 4_096, salt: []) == nil)
        #expect(PasswordVerifier(password: password, iterations: 4_096, salt: Array(repeating: 0, count: 65)) == nil)
    }

    @Test func badSerialisationsAreRefused() {
        let good = Self.stored256
        let keys = good.split(separator: "$").last.map(String.init) ?? ""
        let bad = [
            "", "$", "$$", "SCRAM-SHA-256", "SCRAM-SHA-256$$", good + "$", good + ":", good + " ", " " + good,
            good + "\n",
            good.replacing("SCRAM-SHA-256", with: "SCRAM-SHA-1"),
            good.replacing("SCRAM-SHA-256", with: "SCRAM-SHA-512"),
            good.replacing("SCRAM-SHA-256", with: "scram-sha-256"), good.replacing("4096", with: "4095"),
            good.replacing("4096", with: "04096"), good.replacing("4096", with: "+4096"),
            good.replacing("4096", with: "-1"),
            good.replacing("4096", with: "4096.0"), good.replacing("4096", with: ""),
            good.replacing("4096", with: "99999999"),
            good.replacing("4096", with: "99999999999999999999999"), good.replacing("4096:", with: "4096"),
            good.replacing("gQ==", with: "gQ"), good.replacing("gQ==", with: "gR=="),
            good.replacing("4qY=:", with: "4qY="),
            good.replacing(keys, with: "AA==:AA=="), good.replacing(keys, with: ":"),
            good.replacing("4qY=", with: "4qZ="),
            "SCRAM-SHA-256$4096:AA==$\(keys)", String(repeating: "$", count: 512),
            String(repeating: "A", count: 100_000),
        ]
        #expect(PasswordVerifier(serialised: good) != nil)
        for text in bad {
            #expect(PasswordVerifier(serialised: text) == nil, "\(text.prefix(80))")
        }
    }

    @Test func everyTruncationIsRefused() {
        for length in 0..<Self.stored256.utf8.count {
            #expect(PasswordVerifier(serialised: String(Self.stored256.prefix(length))) == nil)
        }
    }
}

@Suite struct DecoyVerifierTests {
    private let decoys = DecoyVerifiers(secret: SecretBytes(repeatElement(7, count: 32)), iterations: 4_096)

    @Test func aNameHasAlwaysTheSameDecoy() throws {
        let decoys = try #require(decoys)
        let again = try #require(
            DecoyVerifiers(secret: SecretBytes(repeatElement(7, count: 32)), iterations: 4_096))
        #expect(decoys.verifier(for: "mallory") == again.verifier(for: "mallory"))
    }

    @Test func namesMechanismsAndSecretsAreToldApart() throws {
        let decoys = try #require(decoys)
        let other = try #require(DecoyVerifiers(secret: SecretBytes(repeatElement(8, count: 32)), iterations: 4_096))
        let salts = [
            decoys.verifier(for: "mallory").salt, decoys.verifier(for: "malloy").salt,
            other.verifier(for: "mallory").salt,
            decoys.verifier(for: "mallory", mechanism: .sha512).salt,
        ]
        #expect(Set(salts).count == salts.count)
    }

    @Test(arguments: ScramMechanism.allCases)
    func aDecoyLooksLikeARealVerifier(mechanism: ScramMechanism) throws {
        let decoy = try #require(decoys).verifier(for: "mallory", mechanism: mechanism)
        let real = try #require(
            PasswordVerifier(password: OpaqueString("pencil"), mechanism: mechanism, iterations: 4_096))
        #expect(decoy.salt.count == real.salt.count)
        #expect(decoy.iterations == real.iterations)
        #expect(decoy.serialised().utf8.count == real.serialised().utf8.count)
        #expect(PasswordVerifier(serialised: decoy.serialised()) == decoy)
        #expect(!decoy.accepts(try OpaqueString("pencil")))
    }

    @Test func weakSecretsAreRefused() {
        #expect(DecoyVerifiers(secret: SecretBytes(repeatElement(7, count: 31))) == nil)
        #expect(DecoyVerifiers(secret: .random(count: 32), iterations: 1) == nil)
        #expect(DecoyVerifiers(secret: .random(count: 32)) != nil)
    }
}

/// What is stored instead of a password: the SCRAM authentication information of RFC 5802 section 3.
///
/// A stolen verifier does not log in (StoredKey is a hash of the key that a client must prove), but it lets the thief
/// try passwords offline and pose as this server to that account; so it is a secret too, and never printed.
///
/// The pure half: form, limits and text. Deriving and checking, which need cryptography, are extensions in
/// `PasswordVerifier+Crypto.swift`.
package struct PasswordVerifier: Sendable, Equatable {
    package let mechanism: ScramMechanism
    package let iterations: Int
    package let salt: [UInt8]
    package let storedKey: SecretBytes
    package let serverKey: SecretBytes

    /// Iterations for new verifiers.
    ///
    /// OWASP advises 600,000 for PBKDF2-SHA-256 where only the server computes. In SCRAM the *client* computes too, at
    /// each login, sometimes in an interpreter on a phone, and a client that takes ten seconds is a client that people
    /// replace by a password in plain text. 100,000 costs a phone well under a second in native code, and an attacker
    /// 24 times what RFC 7677's minimum of 4,096 costs. A deployment whose clients are known to be fast raises it in
    /// its configuration; old verifiers stay valid.
    package static let defaultIterations = 100_000

    /// What is accepted, also from an import: RFC 7677 section 4 sets the lower bound, our own time the upper one.
    package static let iterationRange = 4_096...10_000_000

    package static let saltLength = 16

    /// Bounds on a salt read from elsewhere, in bytes.
    package static let saltRange = 8...64

    /// Nil where a part is outside its limits.
    package init?(
        mechanism: ScramMechanism, iterations: Int, salt: [UInt8], storedKey: SecretBytes, serverKey: SecretBytes
    ) {
        guard Self.iterationRange.contains(iterations), Self.saltRange.contains(salt.count),
            storedKey.count == mechanism.hashLength, serverKey.count == mechanism.hashLength
        else { return nil }
        self.mechanism = mechanism
        self.iterations = iterations
        self.salt = salt
        self.storedKey = storedKey
        self.serverKey = serverKey
    }

    /// For ``DecoyVerifiers``, whose parts are within the limits by construction.
    init(
        decoySalt: [UInt8], mechanism: ScramMechanism, iterations: Int, storedKey: SecretBytes, serverKey: SecretBytes
    ) {
        self.mechanism = mechanism
        self.iterations = iterations
        salt = decoySalt
        self.storedKey = storedKey
        self.serverKey = serverKey
    }
}

extension PasswordVerifier {
    /// The stored form: `SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey`, as in RFC 5803 (and in PostgreSQL, so that
    /// verifiers can be carried over). A secret: for the store and the export only.
    package func serialised() -> String {
        let salt = StrictBase64.encode(salt)
        let stored = StrictBase64.encode(storedKey.reveal())
        let server = StrictBase64.encode(serverKey.reveal())
        return "\(mechanism.rawValue)$\(iterations):\(salt)$\(stored):\(server)"
    }

    /// Reads ``serialised()``. Nil for anything else: other schemes, wrong lengths, limits passed, a number with a sign or
    /// leading zeros.
    package init?(serialised text: String) {
        guard text.utf8.count <= 512 else { return nil }
        let parts = text.utf8.split(separator: UInt8(ascii: "$"), omittingEmptySubsequences: false)
        guard parts.count == 3, let scheme = parts.first, let keys = parts.last,
            let mechanism = ScramMechanism(rawValue: String(Substring(scheme))),
            let (count, salt) = Self.pair(parts[1]), let (stored, server) = Self.pair(keys),
            let iterations = PositiveDecimal.parse(count),
            let salt = StrictBase64.decode(salt),
            let storedKey = StrictBase64.decode(stored), let serverKey = StrictBase64.decode(server)
        else { return nil }
        self.init(
            mechanism: mechanism, iterations: iterations, salt: salt,
            storedKey: SecretBytes(storedKey), serverKey: SecretBytes(serverKey))
    }

    private static func pair(_ text: Substring.UTF8View) -> (Substring.UTF8View, Substring.UTF8View)? {
        let halves = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard halves.count == 2, let left = halves.first, let right = halves.last else { return nil }
        return (left, right)
    }
}

extension PasswordVerifier: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "\(mechanism.rawValue)[redacted]" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: [:]) }
}

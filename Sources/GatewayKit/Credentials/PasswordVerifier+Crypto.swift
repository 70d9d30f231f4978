import Crypto
import CryptoExtras

extension ScramMechanism {
    /// HMAC(key, message), RFC 5802 section 2.2.
    func authenticate(_ message: [UInt8], key: SecretBytes) -> SecretBytes {
        let key = SymmetricKey(data: key.reveal())
        return switch self {
        case .sha256: SecretBytes(HMAC<SHA256>.authenticationCode(for: message, using: key))
        case .sha512: SecretBytes(HMAC<SHA512>.authenticationCode(for: message, using: key))
        }
    }

    /// H(message).
    func hash(_ message: [UInt8]) -> [UInt8] {
        switch self {
        case .sha256: Array(SHA256.hash(data: message))
        case .sha512: Array(SHA512.hash(data: message))
        }
    }

    /// Hi(password, salt, i): PBKDF2, the slow step. Never on an event loop.
    ///
    /// Nil only where the library refuses its input, which no bounded password and salt make it do.
    func saltedPassword(_ password: OpaqueString, salt: [UInt8], iterations: Int) -> SecretBytes? {
        let hash: KDF.Insecure.PBKDF2.HashFunction =
            switch self {
            case .sha256: .sha256
            case .sha512: .sha512
            }
        let key = try? KDF.Insecure.PBKDF2.deriveKey(
            from: password.secret.reveal(), salt: salt, using: hash, outputByteCount: hashLength,
            // The checked variant's bound is meant for a server that computes alone; ours is `iterationRange`.
            // trap-ok: "unsafe" means few rounds here, not memory
            unsafeUncheckedRounds: iterations)
        // trap-ok: the buffer is read whole, by its own count
        return key?.withUnsafeBytes { SecretBytes($0) }
    }
}

extension PasswordVerifier {
    /// Derives what is stored for a password.
    ///
    /// Runs PBKDF2 synchronously, in the order of 100 ms at the default: **never on an event loop**, always on the bounded pool
    /// for password work.
    ///
    /// - Parameter salt: injected by tests; 16 fresh random bytes otherwise.
    /// - Returns: nil where iterations or salt are outside their limits.
    package init?(
        password: OpaqueString, mechanism: ScramMechanism = .sha256,
        iterations: Int = PasswordVerifier.defaultIterations,
        salt: [UInt8] = SecretBytes.random(count: PasswordVerifier.saltLength).reveal()
    ) {
        guard Self.iterationRange.contains(iterations), Self.saltRange.contains(salt.count),
            let salted = mechanism.saltedPassword(password, salt: salt, iterations: iterations)
        else { return nil }
        let keys = ScramKeys(salted: salted, mechanism: mechanism)
        self.init(
            mechanism: mechanism, iterations: iterations, salt: salt,
            storedKey: keys.storedKey, serverKey: keys.serverKey)
    }

    /// Whether this is the verifier's password: for SASL PLAIN and our own login, where the password itself arrives.
    ///
    /// Runs PBKDF2 synchronously: **never on an event loop**. The time depends on mechanism and iterations alone, so an
    /// unknown account is checked against ``DecoyVerifiers`` and costs the same.
    package func accepts(_ password: OpaqueString) -> Bool {
        guard let salted = mechanism.saltedPassword(password, salt: salt, iterations: iterations) else { return false }
        return ScramKeys(salted: salted, mechanism: mechanism).storedKey == storedKey
    }
}

/// The keys of RFC 5802 section 3 that follow from a salted password.
struct ScramKeys {
    let clientKey: SecretBytes
    let storedKey: SecretBytes
    let serverKey: SecretBytes

    init(salted: SecretBytes, mechanism: ScramMechanism) {
        clientKey = mechanism.authenticate(Array("Client Key".utf8), key: salted)
        storedKey = SecretBytes(mechanism.hash(clientKey.reveal()))
        serverKey = mechanism.authenticate(Array("Server Key".utf8), key: salted)
    }
}

/// Verifiers for accounts that do not exist, so that nobody can ask the server who does (RFC 5802 section 9).
///
/// The salt of a name is always the same, as a real one's is, because it is derived from the name under a secret of the
/// server; the keys are derived too and belong to no password. A door must use one wherever there is no account, or a
/// disabled one, and go on as usual.
///
/// Limit: accounts whose verifiers were made with another number of iterations than the present default are
/// recognisable as existing until their owner's next password change.
package struct DecoyVerifiers: Sendable {
    private let secret: SecretBytes
    private let iterations: Int

    /// - Parameters:
    ///   - secret: at least 32 bytes, made once per deployment and kept with the store: on a new one all decoys change,
    ///     and a real account is the one that did not.
    ///   - iterations: those of the deployment's new verifiers.
    /// - Returns: nil where a limit is passed.
    package init?(secret: SecretBytes, iterations: Int = PasswordVerifier.defaultIterations) {
        guard secret.count >= 32, PasswordVerifier.iterationRange.contains(iterations) else { return nil }
        self.secret = secret
        self.iterations = iterations
    }

    /// The verifier of a name that has none.
    ///
    /// - Parameter name: folded by the caller as for the look-up, so that all spellings of one name give one salt.
    package func verifier(for name: String, mechanism: ScramMechanism = .sha256) -> PasswordVerifier {
        PasswordVerifier(
            decoySalt: Array(derive("salt", name, mechanism).reveal().prefix(PasswordVerifier.saltLength)),
            mechanism: mechanism, iterations: iterations,
            storedKey: derive("stored key", name, mechanism), serverKey: derive("server key", name, mechanism))
    }

    private func derive(_ purpose: String, _ name: String, _ mechanism: ScramMechanism) -> SecretBytes {
        mechanism.authenticate(Array("\(mechanism.rawValue)\0\(purpose)\0\(name)".utf8), key: secret)
    }
}

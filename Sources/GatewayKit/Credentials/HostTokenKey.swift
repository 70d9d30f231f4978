import Crypto

/// The signature algorithms of host tokens that we accept: one per kind of key, and nothing that needs a choice.
package enum HostTokenAlgorithm: String, Sendable, CaseIterable {
    case hs256 = "HS256"
    case es256 = "ES256"
    case edDSA = "EdDSA"

    /// From a token's or a key's `alg`. `Ed25519` is RFC 9864's exact name of what RFC 8037 calls `EdDSA`.
    init?(name: String) {
        if name == "Ed25519" {
            self = .edDSA
        } else if let known = HostTokenAlgorithm(rawValue: name) {
            self = known
        } else {
            return nil
        }
    }
}

/// One key with which a host application signs, and the one algorithm that it is used with (RFC 8725 section 3.1).
package struct HostTokenKey: Sendable {
    private enum Material: Sendable {
        case secret(SecretBytes)
        case p256(P256.Signing.PublicKey)
        case ed25519(Curve25519.Signing.PublicKey)
    }

    /// The key's id (`kid`), where it has one.
    package let id: String?
    package let algorithm: HostTokenAlgorithm
    private let material: Material

    /// RFC 7518 section 3.2: at least as long as the hash.
    package static let minimumSecretLength = 32

    /// A shared secret for HS256; nil when it is shorter than ``minimumSecretLength`` bytes.
    package init?(secret: SecretBytes, id: String? = nil) {
        guard secret.count >= Self.minimumSecretLength else { return nil }
        self.id = id
        algorithm = .hs256
        material = .secret(secret)
    }

    /// A point on P-256, uncompressed coordinates of 32 bytes each; nil when it is not on the curve.
    package init?(p256X x: [UInt8], y: [UInt8], id: String? = nil) {
        guard x.count == 32, y.count == 32, let key = try? P256.Signing.PublicKey(rawRepresentation: x + y) else {
            return nil
        }
        self.id = id
        algorithm = .es256
        material = .p256(key)
    }

    /// An Ed25519 public key of 32 bytes.
    package init?(ed25519 bytes: [UInt8], id: String? = nil) {
        guard bytes.count == 32, let key = try? Curve25519.Signing.PublicKey(rawRepresentation: bytes) else {
            return nil
        }
        self.id = id
        algorithm = .edDSA
        material = .ed25519(key)
    }

    /// SubjectPublicKeyInfo in DER (RFC 5480, RFC 8410): P-256 or Ed25519.
    package init?(subjectPublicKeyInfo der: [UInt8], id: String? = nil) {
        let ed25519Prefix: [UInt8] = [0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00]
        if der.starts(with: ed25519Prefix) {
            self.init(ed25519: Array(der.dropFirst(ed25519Prefix.count)), id: id)
        } else if let key = try? P256.Signing.PublicKey(derRepresentation: der) {
            self.init(id: id, algorithm: .es256, material: .p256(key))
        } else {
            return nil
        }
    }

    private init(id: String?, algorithm: HostTokenAlgorithm, material: Material) {
        self.id = id
        self.algorithm = algorithm
        self.material = material
    }

    /// Whether `signature` is this key's over `message`, by this key's algorithm.
    func isValid(_ signature: [UInt8], for message: [UInt8]) -> Bool {
        switch material {
        case .secret(let secret):
            return HMAC<SHA256>.isValidAuthenticationCode(
                signature, authenticating: message, using: SymmetricKey(data: secret.reveal()))
        case .p256(let key):
            guard let parsed = try? P256.Signing.ECDSASignature(rawRepresentation: signature) else { return false }
            return key.isValidSignature(parsed, for: message)
        case .ed25519(let key):
            return key.isValidSignature(signature, for: message)
        }
    }
}

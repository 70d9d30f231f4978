import Crypto

/// What a bearer token is good for. A token of one kind is worthless wherever another is asked for: its hash differs.
package enum TokenKind: String, Sendable, CaseIterable {
    case device = "sbd"
    case bot = "sbb"
    case invite = "sbi"
    case reset = "sbr"
    /// The one-time link of the first administrator.
    case firstAdmin = "sba"
    /// The address of an incoming webhook.
    case webhook = "sbw"
}

/// A bearer token: 256 random bits that are shown once and stored only as their hash.
///
/// Text form, 53 letters: kind, `_`, the bits in base64url (43 letters), and the CRC-32 of all before it in base64url
/// (6 letters): `sbd_…`. The checksum is no protection; it tells a typing error from a revoked token without
/// asking the server, and lets a secret scanner match without false alarms:
/// `sb[abdirw]_[A-Za-z0-9_-]{49}`.
package struct TokenSecret: Sendable, Equatable {
    package let kind: TokenKind
    private let secret: SecretBytes

    package static let byteCount = 32
    package static let textLength = 4 + 43 + 6

    /// Why a text is no token. None of this depends on what the server knows, so it may be told.
    package enum Malformation: Error, Equatable, Sendable {
        /// Not one of ours: wrong length, prefix or alphabet.
        case notAToken
        /// One of ours, mistyped or cut.
        case checksum
    }

    /// A new token from the system's cryptographic generator.
    package static func generate(_ kind: TokenKind) -> TokenSecret {
        TokenSecret(kind: kind, secret: .random(count: byteCount))
    }

    private init(kind: TokenKind, secret: SecretBytes) {
        self.kind = kind
        self.secret = secret
    }

    /// For tests with known bits; nil for another length than ``byteCount``.
    init?(kind: TokenKind, bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        self.init(kind: kind, secret: SecretBytes(bytes))
    }

    package init(parsing text: String) throws(Malformation) {
        let letters = Array(text.utf8.prefix(Self.textLength + 1))
        guard letters.count == Self.textLength, letters.dropFirst(3).first == UInt8(ascii: "_"),
            let kind = TokenKind(rawValue: String(decoding: letters.prefix(3), as: UTF8.self))
        else { throw .notAToken }
        let body = letters.dropLast(6)
        guard let checksum = StrictBase64.decode(letters.suffix(6), as: .url),
            let bytes = StrictBase64.decode(body.dropFirst(4), as: .url)
        else { throw letters.allSatisfy(Self.isLetter) ? .checksum : .notAToken }
        guard checksum == Self.checksum(body) else { throw .checksum }
        self.init(kind: kind, secret: SecretBytes(bytes))
    }

    /// The text that its owner is given, once. Never logged, never in a query string: one-time links carry it in the
    /// fragment.
    package func reveal() -> String {
        let body = "\(kind.rawValue)_\(StrictBase64.encode(secret.reveal(), as: .url))"
        return body + StrictBase64.encode(Self.checksum(body.utf8), as: .url)
    }

    /// What is stored.
    package var hash: TokenHash {
        // A slow hash would add nothing: there are 2^256 tokens to try.
        TokenHash(digest: SHA256.hash(data: Array("switchboard token \(kind.rawValue)\0".utf8) + secret.reveal()))
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// CRC-32 as in IEEE 802.3, big-endian: finds every error in up to 32 adjacent bits, which a short hash does not.
    private static func checksum(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        var remainder: UInt32 = .max
        for byte in bytes {
            remainder ^= UInt32(byte)
            for _ in 0..<8 {
                remainder = remainder & 1 == 1 ? remainder >> 1 ^ 0xEDB8_8320 : remainder >> 1
            }
        }
        return stride(from: 24, through: 0, by: -8).map { UInt8(truncatingIfNeeded: ~remainder >> UInt32($0)) }
    }
}

extension TokenSecret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "\(kind.rawValue)_[redacted]" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// SHA-256 of a token and its kind: the key under which the directory keeps it.
///
/// Not a secret: it cannot be turned back into a token. Finding it by an index leaks nothing through timing either,
/// because who does not have the token cannot choose the hash.
package struct TokenHash: Sendable, Hashable {
    package let bytes: [UInt8]

    fileprivate init(digest: SHA256.Digest) {
        bytes = Array(digest)
    }

    /// From the store; nil for another length than 32 bytes.
    package init?(bytes: [UInt8]) {
        guard bytes.count == SHA256.byteCount else { return nil }
        self.bytes = bytes
    }

    /// Whether `token` is the one that was hashed, in constant time.
    package func matches(_ token: TokenSecret) -> Bool {
        ConstantTime.equal(bytes, token.hash.bytes)
    }
}

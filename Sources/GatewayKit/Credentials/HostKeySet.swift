import FoundationEssentials

/// The keys of one host application.
package struct HostKeySet: Sendable {
    package let keys: [HostTokenKey]

    /// Where a document comes from, which decides what may be in it.
    package enum Source: Sendable {
        /// A file of the operator: may hold a shared secret.
        case file
        /// A public address: a secret found there is no secret, and is not used.
        case address
    }

    /// Why a document gives no keys. For the operator, at start or in the log.
    package enum Malformation: Error, Equatable, Sendable {
        case tooLong
        /// Neither JSON (JWK, JWKS) nor PEM.
        case unreadable
        /// A private key where a public one belongs.
        case privateKey
        /// A shared secret under 32 bytes.
        case weakSecret
        /// Two keys with one id and algorithm, or several without id.
        case ambiguous
        /// Keys, but none for HS256, ES256 or EdDSA.
        case noUsableKey
    }

    /// In bytes, and in keys.
    package static let maximumLength = 65_536
    package static let maximumCount = 64

    package init(keys: [HostTokenKey]) throws(Malformation) {
        guard !keys.isEmpty else { throw .noUsableKey }
        guard keys.count <= Self.maximumCount else { throw .tooLong }
        // A token says which key it wants; where it cannot, there must be nothing to choose.
        guard keys.count == 1 || keys.allSatisfy({ $0.id != nil }),
            Set(keys.map { "\($0.algorithm.rawValue) \($0.id ?? "")" }).count == keys.count
        else { throw .ambiguous }
        self.keys = keys
    }

    /// Reads a JWK (RFC 7517), a JWKS, or one or more PEM public keys.
    ///
    /// Keys for other purposes or algorithms (RSA, encryption) are passed over, because applications publish one set for
    /// all; malformed ones of ours make the whole document malformed.
    package init(parsing document: [UInt8], from source: Source) throws(Malformation) {
        guard document.count <= Self.maximumLength else { throw .tooLong }
        let start = document.drop { $0 == 0x20 || (0x09...0x0D).contains($0) }
        if start.first == UInt8(ascii: "{") {
            try self.init(keys: Self.jsonKeys(document, source))
        } else if start.starts(with: "-----BEGIN ".utf8) {
            try self.init(keys: Self.pemKeys(document))
        } else {
            throw .unreadable
        }
    }

    /// The key for a token, by the rule of RFC 7515 section 4.1.4: the one that it names. A lone key without id serves
    /// every token, a lone key with an id also those that name none.
    func key(for id: String?, algorithm: HostTokenAlgorithm) throws(HostTokenRefusal) -> HostTokenKey {
        let named = keys.filter { key in
            guard let id else { return keys.count == 1 }
            return key.id == id || key.id == nil
        }
        guard !named.isEmpty else { throw .unknownKey }
        guard let key = named.first(where: { $0.algorithm == algorithm }) else { throw .algorithmMismatch }
        return key
    }

    // MARK: Documents

    private struct JWK: Decodable {
        let kty: String
        let kid: String?
        let alg: String?
        let use: String?
        let key_ops: [String]?
        let crv: String?
        let k: String?
        let x: String?
        let y: String?
        let d: String?
    }

    /// A set whose strange members do not spoil the rest.
    private struct JWKS: Decodable {
        struct Member: Decodable {
            let key: JWK?

            init(from decoder: any Decoder) throws {
                key = try? JWK(from: decoder)
            }
        }

        let keys: [Member]
    }

    private static func jsonKeys(_ document: [UInt8], _ source: Source) throws(Malformation) -> [HostTokenKey] {
        let decoder = JSONDecoder()
        let data = Data(document)
        let found: [JWK]
        if let set = try? decoder.decode(JWKS.self, from: data) {
            found = set.keys.compactMap(\.key)
        } else if let single = try? decoder.decode(JWK.self, from: data) {
            found = [single]
        } else {
            throw .unreadable
        }
        guard found.count <= maximumCount else { throw .tooLong }
        var keys: [HostTokenKey] = []
        for jwk in found {
            if let key = try key(from: jwk, source) { keys.append(key) }
        }
        return keys
    }

    /// Nil for a key that is not for us.
    private static func key(from jwk: JWK, _ source: Source) throws(Malformation) -> HostTokenKey? {
        guard jwk.use == nil || jwk.use == "sig", jwk.key_ops?.contains("verify") ?? true else { return nil }
        let algorithm: HostTokenAlgorithm
        switch (jwk.kty, jwk.crv) {
        case ("oct", nil): algorithm = .hs256
        case ("EC", "P-256"): algorithm = .es256
        case ("OKP", "Ed25519"): algorithm = .edDSA
        default: return nil
        }
        if let name = jwk.alg, HostTokenAlgorithm(name: name) != algorithm { return nil }

        func bytes(_ text: String?) -> [UInt8]? {
            text.flatMap { StrictBase64.decode($0, as: .url) }
        }
        if algorithm == .hs256 {
            guard source == .file else { return nil }
            guard let secret = bytes(jwk.k) else { throw .unreadable }
            guard let key = HostTokenKey(secret: SecretBytes(secret), id: jwk.kid) else { throw .weakSecret }
            return key
        }
        guard jwk.d == nil else { throw .privateKey }
        guard let x = bytes(jwk.x) else { throw .unreadable }
        let key =
            if algorithm == .es256 {
                HostTokenKey(p256X: x, y: bytes(jwk.y) ?? [], id: jwk.kid)
            } else {
                HostTokenKey(ed25519: x, id: jwk.kid)
            }
        guard let key else { throw .unreadable }
        return key
    }

    private static func pemKeys(_ document: [UInt8]) throws(Malformation) -> [HostTokenKey] {
        guard let text = String(validating: document, as: UTF8.self) else { throw .unreadable }
        var keys: [HostTokenKey] = []
        var body: [UInt8]?
        for line in text.split(whereSeparator: \.isNewline) {
            if line.hasPrefix("-----BEGIN ") {
                guard !line.contains("PRIVATE KEY") else { throw .privateKey }
                guard line.hasPrefix("-----BEGIN PUBLIC KEY-----"), body == nil else { throw .unreadable }
                body = []
            } else if line.hasPrefix("-----END PUBLIC KEY-----") {
                guard let letters = body, let der = StrictBase64.decode(letters) else { throw .unreadable }
                body = nil
                if let key = HostTokenKey(subjectPublicKeyInfo: der) { keys.append(key) }
            } else if body != nil {
                body?.append(contentsOf: line.utf8.filter { $0 != 0x20 && $0 != 0x09 })
            }
        }
        guard body == nil else { throw .unreadable }
        return keys
    }
}

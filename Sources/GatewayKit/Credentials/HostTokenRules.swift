import FoundationEssentials

/// What a host application says of the person who carries its token.
package struct HostClaims: Sendable, Equatable {
    package let subject: HostSubject
    /// `name`: the display name, as given; the hub's own rules for display names still apply. At most 512 bytes.
    package let name: String?
    /// `picture`: an https address of at most 2,048 bytes; anything else is left out. Fetching it passes the
    /// ``OutboundPolicy`` like all that goes out.
    package let picture: String?
    /// `guest`: make an expiring account.
    package let isGuest: Bool
    /// `exp`, seconds since 1970: no session that this token opened without a device token may outlive it.
    package let expires: Int64
    /// `iat`, seconds since 1970, where the token says it: one that was issued before its device was revoked is over.
    package let issued: Int64?
}

/// Why a host token was refused: one reason for each way, for the operator's log and the tests.
///
/// Outwardly they are one: whoever forges tokens learns nothing from ``outwardAnswer``.
package enum HostTokenRefusal: Error, Equatable, Sendable, CaseIterable {
    /// Not three parts of base64url with JSON objects in the first two, over 8 KiB, or claims of the wrong type.
    case malformed
    /// `alg: none`, in any spelling.
    case unsecured
    /// An algorithm that we use with no key.
    case unsupportedAlgorithm
    /// A header parameter that must be understood and is not (`crit`, RFC 7515 section 4.1.11).
    case unsupportedExtension
    case unknownKey
    /// The key is for another algorithm than the token claims: the alg confusion of CVE-2015-9235.
    case algorithmMismatch
    case badSignature
    case missingExpiry
    case expired
    case notYetValid
    case issuedInFuture
    case missingAudience
    case wrongAudience
    case wrongIssuer
    /// No `sub`, or one that no account can be made for: see ``HostSubject``.
    case badSubject

    /// The same for every reason.
    package var outwardAnswer: String { "The token was not accepted." }
}

/// The rules by which a host application's token (a JWT, RFC 7519, signed as a JWS, RFC 7515) is believed. Pure: keys and
/// time are arguments.
///
/// The JWS is read here and not by a general library, because what a general library offers is the danger: keys taken
/// from the token's own header (`jwk`, `jku`, `x5c`), algorithms chosen by it, a default key where its `kid` is unknown,
/// lenient base64. Here the header chooses a key by name, and the key alone decides the algorithm.
package struct HostTokenRules: Sendable {
    package let realm: String
    package let audience: String
    package let issuer: String?

    /// How far clocks may differ, in seconds.
    package static let leeway: Int64 = 60
    package static let maximumLength = 8_192

    /// - Parameters:
    ///   - realm: the application's name in our configuration; part of each account's identity, see ``HostSubject``.
    ///   - audience: must be the token's `aud`, or among them.
    ///   - issuer: when given, must be the token's `iss`.
    package init(realm: String, audience: String, issuer: String? = nil) {
        self.realm = realm
        self.audience = audience
        self.issuer = issuer
    }

    /// - Parameter now: seconds since 1970.
    package func check(_ token: String, keys: HostKeySet, now: Int64) throws(HostTokenRefusal) -> HostClaims {
        guard token.utf8.count <= Self.maximumLength else { throw .malformed }
        let parts = token.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3,
            let header = parts.first.flatMap({ Self.decode($0, as: Header.self) }),
            let signature = parts.last.flatMap({ StrictBase64.decode($0, as: .url) })
        else { throw .malformed }

        guard header.alg.lowercased() != "none" else { throw .unsecured }
        guard let algorithm = HostTokenAlgorithm(name: header.alg) else { throw .unsupportedAlgorithm }
        guard !header.hasCritical else { throw .unsupportedExtension }
        let key = try keys.key(for: header.kid, algorithm: algorithm)
        let signed = Array(token.utf8.dropLast((parts.last?.count ?? 0) + 1))
        guard key.isValid(signature, for: signed) else { throw .badSignature }

        guard let claims = Self.decode(parts[1], as: Claims.self) else { throw .malformed }
        let expires = try checkTimes(claims, now)
        try checkParties(claims)
        guard let subject = claims.sub.flatMap({ HostSubject(realm: realm, subject: $0) }) else { throw .badSubject }
        return HostClaims(
            subject: subject,
            name: claims.name.flatMap { $0.utf8.count <= 512 && !$0.isEmpty ? $0 : nil },
            picture: claims.picture.flatMap { $0.utf8.count <= 2_048 && $0.hasPrefix("https://") ? $0 : nil },
            isGuest: claims.guest ?? false, expires: expires, issued: claims.iat.flatMap(Self.seconds))
    }

    private func checkTimes(_ claims: Claims, _ now: Int64) throws(HostTokenRefusal) -> Int64 {
        guard let exp = claims.exp else { throw .missingExpiry }
        guard let expires = Self.seconds(exp) else { throw .malformed }
        // RFC 7519 section 4.1.4: expired *on or after* that second.
        guard now < Self.shifted(expires, by: Self.leeway) else { throw .expired }
        if let nbf = claims.nbf {
            guard let notBefore = Self.seconds(nbf) else { throw .malformed }
            guard Self.shifted(now, by: Self.leeway) >= notBefore else { throw .notYetValid }
        }
        if let iat = claims.iat {
            guard let issued = Self.seconds(iat) else { throw .malformed }
            guard Self.shifted(now, by: Self.leeway) >= issued else { throw .issuedInFuture }
        }
        return expires
    }

    private func checkParties(_ claims: Claims) throws(HostTokenRefusal) {
        guard let audiences = claims.aud?.values, !audiences.isEmpty else { throw .missingAudience }
        guard audiences.contains(where: { $0.utf8.elementsEqual(audience.utf8) }) else { throw .wrongAudience }
        if let issuer {
            guard let iss = claims.iss, iss.utf8.elementsEqual(issuer.utf8) else { throw .wrongIssuer }
        }
    }

    // MARK: Reading

    private struct Header: Decodable {
        let alg: String
        let kid: String?
        let hasCritical: Bool

        private enum CodingKeys: String, CodingKey { case alg, kid, crit }

        init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: CodingKeys.self)
            alg = try fields.decode(String.self, forKey: .alg)
            kid = try fields.decodeIfPresent(String.self, forKey: .kid)
            hasCritical = fields.contains(.crit)
        }
    }

    private struct Claims: Decodable {
        let sub: String?
        let aud: Audience?
        let iss: String?
        let exp: Double?
        let nbf: Double?
        let iat: Double?
        let name: String?
        let picture: String?
        let guest: Bool?
    }

    private struct Audience: Decodable {
        let values: [String]

        init(from decoder: any Decoder) throws {
            let value = try decoder.singleValueContainer()
            if let one = try? value.decode(String.self) {
                values = [one]
            } else {
                values = try value.decode([String].self)
            }
        }
    }

    private static func decode<Value: Decodable>(_ part: Substring.UTF8View, as type: Value.Type) -> Value? {
        guard let bytes = StrictBase64.decode(part, as: .url), String(validating: bytes, as: UTF8.self) != nil else {
            return nil
        }
        return try? JSONDecoder().decode(type, from: Data(bytes))
    }

    /// NumericDate (RFC 7519 section 2), fractions cut. Nil for what is no time of ours.
    private static func seconds(_ date: Double) -> Int64? {
        guard date.isFinite, (0...253_402_300_799).contains(date) else { return nil }
        return Int64(date)
    }

    private static func shifted(_ time: Int64, by seconds: Int64) -> Int64 {
        let sum = time.addingReportingOverflow(seconds)
        return sum.overflow ? .max : sum.partialValue
    }
}

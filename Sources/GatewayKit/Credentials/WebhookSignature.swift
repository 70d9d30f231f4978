import Crypto

/// Signing of webhooks, outgoing and incoming, as Standard Webhooks lays down: headers `webhook-id`, `webhook-timestamp`
/// and `webhook-signature: v1,BASE64`, an HMAC-SHA-256 over `id.timestamp.body`.
///
/// Several secrets may be valid at once while one is being replaced: an outgoing call then carries a signature for
/// each, an incoming one may match any. The id stays the same over retries, and the receiver drops ids that it has
/// seen in the last 24 hours; that memory is the caller's.
package struct WebhookSignature: Sendable {
    /// One shared secret: 24 to 64 bytes, written `whsec_BASE64`.
    package struct Secret: Sendable, Equatable {
        fileprivate let bytes: SecretBytes

        package static let lengthRange = 24...64

        package init?(parsing text: String) {
            guard text.hasPrefix("whsec_"), let bytes = StrictBase64.decode(text.utf8.dropFirst(6)),
                Self.lengthRange.contains(bytes.count)
            else { return nil }
            self.bytes = SecretBytes(bytes)
        }

        private init(bytes: SecretBytes) {
            self.bytes = bytes
        }

        package static func generate() -> Secret {
            Secret(bytes: .random(count: 32))
        }

        /// The text that is shown once to whoever sets the webhook up.
        package func reveal() -> String {
            "whsec_" + StrictBase64.encode(bytes.reveal())
        }
    }

    /// What travels in the three headers.
    package struct Headers: Sendable, Equatable {
        package let id: String
        package let timestamp: String
        package let signature: String

        package init(id: String, timestamp: String, signature: String) {
            self.id = id
            self.timestamp = timestamp
            self.signature = signature
        }
    }

    package enum Refusal: Error, Equatable, Sendable, CaseIterable {
        /// An id that is empty, over 128 bytes, or has a letter outside `[A-Za-z0-9_-]`. A full stop in it would let one
        /// signature stand for two messages.
        case malformedID
        case malformedTimestamp
        /// Further from now than the tolerance, in either direction.
        case outsideTolerance
        /// No signature of a known version, or over 10.
        case malformedSignature
        case wrongSignature
    }

    /// How far the sender's clock may be from ours, in seconds.
    package static let tolerance: Int64 = 300

    private let secrets: [Secret]

    /// - Parameter secrets: the newest first. Nil for none, or over 10.
    package init?(secrets: [Secret]) {
        guard (1...10).contains(secrets.count) else { return nil }
        self.secrets = secrets
    }

    /// - Parameter now: seconds since 1970.
    package func sign(id: String, body: [UInt8], now: Int64) throws(Refusal) -> Headers {
        guard Self.isID(id) else { throw .malformedID }
        guard now >= 0 else { throw .malformedTimestamp }
        let timestamp = String(now)
        let signatures = secrets.map { secret in
            "v1,\(StrictBase64.encode(Self.code(secret, id, timestamp, body)))"
        }
        return Headers(id: id, timestamp: timestamp, signature: signatures.joined(separator: " "))
    }

    /// Returns when the call is authentic and fresh; throws otherwise. Outwardly all refusals are one.
    ///
    /// - Parameter now: seconds since 1970.
    package func verify(_ headers: Headers, body: [UInt8], now: Int64) throws(Refusal) {
        guard Self.isID(headers.id) else { throw .malformedID }
        guard let time = Self.seconds(headers.timestamp) else { throw .malformedTimestamp }
        let distance = now.subtractingReportingOverflow(time)
        guard !distance.overflow, distance.partialValue.magnitude <= UInt64(Self.tolerance) else {
            throw .outsideTolerance
        }
        let offered = headers.signature.utf8.split(separator: UInt8(ascii: " "))
        guard offered.count <= 10 else { throw .malformedSignature }
        let candidates = offered.compactMap { text in
            text.starts(with: "v1,".utf8) ? StrictBase64.decode(text.dropFirst(3)) : nil
        }
        guard !candidates.isEmpty else { throw .malformedSignature }

        var isAuthentic = false
        for secret in secrets {
            let expected = Self.code(secret, headers.id, headers.timestamp, body)
            for candidate in candidates where ConstantTime.equal(candidate, expected) {
                isAuthentic = true
            }
        }
        guard isAuthentic else { throw .wrongSignature }
    }

    private static func code(_ secret: Secret, _ id: String, _ timestamp: String, _ body: [UInt8]) -> [UInt8] {
        var code = HMAC<SHA256>(key: SymmetricKey(data: secret.bytes.reveal()))
        code.update(data: Array("\(id).\(timestamp).".utf8))
        code.update(data: body)
        return Array(code.finalize())
    }

    private static func isID(_ id: String) -> Bool {
        (1...128).contains(id.utf8.count)
            && id.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }

    /// Digits only, and only as many as time will need: the text itself is signed, so it must have one spelling.
    private static func seconds(_ text: String) -> Int64? {
        guard (1...12).contains(text.utf8.count), text == "0" || !text.hasPrefix("0"),
            text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        else { return nil }
        return Int64(text)
    }
}

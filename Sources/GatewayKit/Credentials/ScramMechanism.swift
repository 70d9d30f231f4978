/// A SCRAM hash that verifiers are stored for, named as in SASL (RFC 5802 section 4, RFC 7677).
///
/// Whether a login binds itself to its TLS channel (the name's suffix `-PLUS`) is a property of that login, not of what
/// is stored, and is said by ``ScramChannelBinding``.
package enum ScramMechanism: String, Sendable, CaseIterable {
    case sha256 = "SCRAM-SHA-256"
    case sha512 = "SCRAM-SHA-512"

    /// Length of the hash, hence of StoredKey, ServerKey and a proof, in bytes.
    package var hashLength: Int {
        switch self {
        case .sha256: 32
        case .sha512: 64
        }
    }
}

/// How an exchange is tied to the TLS channel below it (RFC 5802 section 6).
package enum ScramChannelBinding: String, Sendable, CaseIterable {
    /// The hash of the server's certificate (RFC 5929 section 4).
    case tlsServerEndPoint = "tls-server-end-point"
    /// 32 bytes of exported keying material (RFC 9266).
    case tlsExporter = "tls-exporter"
}

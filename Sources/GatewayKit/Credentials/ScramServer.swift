/// The server's side of one SCRAM exchange (RFC 5802, RFC 7677), for every door that speaks SASL.
///
/// A value without I/O: bytes in, a step out. The caller strips the framing of its protocol (base64, SASL2 elements,
/// AUTHENTICATE chunks) first. The steps are cheap (a few hashes; PBKDF2 is the client's work), so all of it may run on
/// an event loop.
///
/// ```
/// receive(client-first)  → .lookUp(name)      the caller asks the directory
/// answer(verifier)       → server-first       a decoy where there is no such account: see DecoyVerifiers
/// receive(client-final)  → .authenticated     with server-final, which the client must still be sent
/// ```
///
/// Every failure is final. An unknown account fails where a wrong password fails, with the same word, after the same
/// work.
package struct ScramServer: Sendable {
    package enum Step: Sendable, Equatable {
        /// Fetch the verifier of this name and hand it to ``ScramServer/answer(_:isDecoy:)``. The name is as the client
        /// sent it; folding it into a handle is the directory's matter.
        case lookUp(username: String)
        /// The client proved the password. Send `serverFinal` as the outcome's additional data.
        case authenticated(username: String, serverFinal: [UInt8])
    }

    private enum State: Sendable {
        case awaitingFirst
        case awaitingVerifier(ScramClientFirst)
        case awaitingFinal(ScramClientFirst, serverFirst: ScramServerFirst, PasswordVerifier, isDecoy: Bool)
        case ended
    }

    private let mechanism: ScramMechanism
    private let isPlus: Bool
    private let bindings: [ScramChannelBinding: [UInt8]]
    private let offer: ScramOffer?
    private let nonce: String
    private var state: State = .awaitingFirst

    /// - Parameters:
    ///   - mechanism: the hash.
    ///   - isPlus: whether the client chose the name with `-PLUS`.
    ///   - bindings: the data of this connection's TLS channel for each type that was advertised. Empty when no `-PLUS`
    ///     name was advertised; a door that advertises one must fill this, or downgrades stay unseen.
    ///   - offer: what was advertised, where the door's clients know XEP-0474; nil sends no `h`.
    ///   - nonce: this exchange's own, printable, without comma. Injected by tests; never use one twice.
    package init(
        mechanism: ScramMechanism, isPlus: Bool = false, bindings: [ScramChannelBinding: [UInt8]] = [:],
        offer: ScramOffer? = nil, nonce: String = ScramServer.randomNonce()
    ) {
        self.mechanism = mechanism
        self.isPlus = isPlus
        self.bindings = bindings
        self.offer = offer
        self.nonce = nonce
    }

    /// 144 bits from the system's cryptographic generator, as 24 printable letters.
    package static func randomNonce() -> String {
        StrictBase64.encode(SecretBytes.random(count: 18).reveal())
    }

    /// Takes the client's next message.
    package mutating func receive(_ message: [UInt8]) throws(ScramFailure) -> Step {
        let current = state
        state = .ended
        switch current {
        case .awaitingFirst:
            let first = try ScramClientFirst(parsing: message)
            try checkFlag(first.flag)
            try Self.checkIdentity(first)
            state = .awaitingVerifier(first)
            return .lookUp(username: first.username)
        case .awaitingFinal(let first, let serverFirst, let verifier, let isDecoy):
            let final = try ScramClientFinal(parsing: message)
            let signature = try check(final, first, serverFirst, verifier)
            guard !isDecoy else { throw .invalidProof }
            return .authenticated(
                username: first.username, serverFinal: ScramServerFinal.signature(signature).encoded)
        case .awaitingVerifier, .ended:
            throw .otherError
        }
    }

    /// Gives the looked-up verifier, and returns server-first.
    ///
    /// - Parameters:
    ///   - verifier: of this exchange's mechanism.
    ///   - isDecoy: true for one of ``DecoyVerifiers``: the exchange then cannot succeed, whatever the proof.
    package mutating func answer(_ verifier: PasswordVerifier, isDecoy: Bool) throws(ScramFailure) -> [UInt8] {
        guard case .awaitingVerifier(let first) = state, verifier.mechanism == mechanism else {
            state = .ended
            throw .otherError
        }
        let serverFirst = ScramServerFirst(
            nonce: first.nonce + nonce, salt: verifier.salt, iterations: verifier.iterations,
            offerHash: offer?.hash(mechanism))
        state = .awaitingFinal(first, serverFirst: serverFirst, verifier, isDecoy: isDecoy)
        return serverFirst.encoded
    }

    /// What the client is told of a failure, for protocols that carry it (`e=…`).
    package static func serverFinal(for failure: ScramFailure) -> [UInt8] {
        ScramServerFinal.error(failure.rawValue).encoded
    }

    // MARK: Checks

    /// RFC 5802 section 6.
    private func checkFlag(_ flag: ScramBindingFlag) throws(ScramFailure) {
        switch flag {
        case .unsupported:
            // A `-PLUS` name with `n` contradicts itself.
            guard !isPlus else { throw .channelBindingsDoNotMatch }
        case .notOffered:
            guard !isPlus else { throw .channelBindingsDoNotMatch }
            guard bindings.isEmpty else { throw .serverDoesSupportChannelBinding }
        case .bound(let name):
            guard !bindings.isEmpty, isPlus else { throw .channelBindingNotSupported }
            guard let type = ScramChannelBinding(rawValue: name), bindings[type] != nil else {
                throw .unsupportedChannelBindingType
            }
        }
    }

    /// Nobody acts as somebody else here: an identity, where given, must be the account that logs in.
    private static func checkIdentity(_ first: ScramClientFirst) throws(ScramFailure) {
        guard let identity = first.authorisationIdentity else { return }
        // Byte by byte: equality of `String` would let canonically equivalent spellings through.
        guard identity.utf8.elementsEqual(first.username.utf8) else { throw .otherError }
    }

    private func check(
        _ final: ScramClientFinal, _ first: ScramClientFirst, _ serverFirst: ScramServerFirst,
        _ verifier: PasswordVerifier
    ) throws(ScramFailure) -> SecretBytes {
        var expected = first.header
        if case .bound(let name) = first.flag, let type = ScramChannelBinding(rawValue: name) {
            expected += bindings[type] ?? []
        }
        guard ConstantTime.equal(final.binding, expected) else { throw .channelBindingsDoNotMatch }
        guard final.nonce == serverFirst.nonce else { throw .otherError }

        let message = ScramExchange.authMessage(first.bare, serverFirst.encoded, final.withoutProof)
        let signature = mechanism.authenticate(message, key: verifier.storedKey)
        guard let clientKey = ScramExchange.xor(final.proof, signature),
            SecretBytes(mechanism.hash(clientKey.reveal())) == verifier.storedKey
        else { throw .invalidProof }
        return mechanism.authenticate(message, key: verifier.serverKey)
    }
}

/// Arithmetic that both sides share, RFC 5802 section 3.
enum ScramExchange {
    static func authMessage(_ clientFirst: [UInt8], _ serverFirst: [UInt8], _ clientFinal: [UInt8]) -> [UInt8] {
        Array([clientFirst, serverFirst, clientFinal].joined(separator: [UInt8(ascii: ",")]))
    }

    /// Nil where the lengths differ.
    static func xor(_ left: SecretBytes, _ right: SecretBytes) -> SecretBytes? {
        guard left.count == right.count else { return nil }
        return SecretBytes(zip(left.reveal(), right.reveal()).map { $0 ^ $1 })
    }
}

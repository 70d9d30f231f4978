/// The client's side of one SCRAM exchange: for `chat`, `send` and `tail`, federation, and the tests of every door.
///
/// ```
/// first()                   → client-first
/// receive(serverFirst:)     → client-final    runs PBKDF2: never on an event loop
/// receive(serverFinal:)     → returns, or throws: only then is the *server* proved
/// ```
package struct ScramClient: Sendable {
    package enum Binding: Sendable, Equatable {
        /// The client cannot bind (`n`).
        case unsupported
        /// The client can, the server did not offer it (`y`).
        case notOffered
        /// Bind to the channel; requires a mechanism name with `-PLUS`.
        case bound(ScramChannelBinding, data: [UInt8])
    }

    package enum Failure: Error, Equatable, Sendable {
        /// The server's message is not SCRAM, or came out of order.
        case malformed
        /// The server's nonce does not begin with ours: a replay.
        case foreignNonce
        /// Fewer iterations than RFC 7677 allows (a password that travels nearly plain), or more than our time allows.
        case unacceptableIterations(Int)
        /// The server says that it offered something else than we saw.
        case offerWasChanged
        /// The server refused, with its own word.
        case refused(String)
        /// The server does not know this account's verifier: not our server.
        case serverNotProved
    }

    private enum State: Sendable {
        case awaitingServerFirst
        case awaitingServerFinal(signature: SecretBytes)
        case ended
    }

    private let mechanism: ScramMechanism
    private let password: OpaqueString
    private let binding: Binding
    private let offer: ScramOffer?
    private let clientFirst: ScramClientFirst
    private var state: State = .awaitingServerFirst

    /// - Parameters:
    ///   - offer: what this client saw advertised. Checked when the server sends its own account of it.
    ///   - nonce: injected by tests.
    package init(
        mechanism: ScramMechanism, username: String, password: OpaqueString, authorisationIdentity: String? = nil,
        binding: Binding = .unsupported, offer: ScramOffer? = nil, nonce: String = ScramServer.randomNonce()
    ) {
        self.mechanism = mechanism
        self.password = password
        self.binding = binding
        self.offer = offer
        let flag: ScramBindingFlag =
            switch binding {
            case .unsupported: .unsupported
            case .notOffered: .notOffered
            case .bound(let type, _): .bound(type.rawValue)
            }
        clientFirst = ScramClientFirst(
            flag: flag, authorisationIdentity: authorisationIdentity, username: username, nonce: nonce)
    }

    /// client-first-message.
    package func first() -> [UInt8] {
        clientFirst.header + clientFirst.bare
    }

    /// Takes server-first and returns client-final. Runs PBKDF2 with the server's number of iterations.
    package mutating func receive(serverFirst message: [UInt8]) throws(Failure) -> [UInt8] {
        guard case .awaitingServerFirst = state else { throw .malformed }
        state = .ended
        guard let serverFirst = try? ScramServerFirst(parsing: message) else { throw .malformed }
        let own = clientFirst.nonce
        guard serverFirst.nonce.utf8.starts(with: own.utf8), serverFirst.nonce.utf8.count > own.utf8.count else {
            throw .foreignNonce
        }
        guard PasswordVerifier.iterationRange.contains(serverFirst.iterations) else {
            throw .unacceptableIterations(serverFirst.iterations)
        }
        if let offer, let hash = serverFirst.offerHash, !ConstantTime.equal(hash, offer.hash(mechanism)) {
            throw .offerWasChanged
        }
        guard
            let salted = mechanism.saltedPassword(
                password, salt: serverFirst.salt, iterations: serverFirst.iterations)
        else { throw .malformed }

        let keys = ScramKeys(salted: salted, mechanism: mechanism)
        var channel = clientFirst.header
        if case .bound(_, let data) = binding {
            channel += data
        }
        let withoutProof = ScramClientFinal.withoutProof(binding: channel, nonce: serverFirst.nonce)
        let authMessage = ScramExchange.authMessage(clientFirst.bare, message, withoutProof)
        let clientSignature = mechanism.authenticate(authMessage, key: keys.storedKey)
        guard let proof = ScramExchange.xor(keys.clientKey, clientSignature) else { throw .malformed }
        state = .awaitingServerFinal(signature: mechanism.authenticate(authMessage, key: keys.serverKey))
        return ScramClientFinal(binding: channel, nonce: serverFirst.nonce, proof: proof).encoded
    }

    /// Takes server-final. Returning means that both sides are proved.
    package mutating func receive(serverFinal message: [UInt8]) throws(Failure) {
        guard case .awaitingServerFinal(let expected) = state else { throw .malformed }
        state = .ended
        guard let final = try? ScramServerFinal(parsing: message) else { throw .malformed }
        switch final {
        case .error(let value): throw .refused(value)
        case .signature(let signature):
            guard signature == expected else { throw .serverNotProved }
        }
    }
}

/// Why a SCRAM exchange ended, in the words of RFC 5802 section 7 (`server-error-value`).
package enum ScramFailure: String, Error, Sendable, CaseIterable {
    case invalidEncoding = "invalid-encoding"
    case extensionsNotSupported = "extensions-not-supported"
    /// A wrong password, an unknown account and a disabled one alike.
    case invalidProof = "invalid-proof"
    case channelBindingsDoNotMatch = "channel-bindings-dont-match"
    /// The client believed that we cannot bind, but we offered it: somebody may have removed the offer on its way.
    case serverDoesSupportChannelBinding = "server-does-support-channel-binding"
    case channelBindingNotSupported = "channel-binding-not-supported"
    case unsupportedChannelBindingType = "unsupported-channel-binding-type"
    case invalidUsernameEncoding = "invalid-username-encoding"
    /// The messages came out of order, or an identity was asked for that is not the one that proved itself.
    case otherError = "other-error"
}

/// The first thing a client says about channel binding (`gs2-cbind-flag`).
package enum ScramBindingFlag: Sendable, Equatable {
    /// `n`: the client cannot bind.
    case unsupported
    /// `y`: the client can, and believes that the server cannot.
    case notOffered
    /// `p=name`. The name is kept as sent; it may be one that we do not know.
    case bound(String)

    var text: String {
        switch self {
        case .unsupported: "n"
        case .notOffered: "y"
        case .bound(let name): "p=\(name)"
        }
    }
}

/// Limits on SCRAM messages, in bytes.
package enum ScramLimit {
    /// A whole message. With a 1,024-byte identity written in escapes twice there is still room for the rest.
    package static let message = 8_192
    package static let name = 1_024
    package static let nonce = 256
    package static let attributes = 16
}

/// client-first-message, RFC 5802 section 7.
package struct ScramClientFirst: Sendable, Equatable {
    package let flag: ScramBindingFlag
    package let authorisationIdentity: String?
    package let username: String
    package let nonce: String

    /// The gs2-header, which client-final repeats.
    package var header: [UInt8] {
        let identity = authorisationIdentity.map { "a=\(ScramName.escape($0))" } ?? ""
        return Array("\(flag.text),\(identity),".utf8)
    }

    /// client-first-message-bare as this machine writes it. A parsed message keeps ``receivedBare`` instead.
    package var bare: [UInt8] {
        receivedBare ?? Array("n=\(ScramName.escape(username)),r=\(nonce)".utf8)
    }

    /// The bare part as received: extensions that we ignore are still part of what is signed.
    private let receivedBare: [UInt8]?

    package init(flag: ScramBindingFlag, authorisationIdentity: String? = nil, username: String, nonce: String) {
        self.flag = flag
        self.authorisationIdentity = authorisationIdentity
        self.username = username
        self.nonce = nonce
        receivedBare = nil
    }

    package init(parsing message: [UInt8]) throws(ScramFailure) {
        guard message.count <= ScramLimit.message else { throw .invalidEncoding }
        let parts = message.split(separator: UInt8(ascii: ","), maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let flag = parts.first, let bare = parts.last else { throw .invalidEncoding }
        self.flag = try Self.parse(flag: flag)

        let identity = parts[1]
        if identity.isEmpty {
            authorisationIdentity = nil
        } else {
            guard identity.starts(with: "a=".utf8) else { throw .invalidEncoding }
            authorisationIdentity = try ScramName.unescape(identity.dropFirst(2))
        }

        let attributes = try ScramAttributes(bare)
        guard attributes.fields.first?.name != UInt8(ascii: "m") else { throw .extensionsNotSupported }
        username = try ScramName.unescape(attributes.value(at: 0, named: "n"))
        nonce = try ScramAttributes.nonce(attributes.value(at: 1, named: "r"))
        try attributes.checkExtensions(from: 2)
        receivedBare = Array(bare)
    }

    private static func parse(flag: ArraySlice<UInt8>) throws(ScramFailure) -> ScramBindingFlag {
        if flag.elementsEqual("n".utf8) { return .unsupported }
        if flag.elementsEqual("y".utf8) { return .notOffered }
        // cb-name = 1*(ALPHA / DIGIT / "." / "-")
        let name = flag.dropFirst(2)
        let isName = name.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard flag.starts(with: "p=".utf8), (1...64).contains(name.count), isName else { throw .invalidEncoding }
        return .bound(String(decoding: name, as: UTF8.self))
    }
}

/// server-first-message.
package struct ScramServerFirst: Sendable, Equatable {
    package let nonce: String
    package let salt: [UInt8]
    package let iterations: Int
    /// The value of `h`: what the server says it offered (``ScramOffer``), when it says so.
    package let offerHash: [UInt8]?

    package init(nonce: String, salt: [UInt8], iterations: Int, offerHash: [UInt8]? = nil) {
        self.nonce = nonce
        self.salt = salt
        self.iterations = iterations
        self.offerHash = offerHash
    }

    package var encoded: [UInt8] {
        let offer = offerHash.map { ",h=\(StrictBase64.encode($0))" } ?? ""
        return Array("r=\(nonce),s=\(StrictBase64.encode(salt)),i=\(iterations)\(offer)".utf8)
    }

    package init(parsing message: [UInt8]) throws(ScramFailure) {
        let attributes = try ScramAttributes(message[...])
        guard attributes.fields.first?.name != UInt8(ascii: "m") else { throw .extensionsNotSupported }
        nonce = try ScramAttributes.nonce(attributes.value(at: 0, named: "r"))
        guard let salt = StrictBase64.decode(try attributes.value(at: 1, named: "s")), !salt.isEmpty,
            let iterations = PositiveDecimal.parse(try attributes.value(at: 2, named: "i"))
        else { throw .invalidEncoding }
        self.salt = salt
        self.iterations = iterations
        try attributes.checkExtensions(from: 3)
        if let offer = attributes.fields.dropFirst(3).first(where: { $0.name == UInt8(ascii: "h") }) {
            guard let hash = StrictBase64.decode(offer.value) else { throw .invalidEncoding }
            offerHash = hash
        } else {
            offerHash = nil
        }
    }
}

/// client-final-message.
package struct ScramClientFinal: Sendable, Equatable {
    /// gs2-header followed by the channel's own data.
    package let binding: [UInt8]
    package let nonce: String
    package let proof: SecretBytes

    /// client-final-message-without-proof, as received or as written: it is signed.
    package let withoutProof: [UInt8]

    package init(binding: [UInt8], nonce: String, proof: SecretBytes) {
        self.binding = binding
        self.nonce = nonce
        self.proof = proof
        withoutProof = Self.withoutProof(binding: binding, nonce: nonce)
    }

    package static func withoutProof(binding: [UInt8], nonce: String) -> [UInt8] {
        Array("c=\(StrictBase64.encode(binding)),r=\(nonce)".utf8)
    }

    package var encoded: [UInt8] {
        withoutProof + ",p=\(StrictBase64.encode(proof.reveal()))".utf8
    }

    package init(parsing message: [UInt8]) throws(ScramFailure) {
        let attributes = try ScramAttributes(message[...])
        guard let last = attributes.fields.last, last.name == UInt8(ascii: "p"),
            let binding = StrictBase64.decode(try attributes.value(at: 0, named: "c")),
            let proof = StrictBase64.decode(last.value)
        else { throw .invalidEncoding }
        self.binding = binding
        self.nonce = try ScramAttributes.nonce(attributes.value(at: 1, named: "r"))
        self.proof = SecretBytes(proof)
        try attributes.checkExtensions(from: 2, dropLast: 1)
        // The proof's field is ",p=" and its value.
        withoutProof = Array(message.dropLast(last.value.count + 3))
    }
}

/// server-final-message.
package enum ScramServerFinal: Sendable, Equatable {
    case signature(SecretBytes)
    /// The server's error value, bounded, unknown ones included.
    case error(String)

    package var encoded: [UInt8] {
        switch self {
        case .signature(let bytes): Array("v=\(StrictBase64.encode(bytes.reveal()))".utf8)
        case .error(let value): Array("e=\(value)".utf8)
        }
    }

    package init(parsing message: [UInt8]) throws(ScramFailure) {
        let attributes = try ScramAttributes(message[...])
        guard let first = attributes.fields.first else { throw .invalidEncoding }
        try attributes.checkExtensions(from: 1)
        switch first.name {
        case UInt8(ascii: "v"):
            guard let bytes = StrictBase64.decode(first.value) else { throw .invalidEncoding }
            self = .signature(SecretBytes(bytes))
        case UInt8(ascii: "e"):
            guard let value = String(validating: first.value, as: UTF8.self), first.value.count <= 64 else {
                throw .invalidEncoding
            }
            self = .error(value)
        default:
            throw .invalidEncoding
        }
    }
}

/// The opening handshake: RFC 6455 section 4 over HTTP/1.1, RFC 8441 over HTTP/2, both sides.
///
/// Headers are plain pairs of name and value, names in any case, so that no HTTP module is needed. What it refuses it
/// refuses for the protocol's sake; who may connect (Origin, path, credentials) is for the caller to decide.
package enum WebSocketHandshake {
    package typealias Headers = [(name: String, value: String)]

    /// What a server can do at the requested path.
    package struct Service: Sendable {
        /// Subprotocols that it speaks. The client's order of preference decides; an empty list never answers one.
        package var subprotocols: [String]
        /// Whether it compresses. `nil` to never agree to permessage-deflate.
        package var deflate: DeflatePolicy?

        package init(subprotocols: [String] = [], deflate: DeflatePolicy? = DeflatePolicy()) {
            self.subprotocols = subprotocols
            self.deflate = deflate
        }
    }

    package struct DeflatePolicy: Hashable, Sendable {
        /// See `PermessageDeflate.accept(offers:letsClientKeepContext:)`.
        package var letsClientKeepContext: Bool

        package init(letsClientKeepContext: Bool = false) {
            self.letsClientKeepContext = letsClientKeepContext
        }
    }

    /// What both sides have agreed on, and the headers that say so.
    package struct Agreement: Sendable {
        /// Of the server's answer; to be sent with 101 (HTTP/1.1) or 200 (extended CONNECT).
        package var headers: Headers
        /// The chosen subprotocol; `nil` when none was offered or none fits.
        package var subprotocol: String?
        package var deflate: PermessageDeflate.Agreement?
        /// The page that a browser's request came from; `nil` when the client is no browser.
        package var origin: String?
    }

    /// The server's no, as an HTTP answer.
    package struct Refusal: Error, Sendable {
        package let status: Int
        package let headers: Headers
        /// Short English for the body.
        package let message: String
    }

    /// Why the client must not use the connection that a server offered.
    package struct Mismatch: Error, Hashable, Sendable {
        package let message: String
    }
}

// MARK: Server

extension WebSocketHandshake {
    /// Judges an HTTP/1.1 request. RFC 6455 section 4.2.1.
    ///
    /// - Parameter version: of HTTP, as in `(1, 1)`.
    /// - Returns: the headers for a 101.
    /// - Throws: 400 for what is malformed, 405 for another method, 426 when no upgrade to version 13 is asked for.
    package static func acceptUpgrade(
        method: String, version: (major: Int, minor: Int), headers: Headers, service: Service
    ) throws(Refusal) -> Agreement {
        guard method == "GET" else {
            throw Refusal(status: 405, headers: [("Allow", "GET")], message: "WebSocket needs GET")
        }
        guard version >= (1, 1) else { throw .badRequest("WebSocket needs HTTP/1.1") }
        let fields = HeaderFields(headers)
        guard fields.values("host").count == 1 else { throw .badRequest("there must be one Host") }
        guard fields.list("upgrade").contains(where: { HeaderScanner.folded($0) == "websocket" }),
            fields.list("connection").contains(where: { HeaderScanner.folded($0) == "upgrade" })
        else {
            throw Refusal(
                status: 426, headers: [("Upgrade", "websocket"), ("Connection", "Upgrade")],
                message: "this is a WebSocket endpoint")
        }
        guard fields.speaksVersion13 else {
            throw Refusal(
                status: 426,
                headers: [("Sec-WebSocket-Version", "13"), ("Upgrade", "websocket"), ("Connection", "Upgrade")],
                message: "only version 13 of WebSocket is spoken here")
        }
        guard let value = fields.single("sec-websocket-key"), let key = WebSocketKey(value) else {
            throw .badRequest("Sec-WebSocket-Key must be 16 bytes in base64")
        }
        return try agree(
            fields, service,
            opening: [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", key.accept)])
    }

    /// Judges an extended CONNECT of HTTP/2. RFC 8441 section 5: no key, no accept, no upgrade headers.
    ///
    /// - Parameter connectProtocol: the request's `:protocol`.
    /// - Returns: the headers for a 200.
    /// - Throws: 501 for another protocol (RFC 9220 section 3), else as `acceptUpgrade`.
    package static func acceptConnect(
        method: String, connectProtocol: String?, headers: Headers, service: Service
    ) throws(Refusal) -> Agreement {
        guard method == "CONNECT" else {
            throw Refusal(status: 405, headers: [("Allow", "CONNECT")], message: "WebSocket needs CONNECT")
        }
        guard connectProtocol == "websocket" else {
            throw Refusal(status: 501, headers: [], message: "only the protocol websocket is spoken here")
        }
        let fields = HeaderFields(headers)
        guard fields.speaksVersion13 else {
            // Not 426: that needs an Upgrade header, which HTTP/2 forbids.
            throw Refusal(
                status: 400, headers: [("Sec-WebSocket-Version", "13")],
                message: "only version 13 of WebSocket is spoken here")
        }
        return try agree(fields, service, opening: [])
    }

    private static func agree(
        _ fields: HeaderFields, _ service: Service, opening: Headers
    ) throws(Refusal) -> Agreement {
        guard let offers = WebSocketExtension.parse(fields.values("sec-websocket-extensions")) else {
            throw .badRequest("Sec-WebSocket-Extensions is malformed")
        }
        let subprotocols = fields.list("sec-websocket-protocol")
        guard subprotocols.allSatisfy(HeaderScanner.isToken), Set(subprotocols).count == subprotocols.count else {
            throw .badRequest("Sec-WebSocket-Protocol is malformed")
        }
        let origins = fields.values("origin")
        guard origins.count <= 1 else { throw .badRequest("there may be only one Origin") }

        var agreement = Agreement(headers: opening, origin: origins.first)
        if let chosen = subprotocols.first(where: service.subprotocols.contains) {
            agreement.subprotocol = chosen
            agreement.headers.append(("Sec-WebSocket-Protocol", chosen))
        }
        if let policy = service.deflate,
            let deflate = PermessageDeflate.accept(offers: offers, letsClientKeepContext: policy.letsClientKeepContext)
        {
            agreement.deflate = deflate
            agreement.headers.append(("Sec-WebSocket-Extensions", deflate.headerValue))
        }
        return agreement
    }
}

// MARK: Client

extension WebSocketHandshake {
    /// What a client asks for.
    package struct Request: Sendable {
        package var key: WebSocketKey
        /// In order of preference.
        package var subprotocols: [String]
        package var offersDeflate: Bool

        package init(key: WebSocketKey = WebSocketKey(), subprotocols: [String] = [], offersDeflate: Bool = true) {
            self.key = key
            self.subprotocols = subprotocols
            self.offersDeflate = offersDeflate
        }

        /// The headers of a GET over HTTP/1.1, besides Host and what the caller adds (Origin, Authorization).
        package var headers: Headers {
            let opening: Headers = [
                ("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Key", key.value),
            ]
            return opening + connectHeaders
        }

        /// The headers of an extended CONNECT over HTTP/2, besides the pseudo-headers.
        package var connectHeaders: Headers {
            var headers: Headers = [("Sec-WebSocket-Version", "13")]
            if !subprotocols.isEmpty {
                headers.append(("Sec-WebSocket-Protocol", subprotocols.joined(separator: ", ")))
            }
            if offersDeflate { headers.append(("Sec-WebSocket-Extensions", PermessageDeflate.offer)) }
            return headers
        }

        /// Judges the answer to a GET over HTTP/1.1. RFC 6455 section 4.1.
        package func agreement(status: Int, headers: Headers) throws(Mismatch) -> Agreement {
            guard status == 101 else { throw Mismatch(message: "status \(status) instead of 101") }
            let fields = HeaderFields(headers)
            guard fields.single("upgrade").map(HeaderScanner.folded) == "websocket",
                fields.list("connection").contains(where: { HeaderScanner.folded($0) == "upgrade" })
            else { throw Mismatch(message: "the answer is not an upgrade to websocket") }
            guard fields.single("sec-websocket-accept") == key.accept else {
                throw Mismatch(message: "Sec-WebSocket-Accept does not match the key")
            }
            return try agreement(fields)
        }

        /// Judges the answer to an extended CONNECT over HTTP/2. RFC 8441 section 5.
        package func connectAgreement(status: Int, headers: Headers) throws(Mismatch) -> Agreement {
            guard status == 200 else { throw Mismatch(message: "status \(status) instead of 200") }
            return try agreement(HeaderFields(headers))
        }

        private func agreement(_ fields: HeaderFields) throws(Mismatch) -> Agreement {
            var agreement = Agreement(headers: [])
            let chosen = fields.values("sec-websocket-protocol")
            guard chosen.count <= 1, chosen.allSatisfy(subprotocols.contains) else {
                throw Mismatch(message: "the server chose a subprotocol that was not offered")
            }
            agreement.subprotocol = chosen.first
            guard let extensions = WebSocketExtension.parse(fields.values("sec-websocket-extensions")),
                extensions.count <= (offersDeflate ? 1 : 0)
            else { throw Mismatch(message: "the server chose an extension that was not offered") }
            if let answer = extensions.first {
                guard let deflate = PermessageDeflate.agreement(answer: answer) else {
                    throw Mismatch(message: "the server's answer to permessage-deflate is not one to the offer")
                }
                agreement.deflate = deflate
            }
            return agreement
        }
    }
}

extension WebSocketHandshake.Refusal {
    fileprivate static func badRequest(_ message: String) -> Self {
        Self(status: 400, headers: [], message: message)
    }
}

/// Looks headers up by name.
private struct HeaderFields {
    private let fields: WebSocketHandshake.Headers

    init(_ headers: WebSocketHandshake.Headers) {
        fields = headers.map { (name: HeaderScanner.folded($0.name), value: HeaderScanner.trimmed($0.value)) }
    }

    /// All values of a header, in their order, without space around them.
    func values(_ name: String) -> [String] {
        fields.lazy.filter { $0.name == name }.map(\.value)
    }

    var speaksVersion13: Bool { values("sec-websocket-version") == ["13"] }

    /// The value of a header that must stand exactly once.
    func single(_ name: String) -> String? {
        let values = values(name)
        return values.count == 1 ? values.first : nil
    }

    /// The elements of a header that is a list, over all its lines. RFC 9110 section 5.6.1: empty ones do not count.
    func list(_ name: String) -> [String] {
        values(name).flatMap { $0.split(separator: ",") }.map { HeaderScanner.trimmed($0) }.filter { !$0.isEmpty }
    }
}

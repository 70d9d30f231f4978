import Testing

@testable import WireWebSocket

private typealias Headers = WebSocketHandshake.Headers

@Suite("Handshake")
struct HandshakeTests {
    // The request of RFC 6455 section 1.3.
    private static let request: Headers = [
        ("Host", "server.example.com"), ("Upgrade", "websocket"), ("Connection", "Upgrade"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="), ("Origin", "http://example.com"),
        ("Sec-WebSocket-Protocol", "chat, superchat"), ("Sec-WebSocket-Version", "13"),
    ]

    private static func changed(_ name: String, _ values: String...) -> Headers {
        request.filter { $0.name != name } + values.map { (name, $0) }
    }

    private func accept(
        _ headers: Headers, method: String = "GET", version: (Int, Int) = (1, 1),
        service: WebSocketHandshake.Service = .init()
    ) throws(WebSocketHandshake.Refusal) -> WebSocketHandshake.Agreement {
        try WebSocketHandshake.acceptUpgrade(method: method, version: version, headers: headers, service: service)
    }

    private func refusal(
        _ headers: Headers, method: String = "GET", version: (Int, Int) = (1, 1)
    ) -> WebSocketHandshake.Refusal? {
        #expect(throws: WebSocketHandshake.Refusal.self) {
            try accept(headers, method: method, version: version)
        }
    }

    private func value(_ name: String, _ headers: Headers) -> String? {
        headers.first { $0.name == name }?.value
    }

    // MARK: Server, HTTP/1.1

    @Test("the request of the standard gets the answer of the standard")
    func example() throws {
        let agreement = try accept(Self.request, service: .init(subprotocols: ["chat"]))
        #expect(value("Upgrade", agreement.headers) == "websocket")
        #expect(value("Connection", agreement.headers) == "Upgrade")
        #expect(value("Sec-WebSocket-Accept", agreement.headers) == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        #expect(value("Sec-WebSocket-Protocol", agreement.headers) == "chat")
        #expect(agreement.headers.count == 4)
        #expect(agreement.subprotocol == "chat")
        #expect(agreement.origin == "http://example.com")
        #expect(agreement.deflate == nil)
    }

    @Test("names and tokens are read in any case and among others")
    func tokens() throws {
        let headers: Headers = [
            ("hOsT", "a"), ("upgrade", "h2c, WebSocket"), ("CONNECTION", "keep-alive,\tupgrade "),
            ("sec-websocket-key", " dGhlIHNhbXBsZSBub25jZQ== "), ("SEC-WEBSOCKET-VERSION", "13"),
        ]
        let agreement = try accept(headers)
        #expect(value("Sec-WebSocket-Accept", agreement.headers) == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        #expect(agreement.origin == nil)
    }

    @Test("another method or an older HTTP is refused")
    func methods() {
        #expect(refusal(Self.request, method: "POST")?.status == 405)
        #expect(refusal(Self.request, version: (1, 0))?.status == 400)
    }

    @Test("a request that does not ask for WebSocket is told to")
    func notAnUpgrade() {
        for headers in [
            Self.changed("Upgrade"), Self.changed("Upgrade", "h2c"), Self.changed("Connection"),
            Self.changed("Connection", "close"),
        ] {
            let refusal = refusal(headers)
            #expect(refusal?.status == 426)
            #expect(refusal.flatMap { value("Upgrade", $0.headers) } == "websocket")
        }
    }

    @Test("another version is told ours")
    func versions() {
        for headers in [
            Self.changed("Sec-WebSocket-Version"), Self.changed("Sec-WebSocket-Version", "8"),
            Self.changed("Sec-WebSocket-Version", "13", "13"), Self.changed("Sec-WebSocket-Version", "13, 8"),
        ] {
            let refusal = refusal(headers)
            #expect(refusal?.status == 426)
            #expect(refusal.flatMap { value("Sec-WebSocket-Version", $0.headers) } == "13")
        }
    }

    @Test(
        "a key that is not 16 bytes in base64 is refused",
        arguments: [
            "", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25j",
            "dGhlIHNhbXBsZSBub25jZQ====", "dGhlIHNhbXBsZSBub25jZQa=", "dGhlIHNhbXBsZSBub2*jZQ==",
            "dGhlIHNhbXBsZSBub25jZSE=", "==========================",
        ])
    func keys(_ key: String) {
        #expect(refusal(Self.changed("Sec-WebSocket-Key", key))?.status == 400)
    }

    @Test("headers that must stand once, must")
    func onceOnly() {
        let key = "dGhlIHNhbXBsZSBub25jZQ=="
        for headers in [
            Self.changed("Host"), Self.changed("Host", "a", "b"), Self.changed("Sec-WebSocket-Key"),
            Self.changed("Sec-WebSocket-Key", key, key), Self.changed("Origin", "http://a", "http://b"),
        ] {
            #expect(refusal(headers)?.status == 400)
        }
    }

    @Test("malformed lists are refused")
    func lists() {
        for headers in [
            Self.changed("Sec-WebSocket-Protocol", "a b"), Self.changed("Sec-WebSocket-Protocol", "chat, chat"),
            Self.changed("Sec-WebSocket-Protocol", "chat", "chat"), Self.changed("Sec-WebSocket-Extensions", "a;"),
        ] {
            #expect(refusal(headers)?.status == 400)
        }
    }

    @Test("the client's order decides between subprotocols; none is answered that was not offered")
    func subprotocols() throws {
        let service = WebSocketHandshake.Service(subprotocols: ["mqtt", "v12.stomp"])
        let headers = Self.changed("Sec-WebSocket-Protocol", "x, v12.stomp", "mqtt")
        #expect(try accept(headers, service: service).subprotocol == "v12.stomp")
        #expect(try accept(Self.request, service: service).subprotocol == nil)
        #expect(try accept(Self.changed("Sec-WebSocket-Protocol"), service: service).subprotocol == nil)
        #expect(try accept(Self.request, service: service).headers.count == 3)
    }

    @Test("compression is agreed to if it is offered and wanted")
    func compression() throws {
        let headers = Self.changed("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits=12")
        let agreement = try accept(headers)
        #expect(agreement.deflate == PermessageDeflate.Agreement(clientWindowBits: 12))
        #expect(value("Sec-WebSocket-Extensions", agreement.headers) == agreement.deflate?.headerValue)
        #expect(try accept(headers, service: .init(deflate: nil)).deflate == nil)
        let keeping = WebSocketHandshake.Service(deflate: .init(letsClientKeepContext: true))
        #expect(try accept(headers, service: keeping).deflate?.clientTakesContextOver == true)
    }

    // MARK: Server, HTTP/2

    private func connect(
        _ headers: Headers, method: String = "CONNECT", connectProtocol: String? = "websocket"
    ) throws(WebSocketHandshake.Refusal) -> WebSocketHandshake.Agreement {
        try WebSocketHandshake.acceptConnect(
            method: method, connectProtocol: connectProtocol, headers: headers,
            service: .init(subprotocols: ["superchat"]))
    }

    @Test("an extended CONNECT needs no key and gets no accept")
    func extendedConnect() throws {
        let headers: Headers = [
            ("sec-websocket-version", "13"), ("sec-websocket-protocol", "chat, superchat"),
            ("sec-websocket-extensions", "permessage-deflate"), ("origin", "http://www.example.com"),
        ]
        let agreement = try connect(headers)
        #expect(agreement.headers.map(\.name) == ["Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions"])
        #expect(agreement.subprotocol == "superchat")
        #expect(agreement.deflate != nil)
        #expect(agreement.origin == "http://www.example.com")
    }

    @Test("an extended CONNECT that is not WebSocket 13 is refused, without the headers that HTTP/2 forbids")
    func extendedConnectRefused() {
        let version: Headers = [("sec-websocket-version", "13")]
        func status(_ headers: Headers, _ method: String, _ connectProtocol: String?) -> Int? {
            let refusal = #expect(throws: WebSocketHandshake.Refusal.self) {
                try connect(headers, method: method, connectProtocol: connectProtocol)
            }
            #expect(refusal?.headers.contains { ["Upgrade", "Connection"].contains($0.name) } == false)
            return refusal?.status
        }
        #expect(status(version, "GET", "websocket") == 405)
        #expect(status(version, "CONNECT", nil) == 501)
        #expect(status(version, "CONNECT", "connect-udp") == 501)
        #expect(status([], "CONNECT", "websocket") == 400)
    }

    // MARK: Client

    @Test("what our client asks for our server grants, and the client sees that it did", arguments: [true, false])
    func bothSides(_ isHTTP2: Bool) throws {
        let request = WebSocketHandshake.Request(subprotocols: ["a", "superchat"])
        let granted =
            isHTTP2
            ? try connect(request.connectHeaders)
            : try accept(request.headers + [("Host", "a")], service: .init(subprotocols: ["superchat"]))
        let seen =
            isHTTP2
            ? try request.connectAgreement(status: 200, headers: granted.headers)
            : try request.agreement(status: 101, headers: granted.headers)
        #expect(seen.subprotocol == "superchat")
        #expect(seen.deflate == granted.deflate)
        #expect(seen.deflate != nil)
    }

    @Test("keys are new each time and well formed")
    func newKeys() {
        let keys = (0..<100).map { _ in WebSocketKey().value }
        #expect(Set(keys).count == keys.count)
        #expect(keys.allSatisfy { WebSocketKey($0) != nil })
    }

    @Test("an answer that is not one to the request is refused")
    func mismatches() throws {
        let key = try #require(WebSocketKey("dGhlIHNhbXBsZSBub25jZQ=="))
        let request = WebSocketHandshake.Request(key: key, subprotocols: ["chat"], offersDeflate: false)
        let good: Headers = [
            ("Upgrade", "WebSocket"), ("Connection", "upgrade"),
            ("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
        ]
        #expect(try request.agreement(status: 101, headers: good).subprotocol == nil)
        func refuses(_ headers: Headers, status: Int = 101) {
            #expect(throws: WebSocketHandshake.Mismatch.self) {
                try request.agreement(status: status, headers: headers)
            }
        }
        refuses(good, status: 200)
        refuses(Array(good.dropFirst()))
        refuses(good.filter { $0.name != "Connection" })
        refuses(Array(good.dropLast()))
        refuses(good.dropLast() + [("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOO=")])
        refuses(good + [("Sec-WebSocket-Protocol", "superchat")])
        refuses(good + [("Sec-WebSocket-Protocol", "chat"), ("Sec-WebSocket-Protocol", "chat")])
        refuses(good + [("Sec-WebSocket-Extensions", "permessage-deflate; server_no_context_takeover")])
        #expect(throws: WebSocketHandshake.Mismatch.self) {
            try request.connectAgreement(status: 404, headers: [])
        }
        let compressing = WebSocketHandshake.Request(key: key)
        for answer in ["permessage-deflate", "x", "a;", "permessage-deflate; server_no_context_takeover, x"] {
            #expect(throws: WebSocketHandshake.Mismatch.self) {
                try compressing.agreement(status: 101, headers: good + [("Sec-WebSocket-Extensions", answer)])
            }
        }
    }
}

@Suite("SHA-1")
struct SHA1Tests {
    // FIPS 180 and RFC 3174 section 7.3.
    private static let published: [(text: String, times: Int, digest: String)] = [
        ("", 1, "DA39A3EE5E6B4B0D3255BFEF95601890AFD80709"),
        ("abc", 1, "A9993E364706816ABA3E25717850C26C9CD0D89D"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
            "84983E441C3BD26EBAAE4AA1F95129E5E54670F1"
        ),
        (
            "0123456701234567012345670123456701234567012345670123456701234567", 10,
            "DEA356A2CDDD90C7A7ECEDC5EBB563934F460452"
        ),
        ("a", 10000, "A080CBDA64850ABB7B7F67EE875BA068074FF6FE"),
    ]

    @Test("the published digests come out", arguments: published)
    func vectors(_ text: String, _ times: Int, _ digest: String) {
        #expect(SHA1.digest(String(repeating: text, count: times).utf8) == hex(digest))
    }

    // Where the padding changes its form; made by Python's hashlib.
    @Test(
        "the lengths around a block's end come out",
        arguments: [
            (55, "C1C8BBDC22796E28C0E15163D20899B65621D65A"), (56, "C2DB330F6083854C99D4B5BFB6E8F29F201BE699"),
            (63, "03F09F5B158A7A8CDAD920BDDC29B81C18A551F5"), (64, "0098BA824B5C16427BD7A1122A5A442A25EC644D"),
            (65, "11655326C708D70319BE2610E8A57D9A5B959D3B"),
        ])
    func padding(_ length: Int, _ digest: String) {
        #expect(SHA1.digest(Array(repeating: UInt8(ascii: "a"), count: length)) == hex(digest))
    }
}

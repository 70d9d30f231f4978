import Testing

@testable import WireWebSocket

@Suite("permessage-deflate: negotiation")
struct NegotiationTests {
    private func accept(_ values: String..., letsClientKeepContext: Bool = false) -> String? {
        WebSocketExtension.parse(values)
            .flatMap { PermessageDeflate.accept(offers: $0, letsClientKeepContext: letsClientKeepContext) }?.headerValue
    }

    private static let both = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"

    private static let acceptable: [(offer: String, answer: String)] =
        [
            ("permessage-deflate", both),
            ("permessage-deflate; client_max_window_bits", both),
            ("permessage-deflate;client_max_window_bits=10", "\(both); client_max_window_bits=10"),
            ("permessage-deflate; client_max_window_bits=15", both),
            ("permessage-deflate; server_max_window_bits=8", "\(both); server_max_window_bits=8"),
            (#"permessage-deflate; server_max_window_bits="9""#, "\(both); server_max_window_bits=9"),
            (#"permessage-deflate; server_max_window_bits="\1\0""#, "\(both); server_max_window_bits=10"),
            ("permessage-deflate ;\tserver_no_context_takeover ; client_no_context_takeover", both),
            (
                "permessage-deflate; server_max_window_bits = 11 ; client_max_window_bits = 12",
                "\(both); server_max_window_bits=11; client_max_window_bits=12"
            ),
            ("x-webkit-deflate-frame, permessage-deflate", both),
            ("permessage-deflate; server_max_window_bits=7, permessage-deflate", both),
            (
                "permessage-deflate; unknown, permessage-deflate; server_max_window_bits=12",
                "\(both); server_max_window_bits=12"
            ),
            (", ,permessage-deflate,,", both),
        ]

    @Test("offers that are accepted, and the answers", arguments: acceptable)
    func accepted(_ offer: String, _ answer: String) {
        #expect(accept(offer) == answer)
    }

    @Test("the lines of the header count as one list")
    func lines() {
        let answer = accept("x-other; a=b", "permessage-deflate; client_max_window_bits=9")
        #expect(answer == "\(Self.both); client_max_window_bits=9")
    }

    @Test(
        "offers that are declined",
        arguments: [
            "", "x-other", "permessage-deflat", "permessage-deflate; unknown", "permessage-deflate; unknown=1",
            "permessage-deflate; server_max_window_bits",
            "permessage-deflate; server_max_window_bits=7", "permessage-deflate; server_max_window_bits=16",
            "permessage-deflate; server_max_window_bits=08", "permessage-deflate; server_max_window_bits=+9",
            "permessage-deflate; server_max_window_bits=999999999999999999999",
            "permessage-deflate; client_max_window_bits=0",
            "permessage-deflate; server_no_context_takeover=1", "permessage-deflate; client_no_context_takeover=true",
            "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
            "permessage-deflate; client_max_window_bits; client_max_window_bits=9",
            "permessage-deflate; server_max_window_bits=9; server_max_window_bits=10",
        ])
    func declined(_ offer: String) {
        #expect(accept(offer) == nil)
        #expect(WebSocketExtension.parse([offer]) != nil, "declined, not malformed")
    }

    @Test(
        "headers that are no list of extensions",
        arguments: [
            ";", "permessage-deflate;", "permessage-deflate; =1", "permessage-deflate; a=", #"a; b="c"#, #"a; b="""#,
            #"a; b="c d""#, #"a; b="c"d"#, "a b", "a; b c", "a=b", "ä", "a; b=\"\u{1}\"", "a/b", #"a; b="c\"#,
        ])
    func malformed(_ value: String) {
        #expect(WebSocketExtension.parse([value]) == nil)
    }

    @Test("the parts of an extension are read")
    func parts() {
        let parsed = WebSocketExtension.parse([#"a;b;c=1 , d ; e = "f\-g""#, "h"])
        #expect(
            parsed == [
                WebSocketExtension(
                    name: "a", parameters: [.init(name: "b", value: nil), .init(name: "c", value: "1")]),
                WebSocketExtension(name: "d", parameters: [.init(name: "e", value: "f-g")]),
                WebSocketExtension(name: "h", parameters: []),
            ])
    }

    @Test("a client keeps its context only if the server lets it and it did not offer to go without")
    func clientContext() {
        let answer = "permessage-deflate; server_no_context_takeover"
        #expect(accept("permessage-deflate", letsClientKeepContext: true) == answer)
        #expect(accept("permessage-deflate; client_no_context_takeover", letsClientKeepContext: true) == Self.both)
    }

    private static let answerable: [(answer: String, serverWindowBits: Int)] = [
        ("permessage-deflate; server_no_context_takeover", 15),
        (both, 15),
        ("permessage-deflate; server_no_context_takeover; server_max_window_bits=9", 9),
    ]

    @Test("answers that the client's offer allows", arguments: answerable)
    func allowedAnswers(_ answer: String, _ serverWindowBits: Int) throws {
        let parsed = try #require(WebSocketExtension.parse([answer])?.first)
        #expect(
            PermessageDeflate.agreement(answer: parsed)
                == PermessageDeflate.Agreement(serverWindowBits: serverWindowBits))
    }

    @Test(
        "answers that the client's offer does not allow",
        arguments: [
            "permessage-deflate", "permessage-deflate; client_no_context_takeover", "x-other",
            "permessage-deflate; server_no_context_takeover; client_max_window_bits=10",
            "permessage-deflate; server_no_context_takeover; client_max_window_bits",
            "permessage-deflate; server_no_context_takeover; server_max_window_bits",
            "permessage-deflate; server_no_context_takeover; unknown",
        ])
    func disallowedAnswers(_ answer: String) throws {
        let parsed = try #require(WebSocketExtension.parse([answer])?.first)
        #expect(PermessageDeflate.agreement(answer: parsed) == nil)
    }
}

import Testing

@testable import GatewayKit

struct OriginPolicyTests {
    @Test(arguments: [
        ("http://localhost:8080", "http://localhost:8080"),
        ("https://Chat.Example.ORG", "https://chat.example.org:443"),
        ("http://[::1]:80", "http://[::1]:80"), ("http://[2001:DB8:0:0::1]", "http://[2001:db8::1]:80"),
    ])
    func readsOrigins(_ text: String, _ canonical: String) {
        #expect(WebOrigin(text)?.description == canonical)
    }

    @Test(arguments: [
        "", "null", "localhost", "http://", "http://a/", "http://a/b", "http://a:", "http://a:x", "http://a:65536",
        "http://a:80:80", "http://u@a", "http://a b", "http://[::1", "http://[::1]x", "app://a", "://a", "ht tp://a",
        "http://a, http://b",
    ])
    func refusesOrigins(_ text: String) {
        #expect(WebOrigin(text) == nil)
    }

    static let matrix: [(origin: String?, scheme: String, authority: String?, verdict: OriginPolicy.Verdict)] = [
        (nil, "http", "chat.example.org", .absent),
        (nil, "http", nil, .absent),
        ("https://chat.example.org", "https", "chat.example.org", .own),
        ("https://chat.example.org:443", "https", "Chat.Example.org", .own),
        ("http://localhost:8080", "http", "localhost:8080", .own),
        ("http://127.0.0.1:8080", "http", "127.0.0.1:8080", .own),
        ("http://[::1]:8080", "http", "[::1]:8080", .own),
        ("http://chat.example.org", "https", "chat.example.org", .refused),
        ("https://chat.example.org:8443", "https", "chat.example.org", .refused),
        ("https://chat.example.org.evil.example", "https", "chat.example.org", .refused),
        ("https://evil.example", "https", "chat.example.org", .refused),
        ("https://sub.chat.example.org", "https", "chat.example.org", .refused),
        ("null", "https", "chat.example.org", .refused),
        ("", "https", "chat.example.org", .refused),
        ("file://", "https", "chat.example.org", .refused),
        ("https://chat.example.org", "https", nil, .refused),
        ("https://app.example.org", "https", "chat.example.org", .listed),
        ("http://app.example.org", "https", "chat.example.org", .refused),
        // A name that was made to resolve to this machine.
        ("http://rebound.example:8080", "http", "rebound.example:8080", .refused),
    ]

    @Test func judges() throws {
        let policy = OriginPolicy(
            allowed: [try #require(WebOrigin("https://app.example.org"))], ownNames: ["chat.example.org"])
        for (origin, scheme, authority, verdict) in Self.matrix {
            #expect(
                policy.verdict(origin: origin, scheme: scheme, authority: authority) == verdict,
                "\(origin ?? "-") at \(scheme)://\(authority ?? "-")")
        }
        // Without own names there are the ones that can't be rebound.
        #expect(OriginPolicy().verdict(origin: "http://a:1", scheme: "http", authority: "a:1") == .refused)
        #expect(OriginPolicy().verdict(origin: "http://[::1]:1", scheme: "http", authority: "[::1]:1") == .own)
    }
}

extension OriginPolicyTests {
    @Test(
        arguments: [
            (nil, true), ("", true), ("localhost:8080", true), ("127.0.0.1", true), ("[::1]:8080", true),
            ("Chat.Example.org", true), ("rebound.example:8080", false), ("localhost.example", false),
        ] as [(String?, Bool)])
    func knowsItsOwnNames(_ authority: String?, _ isOwn: Bool) {
        #expect(OriginPolicy(ownNames: ["chat.example.org"]).isOwn(authority: authority) == isOwn)
    }

    @Test(
        arguments: [
            ("https://chat.example.org", "chat.example.org"), ("https://Chat.example.org:8443/a/b", "chat.example.org"),
            ("http://[::1]/", "::1"), ("chat.example.org", nil),
        ] as [(String, String?)])
    func readsTheHostOfAPage(_ address: String, _ host: String?) {
        #expect(WebOrigin(ofPage: address)?.host == host)
    }
}

struct HTTPDateTests {
    @Test(arguments: [
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
        (951_827_696, "Tue, 29 Feb 2000 12:34:56 GMT"), (4_102_444_799, "Thu, 31 Dec 2099 23:59:59 GMT"),
        (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
    ])
    func writes(_ seconds: Int, _ text: String) {
        #expect(HTTPDate.format(seconds) == text)
    }
}

import Testing

@testable import GatewayKit

@Suite struct OutboundURLTests {
    private func url(_ text: String, _ policy: OutboundPolicy = OutboundPolicy()) throws -> OutboundURL {
        try OutboundURL(checking: text, by: policy)
    }

    private func refusal(_ text: String, _ policy: OutboundPolicy = OutboundPolicy()) -> OutboundRefusal? {
        do {
            _ = try OutboundURL(checking: text, by: policy)
            return nil
        } catch {
            return error
        }
    }

    @Test func parts() throws {
        let found = try url("https://Hooks.Example.com/in/a%20b?x=1&y=2#top")
        #expect(found.isSecure)
        #expect(found.host == .name("hooks.example.com"))
        #expect(found.port == 443)
        #expect(found.target == "/in/a%20b?x=1&y=2")
        #expect(found.authority == "hooks.example.com")
    }

    @Test(arguments: [
        ("https://example.com", "example.com", "/"), ("HTTPS://EXAMPLE.COM/", "example.com", "/"),
        ("https://example.com:443/a", "example.com", "/a"), ("https://example.com:80/a", "example.com:80", "/a"),
        ("https://example.com.", "example.com", "/"), ("https://example.com?q", "example.com", "/?q"),
        ("https://example.com#f", "example.com", "/"), ("https://example.com/#/a@b:c", "example.com", "/"),
        ("https://example.com/@user:80//x?y=https://10.0.0.1/", "example.com", "/@user:80//x?y=https://10.0.0.1/"),
        ("https://xn--bcher-kva.example.org/", "xn--bcher-kva.example.org", "/"),
        ("https://1.2.3.4.example.com/", "1.2.3.4.example.com", "/"),
        ("https://8.8.8.8/dns", "8.8.8.8", "/dns"), ("https://134744072/", "8.8.8.8", "/"),
        ("https://0x8.8.8.8/", "8.8.8.8", "/"),
        ("https://[2606:4700:4700::1111]/", "[2606:4700:4700::1111]", "/"),
        ("https://[2606:4700:4700::1111]:80/", "[2606:4700:4700::1111]:80", "/"),
        ("https://a-b.c-d.io/", "a-b.c-d.io", "/"), ("https://123abc.com", "123abc.com", "/"),
    ])
    func accepted(text: String, authority: String, target: String) throws {
        let found = try url(text)
        #expect(found.authority == authority)
        #expect(found.target == target)
    }

    @Test func schemes() throws {
        for text in [
            "http://example.com/", "ftp://example.com/", "file:///etc/passwd", "gopher://example.com/",
            "ws://example.com/",
            "javascript://example.com/", "data:text/html,x", "unix:/run/x", "httpss://example.com/",
            "view-source:https://example.com/",
        ] {
            #expect(refusal(text) == .scheme, "\(text)")
        }
        let plain = try url("http://example.com/x", OutboundPolicy(allowsPlainHTTP: true))
        #expect(!plain.isSecure)
        #expect(plain.port == 80)
        #expect(plain.authority == "example.com")
    }

    @Test(arguments: [
        "https://user@example.com/", "https://user:pass@example.com/", "https://@example.com/",
        "https://example.com@10.0.0.1/",
        "https://10.0.0.1@example.com/", "https://a%40b@example.com/", "https://example.com:80@127.0.0.1/",
        "https://[::1]@example.com/",
        "https://example.com:@127.0.0.1",
    ])
    func userInformation(text: String) {
        #expect(refusal(text) == .userInformation)
    }

    @Test(arguments: [
        "", "https", "https:", "https:/", "https://", "https:///", "https:///path", "https:example.com",
        "https:/example.com", "//example.com",
        "/path", "example.com", "https://?q", "https://#f", "https://:443/", "https://example.com:",
        "https://example.com:/",
        "https://example.com:abc/", "https://example.com:0/", "https://example.com:00443/",
        "https://example.com:65536/",
        "https://example.com:-1/", "https://example.com:+443/", "https://example.com:443:443/",
        "https://example.com:99999999999999999999/",
        "https://exa mple.com/", " https://example.com/", "https://example.com/ ", "https://example.com/a b",
        "https://example.com/\t",
        "https://example.com/\n", "https://example.com/\r\nHost: x", "https://example.com\\@10.0.0.1/",
        "https:\\\\example.com\\",
        "https://example.com/\\..\\", "https://example.com/<x>", "https://example.com/\"", "https://example.com/`",
        "https://example.com/{x}",
        "https://example.com/|", "https://example.com/^", "https://example.com/%", "https://example.com/%2",
        "https://example.com/%zz",
        "https://exam%70le.com/", "https://127.0.0.1%2f.example.com", "https://example.com%00.evil.com/",
        "https://example.com\0/",
        "https://exämple.com/", "https://例え.jp/", "https://１２７.0.0.1/", "https://①②⑦.0.0.1/", "https://127。0。0。1/",
        "https://example。com/",
        "https://\u{202e}example.com/", "https://-a.com/", "https://a-.com/", "https://a..com/", "https://.com/",
        "https://..",
        "https://a_b.com/", "https://a*b.com/", "https://a,b.com/", "https://a;b.com/", "https://example.com..",
        "https://.",
        "https://[::1/", "https://[::1]x/", "https://[::1]x:443/", "https://::1/", "https://2001:db8::1/",
        "https://[::1%25lo]/",
        "https://[fe80::1%eth0]/", "https://[127.0.0.1]/", "https://[]/", "https://[example.com]/", "https://[v1.x]/",
        "https://256.1.1.1/", "https://1.2.3.4.5/", "https://08.1.1.1/", "https://0x1ffffffff/", "https://4294967296/",
        "https://foo.0x/",
        "https://example.123/", "https://1.2.3.4../",
    ])
    func malformed(text: String) {
        guard case .malformed = refusal(text) else {
            Issue.record("\(text): \(String(describing: refusal(text)))")
            return
        }
    }

    @Test(arguments: [
        "localhost", "LOCALHOST", "localhost.", "a.localhost", "localhost.localdomain", "intranet", "wiki",
        "router.local", "x.internal",
        "metadata.google.internal", "nas.lan", "nas.home", "a.home.arpa", "x.corp", "y.onion", "1.0.0.127.in-addr.arpa",
        "a.test", "a.invalid",
        "a.example", "ip6-localhost", "com", "xn--a",
    ])
    func internalNames(name: String) {
        #expect(refusal("https://\(name)/") == .internalName)
    }

    @Test func allowedNames() throws {
        let policy = OutboundPolicy(allowedNames: ["bot", "bot.internal"])
        #expect(try url("https://BOT/", policy).host == .name("bot"))
        #expect(try url("https://bot.internal./", policy).host == .name("bot.internal"))
        #expect(refusal("https://x.bot.internal/", policy) == .internalName)
        #expect(refusal("https://boots/", policy) == .internalName)
    }

    @Test(arguments: [
        "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.0.0.1.", "10.0.0.1", "169.254.169.254",
        "0xa9fea9fe", "0", "0.0.0.0",
        "[::]", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:a9fe:a9fe]", "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]", "[fe80::1]",
        "[fd00:ec2::254]", "[::127.0.0.1]", "[2001::80ff:fffe]", "192.168.257", "255.255.255.255", "224.0.0.1",
    ])
    func forbiddenNumbers(host: String) {
        for text in ["https://\(host)/", "https://\(host):443/x", "https://\(host)"] {
            guard case .specialPurpose = refusal(text) else {
                Issue.record("\(text): \(String(describing: refusal(text)))")
                continue
            }
        }
    }

    @Test func ports() throws {
        for port in [1, 22, 25, 81, 444, 3306, 5432, 6379, 8080, 9200, 11_211, 65_535] {
            #expect(refusal("https://example.com:\(port)/") == .port(port))
        }
        #expect(
            try url("https://example.com:8443/", OutboundPolicy(extraPorts: [8443])).authority == "example.com:8443")
    }

    @Test func ownListeners() throws {
        let loopback = try #require(NetworkAddress(parsing: "127.0.0.1"))
        let policy = OutboundPolicy(
            allowedRanges: [try #require(NetworkRange(parsing: "127.0.0.0/8"))], allowsPlainHTTP: true,
            extraPorts: [8080, 9000],
            ownEndpoints: [.init(address: loopback, port: 8080)])
        #expect(try url("http://127.0.0.1:9000/hook", policy).authority == "127.0.0.1:9000")
        #expect(refusal("http://127.0.0.1:8080/v1/messages", policy) == .ownAddress(loopback))
        #expect(refusal("http://127.1:8080/", policy) == .ownAddress(loopback))
    }

    @Test func lengths() throws {
        let room = OutboundURL.maximumLength - "https://example.com/".utf8.count
        #expect(refusal("https://example.com/" + String(repeating: "a", count: room)) == nil)
        #expect(refusal("https://example.com/" + String(repeating: "a", count: room + 1)) == .malformed("length"))
        #expect(refusal(String(repeating: "https://", count: 1_000_000)) == .malformed("length"))
        let label = String(repeating: "a", count: 63)
        #expect(refusal("https://\(label).com/") == nil)
        #expect(refusal("https://a\(label).com/") == .malformed("host name"))
        let long = Array(repeating: label, count: 3).joined(separator: ".") + "."
        #expect(refusal("https://\(long)\(String(repeating: "b", count: 61))/") == nil)
        #expect(refusal("https://\(long)\(String(repeating: "b", count: 62))/") == .malformed("host name"))
    }

    /// What passes is read the same when its parts are put together again: there is no second reading.
    @Test func acceptedURLsAreStable() throws {
        var generator = SeededGenerator(seed: 3986)
        let pieces = [
            "https:", "//", "/", "example.com", "@", ":", "443", "80", "#", "?", "%41", "[", "]", "::1", "8.8.8.8",
            "127.0.0.1", ".", "a", "-", "\\",
            "2606:4700::1", "0x7f", "1", "xn--",
        ]
        var accepted = 0
        for _ in 0..<10_000 {
            let tail = (0..<Int.random(in: 0..<8, using: &generator)).compactMap { _ in
                pieces.randomElement(using: &generator)
            }
            guard let found = try? url("https://" + tail.joined()) else { continue }
            accepted += 1
            let again = try url("https://\(found.authority)\(found.target)")
            #expect(again == found)
            if case .address(let address) = found.host {
                #expect(OutboundPolicy().refusal(of: address, port: found.port) == nil)
            }
        }
        #expect(accepted > 20)
    }
}

import NIOCore
import Testing

@testable import GatewayKit

@Suite struct NetworkAddressTests {
    /// Every spelling reads as the same number as the plain one.
    @Test(arguments: [
        // 127.0.0.1
        ("127.0.0.1", "127.0.0.1"), ("127.1", "127.0.0.1"), ("127.0.1", "127.0.0.1"), ("2130706433", "127.0.0.1"),
        ("0x7f000001", "127.0.0.1"), ("0x7F000001", "127.0.0.1"), ("0X7f000001", "127.0.0.1"),
        ("017700000001", "127.0.0.1"),
        ("0x7f.0.0.1", "127.0.0.1"), ("0x7f.1", "127.0.0.1"), ("0x7f.0x0.0x0.0x1", "127.0.0.1"),
        ("0177.0.0.1", "127.0.0.1"),
        ("0177.1", "127.0.0.1"), ("0177.0.0.01", "127.0.0.1"), ("00000177.0.0.1", "127.0.0.1"),
        ("0177.0x0.0.1", "127.0.0.1"),
        ("127.0.0.1.", "127.0.0.1"), ("127.1.", "127.0.0.1"), ("2130706433.", "127.0.0.1"), ("0x7f.0.1", "127.0.0.1"),
        ("127.0x000001", "127.0.0.1"), ("127.00.00.01", "127.0.0.1"), ("0x0000007f.0.0.1", "127.0.0.1"),
        ("127.0.0.0x1", "127.0.0.1"), ("127.0.01", "127.0.0.1"), ("0x7f.0.0.0x", "127.0.0.0"),
        // others
        ("0", "0.0.0.0"), ("0x0", "0.0.0.0"), ("0x", "0.0.0.0"), ("00", "0.0.0.0"), ("0.0", "0.0.0.0"),
        ("1", "0.0.0.1"),
        ("10.1", "10.0.0.1"), ("167772161", "10.0.0.1"), ("012.1", "10.0.0.1"), ("0xa.1", "10.0.0.1"),
        ("192.168.257", "192.168.1.1"), ("0300.0250.1.1", "192.168.1.1"), ("0xc0a80101", "192.168.1.1"),
        ("3232235777", "192.168.1.1"), ("169.254.43518", "169.254.169.254"), ("2852039166", "169.254.169.254"),
        ("0xA9FEA9FE", "169.254.169.254"), ("0251.0376.0251.0376", "169.254.169.254"),
        ("169.16689662", "169.254.169.254"),
        ("4294967295", "255.255.255.255"), ("0xffffffff", "255.255.255.255"), ("255.16777215", "255.255.255.255"),
        ("8.8.8.8", "8.8.8.8"), ("134744072", "8.8.8.8"), ("010.8.8.8", "8.8.8.8"), ("8.526344", "8.8.8.8"),
    ])
    func spellingsOfIPv4(text: String, plain: String) throws {
        let address = try #require(NetworkAddress(parsing: text), "\(text)")
        #expect(address.isIPv4)
        #expect(address.description == plain)
    }

    @Test(arguments: [
        ("::", "::"), ("::1", "::1"), ("0:0:0:0:0:0:0:1", "::1"), ("0000:0000:0000:0000:0000:0000:0000:0001", "::1"),
        ("0::1", "::1"), ("::0:1", "::1"), ("0:0::0:1", "::1"), ("[::1]", "::1"), ("::0001", "::1"),
        ("::0.0.0.1", "::1"),
        ("::ffff:127.0.0.1", "::ffff:127.0.0.1"), ("::FFFF:7F00:1", "::ffff:127.0.0.1"),
        ("0:0:0:0:0:ffff:127.0.0.1", "::ffff:127.0.0.1"), ("[::ffff:7f00:0001]", "::ffff:127.0.0.1"),
        ("2001:DB8::1", "2001:db8::1"), ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("2001:0db8::0001", "2001:db8::1"),
        ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"), ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"),
        ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
        ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"), ("1::8", "1::8"), ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"),
        ("fe80::", "fe80::"), ("64:ff9b::8.8.8.8", "64:ff9b::808:808"), ("::1.2.3.4", "::102:304"), ("0:1::", "0:1::"),
    ])
    func spellingsOfIPv6(text: String, plain: String) throws {
        let address = try #require(NetworkAddress(parsing: text), "\(text)")
        #expect(!address.isIPv4)
        #expect(address.description == plain)
        #expect(NetworkAddress(parsing: plain) == address)
    }

    @Test(arguments: [
        "", ".", "..", "1..2", ".1", "1.2.3.4.5", "1.2.3.4..", "256.0.0.1", "1.256.1.1", "1.2.3.256", "1.2.65536",
        "1.16777216",
        "4294967296", "0x100000000", "040000000000", "08", "09.0.0.1", "0x7g", "0xx1", "1e3", "-1", "+1", " 1", "1 ",
        "1.2.3.4 ",
        "1.2.3.4\0", "1.2.3.4\n", "1,2", "1.2.3.4/8", "1.2.3.4:80", "localhost", "a.b.c.d", "127.0.0.one",
        "１２７.0.0.1", "①②⑦.0.0.1", "127。0。0。1", "127%2e0.0.1", "99999999999999999999999999",
        "0x" + String(repeating: "0", count: 200),
        ":", ":::", "1:", ":1", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::",
        "::1:2:3:4:5:6:7:8",
        "12345::", "g::", "::1%eth0", "::1%25eth0", "fe80::1%1", "[::1", "::1]", "[]", "[[::1]]", "[127.0.0.1]",
        "[::1]:80",
        "::256.0.0.1", "::1.2.3", "::1.2.3.4.5", "::01.2.3.4", "::0x7f.0.0.1", "1.2.3.4::", "::1.2.3.4:5",
        "1:2:3:4:5:6:7:1.2.3.4",
        "::ffff:127.1", "::ffff:2130706433", " ::1", "::1 ", "::\0", "::１", "1:2:3:4:5:6:7:",
    ])
    func whatIsNoAddress(text: String) {
        #expect(NetworkAddress(parsing: text) == nil, "\(text)")
    }

    @Test(arguments: [
        "127.0.0.1", "1", "0x7f", "0X", "a.1", "a.0x1", "foo.bar.123", "1.2.3.4.5", "256", "08", "example.0",
        "1.2.3.4.", "0x.",
        "99999999999",
    ])
    func looksNumeric(host: String) {
        #expect(NetworkAddress.looksNumeric(Array(host.utf8)))
    }

    @Test(arguments: [
        "", ".", "a", "1a", "1.a", "0xg", "example.com", "1.2.3.4.com", "1e3", "-1", "0x1.example", "7f", "a..",
        "1.2..",
    ])
    func looksLikeAName(host: String) {
        #expect(!NetworkAddress.looksNumeric(Array(host.utf8)))
    }

    // MARK: Addresses within addresses

    @Test(arguments: [
        ("::ffff:10.0.0.1", "10.0.0.1"), ("::ffff:a00:1", "10.0.0.1"), ("::10.0.0.1", "10.0.0.1"),
        ("::127.0.0.1", "127.0.0.1"),
        ("64:ff9b::10.0.0.1", "10.0.0.1"), ("64:ff9b:1::10.0.0.1", "10.0.0.1"),
        ("64:ff9b:1:abcd:ef01:2345:10.0.0.1", "10.0.0.1"),
        ("2002:0a00:0001::", "10.0.0.1"), ("2002:7f00:1::1", "127.0.0.1"),
        ("2002:7f00:1:ffff:ffff:ffff:ffff:ffff", "127.0.0.1"),
        ("2001:0:1:2:3:4:f5ff:fffe", "10.0.0.1"), ("2001::80ff:fffe", "127.0.0.1"),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", "192.0.2.45"),
        ("::", "::"), ("::1", "::1"), ("::2", "0.0.0.2"), ("::ffff", "0.0.255.255"), ("::1:0:0", "::1:0:0"),
        ("::fffe:0:0", "::fffe:0:0"),
        ("::ffff:0:10.0.0.1", "::ffff:0:a00:1"), ("64:ff9b::1:10.0.0.1", "64:ff9b::1:a00:1"),
        ("64:ff9b:2::10.0.0.1", "64:ff9b:2::a00:1"),
        ("2003:a00:1::", "2003:a00:1::"), ("2001:1::80ff:fffe", "2001:1::80ff:fffe"), ("10.0.0.1", "10.0.0.1"),
    ])
    func canonical(text: String, inner: String) throws {
        let address = try #require(NetworkAddress(parsing: text))
        #expect(address.canonical.description == inner)
        #expect(address.canonical.canonical == address.canonical)
    }

    @Test func bytesRoundTrip() throws {
        var generator = SeededGenerator(seed: 4291)
        for _ in 0..<1_000 {
            let high = generator.next()
            let value = UInt128(high) << 64 | UInt128(generator.next())
            // Zero groups are what the short form is about.
            let mask = (0..<8).reduce(UInt128(0)) { mask, _ in
                mask << 16 | (Bool.random(using: &generator) ? 0xFFFF : 0)
            }
            for address in [
                NetworkAddress(ipv6: value & mask), NetworkAddress(ipv4: UInt32(truncatingIfNeeded: value)),
            ] {
                #expect(NetworkAddress(parsing: address.description) == address)
                #expect(NetworkAddress(bytes: address.bytes) == address)
                let socket = try SocketAddress(ipAddress: address.description, port: 1)
                #expect(NetworkAddress(socket) == address, "as the system's own reader has it")
            }
        }
        #expect(NetworkAddress(bytes: [1, 2, 3]) == nil)
        #expect(NetworkAddress(bytes: Array(repeating: 0, count: 17)) == nil)
        #expect(NetworkAddress(bytes: []) == nil)
    }

    @Test func randomTextNeverTraps() {
        var generator = SeededGenerator(seed: 6890)
        let alphabet = Array("0123456789abcdefxX.:[]%/ g".utf8)
        for _ in 0..<10_000 {
            let length = Int.random(in: 0..<24, using: &generator)
            let text = String(
                decoding: (0..<length).map { _ in alphabet.randomElement(using: &generator) ?? 0 }, as: UTF8.self)
            if let address = NetworkAddress(parsing: text) {
                #expect(NetworkAddress(parsing: address.description) == address)
                if address.isIPv4 { #expect(NetworkAddress.looksNumeric(Array(text.utf8))) }
            }
            _ = NetworkRange(parsing: text)
        }
    }
}

@Suite struct NetworkRangeTests {
    @Test func containment() throws {
        let range = try #require(NetworkRange(parsing: "10.0.0.0/8"))
        for inside in ["10.0.0.0", "10.255.255.255", "10.1"] {
            #expect(range.contains(try #require(NetworkAddress(parsing: inside))))
        }
        for outside in ["9.255.255.255", "11.0.0.0", "::ffff:10.0.0.1", "::a00:1"] {
            #expect(!range.contains(try #require(NetworkAddress(parsing: outside))))
        }
        let all = try #require(NetworkRange(parsing: "::/0"))
        #expect(all.contains(NetworkAddress(ipv6: .max)))
        #expect(!all.contains(NetworkAddress(ipv4: 0)))
        let one = try #require(NetworkRange(parsing: "2001:db8::1"))
        #expect(one.bits == 128)
        #expect(one.contains(one.base))
        #expect(!one.contains(NetworkAddress(ipv6: one.base.value + 1)))
        #expect(try #require(NetworkRange(parsing: "0.0.0.0/0")).contains(NetworkAddress(ipv4: .max)))
    }

    @Test(arguments: ["10.0.0.0/8", "192.168.1.1/32", "::/0", "2001:db8::/32", "0.0.0.0/0", "::1/128"])
    func roundTrip(text: String) throws {
        #expect(try #require(NetworkRange(parsing: text)).description == text)
    }

    @Test(arguments: [
        "", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/-1", "10.0.0.0/08", "10.0.0.0/8/8", "10.0.0.1/8",
        "10/8",
        "10.0/8", "012.0.0.0/8", "0xa.0.0.0/8", "167772160/8", "[::1]/128", "::1/64", "10.0.0.0/ 8", "10.0.0.0/999",
        "10.0.0.0/1e1",
        "example.com/8", "10.0.0.0.",
    ])
    func whatIsNoRange(text: String) {
        #expect(NetworkRange(parsing: text) == nil)
    }

    @Test func bitsAreBounded() {
        #expect(NetworkRange(NetworkAddress(ipv4: 1), bits: 99).bits == 32)
        #expect(NetworkRange(NetworkAddress(ipv6: 1), bits: -1).bits == 0)
    }
}

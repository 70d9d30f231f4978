import Testing

@testable import GatewayKit

struct ProxyHeaderTests {
    static let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]

    static func binary(_ version: UInt8, _ family: UInt8, _ body: [UInt8], length: Int? = nil) -> [UInt8] {
        let length = length ?? body.count
        return signature + [version, family, UInt8(length >> 8), UInt8(length & 0xFF)] + body
    }

    static let v4: [UInt8] = [192, 0, 2, 1, 198, 51, 100, 2, 0x30, 0x39, 0x01, 0xBB]
    static let v6: [UInt8] =
        [0x20, 0x01, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [9]
        + [UInt8](repeating: 0xEE, count: 16) + [0, 1, 0, 2]

    /// Headers, and the source and the TLS flag that they name.
    static let good: [(bytes: [UInt8], source: String?, isSecure: Bool?)] = [
        (Array("PROXY TCP4 192.0.2.1 198.51.100.2 12345 443\r\n".utf8), "192.0.2.1", nil),
        (Array("PROXY TCP6 2001:db8::9 ::1 1 65535\r\n".utf8), "2001:db8::9", nil),
        (Array("PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n".utf8), "192.0.2.1", nil),
        (Array("PROXY UNKNOWN\r\n".utf8), nil, nil),
        (Array("PROXY UNKNOWN ffff:f...f:ffff whatever 1 2\r\n".utf8), nil, nil),
        (binary(0x21, 0x11, v4), "192.0.2.1", nil),
        (binary(0x21, 0x12, v4), "192.0.2.1", nil),
        (binary(0x21, 0x21, v6), "2001:db8::9", nil),
        (binary(0x20, 0x00, []), nil, nil),
        (binary(0x20, 0x11, v4), nil, nil),
        (binary(0x21, 0x00, [1, 2, 3]), nil, nil),
        (binary(0x21, 0x31, [UInt8](repeating: 0x2F, count: 216)), nil, nil),
        (binary(0x21, 0x11, v4 + [0x20, 0, 5, 1, 0, 0, 0, 0]), "192.0.2.1", true),
        (binary(0x21, 0x11, v4 + [0x04, 0, 0, 0x20, 0, 5, 0, 0, 0, 0, 0]), "192.0.2.1", false),
        (binary(0x21, 0x11, v4 + [0x02, 0, 3, 1, 2, 3]), "192.0.2.1", nil),
    ]

    static let bad: [(bytes: [UInt8], violation: ProxyHeader.Violation)] = [
        (Array("GET / HTTP/1.1\r\n".utf8), .signature),
        (Array("PROXYTCP4".utf8), .signature),
        (Array("PROXY \r\n".utf8), .malformed),
        (Array("PROXY TCP4 192.0.2.1 198.51.100.2 12345 443\n".utf8), .malformed),
        (Array("PROXY TCP4 192.0.2.1 198.51.100.2 12345\r\n".utf8), .malformed),
        (Array("PROXY TCP4 192.0.2.1 198.51.100.2 12345 443 1\r\n".utf8), .malformed),
        (Array("PROXY TCP4  192.0.2.1 198.51.100.2 12345 443\r\n".utf8), .malformed),
        (Array("PROXY TCP4 192.0.2.1 198.51.100.2 65536 443\r\n".utf8), .malformed),
        (Array("PROXY TCP4 192.0.2.1 198.51.100.2 012 443\r\n".utf8), .malformed),
        (Array("PROXY TCP4 192.0.2.1 198.51.100.2 +12 443\r\n".utf8), .malformed),
        (Array("PROXY TCP4 2001:db8::9 ::1 1 2\r\n".utf8), .malformed),
        (Array("PROXY TCP4 ::ffff:192.0.2.1 198.51.100.2 1 2\r\n".utf8), .malformed),
        (Array("PROXY TCP6 192.0.2.1 198.51.100.2 1 2\r\n".utf8), .malformed),
        (Array("PROXY UDP4 192.0.2.1 198.51.100.2 1 2\r\n".utf8), .malformed),
        (Array("PROXY UNKNOWN ".utf8) + [UInt8](repeating: 0x41, count: 120), .tooLong),
        (binary(0x11, 0x11, v4), .malformed),
        (binary(0x22, 0x11, v4), .malformed),
        (binary(0x21, 0x13, v4), .malformed),
        (binary(0x21, 0x11, Array(v4.dropLast())), .malformed),
        (binary(0x21, 0x21, v4), .malformed),
        (binary(0x21, 0x31, v6), .malformed),
        (binary(0x21, 0x11, v4 + [0x20]), .malformed),
        (binary(0x21, 0x11, v4 + [0x20, 0, 6, 1, 0, 0, 0, 0]), .malformed),
        (binary(0x21, 0x11, v4 + [0x20, 0, 1, 1]), .malformed),
        (binary(0x21, 0x11, v4, length: 4081), .tooLong),
        (binary(0x21, 0x11, v4, length: 65535), .tooLong),
    ]

    @Test func readsHeadersAtEverySplitPoint() throws {
        for (bytes, source, isSecure) in Self.good {
            for end in 0..<bytes.count {
                #expect(try ProxyHeader.decode(bytes.prefix(end)) == nil, "\(bytes) at \(end)")
            }
            for rest in [[], Array("GET / HTTP/1.1\r\n".utf8), [0, 0xFF]] as [[UInt8]] {
                let header = try #require(try ProxyHeader.decode(bytes + rest))
                #expect(header.length == bytes.count)
                #expect(header.source?.description == source)
                #expect(header.isSecure == isSecure)
            }
        }
    }

    /// A broken header is never taken for a whole one, however it is cut; and in the end it is refused.
    @Test func refusesBrokenHeadersAtEverySplitPoint() {
        for (bytes, violation) in Self.bad {
            for end in 0..<bytes.count {
                do {
                    #expect(try ProxyHeader.decode(bytes.prefix(end)) == nil)
                } catch {
                    #expect(error == violation)
                }
            }
            #expect(throws: violation, "\(bytes)") { try ProxyHeader.decode(bytes) }
        }
    }

    @Test func survivesAnything() {
        var random = SeededRandom(seed: 3)
        for _ in 0..<20_000 {
            var bytes = Self.good.randomElement(using: &random)?.bytes ?? []
            for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[place] = .random(in: .min ... .max, using: &random)
                case 1: bytes.remove(at: place)
                default: bytes.insert(.random(in: .min ... .max, using: &random), at: place)
                }
            }
            if let header = try? ProxyHeader.decode(bytes) { #expect(header.length <= bytes.count) }
        }
    }
}

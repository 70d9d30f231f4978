/// The challenge of an HTTP/1.1 handshake: 16 random bytes in base64. RFC 6455 sections 4.1 and 4.2.2.
package struct WebSocketKey: Hashable, Sendable {
    /// The value of `Sec-WebSocket-Key`.
    package let value: String

    /// A new key for a client, from the system's cryptographic random numbers.
    package init() {
        value = Self.base64((0..<16).map { _ in UInt8.random(in: .min ... .max) })
    }

    /// A key that a client sent; `nil` unless it stands for exactly 16 bytes.
    package init?(_ value: String) {
        let bytes = Array(value.utf8)
        guard
            bytes.count == 24, bytes.suffix(2).elementsEqual([Self.padding, Self.padding]),
            bytes.dropLast(2).allSatisfy(Self.alphabet.contains)
        else { return nil }
        self.value = value
    }

    /// What the server answers in `Sec-WebSocket-Accept`.
    package var accept: String {
        Self.base64(SHA1.digest((value + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8))
    }

    private static let padding = UInt8(ascii: "=")
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// RFC 4648 section 4.
    // trap-ok-function: `start` walks over the bytes that there are, and six bits index an alphabet of 64
    private static func base64(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
            for place in 0..<4 {
                let six = Int(bits >> UInt32(18 - 6 * place)) & 63
                text.append(place <= group.count ? alphabet[six] : padding)
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}

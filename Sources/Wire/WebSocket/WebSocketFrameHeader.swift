import NIOCore

/// The part of a frame before its payload. RFC 6455 section 5.2.
struct WebSocketFrameHeader {
    /// The longest that a header can be.
    static let maxBytes = 14

    let opcode: WebSocketOpcode
    let isFinal: Bool
    /// RSV1, which permessage-deflate claims for the first frame of a message (RFC 7692 section 6).
    let isCompressed: Bool
    let length: Int
    let mask: WebSocketMask?

    /// Reads a header off the front of `buffer`; `nil`, and nothing read, while part of it is missing. The rules about
    /// its first two bytes and the length are checked before the rest is there.
    static func read(
        from buffer: inout ByteBuffer, role: WebSocketRole, compressionAgreed: Bool
    ) throws(WebSocketViolation) -> Self? {
        var bytes = buffer
        guard let both = bytes.readInteger(as: UInt16.self) else { return nil }
        let (first, second) = (UInt8(both >> 8), UInt8(both & 0xFF))
        guard first & 0x30 == 0 else { throw Self.violation("a reserved bit is set") }
        guard let opcode = WebSocketOpcode(rawValue: first & 0x0F) else { throw Self.violation("unknown opcode") }
        let isFinal = first & 0x80 != 0
        guard isFinal || !opcode.isControl else { throw Self.violation("a control frame is fragmented") }
        let isCompressed = first & 0x40 != 0
        if isCompressed {
            guard compressionAgreed else { throw Self.violation("RSV1 is set without an agreed extension") }
            guard opcode == .text || opcode == .binary else {
                throw Self.violation("RSV1 is set on a frame that does not start a message")
            }
        }

        let isMasked = second & 0x80 != 0
        guard isMasked == (role == .server) else {
            throw Self.violation(isMasked ? "a server's frame is masked" : "a client's frame is not masked")
        }
        guard let length = try readLength(second & 0x7F, isControl: opcode.isControl, from: &bytes) else { return nil }

        var mask: WebSocketMask?
        if isMasked {
            guard let key = bytes.readInteger(endianness: .little, as: UInt32.self) else { return nil }
            mask = WebSocketMask(key: key)
        }
        buffer = bytes
        return Self(opcode: opcode, isFinal: isFinal, isCompressed: isCompressed, length: length, mask: mask)
    }

    private static func readLength(
        _ short: UInt8, isControl: Bool, from bytes: inout ByteBuffer
    ) throws(WebSocketViolation) -> Int? {
        if short < 126 { return Int(short) }
        guard !isControl else { throw violation("a control frame is over 125 bytes") }
        if short == 126 {
            guard let medium = bytes.readInteger(as: UInt16.self) else { return nil }
            guard medium > 125 else { throw violation("a length is not in its shortest form") }
            return Int(medium)
        }
        guard let long = bytes.readInteger(as: UInt64.self) else { return nil }
        guard long > 0xFFFF else { throw violation("a length is not in its shortest form") }
        guard let length = Int(exactly: long) else { throw violation("a length has its highest bit set") }
        return length
    }

    private static func violation(_ message: String) -> WebSocketViolation {
        WebSocketViolation(.protocolError, message)
    }
}

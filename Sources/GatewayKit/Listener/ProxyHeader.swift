/// The header by which a proxy tells, ahead of the connection's own bytes, for whom it connects: the PROXY protocol,
/// versions 1 (a line of text) and 2 (binary).
///
/// A pure decoder: bytes in, verdict out; the verdict does not depend on how the bytes were cut.
package struct ProxyHeader: Hashable, Sendable {
    package enum Violation: Error, Hashable, Sendable {
        /// The bytes begin like no PROXY header.
        case signature
        /// They begin like one but break its grammar.
        case malformed
        /// The header is longer than `maxBytes`.
        case tooLong
    }

    /// Whom the proxy connects for; `nil` when it connects for itself (a health check) or does not know.
    package var source: NetworkAddress?
    /// Whether the proxy says that the client spoke TLS to it; `nil` when it says nothing.
    package var isSecure: Bool?
    /// Bytes that the header takes; what follows them is the connection's own.
    package var length: Int

    /// Of version 2; its lengths would allow 64 KiB, which nothing needs.
    package static let maxBytes = 4096
    /// Of version 1, its CRLF included.
    static let maxTextBytes = 107

    private static let textSignature = Array("PROXY ".utf8)
    private static let binarySignature: [UInt8] = [
        0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A,
    ]

    /// Reads a header off the front of `bytes`; `nil` while more are needed. Each rule is checked as soon as the bytes
    /// that break it are there.
    package static func decode(_ bytes: some RandomAccessCollection<UInt8>) throws(Violation) -> ProxyHeader? {
        // No more than this is looked at, whatever a reader has piled up.
        let head = Array(bytes.prefix(maxBytes))
        if begins(head, with: binarySignature) {
            return head.count < 16 ? try partialBinary(head) : try binary(head)
        }
        if begins(head, with: textSignature) { return try text(head) }
        throw .signature
    }

    /// Whether the two agree as far as both go.
    private static func begins(_ bytes: [UInt8], with signature: [UInt8]) -> Bool {
        zip(bytes, signature).allSatisfy { $0 == $1 }
    }

    // MARK: Version 1

    private static func text(_ bytes: [UInt8]) throws(Violation) -> ProxyHeader? {
        let line = bytes.prefix(maxTextBytes)
        guard let end = line.firstIndex(of: 0x0A) else {
            guard line.count < maxTextBytes else { throw .tooLong }
            return nil
        }
        guard line[..<end].last == 0x0D else { throw .malformed }
        let words = line[..<end].dropLast().split(separator: 0x20, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        var header = ProxyHeader(length: end + 1)
        guard words.count >= 2 else { throw .malformed }
        // What follows UNKNOWN is to be ignored.
        if words[1] == "UNKNOWN" { return header }
        guard words.count == 6, isPort(words[4]), isPort(words[5]) else { throw .malformed }
        guard let source = NetworkAddress(plain: words[2]), NetworkAddress(plain: words[3]) != nil else {
            throw .malformed
        }
        let hasColons = (words[2].contains(":"), words[3].contains(":"))
        switch words[1] {
        case "TCP4" where hasColons == (false, false): break
        case "TCP6" where hasColons == (true, true): break
        default: throw .malformed
        }
        header.source = source
        return header
    }

    private static func isPort(_ word: String) -> Bool {
        guard let port = UInt16(word) else { return false }
        return String(port) == word
    }

    // MARK: Version 2

    /// Fewer bytes than the fixed part: nothing but its version can be judged yet.
    private static func partialBinary(_ bytes: [UInt8]) throws(Violation) -> ProxyHeader? {
        if let version = bytes.dropFirst(12).first { try check(version: version) }
        return nil
    }

    private static func check(version: UInt8) throws(Violation) {
        guard version == 0x20 || version == 0x21 else { throw .malformed }
    }

    private static func binary(_ bytes: [UInt8]) throws(Violation) -> ProxyHeader? {
        var reader = bytes.dropFirst(12)
        guard let version = reader.popFirst(), let family = reader.popFirst(), let length = takeInteger(&reader)
        else { return nil }
        try check(version: version)
        guard length + 16 <= maxBytes else { throw .tooLong }
        guard reader.count >= length else { return nil }
        var body = reader.prefix(length)
        var header = ProxyHeader(length: length + 16)
        // 0x20 is LOCAL: whatever else it says does not count.
        if version == 0x20 { return header }
        switch family {
        case 0x11, 0x12:
            header.source = NetworkAddress(ipv4: UInt32(truncatingIfNeeded: try take(4, &body)))
            // Target and both ports.
            _ = try take(8, &body)
        case 0x21, 0x22:
            header.source =
                NetworkAddress(
                    ipv6: UInt128(try take(8, &body)) << 64 | UInt128(try take(8, &body))
                ).unmapped
            _ = try take(8, &body)
            _ = try take(8, &body)
            _ = try take(4, &body)
        case 0x31, 0x32:
            guard body.count >= 216 else { throw .malformed }
            body = body.dropFirst(216)
        case 0x00:
            return header
        default:
            throw .malformed
        }
        try readExtras(&body, into: &header)
        return header
    }

    /// Type, length, value, until the end. Type 0x20 tells of TLS: its first byte has bit 0 set if the client spoke it.
    private static func readExtras(_ body: inout ArraySlice<UInt8>, into header: inout ProxyHeader) throws(Violation) {
        while let type = body.popFirst() {
            guard let length = takeInteger(&body), body.count >= length else { throw .malformed }
            let value = body.prefix(length)
            body = body.dropFirst(length)
            if type == 0x20 {
                guard let client = value.first, value.count >= 5 else { throw .malformed }
                header.isSecure = client & 1 != 0
            }
        }
    }

    private static func takeInteger(_ bytes: inout ArraySlice<UInt8>) -> Int? {
        guard let high = bytes.popFirst(), let low = bytes.popFirst() else { return nil }
        return Int(high) << 8 | Int(low)
    }

    /// Up to eight bytes in network order.
    private static func take(_ count: Int, _ bytes: inout ArraySlice<UInt8>) throws(Violation) -> UInt64 {
        guard bytes.count >= count else { throw .malformed }
        defer { bytes = bytes.dropFirst(count) }
        return bytes.prefix(count).reduce(0) { $0 << 8 | UInt64($1) }
    }
}

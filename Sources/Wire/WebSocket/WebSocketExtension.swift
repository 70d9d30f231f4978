/// One element of `Sec-WebSocket-Extensions`, with its parameters as written (quoted values without their quotes).
package struct WebSocketExtension: Hashable, Sendable {
    package struct Parameter: Hashable, Sendable {
        package let name: String
        package let value: String?
    }

    package let name: String
    package let parameters: [Parameter]

    /// Reads the values of all `Sec-WebSocket-Extensions` headers, which count as one list. RFC 6455 section 9.1:
    /// `1#(token *(";" token [ "=" (token | quoted-string) ]))`, where a quoted value must be a token too.
    /// - Returns: `nil` when the grammar is broken, which must fail the handshake. Empty elements are skipped.
    package static func parse(_ values: [String]) -> [Self]? {
        var elements: [Self] = []
        for value in values {
            var scanner = HeaderScanner(value)
            repeat {
                scanner.skipSpace()
                if scanner.isAtEnd || scanner.next == UInt8(ascii: ",") { continue }
                guard let element = element(&scanner) else { return nil }
                elements.append(element)
            } while scanner.take(UInt8(ascii: ","))
            guard scanner.isAtEnd else { return nil }
        }
        return elements
    }

    private static func element(_ scanner: inout HeaderScanner) -> Self? {
        guard let name = scanner.token() else { return nil }
        var parameters: [Parameter] = []
        scanner.skipSpace()
        while scanner.take(UInt8(ascii: ";")) {
            scanner.skipSpace()
            guard let key = scanner.token() else { return nil }
            scanner.skipSpace()
            var value: String?
            if scanner.take(UInt8(ascii: "=")) {
                scanner.skipSpace()
                value = scanner.next == UInt8(ascii: "\"") ? scanner.quotedToken() : scanner.token()
                guard value != nil else { return nil }
                scanner.skipSpace()
            }
            parameters.append(Parameter(name: key, value: value))
        }
        return Self(name: name, parameters: parameters)
    }
}

/// Reads the pieces of a header's value. RFC 9110 section 5.6.
struct HeaderScanner {
    private var rest: Substring.UTF8View

    init(_ value: String) {
        rest = Substring(value).utf8
    }

    var isAtEnd: Bool { rest.isEmpty }
    var next: UInt8? { rest.first }

    mutating func skipSpace() {
        rest = rest.drop(while: Self.isSpace)
    }

    mutating func take(_ byte: UInt8) -> Bool {
        guard rest.first == byte else { return false }
        return rest.popFirst() != nil
    }

    mutating func token() -> String? {
        let token = rest.prefix(while: Self.isTokenByte)
        guard !token.isEmpty else { return nil }
        rest = rest.dropFirst(token.count)
        return String(Substring(token))
    }

    /// A quoted string whose content, unescaped, is a token.
    mutating func quotedToken() -> String? {
        guard take(UInt8(ascii: "\"")) else { return nil }
        var content: [UInt8] = []
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\"") {
                return content.isEmpty ? nil : String(decoding: content, as: UTF8.self)
            }
            guard let byte = byte == UInt8(ascii: "\\") ? rest.popFirst() : byte, Self.isTokenByte(byte) else {
                return nil
            }
            content.append(byte)
        }
        return nil
    }

    static func isToken(_ value: String) -> Bool {
        !value.isEmpty && value.utf8.allSatisfy(isTokenByte)
    }

    /// A value without the spaces and tabs around it.
    static func trimmed(_ value: some StringProtocol) -> String {
        var bytes = Substring(value).utf8
        while let byte = bytes.first, isSpace(byte) { _ = bytes.popFirst() }
        while let byte = bytes.last, isSpace(byte) { _ = bytes.popLast() }
        return String(Substring(bytes))
    }

    /// A name in small letters: those of ASCII, so that no other character passes for one.
    static func folded(_ name: String) -> String {
        String(decoding: name.utf8.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"),
            UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "^"), UInt8(ascii: "_"), UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
            true
        default: false
        }
    }
}

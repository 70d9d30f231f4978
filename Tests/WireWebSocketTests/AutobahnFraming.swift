@testable import WireWebSocket

private let letters = Array(repeating: UInt8(ascii: "*"), count: 65536)
private let noise = Array(repeating: UInt8(0xFE), count: 65536)

extension AutobahnCase {
    // MARK: 1 Framing

    static let framing: [Self] = {
        var cases: [Self] = []
        for (number, length) in [0, 125, 126, 127, 128, 65535, 65536].enumerated() {
            let text = Array(letters.prefix(length))
            let binary = Array(noise.prefix(length))
            cases.append(
                Self("1.1.\(number + 1)", "5.6", "text of \(length) bytes", [RawFrame.make(0x81, text)], [.text(text)]))
            cases.append(
                Self(
                    "1.2.\(number + 1)", "5.6", "binary of \(length) bytes", [RawFrame.binary(binary)],
                    [.binary(binary)]))
        }
        cases.append(
            Self(
                "1.1.8", "5.6", "text of 65536 bytes in pieces of 997", chopped(RawFrame.make(0x81, letters), by: 997),
                [.text(letters)]))
        cases.append(
            Self(
                "1.2.8", "5.6", "binary of 65536 bytes in pieces of 997", chopped(RawFrame.binary(noise), by: 997),
                [.binary(noise)]))
        return cases
    }()

    private static func chopped(_ bytes: [UInt8], by size: Int) -> [[UInt8]] {
        stride(from: 0, to: bytes.count, by: size).map { Array(bytes[$0..<min($0 + size, bytes.count)]) }
    }

    // MARK: 2 Pings and pongs

    static let controls: [Self] = {
        let hello = Array("Hello, world!".utf8)
        let bytes: [UInt8] = [0x00, 0xFF, 0xFE, 0xFD, 0xFC, 0xFB, 0x00, 0xFF]
        let longest = Array(repeating: UInt8(0xFE), count: 125)
        let ten = (0..<10).map { Array("payload-\($0)".utf8) }
        let pings = Array(ten.map { RawFrame.ping($0) }.joined())
        return [
            Self("2.1", "5.5.2", "ping without payload", [RawFrame.ping()], [.ping()]),
            Self("2.2", "5.5.2", "ping with text", [RawFrame.ping(hello)], [.ping(hello)]),
            Self("2.3", "5.5.2", "ping with bytes", [RawFrame.ping(bytes)], [.ping(bytes)]),
            Self("2.4", "5.5", "ping with 125 bytes", [RawFrame.ping(longest)], [.ping(longest)]),
            Self("2.5", "5.5", "ping with 126 bytes", [RawFrame.ping(longest + [0xFE])], [.violation(1002)]),
            Self(
                "2.6", "5.5", "ping with 125 bytes, byte by byte", WireWebSocketTests.chopped(RawFrame.ping(longest)),
                [.ping(longest)]),
            Self("2.7", "5.5.3", "unasked pong without payload", [RawFrame.pong()], [.pong()]),
            Self("2.8", "5.5.3", "unasked pong with payload", [RawFrame.pong(hello)], [.pong(hello)]),
            Self(
                "2.9", "5.5.3", "unasked pong, then a ping", [RawFrame.pong(hello), RawFrame.ping(bytes)],
                [.pong(hello), .ping(bytes)]),
            Self("2.10", "5.5.2", "ten pings at once", [pings], ten.map { .ping($0) }),
            Self("2.11", "5.5.2", "ten pings, byte by byte", WireWebSocketTests.chopped(pings), ten.map { .ping($0) }),
        ]
    }()

    // MARK: 3 Reserved bits

    static let reservedBits: [Self] = {
        let hello = RawFrame.text("Hello, world!")
        let first = Seen.text("Hello, world!")
        let text = Array("Hello, world!".utf8)
        func after(_ bad: [UInt8]) -> [[UInt8]] { [hello, bad, RawFrame.ping()] }
        return [
            Self("3.1", "5.2", "text with RSV 1", [RawFrame.make(0x81 | 0x10, text)], [.violation(1002)]),
            Self(
                "3.2", "5.2", "text with RSV 2 after a good one", after(RawFrame.make(0x81 | 0x20, text)),
                [first, .violation(1002)]),
            Self(
                "3.3", "5.2", "text with RSV 3 after a good one", after(RawFrame.make(0x81 | 0x30, text)),
                [first, .violation(1002)]),
            Self(
                "3.4", "5.2", "text with RSV 4 after a good one, byte by byte",
                WireWebSocketTests.chopped(Array(after(RawFrame.make(0x81 | 0x40, text)).joined())),
                [first, .violation(1002)]),
            Self("3.5", "5.2", "binary with RSV 5", [RawFrame.make(0x82 | 0x50, [0, 0xFF])], [.violation(1002)]),
            Self("3.6", "5.2", "ping with RSV 6", [RawFrame.make(0x89 | 0x60, text)], [.violation(1002)]),
            Self("3.7", "5.2", "close with RSV 7", [RawFrame.make(0x88 | 0x70, [0x03, 0xE8])], [.violation(1002)]),
        ]
    }()

    // MARK: 4 Opcodes

    static let opcodes: [Self] = {
        let payload = Array("reserved opcode payload".utf8)
        let hello = RawFrame.text("Hello, world!")
        var cases: [Self] = []
        for (group, base, kind) in [("4.1", UInt8(3), "non-control"), ("4.2", 11, "control")] {
            for offset in UInt8(0)..<5 {
                let opcode = base + offset
                let bad = RawFrame.make(0x80 | opcode, offset == 0 || offset == 2 ? [] : payload)
                let about = "reserved \(kind) opcode \(opcode)"
                let id = "\(group).\(offset + 1)"
                if offset < 2 {
                    cases.append(Self(id, "5.2", about, [bad], [.violation(1002)]))
                } else {
                    let pieces = [hello, bad, RawFrame.ping()]
                    cases.append(
                        Self(
                            id, "5.2", "\(about) after a good text\(offset == 4 ? ", byte by byte" : "")",
                            offset == 4 ? WireWebSocketTests.chopped(Array(pieces.joined())) : pieces,
                            [.text("Hello, world!"), .violation(1002)]))
                }
            }
        }
        return cases
    }()
}

import NIOCore
import Testing

@testable import WireWebSocket

@Suite("Writing frames")
struct FrameTests {
    private func written(_ write: (inout ByteBuffer) -> Void) -> [UInt8] {
        var buffer = ByteBuffer()
        write(&buffer)
        return Array(buffer.readableBytesView)
    }

    // RFC 6455 section 5.7.
    @Test("the examples of the standard come out")
    func examples() {
        let hello = ByteBuffer(string: "Hello")
        #expect(written { WebSocketFrame.write(.text, hello, into: &$0) } == hex("81 05 48 65 6C 6C 6F"))
        #expect(
            written { WebSocketFrame.write(.text, hello, masking: .key(0x3D21_FA37), into: &$0) }
                == hex("81 85 37 FA 21 3D 7F 9F 4D 51 58"))
        #expect(
            written { WebSocketFrame.write(.text, hello, inFragmentsOf: 3, into: &$0) }
                == hex("01 03 48 65 6C 80 02 6C 6F"))
        #expect(written { WebSocketFrame.write(.ping, hello, into: &$0) } == hex("89 05 48 65 6C 6C 6F"))
        #expect(
            written { WebSocketFrame.write(.pong, hello, masking: .key(0x3D21_FA37), into: &$0) }
                == hex("8A 85 37 FA 21 3D 7F 9F 4D 51 58"))
        for (length, header) in [(256, "82 7E 01 00"), (65536, "82 7F 00 00 00 00 00 01 00 00")] {
            let zeros = ByteBuffer(repeating: 0, count: length)
            let frame = written { WebSocketFrame.write(.binary, zeros, into: &$0) }
            #expect(Array(frame.prefix(frame.count - length)) == hex(header))
        }
    }

    @Test(
        "each length has its shortest header, whatever length was expected, behind other bytes, masked or not",
        arguments: [0, 1, 125, 126, 127, 65535, 65536, 70000])
    func lengths(_ length: Int) {
        let payload = (0..<length).map { UInt8(truncatingIfNeeded: $0) }
        for expected in [0, length, 70000] {
            for (masking, mask) in [(WebSocketMasking.none, [UInt8]?.none), (.key(0x0403_0201), [1, 2, 3, 4])] {
                var buffer = ByteBuffer(bytes: [9, 9, 9])
                buffer.moveReaderIndex(forwardBy: 1)
                WebSocketFrame.write(.binary, masking: masking, expectedBytes: expected, into: &buffer) {
                    $0.writeBytes(payload)
                }
                buffer.writeInteger(UInt8(8))
                #expect(Array(buffer.readableBytesView) == [9, 9] + RawFrame.make(0x82, payload, mask: mask) + [8])
            }
        }
    }

    @Test("a payload that cannot be written leaves the buffer as it was")
    func failure() {
        struct Unwritable: Error {}
        var buffer = ByteBuffer(string: "before")
        #expect(throws: Unwritable.self) {
            try WebSocketFrame.write(.text, into: &buffer) { buffer throws(Unwritable) in
                buffer.writeString("half of it")
                throw Unwritable()
            }
        }
        #expect(buffer == ByteBuffer(string: "before"))
    }

    @Test("a shared buffer is not changed by writing behind it")
    func copyOnWrite() {
        var buffer = ByteBuffer()
        WebSocketFrame.write(.text, ByteBuffer(string: "one"), into: &buffer)
        let first = buffer
        WebSocketFrame.write(.text, ByteBuffer(string: "two"), masking: .random, into: &buffer)
        #expect(Array(first.readableBytesView) == RawFrame.make(0x81, Array("one".utf8), mask: nil))
    }

    @Test("random masks differ from frame to frame")
    func randomMasks() {
        let frames = (0..<50).map { _ in
            written { WebSocketFrame.write(.ping, ByteBuffer(), masking: .random, into: &$0) }
        }
        #expect(Set(frames).count > 45)
    }

    @Test("a control payload over 125 bytes is cut")
    func longControl() {
        let long = ByteBuffer(repeating: 7, count: 200)
        #expect(
            written { WebSocketFrame.write(.ping, long, into: &$0) }
                == RawFrame.make(0x89, Array(repeating: 7, count: 125), mask: nil))
    }

    @Test("fragments: an empty message is one frame, RSV1 stands on the first only, a size of 0 counts as 1")
    func fragments() {
        #expect(written { WebSocketFrame.write(.text, ByteBuffer(), inFragmentsOf: 5, into: &$0) } == hex("81 00"))
        #expect(
            written {
                WebSocketFrame.write(
                    .binary, ByteBuffer(bytes: [1, 2]), inFragmentsOf: 0, isCompressed: true, into: &$0)
            } == hex("42 01 01 80 01 02"))
    }

    // MARK: Close

    @Test("a close frame holds the code and the reason")
    func close() {
        #expect(written { WebSocketFrame.writeClose(nil, reason: "unseen", into: &$0) } == hex("88 00"))
        #expect(written { WebSocketFrame.writeClose(.normalClosure, into: &$0) } == hex("88 02 03 E8"))
        #expect(
            written { WebSocketFrame.writeClose(.goingAway, reason: "bye", masking: .key(0), into: &$0) }
                == hex("88 85 00 00 00 00 03 E9 62 79 65"))
    }

    @Test("a code that may not be sent is not")
    func unsendable() {
        #expect(
            written { WebSocketFrame.writeClose(WebSocketCloseCode(rawValue: 1006), into: &$0) } == hex("88 02 03 E8"))
    }

    @Test("a long reason is cut at the border of a character", arguments: ["a", "é", "€", "😀", "e\u{301}"])
    func longReason(_ character: String) throws {
        let reason = "x" + String(repeating: character, count: 130)
        let frame = written { WebSocketFrame.writeClose(.policyViolation, reason: reason, into: &$0) }
        let seen = decode([frame], role: .client)
        guard case .input(.close(.policyViolation, let kept)) = try #require(seen.first) else {
            Issue.record("not a close: \(seen)")
            return
        }
        #expect(reason.unicodeScalars.starts(with: kept.unicodeScalars))
        #expect((120...123).contains(kept.utf8.count))
    }
}

@Suite("UTF-8 in pieces")
struct UTF8ValidatorTests {
    private func isValid(_ bytes: some Collection<UInt8>, piece: Int) -> Bool {
        var validator = UTF8Validator()
        var rest = Array(bytes)[...]
        while !rest.isEmpty {
            guard Array(rest.prefix(piece)).withUnsafeBytes({ validator.accept($0) }) else { return false }
            rest = rest.dropFirst(piece)
        }
        return validator.isAtBoundary
    }

    @Test("every scalar is valid, however cut")
    func scalars() {
        for value in stride(from: UInt32(0), through: 0x10FFFF, by: 61) {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let bytes = Array(String(scalar).utf8)
            #expect((1...4).allSatisfy { isValid(bytes, piece: $0) })
        }
    }

    // The standard library's own validation is the oracle.
    @Test("random bytes get the oracle's verdict, however cut", arguments: UInt64(0)..<50)
    func random(_ seed: UInt64) {
        var random = SeededRandom(seed: seed)
        // Bytes that stand at the borders of the table.
        let borders = hex("00 41 7F 80 8F 90 9F A0 BF C0 C1 C2 DF E0 E1 EC ED EE EF F0 F1 F3 F4 F5 FF")
        for _ in 0..<400 {
            var bytes = Array("ascii text before ".utf8.prefix(Int.random(in: 0...18, using: &random)))
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                bytes.append(borders.randomElement(using: &random) ?? 0)
            }
            let expected = String(validating: bytes, as: UTF8.self) != nil
            for piece in [1, 2, 3, 5, 8, 100] {
                #expect(isValid(bytes, piece: piece) == expected, "\(bytes) in pieces of \(piece)")
            }
        }
    }

    @Test("text is refused at the first byte that no text could hold")
    func firstBadByte() {
        for (bytes, bad) in [
            ("F490", 1), ("EDA0", 1), ("E09F", 1), ("F08F", 1), ("C1", 0), ("61C261", 2), ("E28241", 2),
        ] {
            var validator = UTF8Validator()
            let fails = hex(bytes).firstIndex { byte in !withUnsafeBytes(of: byte) { validator.accept($0) } }
            #expect(fails == bad, "\(bytes)")
        }
    }
}

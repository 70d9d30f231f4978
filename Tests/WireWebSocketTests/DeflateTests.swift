import NIOCore
import Testing

@testable import WireWebSocket

@Suite("permessage-deflate: messages")
struct DeflateTests {
    private let agreed = PermessageDeflate.Agreement()

    @Test("another program's messages are read, with every window and with context", arguments: DeflateGolden.all)
    func golden(_ golden: DeflateGolden) {
        let agreement = PermessageDeflate.Agreement(
            clientWindowBits: golden.windowBits, clientTakesContextOver: golden.takesContextOver)
        let frames = golden.compressed.map { RawFrame.make(0xC1, hex($0)) }
        let bytes = Array(frames.joined())
        #expect(decode(frames, deflate: agreement) == DeflateGolden.messages.map { .text($0) })
        #expect(cutsThatMatter(bytes, deflate: agreement) == [])
    }

    @Test("context is not kept where it was agreed to go without")
    func contextIsDropped() throws {
        let golden = try #require(DeflateGolden.all.first { $0.takesContextOver })
        let frames = golden.compressed.map { RawFrame.make(0xC1, hex($0)) }
        #expect(decode(frames, deflate: agreed) == [.text(DeflateGolden.messages[0]), .violation(1007)])
    }

    // The examples of RFC 7692 section 7.2.3: all say "Hello".
    @Test(
        "the examples of the standard are read",
        arguments: [
            ["C1 07 F2 48 CD C9 C9 07 00"],
            ["41 03 F2 48 CD", "80 04 C9 C9 07 00"],
            ["C1 0B 00 05 00 FA FF 48 65 6C 6C 6F 00"],
            ["C1 08 F3 48 CD C9 C9 07 00 00"],
            ["C1 0D F2 48 05 00 00 00 FF FF CA C9 C9 07 00"],
        ])
    func examples(_ frames: [String]) {
        let bytes = frames.flatMap(hex)
        #expect(decode([bytes], role: .client, deflate: agreed) == [.text("Hello")])
        #expect(cutsThatMatter(bytes, role: .client, deflate: agreed) == [])
    }

    @Test("the second message of the standard refers to the first, where context is kept")
    func exampleWithContext() {
        let agreement = PermessageDeflate.Agreement(clientTakesContextOver: true)
        let frames = [RawFrame.make(0xC1, hex("F248CDC9C90700")), RawFrame.make(0xC1, hex("F200110000"))]
        #expect(decode(frames, deflate: agreement) == [.text("Hello"), .text("Hello")])
    }

    @Test("a final block without another behind it ends a message; more blocks may follow, with the window kept")
    func finalBlocks() {
        let final = hex("F348CDC9C90700")
        #expect(decode([RawFrame.make(0xC1, final)], deflate: agreed) == [.text("Hello")])
        // The second copy of the message is said by reference to the first, from behind a final block.
        let both = RawFrame.make(0xC1, final + hex("F200110000"))
        #expect(decode([both], deflate: agreed) == [.text("HelloHello")])
        #expect(cutsThatMatter(both, deflate: agreed) == [])
    }

    @Test("an empty message is read in both forms")
    func empty() {
        for body in ["", "00"] {
            #expect(decode([RawFrame.make(0xC1, hex(body))], deflate: agreed) == [.text("")])
        }
    }

    @Test("compressed and plain messages may alternate; control frames stay plain")
    func mixed() {
        let compressed = RawFrame.make(0x41, hex("F248CD"))
        let frames = [
            RawFrame.text("plain"), compressed, RawFrame.ping([1]), RawFrame.more(hex("C9C90700"), fin: true),
            RawFrame.text("plain"),
        ]
        let expected: [Seen] = [.text("plain"), .ping([1]), .text("Hello"), .text("plain")]
        #expect(decode(frames, deflate: agreed) == expected)
        #expect(cutsThatMatter(Array(frames.joined()), deflate: agreed) == [])
    }

    @Test("RSV1 is refused where it may not stand")
    func misplacedRSV1() {
        let hello = hex("F248CDC9C90700")
        #expect(decode([RawFrame.make(0xC1, hello)]) == [.violation(1002)])
        #expect(decode([RawFrame.make(0xC9, hello)], deflate: agreed) == [.violation(1002)])
        #expect(
            decode([RawFrame.make(0x41, hello), RawFrame.make(0xC0, [])], deflate: agreed) == [.violation(1002)])
    }

    @Test(
        "what is not DEFLATE, or stops within a block, is refused",
        arguments: [
            "07",  // block type 3
            "00 05 00 00 00 48 65 6C 6C 6F 00",  // length of a stored block does not match its complement
            "F2 48 CD",  // stops within a block
            "F2 00 11 00 00",  // refers to what was never sent
            "00 05 00 FA FF 48 65",  // stops within a stored block
        ])
    func corrupt(_ body: String) {
        let bytes = RawFrame.make(0xC2, hex(body))
        #expect(decode([bytes], deflate: agreed) == [.violation(1007)])
        #expect(cutsThatMatter(bytes, deflate: agreed) == [])
    }

    @Test("inflated text is checked as it comes")
    func badText() throws {
        let text = ByteBuffer(
            bytes: Array(repeating: UInt8(ascii: "a"), count: 100) + [0xFF] + Array(repeating: 98, count: 100))
        let body = try #require(Deflater().compress(text))
        let frame = RawFrame.make(0x41, Array(body.readableBytesView))
        #expect(decode([frame], deflate: agreed) == [.violation(1007)])
        #expect(cutsThatMatter(frame, deflate: agreed) == [])
    }

    // MARK: Compressing

    @Test("what is compressed for a window can be read with it", arguments: 8...15)
    func windows(_ windowBits: Int) throws {
        var random = SeededRandom(seed: 8)
        // Distances of all sizes: random bytes, repeated behind themselves. Then spaces, which pay for the bytes that the
        // window is too small to see again.
        var message = ByteBuffer()
        for distance in sequence(first: 3, next: { $0 * 6 / 5 + 1 }).prefix(while: { $0 < 40000 }) {
            let bytes = random.bytes(distance)
            message.writeBytes(bytes + bytes)
        }
        message.writeRepeatingByte(0x20, count: 4096)
        let body = try #require(Deflater(level: 9).compress(message, windowBits: windowBits))
        let agreement = PermessageDeflate.Agreement(serverWindowBits: windowBits)
        var frame = ByteBuffer()
        WebSocketFrame.write(.binary, body, isCompressed: true, into: &frame)
        // In pieces of seven bytes the inflater has to use its window instead of the output at hand.
        let pieces = stride(from: 0, to: frame.readableBytes, by: 7).compactMap {
            frame.getBytes(at: $0, length: min(7, frame.readableBytes - $0))
        }
        let limits = WebSocketLimits(maxMessageBytes: message.readableBytes)
        #expect(decode(pieces, role: .client, limits: limits, deflate: agreement) == [.input(.binary(message))])
    }

    @Test("what is compressed depends on nothing but the message and the window")
    func shareable() {
        let deflater = Deflater()
        let messages = DeflateGolden.messages.map { ByteBuffer(string: $0) }
        let first = messages.map { deflater.compress($0) }
        let second = messages.reversed().map { deflater.compress($0) }
        #expect(first == second.reversed())
        #expect(first == messages.map { Deflater().compress($0) })
    }

    @Test("a message that does not get shorter goes as it is")
    func incompressible() {
        var random = SeededRandom(seed: 1)
        let deflater = Deflater()
        let noise = ByteBuffer(bytes: random.bytes(5000))
        #expect(deflater.compress(noise) == nil)
        #expect(deflater.compress(ByteBuffer(repeating: 0x20, count: Deflater.minBytes - 1)) == nil)
        #expect(deflater.compress(ByteBuffer(repeating: 0x20, count: Deflater.minBytes)) != nil)
        #expect(deflater.compress(ByteBuffer()) == nil)
        var frame = ByteBuffer()
        deflater.write(.binary, noise, masking: .random, into: &frame)
        var decoder = WebSocketDecoder(role: .server)
        #expect(decoder.take(frame) == [.input(.binary(noise))])
    }

    @Test("the whole frame is written in one go", arguments: [WebSocketRole.server, .client])
    func wholeFrame(_ sender: WebSocketRole) {
        let text = ByteBuffer(string: DeflateGolden.messages[2])
        var frames = ByteBuffer()
        let deflater = Deflater()
        let masking: WebSocketMasking = sender == .client ? .random : .none
        deflater.write(.text, text, windowBits: 12, masking: masking, into: &frames)
        deflater.write(.text, text, windowBits: 12, masking: masking, into: &frames)
        #expect(frames.readableBytes < text.readableBytes)
        var decoder = WebSocketDecoder(role: sender == .client ? .server : .client, deflate: agreed)
        #expect(decoder.take(frames) == [.input(.text(text)), .input(.text(text))])
    }
}

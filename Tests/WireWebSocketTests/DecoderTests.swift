import NIOCore
import Testing

@testable import WireWebSocket

@Suite("Decoder")
struct DecoderTests {
    // MARK: Masks, lengths

    @Test("masks: a client's frame must have one, a server's must not")
    func masks() {
        #expect(decode([RawFrame.make(0x81, [0x61], mask: nil)]) == [.violation(1002)])
        #expect(decode([RawFrame.make(0x81, [0x61])], role: .client) == [.violation(1002)])
        #expect(decode([RawFrame.make(0x81, [0x61], mask: nil)], role: .client) == [.text("a")])
        // Known after two bytes.
        #expect(decode([[0x81, 0x01]]) == [.violation(1002)])
    }

    @Test("every key unmasks at every length", arguments: [[0, 0, 0, 0], [1, 2, 3, 4], [0xFF, 0x80, 0x7F, 0]])
    func keys(_ key: [UInt8]) {
        for length in 0..<40 {
            let payload = (0..<length).map { UInt8(truncatingIfNeeded: $0 * 7) }
            let frame = RawFrame.make(0x82, payload, mask: key)
            #expect(decode([frame]) == [.binary(payload)])
            #expect(cutsThatMatter(frame) == [])
        }
    }

    @Test(
        "a length that is not in its shortest form is refused",
        arguments: [
            "82 FE 00 00", "82 FE 00 7D", "82 FF 00 00 00 00 00 00 00 7E", "82 FF 00 00 00 00 00 00 FF FF",
        ])
    func longForms(_ header: String) {
        #expect(decode([hex(header)]) == [.violation(1002)])
    }

    @Test("a length of 64 bits is refused by its highest bit, and by the limit before any payload comes")
    func hugeLengths() {
        #expect(decode([hex("82 FF 80 00 00 00 00 00 00 00")]) == [.violation(1002)])
        #expect(decode([hex("82 FF FF FF FF FF FF FF FF FF")]) == [.violation(1002)])
        #expect(decode([hex("82 FF 7F FF FF FF FF FF FF FF 00 00 00 00")]) == [.violation(1009)])
        #expect(decode([hex("82 FF 00 00 00 00 40 00 00 00 00 00 00 00")]) == [.violation(1009)])
        let agreement = PermessageDeflate.Agreement()
        #expect(decode([hex("C2 FF 7F FF FF FF FF FF FF FF 00 00 00 00")], deflate: agreement) == [.violation(1009)])
        let two = RawFrame.binary([1], fin: false) + hex("80 FF 7F FF FF FF FF FF FF FF 00 00 00 00")
        #expect(decode([two]) == [.violation(1009)])
    }

    // MARK: Limits

    @Test("a message may be as long as the limit, over all its fragments, and no longer")
    func messageLimit() {
        let limits = WebSocketLimits(maxMessageBytes: 200)
        let half = Array(repeating: UInt8(1), count: 100)
        #expect(decode([RawFrame.binary(half + half)], limits: limits) == [.binary(half + half)])
        #expect(decode([RawFrame.binary(half + half + [1])], limits: limits) == [.violation(1009)])
        let start = RawFrame.binary(half, fin: false)
        #expect(decode([start, RawFrame.more(half, fin: true)], limits: limits) == [.binary(half + half)])
        #expect(decode([start, RawFrame.more(half + [1], fin: true)], limits: limits) == [.violation(1009)])
    }

    @Test("an inflated message may be as long as the limit and no longer")
    func inflatedLimit() throws {
        let agreement = PermessageDeflate.Agreement()
        for (length, isGood) in [(999, true), (1000, true), (1001, false), (5000, false)] {
            let message = Array(repeating: UInt8(ascii: "a"), count: length)
            let body = try #require(Deflater().compress(ByteBuffer(bytes: message)))
            let frame = RawFrame.make(0xC1, Array(body.readableBytesView))
            let limits = WebSocketLimits(maxMessageBytes: 1000)
            let expected: [Seen] = isGood ? [.text(message)] : [.violation(1009)]
            #expect(decode([frame], limits: limits, deflate: agreement) == expected)
            #expect(cutsThatMatter(frame, limits: limits, deflate: agreement) == [])
        }
    }

    @Test("limits may change between messages, as when the peer logs in")
    func changingLimits() {
        var decoder = WebSocketDecoder(role: .server, limits: WebSocketLimits(maxMessageBytes: 4))
        #expect(decoder.take(RawFrame.text("four")) == [.text("four")])
        decoder.limits = WebSocketLimits(maxMessageBytes: 100)
        #expect(decoder.take(RawFrame.text("longer than four")) == [.text("longer than four")])
        decoder.limits = WebSocketLimits(maxMessageBytes: 4)
        #expect(decoder.take(RawFrame.text("longer than four")) == [.violation(1009)])
    }

    @Test("limits are brought into bounds that cannot overflow")
    func extremeLimits() {
        #expect(WebSocketLimits(maxMessageBytes: .max).maxMessageBytes == 1 << 30)
        #expect(WebSocketLimits(maxMessageBytes: .min).maxMessageBytes == 0)
        #expect(decode([RawFrame.text("")], limits: WebSocketLimits(maxMessageBytes: 0)) == [.text("")])
        #expect(decode([RawFrame.text("a")], limits: WebSocketLimits(maxMessageBytes: 0)) == [.violation(1009)])
    }

    // MARK: Attacks

    @Test("a million fragments of one byte: stopped at the limit, compressed or not", arguments: [false, true])
    func fragmentFlood(_ isCompressed: Bool) {
        let agreement = PermessageDeflate.Agreement()
        var decoder = WebSocketDecoder(role: .server, deflate: agreement)
        // Compressed: a stored block of 65,535 bytes follows.
        let start = isCompressed ? RawFrame.make(0x42, hex("00 FF FF 00 00")) : RawFrame.make(0x02)
        #expect(decoder.take(start) == [])
        let fragment = RawFrame.more([0], fin: false)
        let violationAt = (2...1_000_000).first { _ in decoder.take(fragment) == [.violation(1009)] }
        #expect(violationAt == 129)
        let isFinished = decoder.isFinished
        #expect(isFinished)
    }

    @Test("a million empty fragments are stopped too")
    func emptyFragmentFlood() {
        let flood = [RawFrame.binary([], fin: false)] + Array(repeating: RawFrame.more([], fin: false), count: 200)
        #expect(decode([Array(flood.joined())]) == [.violation(1009)])
    }

    @Test("a bomb is stopped within its first bytes, by the limit or by its ratio")
    func bomb() throws {
        // 64 MiB of zeros in about 64 KiB.
        let zeros = ByteBuffer(repeating: 0, count: 64 << 20)
        let body = try #require(Deflater().compress(zeros))
        #expect(body.readableBytes < 70 << 10)
        var frame = ByteBuffer()
        WebSocketFrame.write(.binary, body, isCompressed: true, masking: .random, into: &frame)
        for limit in [4 << 10, 1 << 20, 1 << 30] {
            var decoder = WebSocketDecoder(
                role: .server, limits: WebSocketLimits(maxMessageBytes: limit),
                deflate: PermessageDeflate.Agreement())
            let stoppedAt = frame.readableBytesView.enumerated().first { _, byte in
                decoder.take([byte]) == [.violation(1009)]
            }
            let offset = try #require(stoppedAt).offset
            #expect(offset <= (limit < Inflater.freeBytes ? 64 : Inflater.checkEvery) + 14)
            var whole = WebSocketDecoder(
                role: .server, limits: WebSocketLimits(maxMessageBytes: limit),
                deflate: PermessageDeflate.Agreement())
            #expect(whole.take(frame) == [.violation(1009)])
        }
    }

    @Test("a short bomb is measured at its end; a short message that merely compresses well is not one")
    func smallRatios() throws {
        let deflater = Deflater()
        let agreement = PermessageDeflate.Agreement()
        let short = ByteBuffer(repeating: 0x20, count: Inflater.freeBytes)
        let long = ByteBuffer(repeating: 0x20, count: Inflater.freeBytes + 1)
        for (message, expected) in [(short, Seen.input(.text(short))), (long, .violation(1009))] {
            let body = try #require(deflater.compress(message))
            #expect(body.readableBytes < Inflater.checkEvery)
            let frame = RawFrame.make(0xC1, Array(body.readableBytesView))
            #expect(decode([frame], deflate: agreement) == [expected])
            #expect(cutsThatMatter(frame, deflate: agreement) == [])
        }
    }

    @Test("the ratio is judged by the bytes alone, not by where they were cut")
    func ratioAtEveryCut() throws {
        // Over the ratio after 256 compressed bytes, and well under it again at the end.
        var random = SeededRandom(seed: 3)
        let message = ByteBuffer(bytes: Array(repeating: 0, count: 90_000) + random.bytes(2000))
        let body = try #require(Deflater().compress(message))
        #expect(message.readableBytes / body.readableBytes < Inflater.maxRatio)
        let frame = RawFrame.make(0xC2, Array(body.readableBytesView))
        for size in [1, 7, 100, 255, 256, 257, 1000, frame.count] {
            let pieces = stride(from: 0, to: frame.count, by: size).map {
                Array(frame[$0..<min($0 + size, frame.count)])
            }
            #expect(
                decode(pieces, deflate: PermessageDeflate.Agreement()) == [.violation(1009)], "in pieces of \(size)")
        }
    }

    @Test("an endless compressed message that inflates to nothing is bounded")
    func emptyBlocks() {
        let agreement = PermessageDeflate.Agreement()
        let limits = WebSocketLimits(maxMessageBytes: 1000, maxFragments: .max)
        var decoder = WebSocketDecoder(role: .server, limits: limits, deflate: agreement)
        let blocks = Array(repeating: hex("00 00 00 FF FF"), count: 20).flatMap(\.self)
        var sent = blocks.count
        #expect(decoder.take(RawFrame.make(0x42, blocks)) == [])
        while decoder.take(RawFrame.more(blocks, fin: false)).isEmpty { sent += blocks.count }
        #expect(sent <= 1314)
        let isFinished = decoder.isFinished
        #expect(isFinished)
    }

    @Test("half a frame yields nothing and keeps nothing waiting")
    func halfFrames() {
        let frame = RawFrame.text(String(repeating: "a", count: 200))
        for length in 0..<frame.count {
            #expect(decode([Array(frame[..<length])]) == [])
        }
    }

    // MARK: The end

    @Test("after a violation nothing more is taken or given")
    func afterViolation() {
        var decoder = WebSocketDecoder(role: .server)
        #expect(decoder.take(RawFrame.make(0x83) + RawFrame.text("a")) == [.violation(1002)])
        let isFinished = decoder.isFinished
        #expect(isFinished)
        #expect(decoder.take(RawFrame.text("a")) == [])
    }

    @Test("after a close frame nothing more is taken or given, not even a violation")
    func afterClose() {
        var decoder = WebSocketDecoder(role: .server)
        let isFinishedAtFirst = decoder.isFinished
        #expect(!isFinishedAtFirst)
        #expect(decoder.take(RawFrame.close(1000) + [0xFF, 0xFF]) == [.close(1000)])
        let isFinished = decoder.isFinished
        #expect(isFinished)
        #expect(decoder.take([0xFF, 0xFF]) == [])
    }

    @Test("a close code may be any that a registry or an application gives out")
    func closeCodes() {
        let sendable = (0...UInt16.max).filter { WebSocketCloseCode(rawValue: $0).mayBeSent }
        #expect(sendable == Array(1000...1003) + Array(1007...1014) + Array(3000...4999))
    }

    // MARK: Memory

    @Test("an idle decoder is small")
    func size() {
        #expect(MemoryLayout<WebSocketDecoder>.size <= 200)
    }

    @Test("the reader's buffer is let go once it is read, whole or but for the start of a frame")
    func releasesInput() {
        let frame = RawFrame.text("a message")
        let partial = RawFrame.text(String(repeating: "b", count: 500))
        for rest in [0, 1, 3, 7, 8, 100] {
            var bytes = ByteBuffer(bytes: frame + partial.prefix(rest))
            bytes.reserveCapacity(64 << 10)
            var decoder = WebSocketDecoder(role: .server)
            #expect(decoder.take(bytes) == [.text("a message")])
            // A buffer that nobody else holds is written where it lies.
            let before = bytes.withVeryUnsafeBytes { $0.baseAddress }
            bytes.setInteger(UInt8(0), at: 0)
            #expect(bytes.withVeryUnsafeBytes { $0.baseAddress } == before)
            #expect(decoder.take(Array(partial.dropFirst(rest))) == [.text(String(repeating: "b", count: 500))])
        }
    }

    // MARK: Any messages, any cuts

    @Test("random messages, cut anyhow into fragments and pieces, come through", arguments: UInt64(0)..<200)
    func random(_ seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let isCompressing = Bool.random(using: &random)
        let sender: WebSocketRole = Bool.random(using: &random) ? .client : .server
        let agreement = isCompressing ? PermessageDeflate.Agreement() : nil
        let deflater = Deflater()
        var wire = ByteBuffer()
        var expected: [Seen] = []
        for _ in 0..<Int.random(in: 1...8, using: &random) {
            let masking: WebSocketMasking =
                sender == .client ? .key(UInt32.random(in: .min ... .max, using: &random)) : .none
            appendControls(&wire, &expected, masking, &random)
            let isText = Bool.random(using: &random)
            let payload = isText ? randomText(&random) : ByteBuffer(bytes: random.bytes(randomLength(&random)))
            let body = isCompressing && Bool.random(using: &random) ? deflater.compress(payload) : nil
            WebSocketFrame.write(
                isText ? .text : .binary, body ?? payload,
                inFragmentsOf: max(1, (body ?? payload).readableBytes / Int.random(in: 1...20, using: &random)),
                isCompressed: body != nil, masking: masking, into: &wire)
            expected.append(.input(isText ? .text(payload) : .binary(payload)))
        }
        var decoder = WebSocketDecoder(role: sender == .client ? .server : .client, deflate: agreement)
        var seen: [Seen] = []
        while wire.readableBytes > 0 {
            let length = min(
                Int.random(in: 1...(1 << Int.random(in: 0...12, using: &random)), using: &random), wire.readableBytes)
            seen += decoder.take(wire.readSlice(length: length) ?? ByteBuffer())
        }
        #expect(seen == expected)
    }

    private func appendControls(
        _ wire: inout ByteBuffer, _ expected: inout [Seen], _ masking: WebSocketMasking, _ random: inout SeededRandom
    ) {
        for _ in 0..<Int.random(in: 0...2, using: &random) {
            let payload = random.bytes(Int.random(in: 0...125, using: &random))
            let isPing = Bool.random(using: &random)
            WebSocketFrame.write(isPing ? .ping : .pong, ByteBuffer(bytes: payload), masking: masking, into: &wire)
            expected.append(isPing ? .ping(payload) : .pong(payload))
        }
    }

    private func randomLength(_ random: inout SeededRandom) -> Int {
        Int.random(in: 0...(1 << Int.random(in: 0...14, using: &random)), using: &random)
    }

    private func randomText(_ random: inout SeededRandom) -> ByteBuffer {
        let alphabet = Array("aé€😀 \n").map(String.init)
        var text = ByteBuffer()
        for _ in 0..<(randomLength(&random) / 4) {
            text.writeString(alphabet.randomElement(using: &random) ?? "")
        }
        return text
    }
}

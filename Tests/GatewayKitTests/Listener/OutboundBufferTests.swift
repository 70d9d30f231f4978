import NIOCore
import Testing

@testable import GatewayKit

struct OutboundBufferTests {
    private func drain(_ buffer: inout OutboundBuffer) -> [ByteBuffer] {
        var pieces: [ByteBuffer] = []
        while let piece = buffer.next() { pieces.append(piece) }
        return pieces
    }

    @Test func aLoneUnitIsPassedOnAsItIs() {
        var buffer = OutboundBuffer()
        let unit = ByteBuffer(repeating: 1, count: 1000)
        buffer.append(unit)
        #expect(buffer.bytes == 1000)
        let pieces = drain(&buffer)
        #expect(pieces == [unit])
        #expect(
            pieces.first?.withUnsafeReadableBytes { $0.baseAddress } == unit.withUnsafeReadableBytes { $0.baseAddress })
        #expect(buffer.isEmpty)
    }

    @Test func unitsOfATickAreJoined() {
        var buffer = OutboundBuffer()
        let shared = ByteBuffer(string: "abc")
        for _ in 0..<5 { buffer.append(shared) }
        #expect(drain(&buffer).map { String(buffer: $0) } == ["abcabcabcabcabc"])
        // The shared unit was not written into.
        #expect(String(buffer: shared) == "abc")
    }

    @Test func aLargeUnitGoesOutInPieces() {
        var buffer = OutboundBuffer()
        buffer.append(ByteBuffer(repeating: 7, count: 150_000))
        #expect(drain(&buffer).map(\.readableBytes) == [65536, 65536, 18928])
    }

    @Test func whatHasBegunIsNotDropped() {
        var buffer = OutboundBuffer()
        buffer.append(ByteBuffer(repeating: 1, count: 100_000))
        buffer.append(ByteBuffer(repeating: 2, count: 100_000))
        #expect(buffer.next()?.readableBytes == 65536)
        buffer.dropUnsent()
        #expect(buffer.bytes == 100_000 - 65536)
        buffer.append(ByteBuffer(string: "bye"))
        let rest = drain(&buffer)
        #expect(rest.first == ByteBuffer(repeating: 1, count: 100_000 - 65536))
        #expect(rest.last.map { String(buffer: $0) } == "bye")
        buffer.append(ByteBuffer(string: "unsent"))
        buffer.dropUnsent()
        #expect(buffer.isEmpty)
        #expect(buffer.next() == nil)
    }

    @Test(arguments: 0..<20) func nothingIsLostOrReordered(seed: Int) {
        var random = SeededRandom(seed: UInt64(seed))
        var buffer = OutboundBuffer()
        var expected = ByteBuffer(), actual = ByteBuffer()
        for number in 0..<400 {
            if Int.random(in: 0..<3, using: &random) > 0 {
                let largest = Bool.random(using: &random) ? 100 : 90_000
                let unit = ByteBuffer(
                    repeating: UInt8(truncatingIfNeeded: number), count: Int.random(in: 0...largest, using: &random))
                expected.writeImmutableBuffer(unit)
                buffer.append(unit)
            } else if let piece = buffer.next() {
                #expect(piece.readableBytes <= OutboundBuffer.chunkBytes)
                actual.writeImmutableBuffer(piece)
            }
            #expect(buffer.bytes == expected.readableBytes - actual.readableBytes)
        }
        for piece in drain(&buffer) { actual.writeImmutableBuffer(piece) }
        #expect(actual == expected)
    }
}

import CZlib
import NIOCore

/// Compresses messages for all connections of an event loop. RFC 7692 section 7.2.1.
///
/// *Lives on*: one event loop. No message refers back to another, so what comes out depends on the message alone and is
/// shared by every subscriber whose `PermessageDeflate.Agreement` has the same window. One compressor takes up to
/// 165 KiB, which is why a connection has none; it is made when its window is first asked for and then kept.
package final class Deflater {
    /// Messages below this length go as they are: JSON of 120 bytes gets 16 bytes shorter, which no network notices.
    package static let minBytes = 128

    /// zlib's memory level. A shorter hash table than usual (level 8) is cleared faster between messages; what comes out
    /// is as short to within a percent.
    private static let memoryLevel: Int32 = 6

    private let level: Int32
    // One per window, from 9 to 15. zlib keeps a pointer back to the stream, which therefore must not move.
    // trap-ok: allocated by `stream(windowBits:)`, freed by `deinit`
    private var streams: [UnsafeMutablePointer<z_stream>?] = Array(repeating: nil, count: 7)

    /// - Parameter level: zlib's effort, 1 (fast) to 9 (small).
    package init(level: Int = 6) {
        self.level = Int32(min(max(level, 1), 9))
    }

    deinit {
        for case let stream? in streams {
            deflateEnd(stream)
            stream.deallocate()
        }
    }

    /// The payload of a compressed message (to be sent with RSV1), without the tail that the receiver adds.
    ///
    /// - Parameter windowBits: what the receiver can take: `Agreement.outboundWindowBits(for:)`.
    /// - Returns: `nil` when the message had better go as it is: it is short, or does not get shorter.
    // trap-ok-function: the pointers do not leave the closures; zlib is told how long each piece of memory is
    package func compress(_ message: ByteBuffer, windowBits: Int = 15) -> ByteBuffer? {
        guard message.readableBytes >= Self.minBytes, let stream = stream(windowBits: windowBits) else { return nil }
        var output = ByteBuffer()
        // A result that does not fit in here does not make the message shorter; the tail is not part of it.
        let room = message.readableBytes + 3
        output.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { target in
            message.withUnsafeReadableBytes { source in
                stream.pointee.next_in = UnsafeMutablePointer(
                    mutating: source.baseAddress?.assumingMemoryBound(to: UInt8.self))
                stream.pointee.avail_in = UInt32(source.count)
                stream.pointee.next_out = target.baseAddress?.assumingMemoryBound(to: UInt8.self)
                stream.pointee.avail_out = UInt32(room)
                deflate(stream, Z_SYNC_FLUSH)
                return room - Int(stream.pointee.avail_out)
            }
        }
        let isWhole = stream.pointee.avail_out > 0
        deflateReset(stream)
        guard isWhole, output.readableBytes > 4 else { return nil }
        output.moveWriterIndex(to: output.writerIndex - 4)
        return output
    }

    /// Appends a message as one frame, compressed if that makes it shorter.
    package func write(
        _ opcode: WebSocketOpcode, _ message: ByteBuffer, windowBits: Int = 15, masking: WebSocketMasking = .none,
        into buffer: inout ByteBuffer
    ) {
        if let compressed = compress(message, windowBits: windowBits) {
            WebSocketFrame.write(opcode, compressed, isCompressed: true, masking: masking, into: &buffer)
        } else {
            WebSocketFrame.write(opcode, message, masking: masking, into: &buffer)
        }
    }

    // trap-ok-function: the index is brought into 0…6 and there are seven streams
    private func stream(windowBits: Int) -> UnsafeMutablePointer<z_stream>? {
        // zlib has no raw window of 8 bits, but never refers further back than a window less 262 bytes, and with 9 bits
        // that is 250: inside the 256 of 8 bits.
        let bits = min(max(windowBits, 9), 15)
        if let stream = streams[bits - 9] { return stream }
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let size = Int32(MemoryLayout<z_stream>.size)
        let status = deflateInit2_(
            stream, level, Z_DEFLATED, Int32(-bits), Self.memoryLevel, Z_DEFAULT_STRATEGY, ZLIB_VERSION, size)
        guard status == Z_OK else {
            stream.deallocate()
            return nil
        }
        streams[bits - 9] = stream
        return stream
    }
}

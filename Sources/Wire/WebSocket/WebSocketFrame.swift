import NIOCore

/// Writes frames. RFC 6455 section 5.2.
///
/// Header and payload always lie side by side in one buffer: a server's frame has no mask, so one such buffer serves
/// every subscriber of a message, and many frames can be joined into one write.
package enum WebSocketFrame {
    /// The longest payload of a control frame.
    package static let maxControlBytes = 125

    /// Appends one frame whose payload `writePayload` writes straight into its place; the header is filled in after it.
    ///
    /// - Parameters:
    ///   - isFinal: false when a continuation follows.
    ///   - isCompressed: sets RSV1: the payload was made by a `Deflater` (first frame of a message only).
    ///   - expectedBytes: a guess at the payload's length; if its header is as long as the payload's, nothing is moved.
    /// - Throws: only what `writePayload` throws; then `buffer` is as it was.
    // trap-ok-function: `start + header` was written by this call, so it lies within the readable bytes
    package static func write<Failure: Error>(
        _ opcode: WebSocketOpcode,
        isFinal: Bool = true,
        isCompressed: Bool = false,
        masking: WebSocketMasking = .none,
        expectedBytes: Int = 126,
        into buffer: inout ByteBuffer,
        writePayload: (inout ByteBuffer) throws(Failure) -> Void
    ) throws(Failure) {
        let mask = masking.nextKey()
        let start = buffer.writerIndex
        let reserved = headerBytes(payload: expectedBytes, masked: mask != nil)
        buffer.writeRepeatingByte(0, count: reserved)
        do throws(Failure) {
            try writePayload(&buffer)
        } catch {
            buffer.moveWriterIndex(to: start)
            throw error
        }
        let length = buffer.writerIndex - start - reserved
        let header = headerBytes(payload: length, masked: mask != nil)
        movePayload(of: length, from: start + reserved, to: start + header, in: &buffer)

        let first = opcode.rawValue | (isFinal ? 0x80 : 0) | (isCompressed ? 0x40 : 0)
        setHeader(first: first, length: length, mask: mask, at: start, in: &buffer)
        if var mask {
            let skipped = start + header - buffer.readerIndex
            buffer.withUnsafeMutableReadableBytes { bytes in
                let payload = UnsafeMutableRawBufferPointer(rebasing: bytes.dropFirst(skipped))
                mask.apply(from: UnsafeRawBufferPointer(payload), to: payload)
            }
        }
    }

    /// Appends one frame with a payload that is at hand. A control payload over 125 bytes is cut.
    package static func write(
        _ opcode: WebSocketOpcode,
        _ payload: ByteBuffer,
        isFinal: Bool = true,
        isCompressed: Bool = false,
        masking: WebSocketMasking = .none,
        into buffer: inout ByteBuffer
    ) {
        var payload = payload
        if opcode.isControl, payload.readableBytes > maxControlBytes {
            payload.moveWriterIndex(to: payload.readerIndex + maxControlBytes)
        }
        buffer.reserveCapacity(minimumWritableBytes: payload.readableBytes + 14)
        write(
            opcode, isFinal: isFinal, isCompressed: isCompressed, masking: masking,
            expectedBytes: payload.readableBytes, into: &buffer
        ) { buffer in
            _ = buffer.writeImmutableBuffer(payload)
        }
    }

    /// Appends a message cut into frames of at most `fragmentBytes` (at least 1) of payload each.
    package static func write(
        _ opcode: WebSocketOpcode,
        _ payload: ByteBuffer,
        inFragmentsOf fragmentBytes: Int,
        isCompressed: Bool = false,
        masking: WebSocketMasking = .none,
        into buffer: inout ByteBuffer
    ) {
        var rest = payload
        var opcode = opcode
        var isCompressed = isCompressed
        repeat {
            let count = min(max(fragmentBytes, 1), rest.readableBytes)
            let fragment = rest.readSlice(length: count) ?? ByteBuffer()
            write(
                opcode, fragment, isFinal: rest.readableBytes == 0, isCompressed: isCompressed, masking: masking,
                into: &buffer)
            opcode = .continuation
            isCompressed = false
        } while rest.readableBytes > 0
    }

    /// Appends a close frame; `nil` makes an empty one. The reason is cut to 123 bytes at the border of a scalar.
    /// A code that may not be sent (`mayBeSent`) goes out as 1000.
    package static func writeClose(
        _ code: WebSocketCloseCode?,
        reason: String = "",
        masking: WebSocketMasking = .none,
        into buffer: inout ByteBuffer
    ) {
        write(.close, masking: masking, into: &buffer) { buffer in
            guard let code else { return }
            buffer.writeInteger((code.mayBeSent ? code : .normalClosure).rawValue)
            var room = maxControlBytes - 2
            for scalar in reason.unicodeScalars {
                let bytes = UTF8.width(scalar)
                guard bytes <= room else { break }
                room -= bytes
                buffer.writeBytes(Unicode.UTF8.encode(scalar) ?? Unicode.UTF8.encodedReplacementCharacter)
            }
        }
    }

    /// Length of the header of a frame: 2, 4 or 10 bytes, and 4 more for a key.
    package static func headerBytes(payload: Int, masked: Bool) -> Int {
        let length = payload <= 125 ? 2 : payload <= 0xFFFF ? 4 : 10
        return masked ? length + 4 : length
    }

    // trap-ok-function: both places were written by `write`, and `from` is cut to the payload
    private static func movePayload(of length: Int, from source: Int, to target: Int, in buffer: inout ByteBuffer) {
        guard source != target else { return }
        if target > source {
            buffer.writeRepeatingByte(0, count: target - source)
        }
        let skippedSource = source - buffer.readerIndex
        let skippedTarget = target - buffer.readerIndex
        buffer.withUnsafeMutableReadableBytes { bytes in
            let from = UnsafeRawBufferPointer(rebasing: bytes.dropFirst(skippedSource).prefix(length))
            UnsafeMutableRawBufferPointer(rebasing: bytes.dropFirst(skippedTarget)).copyMemory(from: from)
        }
        buffer.moveWriterIndex(to: target + length)
    }

    private static func setHeader(
        first: UInt8, length: Int, mask: WebSocketMask?, at start: Int, in buffer: inout ByteBuffer
    ) {
        let flags = UInt16(first) << 8 | (mask == nil ? 0 : 0x80)
        var index = start
        if length <= 125 {
            index += buffer.setInteger(flags | UInt16(length), at: index)
        } else if let medium = UInt16(exactly: length) {
            index += buffer.setInteger(UInt32(flags | 126) << 16 | UInt32(medium), at: index)
        } else {
            index += buffer.setInteger(flags | 127, at: index)
            index += buffer.setInteger(UInt64(length), at: index)
        }
        if let mask {
            buffer.setInteger(mask.key, at: index, endianness: .little)
        }
    }
}

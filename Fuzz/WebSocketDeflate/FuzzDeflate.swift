import NIOCore
import WireWebSocket

/// Compressed messages: hostile ones do not trap, stay within their limit and inflate to the same however they are cut;
/// our own come back as they were, with every window.
///
/// The first byte chooses the window and which of both, the second where to cut; the rest is a compressed body, or a
/// message.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzDeflate(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    guard bytes.count >= 2 else { return 0 }
    let windowBits = 8 + Int(bytes[0] & 7)
    let body = Array(bytes[2...])
    if bytes[0] & 8 == 0 {
        hostile(body, windowBits: windowBits, isText: bytes[0] & 16 != 0, cutAt: bytes[1])
    } else {
        ours(body, windowBits: windowBits)
    }
    return 0
}

private func hostile(_ body: [UInt8], windowBits: Int, isText: Bool, cutAt: UInt8) {
    let opcode: WebSocketOpcode = isText ? .text : .binary
    let cut = Int(cutAt) * body.count / 256
    let whole = decode(frames(opcode, [body]), windowBits)
    precondition(decode(frames(opcode, [Array(body[..<cut]), Array(body[cut...])]), windowBits) == whole, "two frames")
    precondition(
        decode(frames(opcode, [[], Array(body[..<cut]), [], Array(body[cut...]), []]), windowBits) == whole,
        "empty frames")
    let wire = frames(opcode, [body])
    var bytewise: [ByteBuffer] = []
    for byte in wire.readableBytesView { bytewise.append(ByteBuffer(bytes: [byte])) }
    precondition(decode(bytewise, windowBits) == whole, "byte by byte")
}

private func ours(_ body: [UInt8], windowBits: Int) {
    // One for all runs, as in the server: nothing may be left over from the message before.
    let message = ByteBuffer(bytes: body)
    let compressed = deflater.compress(message, windowBits: windowBits)
    precondition((compressed?.readableBytes ?? 0) < max(body.count, 1), "not shorter")
    guard let compressed else { return }
    let decoded = decode(frames(.binary, [Array(compressed.readableBytesView)]), windowBits)
    let ratio = body.count / max(compressed.readableBytes, 1)
    precondition(decoded == .message(.binary(message)) || (body.count > 65536 && ratio >= 100), "not the same message")
}

private nonisolated(unsafe) let deflater = Deflater()

private enum Decoded: Equatable {
    case nothing
    case message(WebSocketInput)
    case violation(WebSocketViolation)
}

private func frames(_ opcode: WebSocketOpcode, _ payloads: [[UInt8]]) -> ByteBuffer {
    var wire = ByteBuffer()
    for (index, payload) in payloads.enumerated() {
        WebSocketFrame.write(
            index == 0 ? opcode : .continuation, ByteBuffer(bytes: payload), isFinal: index == payloads.count - 1,
            isCompressed: index == 0, into: &wire)
    }
    return wire
}

private func decode(_ wire: ByteBuffer, _ windowBits: Int) -> Decoded {
    decode([wire], windowBits)
}

private func decode(_ pieces: [ByteBuffer], _ windowBits: Int) -> Decoded {
    let limits = WebSocketLimits(maxMessageBytes: 1 << 18)
    var decoder = WebSocketDecoder(
        role: .client, limits: limits, deflate: PermessageDeflate.Agreement(serverWindowBits: windowBits))
    do throws(WebSocketViolation) {
        for piece in pieces {
            decoder.append(piece)
            if let input = try decoder.next() { return .message(input) }
        }
        return .nothing
    } catch {
        return .violation(error)
    }
}

import NIOCore
import WireWebSocket

/// The frame decoder: no trap, the same inputs however the bytes are cut, and what it gives out can be written and read
/// again.
///
/// The first byte sets the decoder up, the second says where to cut, the rest is what the peer sends.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzWebSocketDecoder(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    guard bytes.count >= 2 else { return 0 }
    let setup = Setup(bytes[0])
    let wire = Array(bytes[2...])
    let whole = setup.decode([wire])
    let cut = wire.isEmpty ? 0 : Int(bytes[1]) * wire.count / 256
    let middle = cut + (wire.count - cut) / 2
    precondition(setup.decode([Array(wire[..<cut]), Array(wire[cut...])]) == whole, "cut in two")
    precondition(
        setup.decode([Array(wire[..<cut]), Array(wire[cut..<middle]), Array(wire[middle...])]) == whole, "cut in three")
    precondition(setup.decode(wire.map { [$0] }) == whole, "byte by byte")
    precondition(setup.decode([setup.encode(whole.inputs)]).inputs == whole.inputs, "written and read again")
    return 0
}

private struct Decoded: Equatable {
    var inputs: [WebSocketInput] = []
    var violation: WebSocketViolation?
}

private struct Setup {
    let role: WebSocketRole
    let deflate: PermessageDeflate.Agreement?
    let limits: WebSocketLimits

    init(_ byte: UInt8) {
        role = byte & 1 == 0 ? .server : .client
        deflate =
            byte & 2 == 0
            ? nil
            : PermessageDeflate.Agreement(
                serverWindowBits: 8 + Int(byte >> 5), clientWindowBits: 8 + Int(byte >> 5),
                clientTakesContextOver: byte & 4 != 0)
        limits = WebSocketLimits(
            maxMessageBytes: byte & 8 == 0 ? 1 << 20 : 100, maxFragments: byte & 16 == 0 ? 128 : 3)
    }

    func decode(_ pieces: [[UInt8]]) -> Decoded {
        var decoder = WebSocketDecoder(role: role, limits: limits, deflate: deflate)
        var decoded = Decoded()
        do throws(WebSocketViolation) {
            for piece in pieces {
                decoder.append(ByteBuffer(bytes: piece))
                while let input = try decoder.next() {
                    precondition(input.isWithin(limits), "a message over its limit")
                    decoded.inputs.append(input)
                }
            }
        } catch {
            precondition(error.code.mayBeSent)
            precondition(decoder.isFinished)
            decoded.violation = error
        }
        return decoded
    }

    func encode(_ inputs: [WebSocketInput]) -> [UInt8] {
        var wire = ByteBuffer()
        let masking: WebSocketMasking = role == .server ? .key(0x0403_0201) : .none
        for input in inputs {
            switch input {
            case .text(let payload): WebSocketFrame.write(.text, payload, masking: masking, into: &wire)
            case .binary(let payload): WebSocketFrame.write(.binary, payload, masking: masking, into: &wire)
            case .ping(let payload): WebSocketFrame.write(.ping, payload, masking: masking, into: &wire)
            case .pong(let payload): WebSocketFrame.write(.pong, payload, masking: masking, into: &wire)
            case .close(let code, let reason):
                WebSocketFrame.writeClose(code, reason: reason, masking: masking, into: &wire)
            }
        }
        return Array(wire.readableBytesView)
    }
}

extension WebSocketInput {
    fileprivate func isWithin(_ limits: WebSocketLimits) -> Bool {
        switch self {
        case .text(let payload):
            payload.readableBytes <= limits.maxMessageBytes
                && String(validating: payload.readableBytesView, as: UTF8.self) != nil
        case .binary(let payload): payload.readableBytes <= limits.maxMessageBytes
        case .ping(let payload), .pong(let payload): payload.readableBytes <= WebSocketFrame.maxControlBytes
        case .close(_, let reason): reason.utf8.count <= WebSocketFrame.maxControlBytes - 2
        }
    }
}

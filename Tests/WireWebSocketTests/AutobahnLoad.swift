import NIOCore
import Testing

@testable import WireWebSocket

/// Our own case for one of Autobahn's groups 9 and 10: much data, cut into frames or into pieces of the network.
struct LoadCase: Sendable, CustomTestStringConvertible {
    let id: String
    let isText: Bool
    let bytes: Int
    var messages = 1
    /// Payload of each frame; `nil` for one frame.
    var fragment: Int?
    /// Bytes that arrive at once; `nil` for whole messages.
    var piece: Int?

    var testDescription: String { id }

    static let all: [Self] = {
        var cases: [Self] = []
        let (kib, mib) = (1 << 10, 1 << 20)
        for (isText, whole, fragmented, chopped, many) in [(true, 1, 3, 5, 7), (false, 2, 4, 6, 8)] {
            for (index, bytes) in [64 * kib, 256 * kib, mib, 4 * mib, 8 * mib, 16 * mib].enumerated() {
                cases.append(Self(id: "9.\(whole).\(index + 1)", isText: isText, bytes: bytes))
            }
            for index in 0..<9 {
                cases.append(
                    Self(
                        id: "9.\(fragmented).\(index + 1)", isText: isText, bytes: 4 * mib, fragment: 64 << (2 * index))
                )
            }
            for index in 0..<6 {
                cases.append(
                    Self(id: "9.\(chopped).\(index + 1)", isText: isText, bytes: mib, piece: 64 << index))
            }
            for (index, bytes) in [0, 16, 64, 256, 1024, 4096].enumerated() {
                cases.append(Self(id: "9.\(many).\(index + 1)", isText: isText, bytes: bytes, messages: 1000))
            }
        }
        cases.append(Self(id: "10.1.1", isText: true, bytes: 64 * kib, fragment: 1300))
        return cases
    }()
}

@Suite("Autobahn cases 9 and 10")
struct LoadCaseTests {
    @Test("each message comes through whole", arguments: LoadCase.all)
    func load(_ load: LoadCase) {
        let opcode: WebSocketOpcode = load.isText ? .text : .binary
        let payload = ByteBuffer(repeating: load.isText ? UInt8(ascii: "*") : 0xFE, count: load.bytes)
        var sent = ByteBuffer()
        for _ in 0..<load.messages {
            WebSocketFrame.write(
                opcode, payload, inFragmentsOf: load.fragment ?? max(load.bytes, 1), masking: .key(0x3D21_FA37),
                into: &sent)
        }
        var decoder = WebSocketDecoder(
            role: .server, limits: WebSocketLimits(maxMessageBytes: 16 << 20, maxFragments: .max))
        var seen: [Seen] = []
        while let piece = sent.readSlice(length: min(load.piece ?? 64 << 10, sent.readableBytes)),
            piece.readableBytes > 0
        {
            seen += decoder.take(piece)
        }
        #expect(seen.count == load.messages)
        let expected = Seen.input(load.isText ? .text(payload) : .binary(payload))
        #expect(seen.allSatisfy { $0 == expected })
    }
}

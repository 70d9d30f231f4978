import NIOCore
import Testing

@testable import WireWebSocket

/// Our own case for one of Autobahn's groups 12 and 13: messages of one size, compressed both ways after a real
/// negotiation. Ours are fewer per case (64 KiB of payload, at least two), out of documents that a seeded generator makes.
struct DeflateCase: Sendable, CustomTestStringConvertible {
    enum Content: Sendable {
        case json, bitmap, prose, html, packed
    }

    let id: String
    let content: Content
    let bytes: Int
    let fragment: Int?
    /// The client's offers, as in its header.
    let offers: String
    /// What must be agreed on.
    let agreement: PermessageDeflate.Agreement

    var testDescription: String { id }

    static let all: [Self] = contents + parameters

    private static let sizes: [(bytes: Int, fragment: Int?)] =
        [16, 64, 256, 1024, 4096, 8192, 16384, 32768, 65536, 131072].map { ($0, nil) }
        + [8192, 16384, 32768, 65536, 131072].map { ($0, 256) }
        + [1024, 4096, 32768].map { (131072, $0) }

    private static let contents: [Self] = zip(1..., [Content.json, .bitmap, .prose, .html, .packed])
        .flatMap { number, content in
            zip(1..., sizes).map { index, size in
                Self(
                    id: "12.\(number).\(index)", content: content, bytes: size.bytes, fragment: size.fragment,
                    offers: "permessage-deflate; client_max_window_bits", agreement: PermessageDeflate.Agreement())
            }
        }

    private static let parameters: [Self] = {
        let noContext = "server_no_context_takeover"
        let (narrow, wide) = ("server_max_window_bits=8", "server_max_window_bits=15")
        let name = "permessage-deflate"
        let sets: [(offers: String, serverWindowBits: Int)] = [
            ("\(name)", 15),
            ("\(name); \(noContext)", 15),
            ("\(name); \(narrow)", 8),
            ("\(name); \(wide)", 15),
            ("\(name); \(noContext); \(narrow)", 8),
            ("\(name); \(noContext); \(wide)", 15),
            ("\(name); \(noContext); \(narrow), \(name); \(noContext), \(name)", 8),
        ]
        return zip(1..., sets).flatMap { number, set in
            zip(1..., sizes).map { index, size in
                Self(
                    id: "13.\(number).\(index)", content: .json, bytes: size.bytes, fragment: size.fragment,
                    offers: set.offers, agreement: PermessageDeflate.Agreement(serverWindowBits: set.serverWindowBits))
            }
        }
    }()

    var isText: Bool {
        switch content {
        case .json, .html: true
        case .bitmap, .prose, .packed: false
        }
    }

    /// Messages that follow each other in the document of this kind.
    func messages() -> [ByteBuffer] {
        let document = content.document
        let count = min(max((64 << 10) / bytes, 2), 1000)
        return (0..<count).compactMap { document.getSlice(at: $0 * bytes, length: bytes) }
    }
}

extension DeflateCase.Content {
    var document: ByteBuffer {
        switch self {
        case .json: Self.json256KiB
        case .bitmap: Self.bitmap256KiB
        case .prose: Self.prose256KiB
        case .html: Self.html256KiB
        case .packed: Self.packed256KiB
        }
    }

    private static let words = ["garden", "water", "seed", "rain", "and", "the", "of", "bee", "flower", "hive"]
    private static let json256KiB = make { document, random in
        let number = Int.random(in: 0..<10000, using: &random)
        document.writeString(#"{"id":\#(number),"user":"\#(word(&random))","text":"\#(word(&random))"},"#)
    }
    private static let bitmap256KiB = make { document, random in
        let shade = UInt8.random(in: 0...255, using: &random)
        document.writeBytes((UInt8(0)..<16).map { shade &+ $0 / 4 })
    }
    private static let prose256KiB = make { document, random in
        document.writeString("\(word(&random)) \(word(&random)), \(word(&random)).\n")
    }
    private static let html256KiB = make { document, random in
        document.writeString("<li class=\"\(word(&random))\"><a href=\"/\(word(&random))\">bee</a></li>\n")
    }
    private static let packed256KiB = make { document, random in
        document.writeInteger(random.next())
    }

    private static func word(_ random: inout SeededRandom) -> String {
        words.randomElement(using: &random) ?? ""
    }

    private static func make(_ write: (inout ByteBuffer, inout SeededRandom) -> Void) -> ByteBuffer {
        var document = ByteBuffer()
        var random = SeededRandom(seed: 12)
        while document.readableBytes < 256 << 10 { write(&document, &random) }
        return document
    }
}

@Suite("Autobahn cases 12 and 13")
struct DeflateCaseTests {
    @Test("messages come through both ways", arguments: DeflateCase.all)
    func exchange(_ deflate: DeflateCase) throws {
        let offers = try #require(WebSocketExtension.parse([deflate.offers]))
        let agreement = try #require(PermessageDeflate.accept(offers: offers))
        #expect(agreement == deflate.agreement)
        for (sender, receiver) in [(WebSocketRole.client, WebSocketRole.server), (.server, .client)] {
            exchange(deflate, agreement, from: sender, to: receiver)
        }
    }

    private func exchange(
        _ deflate: DeflateCase, _ agreement: PermessageDeflate.Agreement, from sender: WebSocketRole,
        to receiver: WebSocketRole
    ) {
        let deflater = Deflater()
        let limits = WebSocketLimits(maxFragments: 1024)
        var decoder = WebSocketDecoder(role: receiver, limits: limits, deflate: agreement)
        let opcode: WebSocketOpcode = deflate.isText ? .text : .binary
        var compressed = 0
        for message in deflate.messages() {
            var wire = ByteBuffer()
            let body = deflater.compress(message, windowBits: agreement.outboundWindowBits(for: sender))
            if body != nil { compressed += 1 }
            WebSocketFrame.write(
                opcode, body ?? message, inFragmentsOf: deflate.fragment ?? .max, isCompressed: body != nil,
                masking: sender == .client ? .random : .none, into: &wire)
            let expected = Seen.input(deflate.isText ? .text(message) : .binary(message))
            #expect(decoder.take(wire) == [expected])
        }
        switch deflate.content {
        case .packed: #expect(compressed == 0, "random bytes do not get shorter")
        default: #expect((compressed > 0) == (deflate.bytes >= Deflater.minBytes))
        }
    }
}

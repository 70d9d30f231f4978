import NIOCore
import Testing

@testable import WireWebSocket

/// One case of our own in the place of the case of the Autobahn test suite that has this id: what a client sends, and
/// what a server's decoder makes of it.
struct AutobahnCase: Sendable, CustomTestStringConvertible {
    let id: String
    /// Of RFC 6455.
    let section: String
    let about: String
    /// What is sent, in the pieces in which it is sent.
    let pieces: [[UInt8]]
    let expected: [Seen]
    /// The piece after which the violation must already be known, although the frame or message goes on.
    var failsAtPiece: Int?

    init(
        _ id: String, _ section: String, _ about: String, _ pieces: [[UInt8]], _ expected: [Seen],
        failsAtPiece: Int? = nil
    ) {
        self.id = id
        self.section = section
        self.about = about
        self.pieces = pieces
        self.expected = expected
        self.failsAtPiece = failsAtPiece
    }

    var testDescription: String { "\(id) \(about)" }

    static let all = framing + controls + reservedBits + opcodes + fragmentation + texts + utf8Sequences + closing
}

/// One piece for each byte.
func chopped(_ bytes: [UInt8]) -> [[UInt8]] {
    bytes.map { [$0] }
}

@Suite("Autobahn cases 1 to 7")
struct AutobahnCaseTests {
    // Enough for the longest message of these groups, 256 KiB.
    private let limits = WebSocketLimits(maxMessageBytes: 1 << 20)

    @Test("each case gives what it must, sent as the case says", arguments: AutobahnCase.all)
    func asSent(_ autobahn: AutobahnCase) {
        #expect(decode(autobahn.pieces, limits: limits) == autobahn.expected)
    }

    @Test("each case gives the same wherever it is cut", arguments: AutobahnCase.all)
    func cut(_ autobahn: AutobahnCase) {
        let bytes = Array(autobahn.pieces.joined())
        guard bytes.count <= 600 else {
            #expect(decode([bytes], limits: limits) == autobahn.expected)
            return
        }
        #expect(cutsThatMatter(bytes, limits: limits) == [])
    }

    @Test("bad text is refused at its first bad byte", arguments: AutobahnCase.all.filter { $0.failsAtPiece != nil })
    func failsFast(_ autobahn: AutobahnCase) throws {
        let fatal = try #require(autobahn.failsAtPiece)
        #expect(decode(Array(autobahn.pieces[..<fatal]), limits: limits) == [])
        #expect(decode(Array(autobahn.pieces[...fatal]), limits: limits) == autobahn.expected)
    }

    @Test("no id stands twice")
    func unique() {
        let ids = AutobahnCase.all.map(\.id) + LoadCase.all.map(\.id) + DeflateCase.all.map(\.id)
        #expect(Set(ids).count == ids.count)
    }
}

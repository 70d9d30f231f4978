@testable import WireWebSocket

/// A Greek word of five letters in 2, 3, 2, 2 and 2 bytes.
private let greek = hex("CEBAE1BDB9CF83CEBCCEB5")

extension AutobahnCase {
    // MARK: 6.1 to 6.4

    static let texts: [Self] = {
        let mixed = "Hello-µ@ßöäüàá-UTF-8!!"
        let mixedBytes = Array(mixed.utf8)
        let surrogate = greek + [0xED, 0xA0, 0x80] + Array("edited".utf8)
        return [
            Self("6.1.1", "5.6", "empty text", [RawFrame.text("")], [.text("")]),
            Self(
                "6.1.2", "5.4", "text of three empty fragments",
                [RawFrame.text("", fin: false), RawFrame.more("", fin: false), RawFrame.more("", fin: true)],
                [.text("")]),
            Self(
                "6.1.3", "5.4", "text of which only the middle fragment is not empty",
                [
                    RawFrame.text("", fin: false), RawFrame.more("middle frame payload", fin: false),
                    RawFrame.more("", fin: true),
                ],
                [.text("middle frame payload")]),
            Self("6.2.1", "8.1", "valid text in one frame", [RawFrame.text(mixed)], [.text(mixed)]),
            Self(
                "6.2.2", "8.1", "valid text cut between characters",
                [RawFrame.text("Hello-µ@ßöä", fin: false), RawFrame.more("üàá-UTF-8!!", fin: true)], [.text(mixed)]),
            Self("6.2.3", "8.1", "valid text, a frame for each byte", bytewise(mixedBytes), [.text(mixed)]),
            Self("6.2.4", "8.1", "valid Greek text, a frame for each byte", bytewise(greek), [.text(greek)]),
            Self("6.3.1", "8.1", "invalid text in one frame", [RawFrame.make(0x81, surrogate)], [.violation(1007)]),
            Self("6.3.2", "8.1", "invalid text, a frame for each byte", bytewise(surrogate), [.violation(1007)]),
        ] + failFast
    }()

    /// A scalar beyond U+10FFFF: its second byte already shows it.
    private static let failFast: [Self] = {
        let tooHigh: [UInt8] = [0xF4, 0x90, 0x80, 0x80]
        let edited = Array("edited".utf8)
        let start = RawFrame.make(0x01, greek)
        let inOneFrame = RawFrame.make(0x81, greek + tooHigh + edited)
        let header = 6
        return [
            Self(
                "6.4.1", "8.1", "the second of three frames is bad",
                [start, RawFrame.more(tooHigh, fin: false), RawFrame.more(edited, fin: true)], [.violation(1007)],
                failsAtPiece: 1),
            Self(
                "6.4.2", "8.1", "a scalar goes bad across two frames",
                [
                    RawFrame.make(0x01, greek + tooHigh.prefix(1)),
                    RawFrame.more(Array(tooHigh.dropFirst()), fin: false),
                    RawFrame.more(edited, fin: true),
                ],
                [.violation(1007)], failsAtPiece: 1),
            Self(
                "6.4.3", "8.1", "the second of three pieces of a frame is bad",
                pieces(of: inOneFrame, cutAt: [header + greek.count, header + greek.count + tooHigh.count]),
                [.violation(1007)], failsAtPiece: 1),
            Self(
                "6.4.4", "8.1", "a scalar goes bad across two pieces of a frame",
                pieces(of: inOneFrame, cutAt: [header + greek.count + 1, header + greek.count + 2]),
                [.violation(1007)], failsAtPiece: 1),
        ]
    }()

    private static func bytewise(_ bytes: [UInt8]) -> [[UInt8]] {
        bytes.enumerated().map { index, byte in
            let fin: UInt8 = index == bytes.count - 1 ? 0x80 : 0
            return RawFrame.make(fin | (index == 0 ? 0x01 : 0x00), [byte])
        }
    }

    private static func pieces(of bytes: [UInt8], cutAt cuts: [Int]) -> [[UInt8]] {
        zip([0] + cuts, cuts + [bytes.count]).map { Array(bytes[$0..<$1]) }
    }

    // MARK: 6.5 to 6.23

    /// Byte sequences by what is special about them; all of a group are valid, or none is, unless marked.
    static let utf8Sequences: [Self] = {
        var cases: [Self] = []
        for (offset, group) in (wellFormed + malformed + oddities).enumerated() {
            for (index, sequence) in group.sequences.enumerated() {
                let isValid = group.valid(index)
                cases.append(
                    Self(
                        "6.\(offset + 5).\(index + 1)", "8.1", "\(group.about): \(isValid ? "valid" : "invalid")",
                        [RawFrame.make(0x81, sequence)], isValid ? [.text(sequence)] : [.violation(1007)]))
            }
        }
        return cases
    }()

    private struct Group {
        let about: String
        let sequences: [[UInt8]]
        var valid: @Sendable (Int) -> Bool = { _ in true }

        static func bad(_ about: String, _ sequences: [String]) -> Self {
            Self(about: about, sequences: sequences.map(hex)) { _ in false }
        }
    }

    private static let wellFormed: [Group] = [
        Group(
            about: "some text",
            sequences: ["hello$world", "hello¢world", "hello€world", "hello\u{24B62}world"].map { Array($0.utf8) }
                + [greek]),
        Group(about: "prefixes of a text", sequences: (1...greek.count).map { Array(greek.prefix($0)) }) { index in
            [2, 5, 7, 9, 11].contains(index + 1)
        },
        Group(about: "first of each length", sequences: ["00", "C280", "E0A080", "F0908080"].map(hex)),
        .bad("first of 5 and 6 bytes", ["F888808080", "FC8480808080"]),
        Group(about: "last of each length", sequences: ["7F", "DFBF", "EFBFBF", "F48FBFBF"].map(hex)),
        .bad("last of 4 to 6 bytes", ["F7BFBFBF", "FBBFBFBFBF", "FDBFBFBFBFBF"]),
        Group(about: "other borders", sequences: ["ED9FBF", "EE8080", "EFBFBD", "F48FBFBF", "F4908080"].map(hex)) {
            $0 != 4
        },
    ]

    private static let malformed: [Group] = {
        let cutOff = [
            "C0", "E080", "F08080", "F8808080", "FC80808080", "DF", "EFBF", "F7BFBF", "FBBFBFBF", "FDBFBFBFBF",
        ]
        func lonely(_ range: ClosedRange<UInt8>) -> [UInt8] { range.flatMap { [$0, 0x20] } }
        return [
            Group(
                about: "continuation bytes alone",
                sequences: ["80", "BF", "80BF", "80BF80", "80BF80BF", "80BF80BF80", "80BF80BF80BF"].map(hex)
                    + [Array(0x80...0xBF)]
            ) { _ in false },
            Group(
                about: "lead bytes alone",
                sequences: [0xC0...0xDF, 0xE0...0xEF, 0xF0...0xF7, 0xF8...0xFB, 0xFC...0xFD].map(lonely)
            ) { _ in false },
            .bad("last byte missing", cutOff),
            .bad("incomplete ones in a row", [cutOff.joined()]),
            .bad("bytes that never stand in UTF-8", ["FE", "FF", "FEFEFFFF"]),
            .bad("overlong slash", ["C0AF", "E080AF", "F08080AF", "F8808080AF", "FC80808080AF"]),
            .bad("longest overlong forms", ["C1BF", "E09FBF", "F08FBFBF", "F887BFBFBF", "FC83BFBFBFBF"]),
            .bad("overlong NUL", ["C080", "E08080", "F0808080", "F880808080", "FC8080808080"]),
            .bad("lone surrogates", ["EDA080", "EDADBF", "EDAE80", "EDAFBF", "EDB080", "EDBE80", "EDBFBF"]),
            .bad(
                "paired surrogates",
                ["EDA080", "EDADBF", "EDAE80", "EDAFBF"].flatMap { [$0 + "EDB080", $0 + "EDBFBF"] }),
        ]
    }()

    private static let oddities: [Group] = {
        let planes = (1...16).flatMap { plane in
            [0xFFFE, 0xFFFF].compactMap { Unicode.Scalar(UInt32(plane << 16 | $0)) }
        }
        return [
            Group(
                about: "noncharacters",
                sequences: ["EFBFBE", "EFBFBF"].map(hex) + planes.map { Array(String($0).utf8) }),
            Group(
                about: "specials", sequences: (0xB9...0xBF).map { [0xEF, 0xBF, $0] }),
        ]
    }()
}

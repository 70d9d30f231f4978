@testable import WireWebSocket

extension AutobahnCase {
    // MARK: 5 Fragmentation

    static let fragmentation: [Self] = fragmentedControls + fragmentedTexts + strayContinuations + fragmentsAndPings

    private static let fragmentedControls: [Self] = [
        Self(
            "5.1", "5.4", "ping in two fragments",
            [RawFrame.make(0x09, Array("frag1".utf8)), RawFrame.more("frag2", fin: true)], [.violation(1002)]),
        Self(
            "5.2", "5.4", "pong in two fragments",
            [RawFrame.make(0x0A, Array("frag1".utf8)), RawFrame.more("frag2", fin: true)], [.violation(1002)]),
    ]

    private static let fragmentedTexts: [Self] = {
        let plain = [RawFrame.text("fragment1", fin: false), RawFrame.more("fragment2", fin: true)]
        let ping = RawFrame.ping(Array("ping payload".utf8))
        let pinged = [plain[0], ping, plain[1]]
        let whole = Seen.text("fragment1fragment2")
        let both = [Seen.ping(Array("ping payload".utf8)), whole]
        return [
            Self("5.3", "5.4", "text in two fragments, one piece", [Array(plain.joined())], [whole]),
            Self("5.4", "5.4", "text in two fragments, a piece each", plain, [whole]),
            Self("5.5", "5.4", "text in two fragments, byte by byte", chopped(Array(plain.joined())), [whole]),
            Self("5.6", "5.4", "ping between two fragments, one piece", [Array(pinged.joined())], both),
            Self("5.7", "5.4", "ping between two fragments, a piece each", pinged, both),
            Self("5.8", "5.4", "ping between two fragments, byte by byte", chopped(Array(pinged.joined())), both),
        ]
    }()

    private static let strayContinuations: [Self] = {
        var cases: [Self] = []
        for (first, fin) in [(9, true), (12, false)] {
            let about = "continuation (FIN \(fin ? 1 : 0)) of nothing, then a text"
            let frames = [RawFrame.more("nothing to continue", fin: fin), RawFrame.text("Hello, world!")]
            let joined = Array(frames.joined())
            cases.append(Self("5.\(first)", "5.4", "\(about), one piece", [joined], [.violation(1002)]))
            cases.append(Self("5.\(first + 1)", "5.4", "\(about), a piece each", frames, [.violation(1002)]))
            cases.append(Self("5.\(first + 2)", "5.4", "\(about), byte by byte", chopped(joined), [.violation(1002)]))
        }
        cases.append(
            Self(
                "5.15", "5.4", "text in two fragments, then a continuation of nothing, then a text",
                [
                    RawFrame.text("fragment1", fin: false), RawFrame.more("fragment2", fin: true),
                    RawFrame.more("fragment3", fin: false), RawFrame.text("fragment4"),
                ],
                [.text("fragment1fragment2"), .violation(1002)]))
        for (id, fin) in [("5.16", false), ("5.17", true)] {
            let round = [
                RawFrame.more("fragment1", fin: fin), RawFrame.text("fragment2", fin: false),
                RawFrame.more("fragment3", fin: true),
            ]
            cases.append(
                Self(
                    id, "5.4", "continuation (FIN \(fin ? 1 : 0)) of nothing, then a text in two fragments, twice",
                    round + round, [.violation(1002)]))
        }
        cases.append(
            Self(
                "5.18", "5.4", "text in two fragments that both say text",
                [RawFrame.text("fragment1", fin: false), RawFrame.text("fragment2")], [.violation(1002)]))
        return cases
    }()

    private static let fragmentsAndPings: [Self] = {
        let frames = [
            RawFrame.text("fragment1", fin: false), RawFrame.more("fragment2", fin: false),
            RawFrame.ping(Array("pongme 1!".utf8)),
            RawFrame.more("fragment3", fin: false), RawFrame.more("fragment4", fin: false),
            RawFrame.ping(Array("pongme 2!".utf8)),
            RawFrame.more("fragment5", fin: true),
        ]
        let expected: [Seen] = [
            .ping(Array("pongme 1!".utf8)), .ping(Array("pongme 2!".utf8)),
            .text("fragment1fragment2fragment3fragment4fragment5"),
        ]
        return [
            Self("5.19", "5.4", "text in five fragments with two pings between, a piece each", frames, expected),
            Self(
                "5.20", "5.4", "text in five fragments with two pings between, one piece", [Array(frames.joined())],
                expected),
        ]
    }()
}

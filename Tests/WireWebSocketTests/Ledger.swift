/// What of the standards is done, and which test shows it.
struct LedgerRow {
    /// Number and section of the standard.
    let section: String
    /// Ids of Autobahn cases, in the order of their last number.
    var cases: [String] = []
    let about: String
    /// `yes`, or whose business it is, or why not.
    var status = "yes"
    /// Suite and function; `nil` for what is not done here.
    var test: String?

    var line: String {
        let test = test.map { "`\($0)`" } ?? "–"
        return "| \(section) | \(Ledger.range(cases)) | \(about) | \(status) | \(test) |\n"
    }
}

enum Ledger {
    static let head = "| section | Autobahn cases | what | done | test |\n| --- | --- | --- | --- | --- |\n"

    static let rows = groups + frames + compression + handshake + elsewhere

    static let allIDs = AutobahnCase.all.map(\.id) + LoadCase.all.map(\.id) + DeflateCase.all.map(\.id)

    // MARK: Autobahn's groups

    private static let titles: [(group: String, section: String, about: String)] =
        [
            ("1.1", "6455 5.6", "text of all lengths"), ("1.2", "6455 5.6", "binary of all lengths"),
            ("2", "6455 5.5", "pings and pongs"), ("3", "6455 5.2", "reserved bits"),
            ("4.1", "6455 5.2", "reserved non-control opcodes"), ("4.2", "6455 5.2", "reserved control opcodes"),
            ("5", "6455 5.4", "fragments, and control frames between them"),
            ("6.1", "6455 5.4", "empty texts and fragments"), ("6.2", "6455 8.1", "valid text, however cut"),
            ("6.3", "6455 8.1", "invalid text"), ("6.4", "6455 8.1", "invalid text fails at its first bad byte"),
        ]
        + (5...23).map { ("6.\($0)", "6455 8.1", about(firstOf: "6.\($0)")) }
        + [
            ("7.1", "6455 5.5.1", "nothing counts after a close"), ("7.3", "6455 5.5.1", "length of a close's payload"),
            ("7.5", "6455 8.1", "close with a reason that is not UTF-8"),
            ("7.7", "6455 7.4", "close codes that may be sent"),
            ("7.9", "6455 7.4", "close codes that may not"), ("7.13", "6455 7.4", "close codes beyond 4999"),
        ]

    private static let loadTitles: [(group: String, section: String, about: String)] =
        zip(1..., ["in one frame, 64 KiB to 16 MiB", "of 4 MiB in frames", "of 1 MiB in pieces", "a thousand times"])
        .flatMap { number, about in
            [
                ("9.\(2 * number - 1)", "6455 5.4", "text \(about)"),
                ("9.\(2 * number)", "6455 5.4", "binary \(about)"),
            ]
        } + [("10.1", "6455 5.4", "text in frames of 1,300 bytes")]

    private static let deflateTitles: [(group: String, section: String, about: String)] =
        zip(1..., ["JSON", "a bitmap", "prose", "HTML", "random bytes, which go uncompressed"])
        .map { ("12.\($0)", "7692 7.2", "\($1), both ways") }
        + zip(
            1...,
            [
                "no parameter", "no context", "window 8", "window 15", "no context and window 8",
                "no context and window 15", "three offers",
            ]
        ).map { ("13.\($0)", "7692 7.1", "client offers: \($1)") }

    private static let groups =
        titles.map { row($0, AutobahnCase.all.map(\.id), "AutobahnCaseTests.asSent") }
        + loadTitles.map { row($0, LoadCase.all.map(\.id), "LoadCaseTests.load") }
        + deflateTitles.map { row($0, DeflateCase.all.map(\.id), "DeflateCaseTests.exchange") }

    private static func row(
        _ title: (group: String, section: String, about: String), _ ids: [String], _ test: String
    ) -> LedgerRow {
        let cases = ids.filter { $0.hasPrefix(title.group + ".") }.sorted { last($0) < last($1) }
        return LedgerRow(section: "RFC \(title.section)", cases: cases, about: title.about, test: test)
    }

    private static func about(firstOf group: String) -> String {
        let about = AutobahnCase.all.first { $0.id == "\(group).1" }?.about ?? ""
        return String(about.prefix { $0 != ":" })
    }

    // MARK: What Autobahn has no cases for

    private static let frames = [
        LedgerRow(
            section: "RFC 6455 5.1", about: "masks: demanded of clients, refused of servers", test: "DecoderTests.masks"
        ),
        LedgerRow(
            section: "RFC 6455 5.2", about: "lengths in their shortest form only", test: "DecoderTests.longForms"),
        LedgerRow(section: "RFC 6455 5.2", about: "lengths of 64 bits", test: "DecoderTests.hugeLengths"),
        LedgerRow(section: "RFC 6455 5.3", about: "a new random key for each frame", test: "FrameTests.randomMasks"),
        LedgerRow(section: "RFC 6455 5.7", about: "the examples, written", test: "FrameTests.examples"),
        LedgerRow(
            section: "RFC 6455 7.1.7", about: "nothing counts after a violation", test: "DecoderTests.afterViolation"),
        LedgerRow(section: "RFC 6455 7.4", about: "all 65,536 close codes", test: "DecoderTests.closeCodes"),
        LedgerRow(section: "RFC 6455 10.4", about: "limit of a message's length", test: "DecoderTests.messageLimit"),
        LedgerRow(
            section: "RFC 6455 10.4", about: "limit of a message's fragments", test: "DecoderTests.fragmentFlood"),
    ]

    private static let compression = [
        LedgerRow(section: "RFC 7692 5", about: "grammar of offers", test: "NegotiationTests.malformed"),
        LedgerRow(section: "RFC 7692 6", about: "RSV1 where it may stand", test: "DeflateTests.misplacedRSV1"),
        LedgerRow(section: "RFC 7692 7.1", about: "offers accepted", test: "NegotiationTests.accepted"),
        LedgerRow(section: "RFC 7692 7.1", about: "offers declined", test: "NegotiationTests.declined"),
        LedgerRow(
            section: "RFC 7692 7.1.1.1", about: "our server never takes context over", test: "DeflateTests.shareable"),
        LedgerRow(
            section: "RFC 7692 7.1.1.2", about: "a client may, if it is let", test: "NegotiationTests.clientContext"),
        LedgerRow(section: "RFC 7692 7.1.2", about: "windows of 8 to 15 bits", test: "DeflateTests.windows"),
        LedgerRow(section: "RFC 7692 7.2.2", about: "another program's messages", test: "DeflateTests.golden"),
        LedgerRow(section: "RFC 7692 7.2.3", about: "the examples, read", test: "DeflateTests.examples"),
        LedgerRow(section: "RFC 7692 7.2.3.4", about: "final blocks", test: "DeflateTests.finalBlocks"),
        LedgerRow(section: "RFC 7692 8", about: "bombs", test: "DecoderTests.bomb"),
    ]

    private static let handshake = [
        LedgerRow(section: "RFC 6455 1.3", about: "the example", test: "HandshakeTests.example"),
        LedgerRow(section: "RFC 6455 4.1", about: "the client's checks", test: "HandshakeTests.mismatches"),
        LedgerRow(section: "RFC 6455 4.2.1", about: "method, Upgrade, Connection", test: "HandshakeTests.notAnUpgrade"),
        LedgerRow(section: "RFC 6455 4.2.1", about: "the key", test: "HandshakeTests.keys"),
        LedgerRow(section: "RFC 6455 4.2.2", about: "subprotocols", test: "HandshakeTests.subprotocols"),
        LedgerRow(section: "RFC 6455 4.4", about: "other versions", test: "HandshakeTests.versions"),
        LedgerRow(section: "RFC 6455 9.1", about: "extensions", test: "NegotiationTests.parts"),
        LedgerRow(section: "RFC 8441 5", about: "extended CONNECT", test: "HandshakeTests.extendedConnect"),
    ]

    private static let elsewhere = [
        LedgerRow(
            section: "RFC 6455 7.1.1", about: "closing the TCP connection, time limits", status: "by the connection"),
        LedgerRow(section: "RFC 6455 10.2", about: "which Origin may connect", status: "by the HTTP door"),
        LedgerRow(section: "RFC 9220", about: "WebSocket over HTTP/3", status: "no: there is no HTTP/3"),
    ]

    // MARK: Ids

    /// `9.1.1–9.1.6` for ids that follow each other.
    static func range(_ ids: [String]) -> String {
        guard let first = ids.first, let last = ids.last else { return "–" }
        return first == last ? first : "\(first)–\(last)"
    }

    /// All ids of a range.
    static func ids(in range: String) -> [String] {
        let ends = range.split(separator: "–").map { $0.filter { !$0.isWhitespace } }.filter { !$0.isEmpty }
        guard let first = ends.first, let final = ends.last, last(first) > 0, last(first) <= last(final) else {
            return []
        }
        return (last(first)...last(final)).map { "\(stem(first)).\($0)" }
    }

    private static func last(_ id: String) -> Int {
        id.split(separator: ".").last.flatMap { Int($0) } ?? 0
    }

    private static func stem(_ id: String) -> String {
        id.split(separator: ".").dropLast().joined(separator: ".")
    }
}

import Foundation
import Testing

@testable import WireWebSocket

/// Holds docs/protocols/websocket.md to the tests: its ledger is made from them, and a ledger that says something else
/// fails. To write it anew: `LEDGER=write swift test --filter LedgerTests`.
@Suite("Ledger of the page about WebSocket")
struct LedgerTests {
    private let tests = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
    private var page: URL {
        tests.deletingLastPathComponent().deletingLastPathComponent().appending(path: "docs/protocols/websocket.md")
    }
    private let begin = "<!-- ledger: made by LedgerTests -->\n"
    private let end = "<!-- end of ledger -->\n"

    @Test("the page holds exactly what the tests say")
    func isUpToDate() throws {
        let text = try String(contentsOf: page, encoding: .utf8)
        let start = try #require(text.range(of: begin)).upperBound
        let stop = try #require(text.range(of: end)).lowerBound
        let ledger = Ledger.head + Ledger.rows.map(\.line).joined()
        if ProcessInfo.processInfo.environment["LEDGER"] == "write" {
            let made = "\(text[..<start])\(ledger)\(text[stop...])"
            try made.write(to: page, atomically: true, encoding: .utf8)
        } else {
            #expect(text[start..<stop] == ledger, "run again with LEDGER=write")
        }
    }

    @Test("every id of the test tables is in the page, and every id of the page in a table")
    func ids() throws {
        let text = try String(contentsOf: page, encoding: .utf8)
        let written = text.split(separator: "\n").filter { $0.hasPrefix("| RFC ") }.flatMap { line in
            Ledger.ids(in: String(line.split(separator: "|").dropFirst().first ?? ""))
        }
        let tested = Ledger.allIDs
        #expect(written.sorted() == tested.sorted())
        #expect(tested.count > 500)
    }

    @Test("every test that the ledger names exists")
    func names() throws {
        let files = try FileManager.default.contentsOfDirectory(at: tests, includingPropertiesForKeys: nil)
        let sources = try files.filter { $0.pathExtension == "swift" }
            .map { try String(contentsOf: $0, encoding: .utf8) }
        for row in Ledger.rows where row.test != nil {
            let parts = (row.test ?? "").split(separator: ".")
            try #require(parts.count == 2)
            let exists = sources.contains { $0.contains("struct \(parts[0]) {") && $0.contains("func \(parts[1])(") }
            #expect(exists, "\(row.test ?? "")")
        }
    }

    @Test("ranges of ids are read as they are written")
    func ranges() {
        #expect(Ledger.range(["1.2.9", "1.2.10", "1.2.11"]) == "1.2.9–1.2.11")
        #expect(Ledger.range(["5.1"]) == "5.1")
        #expect(Ledger.ids(in: " 1.2.9–1.2.11 ") == ["1.2.9", "1.2.10", "1.2.11"])
        #expect(Ledger.ids(in: "5.1") == ["5.1"])
        #expect(Ledger.ids(in: "–") == [])
    }
}

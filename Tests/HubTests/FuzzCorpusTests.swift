import Foundation
import Hub
import Testing

/// Replays the corpora of Fuzz/Names and Fuzz/SearchWords: the seeds, and every finding that was mended.
@Suite struct FuzzCorpusTests {
    private func inputs(_ name: String) throws -> [[UInt8]] {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let folder = root.appending(path: "Fuzz/\(name)/corpus")
        return try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil).map { file in
            Array(try Data(contentsOf: file))
        }
    }

    @Test func names() throws {
        let home = try #require(ServerName("home.example"))
        let inputs = try inputs("Names")
        #expect(inputs.count >= 7)
        for text in inputs.map({ String(decoding: $0.dropFirst(), as: UTF8.self) }) {
            if let handle = Handle(text) { #expect(Handle(handle.text) == handle) }
            if let server = ServerName(text) { #expect(ServerName(server.text) == server) }
            if let address = Address(text, home: home) { #expect(Address(address.description, home: home) == address) }
            if let cursor = Cursor(text) { #expect(Cursor(cursor.description) == cursor) }
            if let id = EventID(text) { #expect(EventID(id.description) == id) }
            #expect(BanPattern.matches("*", text))
        }
    }

    @Test func searchWords() throws {
        let inputs = try inputs("SearchWords")
        #expect(inputs.count >= 4)
        for input in inputs {
            let query = SearchQuery(String(decoding: input, as: UTF8.self))
            #expect((query.required + query.excluded).allSatisfy { !$0.text.contains("\"") })
        }
    }
}

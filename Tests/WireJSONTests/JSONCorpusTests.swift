import Foundation
import NIOCore
import Testing
import WireJSON

/// The inputs with which the fuzzer starts, among them all that it has found.
@Suite struct JSONCorpusTests {
    @Test func everyInputIsRefusedOrSurvivesARoundTrip() throws {
        let tests = URL(filePath: #filePath).deletingLastPathComponent()
        let corpus = tests.appending(path: "../../Fuzz/JSON/corpus")
        let files = try FileManager.default.contentsOfDirectory(at: corpus, includingPropertiesForKeys: nil)
        #expect(files.count >= 10)
        for file in files {
            let buffer = ByteBuffer(bytes: try Data(contentsOf: file))
            guard let raw = try? JSONReader.read(buffer, { reader throws(JSONError) in try reader.rawValue() }) else {
                #expect(throws: JSONError.self, "\(file.lastPathComponent)") { try JSONValue(parsing: buffer) }
                continue
            }
            #expect(try JSONReader.read(raw) { reader throws(JSONError) in try reader.rawValue() } == raw)
            guard let value = try? JSONValue(parsing: buffer) else { continue }
            #expect(try JSONValue(parsing: value.description) == value, "\(file.lastPathComponent)")
        }
    }
}

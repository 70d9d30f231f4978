import Foundation
import TestKit
import Testing

/// DESIGN 10: the same file in-process and over connections.
@Suite struct PlayTests {
    static let scripts: [PlayScript] = {
        let folder = Bundle.module.resourceURL?.appendingPathComponent("plays")
        let files = folder.flatMap {
            try? FileManager.default.contentsOfDirectory(at: $0, includingPropertiesForKeys: nil)
        }
        return (files ?? []).sorted { $0.path < $1.path }.compactMap { file in
            guard file.pathExtension == "play", let text = try? String(contentsOf: file, encoding: .utf8) else {
                return nil
            }
            do {
                return try PlayScript(name: file.lastPathComponent, text: text)
            } catch {
                Issue.record("\(error)")
                return nil
            }
        }
    }()

    @Test func thereArePlays() {
        #expect(!PlayTests.scripts.isEmpty)
        #expect(PlayTests.scripts.allSatisfy { $0.cast.count >= 2 && $0.lines.count >= 2 })
    }

    @Test(arguments: scripts.indices, Playhouse.Depth.allCases)
    func play(_ index: Int, _ depth: Playhouse.Depth) async throws {
        try await Playhouse.play(PlayTests.scripts[index], depth)
    }

    @Test func aLineThatIsNotUnderstoodIsNamed() {
        #expect(throws: PlayFailure.self) {
            try PlayScript(name: "x", text: "Alice is on web\nAlice flies to the moon")
        }
    }
}

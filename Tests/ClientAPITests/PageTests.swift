import Testing
import WireJSON

@testable import ClientAPI

/// Pages end before they are too large for anybody, and say how to go on.
@Suite struct PageTests {
    private static let text = String(repeating: "walnut ", count: 1_000)
    private static let count = 100

    /// A conversation of a hundred messages of 7 KB, all in one thread.
    private func with(_ body: @Sendable @escaping (APIFixture, String) async throws -> Void) async throws {
        try await APIFixture.with { api in
            try await api.account("alice")
            try await api.group("garden", "alice")
            let root = try await api.post("post", as: "alice", ["conversation": "garden", "text": "root"])
            let id = try #require(root.json["id"]?.text)
            for _ in 0..<PageTests.count {
                let answer = try await api.post(
                    "post", as: "alice",
                    ["conversation": "garden", "text": .string(PageTests.text), "thread": .string(id)])
                try #require(answer.status == 200, "\(answer.text)")
            }
            try await body(api, id)
        }
    }

    private func sequences(_ page: JSONValue) -> [Int64] {
        (page["events"]?.elements ?? []).compactMap { $0["sequence"]?.number }
    }

    @Test func historyForwardsAndBackwards() async throws {
        try await with { api, _ in
            for direction in ["before", "after"] {
                var found: [Int64] = []
                var place = direction == "before" ? Int64(1_000) : 0
                for _ in 0..<10 {
                    let answer = try await api.get(
                        "history", as: "alice",
                        [("conversation", "garden"), (direction, "\(place)"), ("limit", "1000")])
                    #expect(answer.text.utf8.count < 300_000)
                    let page = sequences(answer.json)
                    #expect(page == page.sorted())
                    found = direction == "before" ? page + found : found + page
                    guard answer.json["more"] == true else { break }
                    place = try #require(direction == "before" ? page.first : page.last)
                }
                let (first, last) = (try #require(found.first), try #require(found.last))
                #expect(found == Array(first...last) && found.count > PageTests.count, "\(direction)")
            }
        }
    }

    @Test func historyAroundAPlaceHoldsThePlace() async throws {
        try await with { api, _ in
            let answer = try await api.get(
                "history", as: "alice", [("conversation", "garden"), ("around", "60"), ("limit", "1000")])
            let page = sequences(answer.json)
            #expect(answer.text.utf8.count < 300_000 && answer.json["more"] == true)
            let (first, last) = (try #require(page.first), try #require(page.last))
            #expect(abs((60 - first) - (last - 60)) <= 1 && page == Array(first...last))
        }
    }

    @Test func threads() async throws {
        try await with { api, root in
            var found: [Int64] = []
            for _ in 0..<10 {
                let answer = try await api.get(
                    "thread", as: "alice",
                    [("conversation", "garden"), ("event", root), ("limit", "1000"), ("after", "\(found.last ?? 0)")])
                #expect(answer.text.utf8.count < 300_000)
                found += sequences(answer.json)
                guard answer.json["more"] == true else { break }
            }
            #expect(found.count == PageTests.count && found == found.sorted())
        }
    }

    @Test func syncs() async throws {
        try await with { api, _ in
            let start = try await api.get("sync", as: "alice")
            let epoch = try #require(start.json["next"]?.text?.split(separator: "-").first)
            var cursor = "\(epoch)-0"
            var found: [Int64] = []
            for round in 0..<10 {
                let answer = try await api.get("sync", as: "alice", [("since", cursor), ("limit", "1000")])
                try #require(answer.status == 200, "\(answer.text)")
                #expect(answer.text.utf8.count < 300_000)
                let frames = answer.json["frames"]?.elements ?? []
                found += frames.filter { $0["type"] == "event" }.compactMap { $0["sequence"]?.number }
                cursor = try #require(answer.json["next"]?.text)
                if answer.json["caughtUp"] == true { break }
                #expect(round < 9)
            }
            #expect(found.count >= PageTests.count && found == found.sorted() && Set(found).count == found.count)
        }
    }

    /// One reply is never more than an honest client's queue has room for.
    @Test func repliesOnASocket() async throws {
        try await with { api, _ in
            let socket = try await TestSocket.ready(api.port, as: "alice")
            let reply = try await socket.ask(
                "history", id: "1", [.init("conversation", "garden"), .init("limit", 1_000)])
            #expect(reply["ok"]?["more"] == true, "\(String(describing: reply["error"]))")
            await socket.connection.close()
        }
    }

    @Test func theFirstElementIsThereWhateverItsSize() {
        let large = String(repeating: "x", count: PageElements.maximumBytes)
        let elements = PageElements(0..<3) { writer, place in writer.field("text", place == 0 ? large : "y") }
        #expect(elements.count == 1)
        let last = PageElements((0..<3).reversed()) { writer, place in writer.field("place", "\(place)") }
        let text = String(buffer: JSONWriter.write { writer in writer.object { last.write("list", to: &$0) } })
        #expect(text == #"{"list":[{"place":"0"},{"place":"1"},{"place":"2"}]}"#)
        #expect(PageElements.around(2, of: 5).first == 2 && Set(PageElements.around(9, of: 3)) == [0, 1, 2])
    }
}

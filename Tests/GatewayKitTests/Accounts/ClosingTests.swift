import Hub
import NIOCore
import Synchronization
import TestKit
import Testing
import WireJSON

@testable import GatewayKit

/// How an account ends, and what it takes along.
@Suite struct ClosingTests {
    private func texts(_ conversation: ConversationID, _ bench: AccountBench) throws -> [String] {
        try bench.store.page(conversation, .after(.zero), limit: 1_000).compactMap { entry in
            switch entry.event.content {
            case .message(let message): message.body.text
            case .erased(.message): "(erased)"
            default: nil
            }
        }
    }

    @Test func anAccountClosesAndItsHandleStaysTaken() async throws {
        let bench = try await AccountBench()
        let alice = try await bench.person("alice")
        let bob = try await bench.person("bob")
        let garden = try await bench.group("garden", by: bob.actor)
        _ = try await bench.hub.submit(.conversation(garden, .join), by: alice.actor, token: nil)
        try await bench.post("hello", in: garden, by: alice.actor)
        let session = try await bench.attach(alice.actor)
        let wrong = await outcome { () throws(Rejection) in
            try await bench.service.close(alice.actor, password: "wrong", erase: false, remote: .near)
        }
        #expect(wrong.code == .unauthenticated)
        try await bench.service.close(alice.actor, password: "password of alice", erase: false, remote: .near)
        #expect(try await session.isRevoked())
        #expect(await bench.actor(alice.token.reveal()).code == .unauthenticated)
        await bench.service.finishClosings()
        #expect(try bench.store.account(alice.account.id) == nil)
        #expect(try bench.member(alice.account.id, of: garden)?.standing == .left)
        #expect(try texts(garden, bench) == ["hello"])
        let again = await outcome { () throws(Rejection) in
            try await bench.service.addPerson(
                "alice", password: nil, displayName: nil, isAdministrator: false, by: .operator)
        }
        #expect(again.code == .nameTaken)
    }

    @Test func ownMessagesAreBlankedWhereThatIsAsked() async throws {
        let bench = try await AccountBench()
        let alice = try await bench.person("alice")
        let bob = try await bench.person("bob")
        let garden = try await bench.group("garden", by: bob.actor)
        let cellar = try await bench.group("cellar", by: bob.actor)
        let pair = try await bench.hub.submit(
            .openDirect(with: bob.account.id, sealing: nil), by: alice.actor, token: nil
        ).conversation
        for place in [garden, cellar] {
            _ = try await bench.hub.submit(.conversation(place, .join), by: alice.actor, token: nil)
        }
        for number in 0..<70 { try await bench.post("a\(number)", in: garden, by: alice.actor) }
        try await bench.post("b", in: garden, by: bob.actor)
        try await bench.post("secret", in: cellar, by: alice.actor)
        try await bench.post("between us", in: pair, by: alice.actor)
        // It wrote there too, though it was removed since.
        _ = try await bench.hub.submit(
            .conversation(cellar, .ban(alice.account.id, reason: nil)), by: bob.actor, token: nil)
        try await bench.service.close(alice.actor, password: "password of alice", erase: true, remote: .near)
        await bench.service.finishClosings()
        #expect(try texts(garden, bench) == Array(repeating: "(erased)", count: 70) + ["b"])
        #expect(try texts(cellar, bench) == ["(erased)"])
        #expect(try texts(pair, bench) == ["(erased)"])
    }

    @Test func theHighestAndLongestMemberTakesOverAGroup() async throws {
        let bench = try await AccountBench()
        let alice = try await bench.person("alice")
        let garden = try await bench.group("garden", by: alice.actor)
        let robot = try await bench.service.addBot("robot", displayName: nil, by: .operator)
        var people = [robot]
        for name in ["zoe", "bob", "carol"] { people.append(try await bench.person(name)) }
        for person in people {
            bench.advance(seconds: 1)
            _ = try await bench.hub.submit(.conversation(garden, .join), by: person.actor, token: nil)
        }
        // The bot ranks highest, and bob as high as zoe, who has been there for longer.
        for (person, rank) in zip(people, [Rank.admin, .helper, .helper, .member]) {
            guard rank != .member else { continue }
            _ = try await bench.hub.submit(
                .conversation(garden, .setRank(person.account.id, rank)), by: alice.actor, token: nil)
        }
        try await bench.service.close(alice.actor, password: "password of alice", erase: false, remote: .near)
        await bench.service.finishClosings()
        #expect(try bench.member(people[1].account.id, of: garden)?.rank == .owner)
        #expect(try bench.member(robot.account.id, of: garden)?.rank == .admin)
        #expect(try bench.member(alice.account.id, of: garden)?.standing == .left)
    }

    /// The program can end after each of the steps; the next start goes on.
    @Test(arguments: ["delete", "account"])
    func aClosingThatWasInterruptedIsFinishedAtTheNextStart(step: String) async throws {
        let bench = try await AccountBench()
        let alice = try await bench.person("alice")
        let garden = try await bench.group("garden", by: alice.actor)
        try await bench.post("hello", in: garden, by: alice.actor)
        try await bench.service.close(alice.actor, password: "password of alice", erase: true, remote: .near)
        bench.directory.breakDown(at: step)
        await bench.service.finishClosings()
        #expect(try bench.store.account(alice.account.id) != nil)

        let later = try await AccountBench(continuing: bench)
        #expect(await later.login("alice").code == .unauthenticated)
        let enabled = await outcome { () throws(Rejection) in
            try await later.service.change(alice.account.id, disabled: false, administrator: nil, by: .operator)
        }
        #expect(enabled.code == .notApplicable)
        try await later.service.findUnfinishedClosings()
        await later.service.finishClosings()
        #expect(try later.store.account(alice.account.id) == nil)
        #expect(try texts(garden, later) == ["(erased)"])
    }

    /// The wish and the shutting out are one.
    @Test func aClosingThatCantBeginLeavesTheAccountAsItWas() async throws {
        let bench = try await AccountBench()
        let alice = try await bench.person("alice")
        bench.directory.breakDown(at: "update")
        let failed = await outcome { () throws(Rejection) in
            try await bench.service.close(alice.actor, password: "password of alice", erase: true, remote: .near)
        }
        #expect(failed.code == .unavailable)
        bench.directory.breakDown(at: nil)
        let later = try await AccountBench(continuing: bench)
        try await later.service.findUnfinishedClosings()
        await later.service.finishClosings()
        #expect(try later.store.account(alice.account.id)?.isDisabled == false)
        #expect(await later.login("alice").code == nil)
    }

    @Test func theLastAdministratorStays() async throws {
        let bench = try await AccountBench()
        let boss = try await bench.person("boss", administrator: true)
        let refused = await outcome { () throws(Rejection) in
            try await bench.service.close(boss.actor, password: "password of boss", erase: false, remote: .near)
        }
        #expect(refused.code == .notApplicable)
        let stepDown = await outcome { () throws(Rejection) in
            try await bench.service.change(
                boss.account.id, disabled: nil, administrator: false, by: .account(boss.actor))
        }
        #expect(stepDown.code == .notApplicable)
        try await bench.person("other", administrator: true)
        try await bench.service.close(boss.actor, password: "password of boss", erase: false, remote: .near)
    }

    // MARK: Taking one's data along

    @Test func theExportIsOneDocumentWithAllThatIsOnesOwn() async throws {
        let bench = try await AccountBench()
        let alice = try await bench.person("alice")
        let bob = try await bench.person("bob")
        let garden = try await bench.group("garden", by: bob.actor)
        _ = try await bench.hub.submit(.conversation(garden, .join), by: alice.actor, token: nil)
        for number in 0..<1_200 { try await bench.post("a\(number)", in: garden, by: alice.actor) }
        try await bench.post("not hers", in: garden, by: bob.actor)
        let change = StateChange(key: StateKey(namespace: "web", type: "theme"), value: "dark")
        _ = try await bench.hub.submit(.setLedger(change), by: alice.actor, token: nil)

        let pieces = Mutex<[ByteBuffer]>([])
        let encode: EventEncoder = { event in
            JSONWriter.write { writer in
                writer.object { writer in
                    writer.field("sequence", event.sequence.rawValue)
                    writer.field("author", event.author.address.description)
                }
            }
        }
        try await bench.service.export(of: alice.actor, event: encode) { piece in
            pieces.withLock { $0.append(piece) }
        }
        let parts = pieces.withLock { $0 }
        #expect(parts.count > 3, "in pieces, not at once")
        let document = try JSONValue(parsing: ByteBuffer(bytes: parts.flatMap { Array($0.readableBytesView) }))
        #expect(document["account"]?["handle"] == "alice")
        #expect(document["devices"]?[0]?["name"] == "test")
        #expect(document["settings"]?[0]?["value"] == "dark")
        #expect(document["conversations"]?[0]?["address"] == "garden")
        guard case .array(let events)? = document["events"] else { throw Rejection(.fault, "no events") }
        #expect(events.count == 1_201, "her joining, and what she wrote")
        #expect(events.allSatisfy { $0["author"] == "alice" })
    }

    private struct Piece: Sendable {
        let bytes: Int
        let isFirst: Bool
    }

    /// Exports with events of `size` bytes; `onPiece` is told of each piece.
    private func export(
        _ bench: AccountBench, _ actor: Actor, size: Int = 1, onPiece: @escaping @Sendable (Piece) async throws -> Void
    ) async -> (pieces: [Int], refusal: Rejection?) {
        let sizes = Mutex<[Int]>([])
        do {
            try await bench.service.export(
                of: actor, event: { _ in ByteBuffer(repeating: UInt8(ascii: " "), count: size) },
                into: { piece in
                    let isFirst = sizes.withLock { sizes in
                        sizes.append(piece.readableBytes)
                        return sizes.count == 1
                    }
                    try await onPiece(Piece(bytes: piece.readableBytes, isFirst: isFirst))
                })
            return (sizes.withLock { $0 }, nil)
        } catch {
            return (sizes.withLock { $0 }, error as? Rejection)
        }
    }

    @Test func theExportEndsWithItsDevice() async throws {
        let bench = try await AccountBench()
        let alice = try await bench.person("alice")
        let phone = try await bench.login("alice").get()
        let garden = try await bench.group("garden", by: alice.actor)
        for number in 0..<150 { try await bench.post("a\(number)", in: garden, by: alice.actor) }
        let (pieces, refusal) = await export(bench, phone.actor) { piece in
            if piece.isFirst { try await bench.service.revoke(phone.device.id, by: alice.actor) }
        }
        #expect(pieces.count == 1)
        #expect(refusal == .notSignedIn)
        let whole = await export(bench, alice.actor) { _ in }
        #expect(whole.refusal == nil)
    }

    @Test func thePiecesOfAnExportAreNotLongerThanTheyMustBe() async throws {
        let bench = try await AccountBench()
        let alice = try await bench.person("alice")
        let phone = try await bench.login("alice").get()
        let garden = try await bench.group("garden", by: alice.actor)
        for number in 0..<60 { try await bench.post("a\(number)", in: garden, by: alice.actor) }
        let (pieces, refusal) = await export(bench, alice.actor, size: 60_000) { _ in }
        #expect(refusal == nil)
        #expect(pieces.reduce(0, +) > 60 * 60_000)
        #expect(pieces.allSatisfy { $0 < 256 * 1_024 + 60_001 })
        // Within a page of events, too, it ends with the device.
        let cut = await export(bench, phone.actor, size: 60_000) { piece in
            if piece.bytes > 60_000 { try await bench.service.logout(phone.actor) }
        }
        #expect(cut.pieces.count == 2)
        #expect(cut.refusal == .notSignedIn)
    }
}

import Hub
import NIOCore
import WireJSON

/// Writes an event as the client API shows it. The doors know that form, this target does not.
package typealias EventEncoder = @Sendable (Event) -> ByteBuffer

extension AccountService {
    /// Writes all that belongs to an account as one JSON document, in pieces: profile, devices, settings and blocks,
    /// memberships, and every event that it wrote and that is not erased.
    ///
    /// It can take hours, so it asks before every page and every piece whether account and device are still good, and
    /// ends with ``Rejection/notSignedIn`` when they are not.
    ///
    /// - Parameter write: takes the next piece, when it can; what it throws ends the export.
    package func export(
        of actor: Actor, event encode: @escaping EventEncoder,
        into write: (ByteBuffer) async throws -> Void
    ) async throws {
        let account = try await current(actor)
        let devices = try await self.devices(of: actor)
        let ledger = try await hub.read { reader throws(Rejection) in try reader.ledger(of: actor) }
        let rows = try await memberships(of: actor.account)

        var head = ByteBuffer(string: #"{"format":"switchboard-export-1","exported":\#(hub.clock()),"account":"#)
        head.writeImmutableBuffer(JSONWriter.write { writer in writer.write(account) })
        head.writeString(#","devices":"#)
        head.writeImmutableBuffer(JSONWriter.write { writer in writer.write(devices) })
        head.writeString(#","settings":"#)
        head.writeImmutableBuffer(JSONWriter.write { writer in writer.write(ledger) })
        head.writeString(#","conversations":"#)
        head.writeImmutableBuffer(JSONWriter.write { writer in writer.write(rows) })
        head.writeString(#","events":["#)
        try await write(head)

        var isFirst = true
        for row in rows where row.identity.kind != .ledger {
            var after = Sequence.zero
            while true {
                let page = try await ownEvents(of: actor, in: row.identity.id, after: after)
                var piece = ByteBuffer()
                for event in page.events {
                    if piece.readableBytes >= ExportPage.bytes {
                        try await write(piece)
                        piece = ByteBuffer()
                        _ = try await current(actor)
                    }
                    if !isFirst { piece.writeString(",") }
                    isFirst = false
                    piece.writeImmutableBuffer(encode(event))
                }
                if piece.readableBytes > 0 { try await write(piece) }
                guard page.through > after else { break }
                after = page.through
            }
        }
        try await write(ByteBuffer(string: "]}"))
    }

    private func ownEvents(
        of actor: Actor, in conversation: ConversationID, after: Sequence
    ) async throws(Rejection) -> (events: [Event], through: Sequence) {
        _ = try await current(actor)
        return try await hub.read { reader throws(Rejection) in
            let page = try reader.page(conversation, .after(after), limit: ExportPage.events, for: actor)
            let own = page.entries.map(\.event).filter { event in
                if case .erased = event.content { return false }
                return event.author.id == actor.account
            }
            return (own, page.end(after: after, limit: ExportPage.events))
        }
    }
}

/// How much of an export is in memory at once.
private enum ExportPage {
    /// That are read at once.
    static let events = 100
    /// Of a piece: it ends with the event that reaches them.
    static let bytes = 256 * 1_024
}

extension Reader.Page {
    /// How far a page after a sequence has looked, what the viewer can't see included: sequences have no holes.
    func end(after: Sequence, limit: Int) -> Sequence {
        let start = max(after.rawValue, firstSequence.rawValue - 1)
        let (reached, overflow) = start.addingReportingOverflow(Int64(limit))
        let looked = min(overflow ? Int64.max : reached, lastSequence.rawValue)
        return max(Sequence(rawValue: looked), entries.last?.event.sequence ?? .zero)
    }
}

extension JSONWriter {
    fileprivate mutating func write(_ account: Account) {
        object { writer in
            writer.field("handle", account.address.description)
            writer.field("kind", account.kind.rawValue)
            writer.field("displayName", account.profile.displayName)
            writer.field("avatar", account.profile.avatar)
            writer.field("statusText", account.profile.statusText)
            writer.field("administrator", account.isAdministrator)
            writer.field("created", account.created.rawValue)
            writer.field("expires", account.expires?.rawValue)
        }
    }

    fileprivate mutating func write(_ devices: [Device]) {
        array { writer in
            for device in devices {
                writer.object { writer in
                    writer.field("id", "\(device.id.rawValue)")
                    writer.field("name", device.name)
                    writer.field("created", device.created.rawValue)
                    writer.field("lastSeen", device.lastSeen.rawValue)
                }
            }
        }
    }

    fileprivate mutating func write(_ settings: [StateKey: String]) {
        array { writer in
            for (key, value) in settings.sorted(by: { $0.key.description < $1.key.description }) {
                writer.object { writer in
                    writer.field("namespace", key.namespace)
                    writer.field("type", key.type)
                    writer.field("key", key.key)
                    writer.field("value", value)
                }
            }
        }
    }

    fileprivate mutating func write(_ rows: [MembershipRow]) {
        array { writer in
            for row in rows where row.identity.kind != .ledger {
                writer.object { writer in
                    writer.field("id", "~\(row.identity.id.rawValue)")
                    writer.field("kind", row.identity.kind.rawValue)
                    writer.field("address", row.identity.address?.description)
                    writer.field("standing", row.member.standing.rawValue)
                    writer.field("rank", row.member.rank.rawValue)
                    writer.field("since", row.member.since.rawValue)
                }
            }
        }
    }
}

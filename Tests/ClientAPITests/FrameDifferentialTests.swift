import Foundation
import Hub
import NIOCore
import TestKit
import Testing

@testable import ClientAPI

/// Every frame, read by Foundation, says what the model says.
@Suite struct FrameDifferentialTests {
    @Test(arguments: 1...200) func randomEvents(seed: Int) throws {
        var random = RandomModel(seed: UInt64(seed))
        for _ in 0..<20 {
            let event = random.event()
            let previous = Bool.random(using: &random.generator) ? Sequence(rawValue: 4) : nil
            var buffer = ByteBuffer()
            Framing.list.append(.event(event, previous: previous), epoch: 3, to: &buffer)
            let data = Data(buffer.readableBytesView.dropFirst())
            let read = try #require(JSONSerialization.jsonObject(with: data) as? NSDictionary)
            let expected = Model.frame(event, previous: previous, epoch: 3)
            #expect(read == expected, "\(String(decoding: data, as: UTF8.self))")
        }
    }
}

/// What a frame should say, as Foundation would have it.
private enum Model {
    static func frame(_ event: Event, previous: LogSequence?, epoch: Int64) -> NSDictionary {
        var frame: [String: Any] = [
            "type": "event", "cursor": "\(epoch)-\(event.position)", "conversation": "~\(event.conversation.rawValue)",
            "sequence": event.sequence.rawValue, "id": event.id.description,
            "author": event.author.address.description, "at": event.time.rawValue, "kind": event.content.kind.name,
        ]
        frame["previous"] = previous?.rawValue
        frame["ref"] = event.token?.text
        for (key, value) in content(event.content) { frame[key] = value }
        return frame as NSDictionary
    }

    private static func content(_ content: Content) -> [String: Any] {
        switch content {
        case .message(let message):
            var members: [String: Any] = ["body": body(message.body)]
            members["replyTo"] = message.replyTo.map(reference)
            members["thread"] = message.thread.map(reference)
            return members
        case .edit(let target, let body): return ["target": reference(target), "body": self.body(body)]
        case .redaction(let target, let reason):
            var members: [String: Any] = ["target": reference(target)]
            members["reason"] = reason
            return members
        case .reaction(let target, let key, let removed):
            return ["target": reference(target), "key": key, "removed": removed]
        case .pin(let target, let removed): return ["target": reference(target), "removed": removed]
        case .membership(let change):
            var members: [String: Any] = [
                "member": [
                    "account": change.subject.address.description, "standing": change.standing.rawValue,
                    "rank": change.rank.rawValue, "role": change.rank.role,
                ] as [String: Any]
            ]
            members["reason"] = change.reason
            return members
        case .state(let change):
            return [
                "state": [
                    "namespace": change.key.namespace, "type": change.key.type, "key": change.key.key,
                    "value": change.value as Any? ?? NSNull(),
                ]
            ]
        case .call(let change):
            var call: [String: Any] = ["id": change.call, "step": change.step.rawValue]
            call["duration"] = change.duration
            return ["call": call]
        case .sealed(let scheme, let bytes):
            return ["sealed": ["scheme": scheme, "bytes": Data(bytes).base64EncodedString()]]
        case .custom(let namespace, let type, let payload):
            let value = try? JSONSerialization.jsonObject(with: Data(payload.utf8), options: .fragmentsAllowed)
            return ["custom": ["namespace": namespace, "type": type, "payload": value ?? payload]]
        case .erased: return ["erased": true]
        }
    }

    private static func reference(_ reference: EventReference) -> [String: Any] {
        ["id": reference.id.description, "sequence": reference.sequence.rawValue]
    }

    private static func body(_ body: Body) -> [String: Any] {
        var members: [String: Any] = ["text": body.text]
        if !body.spans.isEmpty {
            members["spans"] = body.spans.map { span in
                var members: [String: Any] = ["kind": span.kind.rawValue, "start": span.start, "length": span.length]
                members["value"] = span.value
                return members
            }
        }
        if !body.attachments.isEmpty {
            members["attachments"] = body.attachments.map { attachment in
                var members: [String: Any] = [
                    "reference": attachment.reference, "name": attachment.name, "mediaType": attachment.mediaType,
                ]
                members["size"] = attachment.size
                return members
            }
        }
        if !body.mentions.isEmpty { members["mentions"] = body.mentions.map(\.description) }
        if !body.extras.isEmpty {
            members["extras"] = body.extras.mapValues { text in
                (try? JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)) ?? text
            }
        }
        return members
    }
}

/// Random values of the model, as wild as it allows.
private struct RandomModel {
    var generator: SeededGenerator

    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    mutating func event() -> Event {
        Event(
            position: Position(rawValue: number()), conversation: ConversationID(rawValue: number()),
            sequence: Sequence(rawValue: number()),
            id: EventID(high: generator.next() >> 3, low: generator.next()), author: party(), device: nil,
            time: Timestamp(rawValue: number()), token: maybe { Token("ref-\($0.number())") ?? nil }, content: content()
        )
    }

    private mutating func number() -> Int64 {
        Int64(generator.next() >> UInt64.random(in: 1...63, using: &generator))
    }

    private mutating func maybe<Value>(_ make: (inout Self) -> Value?) -> Value? {
        Bool.random(using: &generator) ? make(&self) : nil
    }

    private mutating func text() -> String {
        var text = ""
        for _ in 0..<Int.random(in: 0...12, using: &generator) {
            let scalars: [ClosedRange<UInt32>] = [
                0x20...0x7E, 0x00...0x1F, 0x22...0x22, 0x5C...0x5C, 0xA0...0x24F, 0x2020...0x2030, 0xE000...0xFFFD,
                0x1F300...0x1F6FF, 0x0300...0x036F,
            ]
            let range = scalars[Int.random(in: 0..<scalars.count, using: &generator)]
            text.unicodeScalars.append(Unicode.Scalar(UInt32.random(in: range, using: &generator)) ?? "?")
        }
        return text
    }

    private mutating func party() -> Party {
        let names = ["alice", "bob", "c-3_p", "dora@remote.example"]
        return Party(
            id: AccountID(rawValue: 1),
            address: Sample.address(names[Int.random(in: 0..<names.count, using: &generator)]))
    }

    private mutating func reference() -> EventReference {
        EventReference(
            id: EventID(high: generator.next() >> 3, low: generator.next()), sequence: Sequence(rawValue: number()))
    }

    private mutating func json() -> String {
        let texts = ["{}", "[]", "null", "-1.5e3", "{\"a\": [true, {\"b\":\"\\u00e9\\n\"}] }", "\"x\"", "not json", ""]
        return texts[Int.random(in: 0..<texts.count, using: &generator)]
    }

    private mutating func body() -> Body {
        var body = Body(text: text())
        for _ in 0..<Int.random(in: 0...2, using: &generator) {
            let kind = Span.Kind.allCases.randomElement(using: &generator) ?? .bold
            body.spans.append(Span(kind: kind, start: Int(number()), length: Int(number()), value: maybe { $0.text() }))
            body.attachments.append(
                Attachment(reference: text(), name: text(), mediaType: text(), size: maybe { $0.number() }))
            body.mentions.append(party().address)
            body.extras["x/\(text())"] = json()
        }
        return body
    }

    private mutating func content() -> Content {
        switch Int.random(in: 0..<11, using: &generator) {
        case 0, 1:
            .message(Message(body: body(), replyTo: maybe { $0.reference() }, thread: maybe { $0.reference() }))
        case 2: .edit(target: reference(), body: body())
        case 3: .redaction(target: reference(), reason: maybe { $0.text() })
        case 4: .reaction(target: reference(), key: text(), removed: Bool.random(using: &generator))
        case 5: .pin(target: reference(), removed: Bool.random(using: &generator))
        case 6:
            .membership(
                MembershipChange(
                    subject: party(), standing: Standing.allCases.randomElement(using: &generator) ?? .left,
                    rank: Rank(rawValue: Int.random(in: -1...100, using: &generator)) ?? .member,
                    reason: maybe { $0.text() }))
        case 7:
            .state(
                StateChange(
                    key: StateKey(namespace: text(), type: text(), key: text()), value: maybe { $0.text() }))
        case 8: .call(CallChange(call: text(), step: .missed, duration: maybe { $0.number() }))
        case 9:
            .sealed(
                scheme: text(),
                bytes: (0..<Int.random(in: 0...9, using: &generator)).map { _ in UInt8(generator.next() >> 56) })
        default:
            Bool.random(using: &generator) ? .erased(.call) : .custom(namespace: text(), type: text(), payload: json())
        }
    }
}

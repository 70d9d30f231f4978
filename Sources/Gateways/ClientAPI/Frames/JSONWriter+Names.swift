import Hub
import WireJSON

/// Our own names as JSON strings: written digit by digit, without a String in between.
extension JSONWriter {
    /// `"~12"`
    mutating func conversation(_ id: ConversationID) { numbers(UInt8(ascii: "~"), id.rawValue, nil) }

    /// `"1-4711"`
    mutating func cursor(_ position: Position, epoch: Int64) { numbers(nil, epoch, position.rawValue) }

    mutating func eventID(_ id: EventID) { id.withText { string(utf8: $0) } }

    mutating func conversationField(_ key: StaticString, _ id: ConversationID) {
        self.key(key)
        conversation(id)
    }

    mutating func cursorField(_ key: StaticString, _ position: Position, epoch: Int64) {
        self.key(key)
        cursor(position, epoch: epoch)
    }

    mutating func cursorField(_ key: StaticString, _ cursor: Cursor) {
        cursorField(key, cursor.position, epoch: cursor.epoch)
    }

    mutating func idField(_ key: StaticString, _ id: EventID) {
        self.key(key)
        eventID(id)
    }

    mutating func field(_ key: StaticString, _ address: Address) {
        self.key(key)
        self.address(address)
    }

    mutating func address(_ address: Address) {
        if address.isRemote { string(address.description) } else { string(address.handle.text) }
    }

    mutating func field(_ key: StaticString, _ reference: EventReference?) {
        guard let reference else { return }
        self.key(key)
        self.reference(reference)
    }

    mutating func reference(_ reference: EventReference) {
        object { writer in
            writer.idField("id", reference.id)
            writer.field("sequence", reference.sequence.rawValue)
        }
    }

    /// A member whose value is said to be JSON. What is not becomes a string: a frame is never broken by what another
    /// door let in.
    mutating func field(_ key: StaticString, json: String) {
        self.key(key)
        self.json(json)
    }

    mutating func json(_ text: String) {
        let limits = JSONLimits(bytes: .max, stringBytes: .max, members: .max, elements: .max, numberBytes: 4_096)
        let compact = try? JSONReader.read(text, limits: limits) { reader throws(JSONError) in try reader.rawValue() }
        if let compact { raw(compact) } else { string(text) }
    }

    /// A mark and one or two numbers as one string.
    // trap-ok-function: room of 48 bytes holds a mark, a hyphen and two numbers of 20 digits at most
    private mutating func numbers(_ mark: UInt8?, _ first: Int64, _ second: Int64?) {
        withUnsafeTemporaryAllocation(byteCount: 48, alignment: 1) { room in
            var start = room.count
            if let second {
                JSONWriter.prepend(second, to: room, &start)
                start -= 1
                room[start] = UInt8(ascii: "-")
            }
            JSONWriter.prepend(first, to: room, &start)
            if let mark {
                start -= 1
                room[start] = mark
            }
            string(utf8: UnsafeRawBufferPointer(rebasing: room[start...]))
        }
    }

    /// For `numbers` only, whose room is large enough.
    private static func prepend(_ number: Int64, to room: UnsafeMutableRawBufferPointer, _ start: inout Int) {
        var rest = number.magnitude
        repeat {
            start -= 1
            room[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        } while rest > 0
        if number < 0 {
            start -= 1
            room[start] = UInt8(ascii: "-")
        }
    }
}

import Hub
import WireJSON

extension OperationResult {
    /// The answer to a change: where it stands in the log.
    package static func acceptance(_ acceptance: Acceptance, epoch: Int64) -> OperationResult {
        .members { writer in writer.acceptanceMembers(acceptance, epoch: epoch) }
    }
}

extension JSONWriter {
    mutating func acceptanceMembers(_ acceptance: Acceptance, epoch: Int64) {
        if acceptance.conversation.rawValue != 0 { conversationField("conversation", acceptance.conversation) }
        if let event = acceptance.event {
            idField("id", event.id)
            field("sequence", event.sequence.rawValue)
        }
        cursorField("cursor", acceptance.position, epoch: epoch)
        field("at", acceptance.time.rawValue)
        if acceptance.isRepeat { field("repeat", true) }
    }
}

extension Field {
    /// What changes answer.
    package static let acceptance: [Field] = [
        .sometimes("conversation", .text, "`~12`"),
        .sometimes("id", .text, "the event that it became; absent where nothing had to change"),
        .sometimes("sequence", .integer, "its place in the conversation"),
        .always("cursor", .text, "everything up to here is on disk"),
        .always("at", .integer, "milliseconds since 1970"),
        .sometimes("repeat", .flag, "this is the first acceptance again"),
    ]
}

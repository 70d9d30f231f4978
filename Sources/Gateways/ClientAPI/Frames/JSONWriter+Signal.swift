import Hub
import WireJSON

/// Signals.
extension JSONWriter {
    /// The members of a signal's frame after `type`.
    mutating func signalMembers(_ signal: Signal) {
        switch signal {
        case .typing(let place, let active):
            placeMembers(place)
            field("active", active)
        case .liveText(let place, let text):
            placeMembers(place)
            field("ref", text.token.text)
            field("number", text.number)
            array("steps") { writer in
                for step in text.steps { writer.object { $0.stepMembers(step) } }
            }
        case .ringing(let place, let call):
            placeMembers(place)
            field("call", call)
        case .presence(let party, let presence):
            field("account", party.address)
            presenceMembers(presence)
        case .attendance(let conversation, let party, let present):
            conversationField("conversation", conversation)
            field("account", party.address)
            field("present", present)
        }
    }

    private mutating func placeMembers(_ place: ConversationSignal) {
        conversationField("conversation", place.conversation)
        field("account", place.party.address)
        if let thread = place.thread { idField("thread", thread) }
    }

    private mutating func stepMembers(_ step: LiveText.Step) {
        switch step {
        case .reset(let text): field("reset", text)
        case .insert(let place, let text):
            field("insert", text)
            field("at", place)
        case .erase(let place, let count):
            field("erase", count)
            field("at", place)
        case .cancel: field("cancel", true)
        }
    }
}

import Hub

/// What a client gave for an operation's parameters: decoded and checked by form, by position in the table.
///
/// Every accessor throws: `invalid-value` where something required is missing, and `fault` where the operation asks for
/// what its own table does not have.
package struct Arguments: Sendable {
    package let operation: Operation
    private var values: [ArgumentValue?]

    init(_ operation: Operation) {
        self.operation = operation
        values = Array(repeating: nil, count: operation.parameters.count)
    }

    mutating func set(_ index: Int, _ value: ArgumentValue) { values[index] = value }

    /// Why these arguments can't be used, once all have been set: something required is missing.
    var fault: Rejection? {
        for (parameter, value) in zip(operation.parameters, values) where parameter.isRequired && value == nil {
            return Rejection(.invalidValue, "\(parameter.name): missing")
        }
        return nil
    }

    private func value(_ name: String) throws(Rejection) -> ArgumentValue? {
        guard let index = operation.index(of: name) else { throw misuse(name) }
        return values[index]
    }

    private func misuse(_ name: String) -> Rejection {
        Rejection(.fault, "the operation \(operation.name) has no parameter \(name) of this form")
    }

    private func missing(_ name: String) -> Rejection { Rejection(.invalidValue, "\(name): missing") }

    package func isGiven(_ name: String) throws(Rejection) -> Bool { try value(name) != nil }

    // MARK: Texts

    package func optionalText(_ name: String) throws(Rejection) -> String? {
        switch try value(name) {
        case .text(let text): text
        case .null, nil: nil
        default: throw misuse(name)
        }
    }

    package func text(_ name: String) throws(Rejection) -> String {
        guard let text = try optionalText(name) else { throw missing(name) }
        return text
    }

    /// A value that may also be absent (leave it) or null (remove it).
    package func removableText(_ name: String) throws(Rejection) -> Removable<String> {
        switch try value(name) {
        case .text(let text): .value(text)
        case .null: .removed
        case nil: .absent
        default: throw misuse(name)
        }
    }

    package func texts(_ name: String) throws(Rejection) -> [String] {
        switch try value(name) {
        case .texts(let texts): texts
        case .null, nil: []
        default: throw misuse(name)
        }
    }

    /// The raw JSON of a `json` parameter.
    package func optionalJSON(_ name: String) throws(Rejection) -> String? {
        switch try value(name) {
        case .json(let text): text
        case .null, nil: nil
        default: throw misuse(name)
        }
    }

    package func json(_ name: String) throws(Rejection) -> String {
        guard let text = try optionalJSON(name) else { throw missing(name) }
        return text
    }

    // MARK: Numbers and flags

    package func optionalInteger(_ name: String) throws(Rejection) -> Int64? {
        switch try value(name) {
        case .integer(let value): value
        case .null, nil: nil
        default: throw misuse(name)
        }
    }

    package func integer(_ name: String) throws(Rejection) -> Int64 {
        guard let value = try optionalInteger(name) else { throw missing(name) }
        return value
    }

    package func removableInteger(_ name: String) throws(Rejection) -> Removable<Int64> {
        switch try value(name) {
        case .integer(let value): .value(value)
        case .null: .removed
        case nil: .absent
        default: throw misuse(name)
        }
    }

    /// The parameter `limit`, or what holds if it is not given.
    package func limit(_ standard: Int) throws(Rejection) -> Int {
        Int(try optionalInteger("limit") ?? Int64(standard))
    }

    package func optionalFlag(_ name: String) throws(Rejection) -> Bool? {
        switch try value(name) {
        case .flag(let flag): flag
        case .null, nil: nil
        default: throw misuse(name)
        }
    }

    package func flag(_ name: String) throws(Rejection) -> Bool { try optionalFlag(name) ?? false }

    // MARK: Names

    package func optionalHandle(_ name: String) throws(Rejection) -> Handle? {
        guard let text = try optionalText(name) else { return nil }
        guard let handle = Handle(text) else {
            throw Rejection(.invalidName, "\(name): 1 to 32 of a-z 0-9 _ -, and a letter first")
        }
        return handle
    }

    package func handle(_ name: String) throws(Rejection) -> Handle {
        guard let handle = try optionalHandle(name) else { throw missing(name) }
        return handle
    }

    package func optionalAccount(_ name: String) throws(Rejection) -> Address? {
        switch try value(name) {
        case .account(let address): address
        case .null, nil: nil
        default: throw misuse(name)
        }
    }

    package func account(_ name: String = "account") throws(Rejection) -> Address {
        guard let address = try optionalAccount(name) else { throw missing(name) }
        return address
    }

    package func accounts(_ name: String) throws(Rejection) -> [Address] {
        switch try value(name) {
        case .accounts(let addresses): addresses
        case .null, nil: []
        default: throw misuse(name)
        }
    }

    package func optionalConversation(_ name: String) throws(Rejection) -> ConversationName? {
        switch try value(name) {
        case .conversation(let name): name
        case .null, nil: nil
        default: throw misuse(name)
        }
    }

    package func conversation(_ name: String = "conversation") throws(Rejection) -> ConversationName {
        guard let found = try optionalConversation(name) else { throw missing(name) }
        return found
    }

    package func optionalEvent(_ name: String) throws(Rejection) -> EventID? {
        switch try value(name) {
        case .event(let id): id
        case .null, nil: nil
        default: throw misuse(name)
        }
    }

    package func event(_ name: String = "event") throws(Rejection) -> EventID {
        guard let id = try optionalEvent(name) else { throw missing(name) }
        return id
    }

    package func optionalPlace(_ name: String) throws(Rejection) -> Place? {
        switch try value(name) {
        case .place(let place): place
        case .null, nil: nil
        default: throw misuse(name)
        }
    }

    package func optionalCursor(_ name: String) throws(Rejection) -> Cursor? {
        switch try value(name) {
        case .cursor(let cursor): cursor
        case .null, nil: nil
        default: throw misuse(name)
        }
    }

    /// The parameter `ref`; nil where the client gave none or the operation takes none.
    package var token: Token? {
        guard let index = operation.index(of: "ref"), case .token(let token) = values[index] else { return nil }
        return token
    }

    /// A parameter of the form `ref` that must be there.
    package func token(_ name: String) throws(Rejection) -> Token {
        switch try value(name) {
        case .token(let token): token
        case .null, nil: throw missing(name)
        default: throw misuse(name)
        }
    }

    // MARK: Compound values

    /// What is to be said: `body`, or `text` with what stands beside it.
    package func body() throws(Rejection) -> Body {
        if case .body(let body) = try value("body") {
            for name in ["text", "spans", "attachments", "mentions", "extras"] where try isGiven(name) {
                throw Rejection(.invalidValue, "\(name): give either body, or text with what stands beside it")
            }
            return body
        }
        let (hasText, hasAttachments) = (try isGiven("text"), try isGiven("attachments"))
        guard hasText || hasAttachments else { throw missing("text") }
        var body = Body(text: try optionalText("text") ?? "", mentions: try accounts("mentions"))
        if case .spans(let spans) = try value("spans") { body.spans = spans }
        if case .attachments(let attachments) = try value("attachments") { body.attachments = attachments }
        if case .extras(let extras) = try value("extras") { body.extras = extras }
        return body
    }

    package func steps(_ name: String) throws(Rejection) -> [LiveText.Step] {
        guard case .steps(let steps) = try value(name) else { throw missing(name) }
        return steps
    }

    package func bytes(_ name: String) throws(Rejection) -> [UInt8] {
        guard case .bytes(let bytes) = try value(name) else { throw missing(name) }
        return bytes
    }

    package func optionalState(_ name: String) throws(Rejection) -> StateChange? {
        guard case .state(let change) = try value(name) else { return nil }
        return change
    }

    package func ranks(_ name: String) throws(Rejection) -> [(action: Action, rank: Rank)] {
        guard case .ranks(let ranks) = try value(name) else { return [] }
        return ranks
    }
}

/// A value that can be left as it is, taken away, or set.
package enum Removable<Value: Sendable>: Sendable {
    case absent, removed
    case value(Value)
}

/// A place in a conversation's log as clients name it.
package enum Place: Hashable, Sendable {
    case sequence(Sequence)
    case event(EventID)
}

/// One decoded argument.
enum ArgumentValue: Sendable {
    case null
    case text(String)
    case texts([String])
    case json(String)
    case integer(Int64)
    case flag(Bool)
    case account(Address)
    case accounts([Address])
    case conversation(ConversationName)
    case event(EventID)
    case place(Place)
    case cursor(Cursor)
    case token(Token)
    indirect case body(Body)
    case spans([Span])
    case attachments([Attachment])
    case extras([String: String])
    case steps([LiveText.Step])
    case bytes([UInt8])
    indirect case state(StateChange)
    case ranks([(action: Action, rank: Rank)])
}

import GatewayKit
import Hub
import WireJSON

/// Reads arguments from JSON, by the form that the table gives each parameter. Total: every input gives a value or a
/// `JSONError` that names the member.
struct ArgumentDecoder {
    /// Whose name is folded away in addresses.
    let home: ServerName

    func value(_ kind: Parameter.Kind, _ reader: inout JSONReader) throws(JSONError) -> ArgumentValue {
        switch kind {
        case .text(let maximum):
            return .text(try text(&reader, maximum))
        case .handle:
            // Its grammar is checked where it is used: a bad name is another error than a bad value.
            return .text(try text(&reader, 320))
        case .choice(let names):
            let text = try reader.string()
            guard names.contains(text) else { throw reader.invalid("one of \(names.joined(separator: ", "))") }
            return .text(text)
        case .conversation, .account, .event, .ref, .cursor:
            let text = try reader.string()
            guard let value = name(kind, text) else { throw reader.invalid(ArgumentDecoder.expectation(kind)) }
            return value
        case .place:
            if try reader.kind() == .number { return .place(.sequence(try sequence(&reader))) }
            guard let id = EventID(try reader.string()) else { throw reader.invalid(ArgumentDecoder.expectation(kind)) }
            return .place(.event(id))
        case .integer(let range):
            let number = try reader.int64()
            guard range.contains(number) else { throw reader.invalid(ArgumentDecoder.expectation(kind)) }
            return .integer(number)
        case .flag:
            return .flag(try reader.bool())
        case .texts(let maximum):
            return .texts(try texts(&reader, maximum))
        case .accounts(let maximum):
            return .accounts(try addresses(&reader, maximum))
        case .json:
            return .json(try reader.rawValue())
        case .bytes:
            guard let bytes = StrictBase64.decode(try reader.string().utf8, as: .standard) else {
                throw reader.invalid("base64")
            }
            return .bytes(bytes)
        case .body, .spans, .attachments, .extras, .steps, .state, .ranks:
            return try compound(kind, &reader)
        }
    }

    private func compound(_ kind: Parameter.Kind, _ reader: inout JSONReader) throws(JSONError) -> ArgumentValue {
        switch kind {
        case .body: .body(try body(&reader))
        case .spans: .spans(try spans(&reader))
        case .attachments: .attachments(try attachments(&reader))
        case .extras: .extras(try extras(&reader))
        case .steps: .steps(try steps(&reader))
        case .state: .state(try stateChange(&reader))
        case .ranks: .ranks(try ranks(&reader))
        default: throw reader.invalid("an unknown form")
        }
    }

    /// The value of a form that is one word; nil if it is none.
    func name(_ kind: Parameter.Kind, _ text: String) -> ArgumentValue? {
        switch kind {
        case .conversation: ConversationName(text, home: home).map { .conversation($0) }
        case .account: Address(text, home: home).map { .account($0) }
        case .event: EventID(text).map { .event($0) }
        case .ref: Token(text).map { .token($0) }
        case .cursor: Cursor(text).map { .cursor($0) }
        default: nil
        }
    }

    static func expectation(_ kind: Parameter.Kind) -> String {
        switch kind {
        case .conversation: "expected ~number, a name, or @account"
        case .account: "expected an account's name"
        case .event: "expected an event's id"
        case .place: "expected a sequence or an event's id"
        case .ref: "expected 1 to \(Token.limit) bytes without spaces"
        case .cursor: "expected a cursor that the server gave"
        case .integer(let range) where range.upperBound == .max: "expected a number from \(range.lowerBound) on"
        case .integer(let range): "expected a number from \(range.lowerBound) to \(range.upperBound)"
        default: "expected another form"
        }
    }

    // MARK: Parts

    private func text(_ reader: inout JSONReader, _ maximum: Int) throws(JSONError) -> String {
        let text = try reader.string()
        guard text.utf8.count <= maximum else { throw reader.invalid("longer than \(maximum) bytes") }
        return text
    }

    private func texts(_ reader: inout JSONReader, _ maximum: Int) throws(JSONError) -> [String] {
        let texts = try reader.strings()
        guard texts.count <= maximum else { throw reader.invalid("more than \(maximum)") }
        return texts
    }

    private func addresses(_ reader: inout JSONReader, _ maximum: Int) throws(JSONError) -> [Address] {
        var addresses: [Address] = []
        try reader.array { element throws(JSONError) in
            guard let address = Address(try element.string(), home: home) else {
                throw element.invalid(ArgumentDecoder.expectation(.account))
            }
            guard addresses.count < maximum else { throw element.invalid("more than \(maximum)") }
            addresses.append(address)
        }
        return addresses
    }

    private func sequence(_ reader: inout JSONReader) throws(JSONError) -> Sequence {
        let number = try reader.int64()
        guard number >= 0, number < .max else { throw reader.invalid("expected a sequence") }
        return Sequence(rawValue: number)
    }

    private func body(_ reader: inout JSONReader) throws(JSONError) -> Body {
        var body = Body(text: "")
        var hasText = false
        try reader.object { key, value throws(JSONError) in
            switch key {
            case "text":
                body.text = try value.string()
                hasText = true
            case "spans": body.spans = try spans(&value)
            case "attachments": body.attachments = try attachments(&value)
            case "mentions": body.mentions = try addresses(&value, 1_000)
            case "extras": body.extras = try extras(&value)
            default: try value.skip()
            }
        }
        guard hasText || !body.attachments.isEmpty else { throw reader.missing("text") }
        return body
    }

    private func spans(_ reader: inout JSONReader) throws(JSONError) -> [Span] {
        var spans: [Span] = []
        try reader.array { element throws(JSONError) in spans.append(try span(&element)) }
        return spans
    }

    private func span(_ reader: inout JSONReader) throws(JSONError) -> Span {
        var kind: Span.Kind?
        var start: Int?
        var length: Int?
        var text: String?
        try reader.object { key, value throws(JSONError) in
            switch key {
            case "kind":
                kind = Span.Kind(rawValue: try value.string())
                if kind == nil { throw value.invalid("not a kind of span") }
            case "start": start = try value.int()
            case "length": length = try value.int()
            case "value": text = try value.optionalString()
            default: try value.skip()
            }
        }
        guard let kind else { throw reader.missing("kind") }
        guard let start else { throw reader.missing("start") }
        guard let length else { throw reader.missing("length") }
        return Span(kind: kind, start: start, length: length, value: text)
    }

    private func attachments(_ reader: inout JSONReader) throws(JSONError) -> [Attachment] {
        var attachments: [Attachment] = []
        try reader.array { element throws(JSONError) in attachments.append(try attachment(&element)) }
        return attachments
    }

    private func attachment(_ reader: inout JSONReader) throws(JSONError) -> Attachment {
        var reference: String?
        var name: String?
        var mediaType: String?
        var size: Int64?
        try reader.object { key, value throws(JSONError) in
            switch key {
            case "reference": reference = try value.string()
            case "name": name = try value.string()
            case "mediaType": mediaType = try value.string()
            case "size": size = try value.optionalInt64()
            default: try value.skip()
            }
        }
        guard let reference else { throw reader.missing("reference") }
        return Attachment(
            reference: reference, name: name ?? "", mediaType: mediaType ?? "application/octet-stream", size: size)
    }

    private func extras(_ reader: inout JSONReader) throws(JSONError) -> [String: String] {
        var extras: [String: String] = [:]
        try reader.object { key, value throws(JSONError) in extras[key] = try value.rawValue() }
        return extras
    }

    private func steps(_ reader: inout JSONReader) throws(JSONError) -> [LiveText.Step] {
        var steps: [LiveText.Step] = []
        try reader.array { element throws(JSONError) in
            guard steps.count < 1_000 else { throw element.invalid("more than 1000 steps") }
            steps.append(try step(&element))
        }
        return steps
    }

    private func step(_ reader: inout JSONReader) throws(JSONError) -> LiveText.Step {
        var reset: String?
        var insert: String?
        var erase: Int?
        var place: Int?
        var cancel = false
        try reader.object { key, value throws(JSONError) in
            switch key {
            case "reset": reset = try value.string()
            case "insert": insert = try value.string()
            case "erase": erase = try value.int()
            case "at": place = try value.int()
            case "cancel": cancel = try value.bool()
            default: try value.skip()
            }
        }
        switch (reset, insert, erase, cancel) {
        case (let text?, nil, nil, false): return .reset(text)
        case (nil, nil, nil, true): return .cancel
        case (nil, let text?, nil, false):
            guard let place, place >= 0 else { throw reader.missing("at") }
            return .insert(at: place, text: text)
        case (nil, nil, let count?, false):
            guard let place, place >= 0 else { throw reader.missing("at") }
            guard count >= 1, count <= place else { throw reader.invalid("erase takes 1 to `at` scalars") }
            return .erase(at: place, count: count)
        default: throw reader.invalid("a step is one of reset, insert, erase and cancel")
        }
    }

    private func stateChange(_ reader: inout JSONReader) throws(JSONError) -> StateChange {
        var namespace: String?
        var type: String?
        var key = ""
        var text: String?
        var hasValue = false
        try reader.object { name, value throws(JSONError) in
            switch name {
            case "namespace": namespace = try value.string()
            case "type": type = try value.string()
            case "key": key = try value.string()
            case "value":
                text = try value.optionalString()
                hasValue = true
            default: try value.skip()
            }
        }
        guard let namespace else { throw reader.missing("namespace") }
        guard let type else { throw reader.missing("type") }
        guard hasValue else { throw reader.missing("value") }
        return StateChange(key: StateKey(namespace: namespace, type: type, key: key), value: text)
    }

    private func ranks(_ reader: inout JSONReader) throws(JSONError) -> [(action: Action, rank: Rank)] {
        var ranks: [(action: Action, rank: Rank)] = []
        try reader.object { key, value throws(JSONError) in
            let number = try value.int()
            guard let action = Action(rawValue: key) else { throw value.invalid("there is no such action") }
            guard let rank = Rank(rawValue: number) else { throw value.invalid("a rank is -1 to 100") }
            ranks.append((action, rank))
        }
        return ranks
    }
}

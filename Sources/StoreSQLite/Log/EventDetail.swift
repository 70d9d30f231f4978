import Hub
import WireJSON

/// The `detail` column, read back: each kind of event has its own members.
struct EventDetail {
    // Bodies
    var spans: [Span] = []
    var attachments: [Attachment] = []
    var mentions: [Address] = []
    var extras: [String: String] = [:]
    // Reactions and pins
    var removed = false
    // Membership
    var standing: Standing?
    var rank: Rank?
    // State and custom events
    var namespace: String?
    var type: String?
    var key: String?
    // Calls
    var call: String?
    var step: CallChange.Step?
    var duration: Int64?

    /// What was stored was within the hub's limits; these only bound what a damaged file can make us do.
    private static let limits = JSONLimits(
        bytes: 64 << 20, depth: 8, stringBytes: 64 << 20, members: 1 << 20, elements: 1 << 20)

    init(_ json: String?) throws {
        guard let json else { return }
        var detail = EventDetail()
        try JSONReader.read(json, limits: EventDetail.limits) { reader throws(JSONError) in
            try reader.object { name, value throws(JSONError) in try detail.read(name, &value) }
        }
        self = detail
    }

    private init() {}

    private mutating func read(_ name: String, _ value: inout JSONReader) throws(JSONError) {
        switch name {
        case "spans": try value.array { element throws(JSONError) in spans.append(try EventDetail.span(&element)) }
        case "attachments":
            try value.array { element throws(JSONError) in attachments.append(try EventDetail.attachment(&element)) }
        case "mentions":
            try value.array { element throws(JSONError) in mentions.append(try EventDetail.address(&element)) }
        case "extras":
            var extras: [String: String] = [:]
            try value.object { name, value throws(JSONError) in extras[name] = try value.string() }
            self.extras = extras
        case "removed": removed = try value.bool()
        case "standing": standing = Standing(rawValue: try value.string())
        case "rank": rank = Rank(rawValue: try value.int())
        case "namespace": namespace = try value.string()
        case "type": type = try value.string()
        case "key": key = try value.string()
        case "call": call = try value.string()
        case "step": step = CallChange.Step(rawValue: try value.string())
        case "duration": duration = try value.int64()
        default: try value.skip()
        }
    }

    private static func span(_ value: inout JSONReader) throws(JSONError) -> Span {
        var kind: Span.Kind?
        var start: Int?
        var length: Int?
        var target: String?
        try value.object { name, value throws(JSONError) in
            switch name {
            case "kind": kind = Span.Kind(rawValue: try value.string())
            case "start": start = try value.int()
            case "length": length = try value.int()
            case "value": target = try value.string()
            default: try value.skip()
            }
        }
        guard let kind, let start, let length else { throw value.missing("kind, start or length") }
        return Span(kind: kind, start: start, length: length, value: target)
    }

    private static func attachment(_ value: inout JSONReader) throws(JSONError) -> Attachment {
        var reference: String?
        var name: String?
        var mediaType: String?
        var size: Int64?
        try value.object { key, value throws(JSONError) in
            switch key {
            case "reference": reference = try value.string()
            case "name": name = try value.string()
            case "type": mediaType = try value.string()
            case "size": size = try value.int64()
            default: try value.skip()
            }
        }
        guard let reference, let name, let mediaType else { throw value.missing("reference, name or type") }
        return Attachment(reference: reference, name: name, mediaType: mediaType, size: size)
    }

    private static func address(_ value: inout JSONReader) throws(JSONError) -> Address {
        let text = try value.string()
        let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        if let first = parts.first, let handle = Handle(first) {
            if parts.count == 1 { return Address(handle: handle) }
            if let server = ServerName(parts[1]) { return Address(handle: handle, server: server) }
        }
        throw value.invalid("not an address")
    }
}

/// What a message says: plain text that is complete on its own, and spans, attachments and links that enrich it.
package struct Body: Hashable, Sendable {
    package var text: String
    package var spans: [Span]
    package var attachments: [Attachment]
    /// Accounts that are to be told. A span of kind mention shows where; this list decides who.
    package var mentions: [Address]
    /// Namespaced keys (`protocol/key` → text of that protocol) kept and handed back to the same protocol.
    package var extras: [String: String]

    package init(
        text: String, spans: [Span] = [], attachments: [Attachment] = [], mentions: [Address] = [],
        extras: [String: String] = [:]
    ) {
        self.text = text
        self.spans = spans
        self.attachments = attachments
        self.mentions = mentions
        self.extras = extras
    }
}

/// A formatted range of a body's text, counted in Unicode scalars.
package struct Span: Hashable, Sendable {
    package enum Kind: String, Sendable, CaseIterable {
        case bold, italic, strike, code, codeBlock, quote, link, mention, spoiler, list
    }
    package var kind: Kind
    package var start: Int
    package var length: Int
    /// The target of a link, the language of a code block, the address of a mention.
    package var value: String?

    package init(kind: Kind, start: Int, length: Int, value: String? = nil) {
        self.kind = kind
        self.start = start
        self.length = length
        self.value = value
    }
}

/// A file by reference: the hub keeps the reference, a gateway serves or links the bytes.
package struct Attachment: Hashable, Sendable {
    package var reference: String
    package var name: String
    package var mediaType: String
    /// In bytes; nil when unknown.
    package var size: Int64?

    package init(reference: String, name: String, mediaType: String, size: Int64?) {
        self.reference = reference
        self.name = name
        self.mediaType = mediaType
        self.size = size
    }
}

extension Body {
    /// Why this body can't be posted, or nil.
    package func fault(within limits: Limits) -> Rejection? {
        if text.isEmpty, attachments.isEmpty {
            return Rejection(.invalidValue, "a message needs text or an attachment")
        }
        if text.utf8.count > limits.textBytes {
            return Rejection(.tooLarge, "the text is longer than \(limits.textBytes) bytes")
        }
        if text.utf8.contains(0) { return Rejection(.invalidValue, "the text contains U+0000") }
        if attachments.count > limits.attachments {
            return Rejection(.tooLarge, "more than \(limits.attachments) attachments")
        }
        if mentions.count > limits.mentions { return Rejection(.tooLarge, "more than \(limits.mentions) mentions") }
        if !extras.isEmpty {
            let size = extras.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count }
            if size > limits.extrasBytes { return Rejection(.tooLarge, "extras over \(limits.extrasBytes) bytes") }
            if extras.keys.contains(where: { !$0.contains("/") }) {
                return Rejection(.invalidValue, "a key of extras is written namespace/name")
            }
        }
        for attachment in attachments {
            let size = attachment.reference.utf8.count + attachment.name.utf8.count + attachment.mediaType.utf8.count
            if attachment.reference.isEmpty || size > 4_096 || (attachment.size ?? 0) < 0 {
                return Rejection(.invalidValue, "an attachment without a reference, too long, or of a negative size")
            }
        }
        return spanFault(within: limits)
    }

    private func spanFault(within limits: Limits) -> Rejection? {
        guard !spans.isEmpty else { return nil }
        if spans.count > limits.spans { return Rejection(.tooLarge, "more than \(limits.spans) spans") }
        let length = text.unicodeScalars.count
        for span in spans {
            let (end, overflow) = span.start.addingReportingOverflow(span.length)
            if overflow || span.start < 0 || span.length < 1 || end > length {
                return Rejection(.invalidValue, "a span reaches outside the text")
            }
            if (span.value?.utf8.count ?? 0) > 2_048 { return Rejection(.tooLarge, "a span's value over 2048 bytes") }
        }
        return nil
    }
}

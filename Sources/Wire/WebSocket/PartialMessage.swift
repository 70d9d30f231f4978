import NIOCore

/// A message of which not all has come yet.
struct PartialMessage {
    let isText: Bool
    let isCompressed: Bool
    private var fragments = 0
    private(set) var bytes = ByteBuffer()
    private var utf8 = UTF8Validator()

    init(isText: Bool, isCompressed: Bool) {
        self.isText = isText
        self.isCompressed = isCompressed
    }

    /// Counts a fragment whose payload is about to come, unless that would pass a limit.
    /// - Parameter inflated: how many bytes of the message's compressed form have come so far.
    mutating func beginFragment(
        of length: Int, inflated: Int, limits: WebSocketLimits
    ) throws(WebSocketViolation) {
        fragments += 1
        guard fragments <= limits.maxFragments else {
            throw WebSocketViolation(.messageTooBig, "message has too many fragments")
        }
        let (total, overflow) = length.addingReportingOverflow(isCompressed ? inflated : bytes.readableBytes)
        guard !overflow, total <= (isCompressed ? limits.maxCompressedBytes : limits.maxMessageBytes) else {
            throw .messageTooBig
        }
    }

    /// Adds up to `room` bytes, which `fill` writes and counts. Text is checked at once, so that bad bytes end the
    /// connection when they arrive and not when the message ends (RFC 6455 section 8.1).
    // trap-ok-function: the pointers do not leave the closures, and `fill` is given exactly `room` bytes
    mutating func append(
        room: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Int
    ) throws(WebSocketViolation) {
        let written = bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { space in
            fill(UnsafeMutableRawBufferPointer(rebasing: space.prefix(room)))
        }
        guard isText else { return }
        let isValid = bytes.withUnsafeReadableBytes { all in
            utf8.accept(UnsafeRawBufferPointer(rebasing: all.suffix(written)))
        }
        guard isValid else { throw .invalidText }
    }

    /// The whole message, once its last byte is in.
    consuming func finish() throws(WebSocketViolation) -> WebSocketInput {
        guard isText else { return .binary(bytes) }
        guard utf8.isAtBoundary else { throw .invalidText }
        return .text(bytes)
    }
}

extension WebSocketViolation {
    fileprivate static var invalidText: Self { Self(.invalidPayload, "text is not valid UTF-8") }
}

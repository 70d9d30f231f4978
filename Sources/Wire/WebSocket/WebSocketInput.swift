import NIOCore

/// The side of the connection that this end plays. RFC 6455 section 5.1: a client masks every frame, a server none.
package enum WebSocketRole: Hashable, Sendable {
    case server
    case client
}

/// What the first byte of a frame says that it carries. RFC 6455 section 5.2.
package enum WebSocketOpcode: UInt8, Hashable, Sendable {
    case continuation = 0x0
    case text = 0x1
    case binary = 0x2
    case close = 0x8
    case ping = 0x9
    case pong = 0xA

    /// Control frames carry at most 125 bytes, are never fragmented and may stand between fragments (section 5.5).
    package var isControl: Bool { rawValue & 0x8 != 0 }
}

/// One thing that the peer said, complete and checked.
package enum WebSocketInput: Equatable, Sendable {
    /// A whole text message, joined, inflated, and valid UTF-8.
    case text(ByteBuffer)
    /// A whole binary message, joined and inflated.
    case binary(ByteBuffer)
    /// To be answered by a pong with the same bytes (at most 125).
    case ping(ByteBuffer)
    case pong(ByteBuffer)
    /// The peer closes: the last input of a connection. `nil` when the frame was empty (which is "1005" to an API).
    case close(WebSocketCloseCode?, reason: String)
}

/// Why a connection ends. RFC 6455 section 7.4 and the IANA registry that it founded.
package struct WebSocketCloseCode: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt16

    package init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    package static let normalClosure = Self(rawValue: 1000)
    package static let goingAway = Self(rawValue: 1001)
    package static let protocolError = Self(rawValue: 1002)
    package static let unsupportedData = Self(rawValue: 1003)
    package static let invalidPayload = Self(rawValue: 1007)
    package static let policyViolation = Self(rawValue: 1008)
    package static let messageTooBig = Self(rawValue: 1009)
    package static let missingExtension = Self(rawValue: 1010)
    package static let internalError = Self(rawValue: 1011)
    package static let serviceRestart = Self(rawValue: 1012)
    package static let tryAgainLater = Self(rawValue: 1013)
    package static let badGateway = Self(rawValue: 1014)

    /// Whether the code may stand in a close frame: 1004–1006 and 1015 may not, nor what nobody has assigned.
    package var mayBeSent: Bool {
        switch rawValue {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }
}

/// The peer broke RFC 6455 or 7692, or a limit. The connection must end with `code`; the decoder yields nothing more.
package struct WebSocketViolation: Error, Hashable, Sendable {
    package let code: WebSocketCloseCode
    /// Short English for the close frame's reason and for the log; never holds bytes of the peer.
    package let message: String

    package init(_ code: WebSocketCloseCode, _ message: String) {
        self.code = code
        self.message = message
    }
}

/// Bounds on what one connection may make the decoder hold.
package struct WebSocketLimits: Hashable, Sendable {
    /// Bytes of one message, all fragments together, after inflation. Over it: 1009.
    package let maxMessageBytes: Int
    /// Frames that one message may be cut into. Over it: 1009.
    package let maxFragments: Int

    /// - Parameter maxMessageBytes: brought into 0…1 GiB.
    package init(maxMessageBytes: Int = 1 << 20, maxFragments: Int = 128) {
        self.maxMessageBytes = min(max(maxMessageBytes, 0), 1 << 30)
        self.maxFragments = maxFragments
    }

    /// The same for a message's compressed form, which may be somewhat longer where nothing can be gained, and which
    /// would otherwise be unbounded: empty DEFLATE blocks inflate to nothing.
    var maxCompressedBytes: Int { maxMessageBytes + maxMessageBytes / 4 + 64 }
}

/// Why something that was asked of a server did not happen.
public enum ClientError: Error, Sendable, Equatable {
    /// The server's no. `code` is one of the client API's table; `retryAfter` in milliseconds.
    case rejected(code: String, message: String, retryAfter: Int64?)
    /// The server can't be reached, or the connection broke and what was asked is not known to have happened.
    case unreachable(String)
    /// The server said something that the client API does not have.
    case protocolViolation(String)
    /// The address is not one of a server.
    case invalidAddress(String)
    /// The client was closed.
    case closed
}

extension ClientError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .rejected(let code, let message, _): message.isEmpty ? code : "\(message) (\(code))"
        case .unreachable(let reason): "the server can't be reached: \(reason)"
        case .protocolViolation(let reason): "the server's answer is not understood: \(reason)"
        case .invalidAddress(let text): "not the address of a server: \(text)"
        case .closed: "the client was closed"
        }
    }

    /// Whether the same may succeed later without anybody doing anything about it.
    public var isTemporary: Bool {
        switch self {
        case .rejected(let code, _, _): ["rate-limited", "busy", "unavailable"].contains(code)
        case .unreachable: true
        case .protocolViolation, .invalidAddress, .closed: false
        }
    }
}

import GatewayKit
import HTTPTypes

/// What is there under `/v1/`.
enum Resource {
    /// `hookToken`: of `/v1/hooks/<token>`, the address of an incoming webhook.
    case operation(Operation, hookToken: String?)
    case document(APIDocument)
    /// `/v1/stream`, which the door serves.
    case stream

    private static let hooks = "hooks/"

    init?(_ name: Substring) {
        if let document = APIDocument(path: name) {
            self = .document(document)
        } else if name == "stream" {
            self = .stream
        } else if name.hasPrefix(Resource.hooks), let hook = Operations.named(Operations.hook) {
            self = .operation(hook, hookToken: String(name.dropFirst(Resource.hooks.count)))
        } else if let operation = Operations.named(String(name)), operation.places.contains(.http) {
            self = .operation(operation, hookToken: nil)
        } else {
            return nil
        }
    }

    var methods: [HTTPRequest.Method] {
        switch self {
        case .document: [.get, .head, .options]
        case .stream: [.get, .options]
        case .operation(let operation, _): operation.way == .read ? [.get, .head, .options] : [.post, .options]
        }
    }

    var allow: String { methods.map(\.rawValue).joined(separator: ", ") }
}

// MARK: Bodies

extension Resource {
    /// How much of a request's body is taken in: little for what anybody may send, nothing from who shows no token where
    /// one is asked for.
    static func bodyAllowance(for request: HTTPRequest) -> BodyAllowance {
        let path = request.pathOnly
        guard path.hasPrefix("/v1/"), case .operation(let operation, _)? = Resource(path.dropFirst("/v1/".count)),
            operation.way != .read, request.method == .post
        else { return .small }
        guard operation.access == .nobody else {
            return BearerToken.of(request.headerFields) == nil ? .dropped : .standard
        }
        return operation.name == Operations.hook ? .atMost(64 << 10) : .small
    }
}

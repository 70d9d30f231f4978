import HTTPTypes
import Hummingbird

/// What answers at which path. *Lives on*: any thread.
struct DoorRoutes: Sendable {
    typealias Respond = @Sendable (Request, DoorRequestSource) async throws -> Response

    let respond: Respond
    let bodyAllowance: @Sendable (HTTPRequest) -> BodyAllowance
    private let webSockets: [String: WebSocketRoute]
    private let streams: [String: [StreamRoute]]

    init(
        webSockets: [WebSocketRoute], streams: [StreamRoute],
        bodyAllowance: @escaping @Sendable (HTTPRequest) -> BodyAllowance, respond: @escaping Respond
    ) {
        self.webSockets = Dictionary(webSockets.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
        self.streams = Dictionary(grouping: streams, by: \.path)
        self.bodyAllowance = bodyAllowance
        self.respond = respond
    }

    func webSocket(for request: HTTPRequest) -> WebSocketRoute? {
        webSockets.isEmpty ? nil : webSockets[request.pathWithoutQuery]
    }

    func stream(for request: HTTPRequest) -> StreamRoute? {
        streams.isEmpty ? nil : streams[request.pathWithoutQuery]?.first { $0.method == request.method }
    }
}

extension HTTPRequest {
    var pathWithoutQuery: String {
        guard let path else { return "" }
        guard let end = path.utf8.firstIndex(of: UInt8(ascii: "?")) else { return path }
        return String(path[..<end])
    }
}

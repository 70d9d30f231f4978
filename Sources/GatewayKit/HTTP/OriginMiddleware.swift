import HTTPTypes
import Hummingbird

/// Keeps foreign web pages out of the HTTP API, and lets the listed ones read its answers (CORS). One policy with the
/// WebSocket and stream routes, which the door guards itself.
package struct OriginMiddleware<Context: RequestContext>: RouterMiddleware where Context.Source == DoorRequestSource {
    private let policy: OriginPolicy
    private let isSecure: @Sendable (Context) -> Bool
    private let methods: String
    private let maxAge: String

    /// - Parameters:
    ///   - isSecure: whether the client spoke TLS, as in `RemoteClient.isSecure`.
    ///   - methods: what a preflight is told that pages may use.
    ///   - maxAge: for how many seconds a browser may remember a preflight.
    package init(
        policy: OriginPolicy,
        methods: [HTTPRequest.Method] = [.get, .head, .post, .put, .patch, .delete],
        maxAge: Int = 600,
        isSecure: @escaping @Sendable (Context) -> Bool
    ) {
        self.policy = policy
        self.isSecure = isSecure
        self.methods = methods.map(\.rawValue).joined(separator: ", ")
        self.maxAge = String(maxAge)
    }

    package func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        let verdict = policy.verdict(on: request.head, isSecure: isSecure(context))
        let origin = request.headers[.origin]
        switch verdict {
        case .refused:
            return Response(status: .forbidden)
        case .absent, .own:
            return try await next(request, context)
        case .listed:
            let fields = OriginPolicy.answerFields(verdict, origin: origin)
            if request.method == .options, request.headers[.accessControlRequestMethod] != nil {
                return Response(status: .noContent, headers: preflight(request, fields))
            }
            var response = try await next(request, context)
            response.headers.append(contentsOf: fields)
            return response
        }
    }

    private func preflight(_ request: Request, _ fields: HTTPFields) -> HTTPFields {
        var fields = fields
        fields[.accessControlAllowMethods] = methods
        fields[.accessControlMaxAge] = maxAge
        fields[.accessControlAllowHeaders] = request.headers[.accessControlRequestHeaders]
        return fields
    }
}

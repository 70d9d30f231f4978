import GatewayKit
import HTTPTypes
import Hummingbird
import NIOCore

/// What whoever runs the server asks it: is it alive, does it take clients, how much does it do.
struct OperationsRoutes: Sendable {
    let isReady: @Sendable () -> Bool
    let figures: @Sendable () async -> ServerFigures
    /// Who may read the figures; asked anew for each request, so that a reload takes effect.
    let metricsAccess: @Sendable () -> ServerConfiguration.Metrics.Access

    func add<Context: RequestContext>(
        to router: Router<Context>, remote: @escaping @Sendable (Context) -> RemoteClient
    ) {
        router.get("/healthz") { _, _ in OperationsRoutes.text(.ok, "ok\n") }
        router.get("/readyz") { [isReady] _, _ in
            isReady()
                ? OperationsRoutes.text(.ok, "ready\n") : OperationsRoutes.text(.serviceUnavailable, "not ready\n")
        }
        router.get("/metrics") { [figures, metricsAccess] _, context in
            let isAllowed =
                switch metricsAccess() {
                case .off: false
                case .loopback: remote(context).isLocal
                case .anywhere: true
                }
            guard isAllowed else { return OperationsRoutes.text(.notFound, "not found\n") }
            var response = OperationsRoutes.text(.ok, await figures().metrics)
            response.headers[.contentType] = "text/plain; version=0.0.4; charset=utf-8"
            return response
        }
        router.get("/") { _, _ in OperationsRoutes.text(.ok, OperationsRoutes.greeting) }
    }

    private static let greeting = """
        This is a Switchboard server. It has no pages of its own yet: people reach it with a client.

        A link with a secret after the # is redeemed by a program, for instance:

          curl -H 'Content-Type: application/json' ADDRESS/v1/redeem \\
            -d '{"secret":"WHAT FOLLOWS THE #","handle":"NAME","password":"PASSWORD","device":"terminal"}'

        The operations are described at /v1/openapi.json.

        """

    static func text(_ status: HTTPResponse.Status, _ text: String) -> Response {
        var headers = HTTPFields()
        headers[.contentType] = "text/plain; charset=utf-8"
        headers[.cacheControl] = "no-store"
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}

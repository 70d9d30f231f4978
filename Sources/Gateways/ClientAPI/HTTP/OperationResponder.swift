import GatewayKit
import HTTPTypes
import Hub
import Hummingbird
import NIOCore
import WireJSON

/// Answers `/v1/<operation>` over HTTP. *Lives on* any thread.
struct OperationResponder: Sendable {
    let services: APIServices
    private let decoder: ArgumentDecoder

    /// Of a request's body.
    static let bodyBytes = 1 << 20

    init(services: APIServices) {
        self.services = services
        decoder = ArgumentDecoder(home: services.hub.serverName)
    }

    /// - Parameter name: what stands after `/v1/`.
    func respond(to request: Request, name: Substring, remote: RemoteClient) async -> Response {
        guard let resource = Resource(name) else {
            return response(JSONAnswer(APIError(.unknownOperation, "there is no such operation")), to: request)
        }
        guard resource.methods.contains(request.method) else { return notAllowed(resource, request) }
        if request.method == .options { return allowed(resource) }
        switch resource {
        case .document(let document):
            return response(document.answer, to: request)
        case .stream:
            // A GET goes to the door's own route; what arrives here is something else.
            return notAllowed(resource, request)
        case .operation(let operation, let hookToken):
            do throws(APIError) {
                return response(try await answer(operation, hookToken, request, remote), to: request)
            } catch {
                return response(JSONAnswer(error), to: request)
            }
        }
    }

    private enum Answer {
        case whole(JSONAnswer)
        case stream(@Sendable (_ write: (ByteBuffer) async throws -> Void) async throws -> Void)
    }

    private func answer(
        _ operation: Operation, _ hookToken: String?, _ request: Request, _ remote: RemoteClient
    ) async throws(APIError) -> Answer {
        // Who may not ask is told so before what was asked is looked at.
        var actor = try await admit(operation, request, remote)
        let body = operation.way == .read ? nil : try await collect(request)
        // A large body comes in parts, as slowly as its sender likes; the device may have been signed out meanwhile.
        if let body, body.readableBytes > BodyAllowance.wholeBytes {
            actor = try await admit(operation, request, remote)
        }
        var arguments = try arguments(of: operation, request, body)
        if let hookToken, let index = operation.index(of: Operations.hookToken) {
            arguments.set(index, .text(hookToken))
        }
        do throws(Rejection) {
            if let actor {
                return try await perform(arguments, OperationContext(services: services, actor: actor, remote: remote))
            }
            guard case .open(let handler) = operation.handler else {
                throw Rejection(.fault, "\(operation.name) takes somebody who is signed in")
            }
            return answer(try await handler(arguments, OpenContext(services: services, remote: remote)))
        } catch {
            throw APIError(error)
        }
    }

    private func perform(
        _ arguments: Arguments, _ context: OperationContext
    ) async throws(Rejection) -> Answer {
        switch arguments.operation.handler {
        case .command(let make):
            let command = try make(arguments)
            return answer(try await context.change(try arguments.conversation(), command, token: arguments.token))
        case .signal(let make):
            let signal = try make(arguments)
            let conversation = try await context.find(try arguments.conversation())
            try await context.hub.signal({ signal(conversation, $0) }, in: conversation, by: context.actor)
            return answer(.nothing)
        case .task(let handler):
            if let rejection = context.hub.limiter.takeRead(context.actor) { throw rejection }
            return answer(try await handler(arguments, context))
        case .open, .session:
            throw Rejection(.fault, "\(arguments.operation.name) can't be asked for like this")
        }
    }

    private func answer(_ result: OperationResult) -> Answer {
        switch result {
        case .members(let members): .whole(JSONAnswer(.ok, members))
        case .stream(let body): .stream(body)
        }
    }

    /// Who asks, if he may; nil where nobody is asked for.
    private func admit(
        _ operation: Operation, _ request: Request, _ remote: RemoteClient
    ) async throws(APIError) -> Actor? {
        if operation.access == .nobody { return nil }
        guard let bearer = BearerToken.of(request.headers) else {
            throw APIError(Rejection(.unauthenticated, "there is no bearer token"))
        }
        switch await services.authenticator.authenticate(bearer: bearer, remote: remote) {
        case .success(let actor):
            if let rejection = operation.admits(actor) { throw APIError(rejection) }
            return actor
        case .failure(let rejection): throw APIError(rejection)
        }
    }

    // MARK: Arguments

    private func collect(_ request: Request) async throws(APIError) -> ByteBuffer {
        do {
            return try await request.body.collect(upTo: OperationResponder.bodyBytes)
        } catch is NIOTooManyBytesError {
            throw APIError(.contentTooLarge, "the body is longer than \(OperationResponder.bodyBytes) bytes")
        } catch {
            throw APIError(.badJSON, "the body did not come whole")
        }
    }

    /// - Parameter body: nil for what is asked for by a query.
    private func arguments(
        of operation: Operation, _ request: Request, _ body: ByteBuffer?
    ) throws(APIError) -> Arguments {
        guard let body else { return try decoder.arguments(of: operation, query: request.head.query) }
        guard body.readableBytes > 0 else {
            return try decoder.arguments(of: operation, query: "")
        }
        guard isJSON(request.headers[.contentType]) else {
            throw APIError(.unsupportedMediaType, "the body must be application/json")
        }
        return try decoder.arguments(of: operation, json: body)
    }

    private func isJSON(_ contentType: String?) -> Bool {
        guard let contentType else { return false }
        let parts = contentType.split(separator: ";", maxSplits: 1)
        guard let type = parts.first else { return false }
        return type.trimmingSpaces.lowercased() == "application/json"
    }

    // MARK: Answers

    private func response(_ answer: Answer, to request: Request) -> Response {
        switch answer {
        case .whole(let whole): return response(whole, to: request)
        case .stream(let body):
            let headers = JSONAnswer.headers(contentType: "application/json", [:])
            if request.method == .head { return Response(status: .ok, headers: headers) }
            return Response(
                status: .ok, headers: headers,
                body: ResponseBody { writer in
                    try await body { buffer in try await writer.write(buffer) }
                    try await writer.finish(nil)
                })
        }
    }

    private func response(_ answer: JSONAnswer, to request: Request) -> Response {
        let whole = Response(
            status: answer.status, headers: answer.headers, body: ResponseBody(byteBuffer: answer.body))
        return request.method == .head ? whole.createHeadResponse() : whole
    }

    private func notAllowed(_ resource: Resource, _ request: Request) -> Response {
        var answer = JSONAnswer(APIError(.methodNotAllowed, "use \(resource.allow)"))
        answer.headers[.allow] = resource.allow
        return response(answer, to: request)
    }

    private func allowed(_ resource: Resource) -> Response {
        var headers = HTTPFields()
        headers[.allow] = resource.allow
        headers[.cacheControl] = "no-store"
        return Response(status: .noContent, headers: headers)
    }
}

extension Substring {
    fileprivate var trimmingSpaces: Substring {
        var rest = self
        while rest.utf8.first == 0x20 || rest.utf8.first == 0x09 { rest = rest.dropFirst() }
        while rest.utf8.last == 0x20 || rest.utf8.last == 0x09 { rest = rest.dropLast() }
        return rest
    }
}

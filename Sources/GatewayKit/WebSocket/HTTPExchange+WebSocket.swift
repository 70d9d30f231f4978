import HTTPTypes
import NIOCore
import NIOHTTPTypes
import WireWebSocket

/// The two opening handshakes.
extension HTTPExchange {
    /// A handshake over HTTP/1.1. RFC 6455 section 4.2.
    func handshake(_ request: HTTPRequest, _ remote: RemoteClient, _ route: WebSocketRoute) {
        guard gate != nil else {
            return fail(RequestFault(.badRequest, .webSocketHandshake, "HTTP/2 needs extended CONNECT"))
        }
        var headers = request.headerFields.map { (name: $0.name.rawName, value: $0.value) }
        if let authority = request.authority { headers.append((name: "host", value: authority)) }
        do throws(WebSocketHandshake.Refusal) {
            let agreement = try WebSocketHandshake.acceptUpgrade(
                method: request.method.rawValue, version: gate?.requestVersion ?? (1, 1), headers: headers,
                service: route.service)
            guard let connection = decide(request, remote, route, agreement) else { return }
            upgrade(connection, HTTPFields(agreement.headers))
        } catch {
            refuse(error)
        }
    }

    /// A handshake over HTTP/2. RFC 8441 section 4.
    func connect(_ request: HTTPRequest, _ remote: RemoteClient) {
        guard gate == nil, let route = routes.webSocket(for: request) else {
            return fail(RequestFault(.notFound, .webSocketHandshake, "there is no WebSocket here"))
        }
        do throws(WebSocketHandshake.Refusal) {
            let agreement = try WebSocketHandshake.acceptConnect(
                method: request.method.rawValue, connectProtocol: request.extendedConnectProtocol,
                headers: request.headerFields.map { (name: $0.name.rawName, value: $0.value) }, service: route.service)
            guard let connection = decide(request, remote, route, agreement) else { return }
            adopt(connection, HTTPFields(agreement.headers))
        } catch {
            refuse(error)
        }
    }

    /// Asks the policy of origins, the limits and the route. `nil` when the request has been answered.
    private func decide(
        _ request: HTTPRequest, _ remote: RemoteClient, _ route: WebSocketRoute,
        _ agreement: WebSocketHandshake.Agreement
    ) -> WebSocketConnection? {
        let verdict = loop.door.configuration.origins.verdict(on: request, isSecure: remote.isSecure)
        guard verdict != .refused else {
            fail(.foreignOrigin)
            return nil
        }
        guard agreement.subprotocol != nil || !route.requiresSubprotocol else {
            let names = route.subprotocols.joined(separator: ", ")
            fail(RequestFault(.badRequest, .webSocketHandshake, "the subprotocol must be one of: \(names)"))
            return nil
        }
        guard let place = admit(remote, isNew: true) else { return nil }
        let opening = WebSocketOpening(
            request: request, remote: remote, subprotocol: agreement.subprotocol, deflate: agreement.deflate,
            eventLoop: loop.eventLoop)
        switch route.open(opening) {
        case .accept(let session):
            return WebSocketConnection(
                loop: loop, remote: remote, session: session, limits: route.limits,
                subprotocol: agreement.subprotocol, deflate: agreement.deflate, admission: place.address,
                isAlone: gate != nil)
        case .refuse(let status, let headers, let body):
            if let address = place.address { loop.door.addresses.release(address) }
            loop.door.metrics.count(.webSocketHandshake)
            answer(status, headers, body: body)
            return nil
        }
    }

    private func refuse(_ refusal: WebSocketHandshake.Refusal) {
        loop.door.metrics.count(.webSocketHandshake)
        answer(HTTPResponse.Status(code: refusal.status), HTTPFields(refusal.headers), body: refusal.message + "\n")
    }

    /// Answers 101 and leaves the pipeline to the connection.
    private func upgrade(_ connection: WebSocketConnection, _ fields: HTTPFields) {
        guard let context else { return connection.abandon() }
        markAnswered()
        gate?.closesAfterResponse = false
        write(.head(HTTPResponse(status: .switchingProtocols, headerFields: fields)))
        write(.end(nil))
        flush()
        do {
            try HTTP1Pipeline.handOver(context.channel, to: connection)
        } catch {
            loop.door.logger.error("WebSocket upgrade failed", metadata: ["error": "\(error)"])
            connection.abandon()
            context.close(promise: nil)
        }
    }

    /// Answers 200 and leaves the HTTP/2 stream to the connection.
    private func adopt(_ connection: WebSocketConnection, _ fields: HTTPFields) {
        guard let context else { return connection.abandon() }
        markAnswered()
        var response = HTTPResponse(status: .ok, headerFields: fields)
        response.headerFields[.date] = loop.dateHeader
        write(.head(response))
        flush()
        do {
            let pipeline = context.pipeline.syncOperations
            try pipeline.addHandlers([WebSocketStreamCodec(), connection], position: .after(self))
            pipeline.removeHandler(context: context, promise: nil)
            connection.start()
        } catch {
            loop.door.logger.error("WebSocket upgrade failed", metadata: ["error": "\(error)"])
            connection.abandon()
            context.close(promise: nil)
        }
    }
}

extension WebSocketRoute {
    var service: WebSocketHandshake.Service {
        WebSocketHandshake.Service(subprotocols: subprotocols, deflate: deflate)
    }
}

extension HTTPFields {
    init(_ headers: WebSocketHandshake.Headers) {
        self.init()
        for (name, value) in headers {
            if let name = HTTPField.Name(name) { append(HTTPField(name: name, value: value)) }
        }
    }
}

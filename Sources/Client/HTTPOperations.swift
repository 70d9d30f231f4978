import AsyncHTTPClient
import NIOCore
import NIOPosix
import WireJSON

/// The operations of the client API over plain HTTP: for programs that ask once and go.
public final class HTTPOperations: Sendable {
    private let address: ServerAddress
    private let token: String?
    private let client: HTTPClient

    /// - Parameter token: of a device, a bot or a host application; nil for what needs none.
    public init(url: String, token: String?, trust: ServerTrust = .system) throws(ClientError) {
        address = try ServerAddress(url)
        self.token = token
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.timeout.connect = .seconds(10)
        configuration.httpVersion = .http1Only
        do {
            configuration.tlsConfiguration = try SocketConnector.configuration(trust)
        } catch {
            throw .invalidAddress("TLS can't be set up: \(error)")
        }
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// Lets go of the connections. Must be called.
    public func close() async {
        do {
            try await client.shutdown()
        } catch {
            // The only error is that it was shut down before.
        }
    }

    /// Runs `body` with a client that is closed afterwards.
    public static func with<Result>(
        url: String, token: String?, trust: ServerTrust = .system,
        _ body: (HTTPOperations) async throws -> Result
    ) async throws -> Result {
        let operations = try HTTPOperations(url: url, token: token, trust: trust)
        do {
            let result = try await body(operations)
            await operations.close()
            return result
        } catch {
            await operations.close()
            throw error
        }
    }

    /// An operation that reads: `GET /v1/<operation>?…`.
    public func query(_ operation: String, _ fields: ClientFields = [:], seconds: Int64 = 30) async throws
        -> ClientValue
    {
        let parameters = fields.sorted { $0.key < $1.key }.map { key, value in
            "\(key)=\(HTTPOperations.escaped(value.string ?? value.description))"
        }
        let path = "/v1/\(operation)" + (parameters.isEmpty ? "" : "?" + parameters.joined(separator: "&"))
        return try await send("GET", path, nil, seconds)
    }

    /// An operation that changes something: `POST /v1/<operation>`. Not repeated by itself: give a `ref` and repeat it.
    @discardableResult
    public func change(_ operation: String, _ fields: ClientFields = [:], seconds: Int64 = 30) async throws
        -> ClientValue
    {
        let body = JSONWriter.write { writer in fields.object.write(to: &writer) }
        return try await send("POST", "/v1/\(operation)", body, seconds)
    }

    private func send(_ method: String, _ path: String, _ body: ByteBuffer?, _ seconds: Int64) async throws
        -> ClientValue
    {
        var request = HTTPClientRequest(url: url(path))
        request.method = method == "GET" ? .GET : .POST
        request.headers.add(name: "Accept", value: "application/json")
        if case .unix = address.way { request.headers.add(name: "Host", value: address.authority) }
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        if let body {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(body)
        }
        let status: UInt
        let answer: ByteBuffer
        do {
            let response = try await client.execute(request, timeout: .seconds(seconds))
            status = response.status.code
            answer = try await response.body.collect(upTo: 64 << 20)
        } catch {
            throw ClientError.unreachable(SocketConnector.reason(error))
        }
        let value: ClientValue
        do {
            value = answer.readableBytes == 0 ? [:] : ClientValue(try JSONValue(parsing: answer, limits: Self.limits))
        } catch {
            throw ClientError.protocolViolation("status \(status), and the body is not JSON")
        }
        guard (200..<300).contains(status) else {
            throw ClientMachine.error(value["error"] ?? value)
        }
        return value
    }

    private static let limits = JSONLimits(bytes: 64 << 20, depth: 64, stringBytes: 16 << 20, elements: 200_000)

    private func url(_ path: String) -> String {
        switch address.way {
        case .ip: "\(address)\(path)"
        case .unix(let socket): "http+unix://\(HTTPOperations.escaped(socket))\(path)"
        }
    }

    /// RFC 3986 section 2.3: everything but the unreserved characters is escaped.
    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                escaped.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                escaped += byte < 16 ? "%0" : "%"
                escaped += String(byte, radix: 16, uppercase: true)
            }
        }
        return escaped
    }
}

import GatewayKit
import HTTPTypes
import Hub
import Hummingbird
import NIOCore
import StoreSQLite
import WireJSON

/// What only the admin socket offers: it needs the data directory itself.
struct AdminRoutes: Sendable {
    let hub: Hub
    let store: SQLiteStore

    func add<Context: RequestContext>(to router: Router<Context>) {
        router.post("/v1/backup") { [self] request, _ in
            let body = try await request.body.collect(upTo: 64 << 10)
            let path: String
            do {
                guard case .string(let text)? = try JSONValue(parsing: body)["path"], text.hasPrefix("/") else {
                    return AdminRoutes.refusal(.badRequest, "invalid-value", "path: expected an absolute path")
                }
                path = text
            } catch {
                return AdminRoutes.refusal(.badRequest, "bad-json", "\(error)")
            }
            return await backup(path)
        }
    }

    private func backup(_ path: String) async -> Response {
        let store = store
        let time = SystemClock.now()
        let result: Result<BackupManifest, StoreError>
        do throws(Rejection) {
            // Blocks for as long as copying takes, so on a reader thread.
            result = try await hub.read { _ throws(Rejection) in
                do throws(StoreError) {
                    return .success(try store.backup(to: path, at: time))
                } catch {
                    return .failure(error)
                }
            }
        } catch {
            return AdminRoutes.refusal(.serviceUnavailable, error.code.rawValue, error.message)
        }
        switch result {
        case .success(let manifest): return AdminRoutes.json(.ok, manifest.json)
        case .failure(let error):
            return AdminRoutes.refusal(.serviceUnavailable, "unavailable", Failure(error).description)
        }
    }

    private static func json(_ status: HTTPResponse.Status, _ text: String) -> Response {
        var headers = HTTPFields()
        headers[.contentType] = "application/json"
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }

    private static func refusal(_ status: HTTPResponse.Status, _ code: String, _ message: String) -> Response {
        let text = String(
            buffer: JSONWriter.write { writer in
                writer.object { writer in
                    writer.object("error") { writer in
                        writer.field("code", code)
                        writer.field("message", message)
                    }
                }
            })
        return json(status, text)
    }
}

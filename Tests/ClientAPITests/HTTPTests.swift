import GatewayKit
import HTTPTypes
import Hub
import Testing
import WireJSON

@testable import ClientAPI

/// Operations over plain HTTP: methods, bodies, errors and header fields.
@Suite struct HTTPTests {
    @Test func methodsAndNames() async throws {
        try await APIFixture.with { api in
            try await api.account("alice")
            for (method, path, status, allow) in [
                (.get, "/v1/post", 405, "POST, OPTIONS"), (.put, "/v1/post", 405, "POST, OPTIONS"),
                (.post, "/v1/history", 405, "GET, HEAD, OPTIONS"),
                (.delete, "/v1/openapi.json", 405, "GET, HEAD, OPTIONS"),
                (.get, "/v1/nonsense", 404, nil), (.get, "/v1/", 404, nil), (.get, "/v1/post/more", 404, nil),
                (.post, "/v1/hello", 404, nil), (.post, "/v1/attend", 404, nil),
                (.options, "/v1/post", 204, "POST, OPTIONS"),
            ] as [(HTTPRequest.Method, String, Int, String?)] {
                let answer = try await api.request(method, path, as: "alice")
                #expect(answer.status == status, "\(method) \(path)")
                #expect(answer.headers[.allow] == allow, "\(method) \(path)")
                if status == 405 { #expect(answer.code == "method-not-allowed") }
                if status == 404 { #expect(answer.code == "unknown-operation") }
            }
            let get = try await api.request(.get, "/v1/conversations", as: "alice")
            let head = try await api.request(.head, "/v1/conversations", as: "alice")
            #expect(head.status == 200 && head.text.isEmpty)
            #expect(head.headers[.contentLength] == get.headers[.contentLength])
        }
    }

    @Test func everyAnswerForbidsKeepingAndGuessing() async throws {
        try await APIFixture.with { api in
            try await api.account("alice")
            for path in ["/v1/conversations", "/v1/nonsense", "/v1/post", "/v1/openapi.json", "/v1/history"] {
                let answer = try await api.request(.get, path, as: "alice")
                #expect(answer.headers[.cacheControl] == "no-store")
                #expect(answer.headers[.contentTypeOptions] == "nosniff")
                #expect(answer.headers[.contentType] == "application/json")
            }
        }
    }

    @Test func credentials() async throws {
        try await APIFixture.with { api in
            try await api.account("alice")
            var twice = HTTPFields()
            twice.append(HTTPField(name: .authorization, value: "Bearer alice"))
            twice.append(HTTPField(name: .authorization, value: "Bearer alice"))
            for headers in [
                [:], [.authorization: "Basic YWxpY2U6"], [.authorization: "Bearer mallory"], [.authorization: "alice"],
                [.cookie: "token=alice"], twice,
            ] as [HTTPFields] {
                let answer = try await api.request(.get, "/v1/conversations", headers: headers)
                #expect(answer.status == 401 && answer.code == "unauthenticated")
                #expect(answer.headers[.wwwAuthenticate] == "Bearer")
            }
            let inAddress = try await api.request(.get, "/v1/conversations?token=alice&access_token=alice")
            #expect(inAddress.status == 401, "there are no tokens in addresses")
            let first = try await api.request(.post, "/v1/post", body: "{")
            #expect(first.status == 401, "who may not ask is told so first")
        }
    }

    @Test func bodies() async throws {
        try await APIFixture.with { api in
            try await api.account("alice")
            try await api.group("garden", "alice")
            let body = #"{"conversation":"garden","text":"x"}"#
            for (type, status) in [
                ("application/json", 200), ("application/json; charset=utf-8", 200), ("APPLICATION/JSON", 200),
                ("text/plain", 415), ("application/x-www-form-urlencoded", 415), ("", 415), ("application/jsonx", 415),
            ] {
                let answer = try await api.request(
                    .post, "/v1/post", as: "alice", headers: [.contentType: type], body: body)
                #expect(answer.status == status, "\(type)")
                if status == 415 { #expect(answer.code == "unsupported-media-type") }
            }
            for (body, status, code) in [
                ("{", 400, "bad-json"), ("[]", 400, "invalid-value"),
                (#"{"conversation":"garden"}"#, 400, "invalid-value"),
                (#"{"conversation":"garden","text":"x","text":"y"}"#, 400, "bad-json"),
                (#"{"conversation":"nowhere","text":"x"}"#, 404, "not-found"),
                (#"{"conversation":"garden","text":""}"#, 400, "invalid-value"),
                (
                    #"{"conversation":"garden","text":""# + String(repeating: "x", count: 70_000) + "\"}", 413,
                    "too-large"
                ),
                (String(repeating: " ", count: (1 << 20) + 1), 413, "content-too-large"),
            ] {
                let answer = try await api.request(.post, "/v1/post", as: "alice", body: body)
                #expect(answer.status == status && answer.code == .string(code), "\(body.prefix(40)): \(answer.text)")
                let faults = SchemaCheck.faults(answer.json, [.always("error", .named("Error"))])
                #expect(faults.isEmpty, "\(faults)")
            }
            let empty = try await api.request(.post, "/v1/post", as: "alice")
            #expect(empty.status == 400 && empty.code == "invalid-value")
        }
    }

    @Test func pagesOfOtherServers() async throws {
        let listed = try #require(WebOrigin("https://chat.example.org"))
        try await APIFixture.with(origins: OriginPolicy(allowed: [listed])) { api in
            try await api.account("alice")
            let foreign = try await api.request(
                .get, "/v1/conversations", as: "alice", headers: [.origin: "https://evil.example"])
            #expect(foreign.status == 403)
            let friend = try await api.request(
                .get, "/v1/conversations", as: "alice", headers: [.origin: "https://chat.example.org"])
            #expect(friend.status == 200)
            #expect(friend.headers[.accessControlAllowOrigin] == "https://chat.example.org")
            let preflight = try await api.request(
                .options, "/v1/post",
                headers: [.origin: "https://chat.example.org", .accessControlRequestMethod: "POST"])
            #expect(preflight.status == 204 && preflight.headers[.accessControlAllowMethods]?.contains("POST") == true)
        }
    }

    @Test func everyCodeHasAStatusAndAMeaning() {
        for code in ErrorCode.allCases {
            #expect((400...599).contains(code.row.status), "\(code.text)")
            #expect(!code.row.meaning.isEmpty)
        }
        #expect(Set(ErrorCode.allCases.map(\.text)).count == ErrorCode.allCases.count)
    }

    @Test func administratorsOnly() throws {
        let operation = Operation("x", .read, access: .administrator, "", .task { _, _ in .nothing })
        let person = Actor(
            party: Party(id: AccountID(rawValue: 1), address: Sample.address("a")), device: DeviceID(rawValue: 1),
            isAdministrator: false, kind: .person)
        #expect(operation.admits(person)?.code == .forbidden)
    }
}

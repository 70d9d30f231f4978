import GatewayKit
import HTTPTypes
import Testing
import WireJSON

@testable import ClientAPI

/// What is taken in of a body, and from whom.
@Suite struct BodyTests {
    @Test(
        arguments: [
            ("/v1/post", "Bearer x", .standard), ("/v1/post?a=b", "Bearer x", .standard), ("/v1/post", nil, .dropped),
            ("/v1/post", "Basic YTpi", .dropped), ("/v1/login", nil, .small), ("/v1/guest", nil, .small),
            ("/v1/register", "Bearer x", .small), ("/v1/redeem", nil, .small), ("/v1/hook", nil, .atMost(64 << 10)),
            ("/v1/hooks/sbw_x", nil, .atMost(64 << 10)), ("/v1/history", "Bearer x", .small),
            ("/v1/nonsense", nil, .small),
            ("/v1/hello", "Bearer x", .small), ("/", nil, .small), ("/metrics", "Bearer x", .small),
        ] as [(String, String?, BodyAllowance)])
    func theOperationDecides(_ path: String, _ authorization: String?, _ allowance: BodyAllowance) {
        var request = HTTPRequest(method: .post, scheme: "http", authority: "localhost", path: path)
        request.headerFields[.authorization] = authorization
        #expect(Resource.bodyAllowance(for: request) == allowance)
    }

    @Test func whoShowsNoTokenIsRefusedBeforeTheBody() async throws {
        try await APIFixture.with { api in
            let client = try await TestConnection(api.port)
            try await client.send(
                "POST /v1/post HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                    + "Content-Length: 1000000\r\n\r\n{")
            let answer = await client.wait { $0.contains("unauthenticated") }
            #expect(answer.hasPrefix("HTTP/1.1 401") && answer.contains("unauthenticated"))
            await client.close()
        }
    }

    /// A body may take as long as its sender likes; what counts is who the sender is when it is there.
    @Test func aDeviceThatIsSignedOutMeanwhileChangesNothing() async throws {
        try await APIFixture.with { api in
            try await api.account("alice")
            try await api.account("bob")
            try await api.group("garden", "alice", "bob")
            let body = #"{"conversation":"garden","text":"late"}"# + String(repeating: " ", count: 100_000)
            for (token, isSignedOut) in [("bob", false), ("bob", true)] {
                let client = try await TestConnection(api.port)
                try await client.send(
                    "POST /v1/post HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                        + "Authorization: Bearer \(token)\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
                        + body.prefix(80_000))
                try await Task.sleep(for: .milliseconds(200))
                if isSignedOut { api.authenticator.remove(token) }
                try await client.send(String(body.dropFirst(80_000)))
                let answer = await client.wait { $0.hasSuffix("}") }
                #expect(answer.hasPrefix("HTTP/1.1 \(isSignedOut ? 401 : 200)"), "\(answer)")
                await client.close()
            }
            let history = try await api.get("history", as: "alice", [("conversation", "garden")])
            #expect(history.json["events"]?.elements.count { $0["body"]?["text"] == "late" } == 1)
        }
    }
}

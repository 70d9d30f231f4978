import HTTPTypes
import Testing

@testable import GatewayKit

struct ForwardedHeadersTests {
    private func find(
        _ values: [String], style: ForwardedStyle = .xForwarded, proto: [String] = [], peer: String = "10.0.0.1"
    ) -> ForwardedHeaders.Found {
        var fields = HTTPFields()
        if let name = HTTPField.Name(style == .xForwarded ? "X-Forwarded-For" : "Forwarded") {
            for value in values { fields.append(HTTPField(name: name, value: value)) }
        }
        if let name = HTTPField.Name("X-Forwarded-Proto") {
            for value in proto { fields.append(HTTPField(name: name, value: value)) }
        }
        let trusted = NetworkRange(parsing: "10.0.0.0/8")
        return ForwardedHeaders.find(in: fields, peer: NetworkAddress(plain: peer), style: style) {
            trusted?.contains($0) ?? false
        }
    }

    @Test(arguments: [
        ([], "10.0.0.1"),
        (["192.0.2.1"], "192.0.2.1"),
        // What the client wrote itself stands further left, and does not count.
        (["127.0.0.1, 192.0.2.1"], "192.0.2.1"),
        (["8.8.8.8, 192.0.2.1, 10.0.0.7"], "192.0.2.1"),
        (["8.8.8.8", "192.0.2.1, 10.0.0.7"], "192.0.2.1"),
        (["10.0.0.9, 10.0.0.7"], "10.0.0.9"),
        (["unknown, 10.0.0.7"], "10.0.0.7"),
        (["192.0.2.1, unknown"], "10.0.0.1"),
        (["192.0.2.1,"], "10.0.0.1"),
        ([" 2001:db8::1 "], "2001:db8::1"),
        (["[2001:db8::1]:443"], "2001:db8::1"),
        (["192.0.2.1:80"], "192.0.2.1"),
        (["::ffff:10.0.0.3"], "10.0.0.3"),
    ])
    func takesTheRightmostUntrustedAddress(_ values: [String], _ expected: String) {
        #expect(find(values).address?.description == expected)
    }

    @Test func readsForwarded() {
        let found = find(
            ["for=127.0.0.1;proto=http, For=\"[2001:db8::1]:80\";by=x;Proto=https, for=10.0.0.3;proto=http"],
            style: .forwarded)
        #expect(found.address?.description == "2001:db8::1")
        #expect(found.isSecure == true)
        #expect(find(["for=_hidden"], style: .forwarded).address?.description == "10.0.0.1")
        // The other kind of header is not looked at.
        #expect(find([], style: .forwarded, proto: ["https"]).isSecure == nil)
    }

    @Test func takesTheNearestProxysWordForTheScheme() {
        #expect(find(["192.0.2.1"], proto: ["https"]).isSecure == true)
        #expect(find(["192.0.2.1"], proto: ["https, http"]).isSecure == false)
        #expect(find([], proto: ["HTTPS"]).isSecure == true)
        #expect(find(["192.0.2.1"]).isSecure == nil)
    }
}

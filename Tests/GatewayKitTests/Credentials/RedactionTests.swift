import Testing

@testable import GatewayKit

/// No type that holds a secret shows it: not to a log, not to a crash report, not to `dump`, at whatever depth.
@Suite struct RedactionTests {
    /// All that Swift offers to turn a value into text.
    private func views(_ value: some Any) -> [String] {
        var dumped = ""
        dump(value, to: &dumped)
        var wrapped = ""
        dump(["key": [Optional(value)]], to: &wrapped)
        return [
            String(describing: value), String(reflecting: value), "\(value)", "\([value])", "\(Optional(value) as Any)",
            dumped, wrapped,
        ]
    }

    private func expectHidden(
        _ value: some Any, _ secrets: some Sequence<String>, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        for view in views(value) {
            for secret in secrets {
                #expect(!view.contains(secret), "\(type(of: value)) shows a secret", sourceLocation: sourceLocation)
            }
        }
    }

    /// How bytes may be shown: as text, as a list, in base64, in hexadecimal.
    private func forms(_ bytes: [UInt8]) -> [String] {
        [
            String(decoding: bytes, as: UTF8.self), bytes.prefix(8).map(String.init).joined(separator: ", "),
            String(StrictBase64.encode(bytes).prefix(16)), String(StrictBase64.encode(bytes, as: .url).prefix(16)),
            bytes.prefix(8).map { String($0, radix: 16) }.joined(), "- \(bytes.first ?? 0)\n",
        ]
    }

    private let bytes = Array(UInt8(100)..<132)

    @Test func theCheckItselfFinds() {
        struct Careless {
            let bytes: [UInt8]
        }
        let found = views(Careless(bytes: bytes)).contains { view in forms(bytes).contains(where: view.contains) }
        #expect(found, "a careless type is caught")
    }

    @Test func secretBytes() {
        expectHidden(SecretBytes(bytes), forms(bytes))
    }

    @Test func passwords() throws {
        let password = try OpaqueString("correct horse battery staple")
        let shown = forms(password.secret.reveal())
        expectHidden(password, shown)
        let verifier = try #require(PasswordVerifier(password: password, iterations: 4_096))
        expectHidden(verifier, shown + forms(verifier.storedKey.reveal()) + forms(verifier.serverKey.reveal()))
        #expect("\(verifier)" == "SCRAM-SHA-256[redacted]")
    }

    @Test func exchanges() throws {
        let password = try OpaqueString("correct horse battery staple")
        let verifier = try #require(PasswordVerifier(password: password, iterations: 4_096))
        // Without the form of one byte: an exchange has lists of public bytes, in which every byte comes now and then.
        let secrets = forms(password.secret.reveal()).dropLast() + forms(verifier.storedKey.reveal()).dropLast()
        var client = ScramClient(mechanism: .sha256, username: "user", password: password)
        var server = ScramServer(mechanism: .sha256)
        expectHidden(client, secrets)
        _ = try server.receive(client.first())
        let first = try server.answer(verifier, isDecoy: false)
        expectHidden(server, secrets)
        let final = try ScramClientFinal(parsing: client.receive(serverFirst: first))
        expectHidden(client, secrets)
        expectHidden(final, forms(final.proof.reveal()).dropLast())
        let decoys = try #require(DecoyVerifiers(secret: SecretBytes(bytes)))
        expectHidden(decoys, forms(bytes))
    }

    @Test func tokens() throws {
        let token = try #require(TokenSecret(kind: .device, bytes: bytes))
        expectHidden(
            token, forms(bytes) + [String(token.reveal().dropFirst(4).prefix(8)), String(token.reveal().suffix(6))])
        #expect("\(token)" == "sbd_[redacted]")
    }

    @Test func hostKeys() throws {
        let key = try #require(HostTokenKey(secret: SecretBytes(bytes), id: "k"))
        expectHidden(key, forms(bytes))
        expectHidden(try HostKeySet(keys: [key]), forms(bytes))
    }

    @Test func webhooks() throws {
        let text = "whsec_" + StrictBase64.encode(bytes)
        let secret = try #require(WebhookSignature.Secret(parsing: text))
        expectHidden(secret, forms(bytes) + [text])
        expectHidden(try #require(WebhookSignature(secrets: [secret])), forms(bytes) + [text])
        let url = try OutboundURL(checking: "https://example.com/hooks/T0P-S3CRET?key=abc", by: OutboundPolicy())
        expectHidden(url, ["T0P", "abc"])
        #expect("\(url)" == "https://example.com/…")
    }
}

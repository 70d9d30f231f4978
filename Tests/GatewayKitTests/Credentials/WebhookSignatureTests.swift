import Testing

@testable import GatewayKit

@Suite struct WebhookSignatureTests {
    /// The published example of Standard Webhooks. // secret-ok: published in its documentation
    static let published = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  // secret-ok: published
    static let id = "msg_p5jXN8AQM9LWM0D4loKWxJek"
    static let time: Int64 = 1_614_265_330
    static let body = Array(#"{"test": 2432232314}"#.utf8)
    static let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

    private func secret(_ text: String = published) throws -> WebhookSignature.Secret {
        try #require(WebhookSignature.Secret(parsing: text))
    }

    private func headers(
        id: String = id, timestamp: String = "1614265330", signature: String = signature
    ) -> WebhookSignature.Headers {
        WebhookSignature.Headers(id: id, timestamp: timestamp, signature: signature)
    }

    @Test func publishedVector() throws {
        let hook = try #require(WebhookSignature(secrets: [secret()]))
        #expect(try hook.sign(id: Self.id, body: Self.body, now: Self.time) == headers())
        try hook.verify(headers(), body: Self.body, now: Self.time)
    }

    @Test func anyChangeIsFound() throws {
        let hook = try #require(WebhookSignature(secrets: [secret()]))
        func refusal(_ headers: WebhookSignature.Headers, _ body: [UInt8] = Self.body) -> WebhookSignature.Refusal? {
            do {
                try hook.verify(headers, body: body, now: Self.time)
                return nil
            } catch {
                return error
            }
        }
        #expect(refusal(headers()) == nil)
        #expect(refusal(headers(id: Self.id + "x")) == .wrongSignature)
        #expect(refusal(headers(timestamp: "1614265331")) == .wrongSignature)
        #expect(refusal(headers(), Self.body + [0x20]) == .wrongSignature)
        #expect(refusal(headers(), []) == .wrongSignature)
        for index in Self.body.indices {
            var body = Self.body
            body[index] ^= 1
            #expect(refusal(headers(), body) == .wrongSignature)
        }
    }

    @Test func timeIsTolerant() throws {
        let hook = try #require(WebhookSignature(secrets: [secret()]))
        for offset: Int64 in [-300, -1, 0, 1, 300] {
            try hook.verify(headers(), body: Self.body, now: Self.time + offset)
        }
        for offset: Int64 in [-301, 301, 86_400] {
            #expect(throws: WebhookSignature.Refusal.outsideTolerance) {
                try hook.verify(headers(), body: Self.body, now: Self.time + offset)
            }
        }
        #expect(throws: WebhookSignature.Refusal.outsideTolerance) {
            try hook.verify(headers(), body: Self.body, now: .min)
        }
    }

    @Test func secretsAreReplacedWithoutAGap() throws {
        let old = try secret()
        let new = WebhookSignature.Secret.generate()
        let both = try #require(WebhookSignature(secrets: [new, old]))
        let onlyOld = try #require(WebhookSignature(secrets: [old]))
        let onlyNew = try #require(WebhookSignature(secrets: [new]))
        let signed = try both.sign(id: "m1", body: Self.body, now: Self.time)
        #expect(signed.signature.split(separator: " ").count == 2)
        for receiver in [both, onlyOld, onlyNew] {
            try receiver.verify(signed, body: Self.body, now: Self.time)
        }
        let bySuccessor = try onlyNew.sign(id: "m1", body: Self.body, now: Self.time)
        try both.verify(bySuccessor, body: Self.body, now: Self.time)
        #expect(throws: WebhookSignature.Refusal.wrongSignature) {
            try onlyOld.verify(bySuccessor, body: Self.body, now: Self.time)
        }
    }

    @Test(arguments: [
        "", " ", "v1,", "v1", "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        "v1a,AAAA", "v1,not base64", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE",
        Array(repeating: "v1,AAAA", count: 11).joined(separator: " "),
    ])
    func signaturesOfAnotherForm(text: String) throws {
        let hook = try #require(WebhookSignature(secrets: [secret()]))
        #expect(throws: text == "v1," ? WebhookSignature.Refusal.wrongSignature : .malformedSignature) {
            try hook.verify(headers(signature: text), body: Self.body, now: Self.time)
        }
    }

    @Test func unknownVersionsBesideAKnownOneAreIgnored() throws {
        let hook = try #require(WebhookSignature(secrets: [secret()]))
        try hook.verify(headers(signature: "v1a,xyz v9,? \(Self.signature)"), body: Self.body, now: Self.time)
        #expect(throws: WebhookSignature.Refusal.wrongSignature, "a prefix is no signature") {
            try hook.verify(headers(signature: "v1,g0hM9SsE"), body: Self.body, now: Self.time)
        }
    }

    @Test(arguments: ["", "a.b", "a b", "a\r\nx", "\u{e9}", String(repeating: "a", count: 129)])
    func badIDs(id: String) throws {
        let hook = try #require(WebhookSignature(secrets: [secret()]))
        #expect(throws: WebhookSignature.Refusal.malformedID) {
            try hook.sign(id: id, body: Self.body, now: Self.time)
        }
        #expect(throws: WebhookSignature.Refusal.malformedID) {
            try hook.verify(headers(id: id), body: Self.body, now: Self.time)
        }
    }

    @Test(arguments: [
        "", "-1614265330", "+1614265330", "01614265330", "1614265330.0", " 1614265330", "16142653300000", "0x1", "١",
    ])
    func badTimestamps(text: String) throws {
        let hook = try #require(WebhookSignature(secrets: [secret()]))
        #expect(throws: WebhookSignature.Refusal.malformedTimestamp) {
            try hook.verify(headers(timestamp: text), body: Self.body, now: Self.time)
        }
    }

    @Test func secretsHaveAForm() {
        #expect(WebhookSignature.Secret(parsing: "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw") == nil)
        #expect(WebhookSignature.Secret(parsing: "whsec_") == nil)
        #expect(WebhookSignature.Secret(parsing: "whsec_AAAA") == nil, "too short")
        #expect(WebhookSignature.Secret(parsing: "whsec_" + StrictBase64.encode(repeatElement(0, count: 65))) == nil)
        #expect(WebhookSignature(secrets: []) == nil)
        let made = WebhookSignature.Secret.generate()
        #expect(WebhookSignature.Secret(parsing: made.reveal()) == made)
    }
}

import Testing

@testable import GatewayKit

/// The grammar of RFC 5802 section 7.
@Suite struct ScramMessageTests {
    @Test func clientFirst() throws {
        let message = try ScramClientFirst(parsing: Array("n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL".utf8))
        #expect(message.flag == .unsupported)
        #expect(message.authorisationIdentity == nil)
        #expect(message.username == "user")
        #expect(message.nonce == "fyko+d2lbbFgONRv9qkxdawL")
        #expect(message.header == Array("n,,".utf8))
        #expect(message.bare == Array("n=user,r=fyko+d2lbbFgONRv9qkxdawL".utf8))
    }

    @Test func clientFirstWithEverything() throws {
        let message = try ScramClientFirst(parsing: Array("p=tls-exporter,a=x=2Cy,n=a=2Cb=3Dc,r=n,z=ext,h=more".utf8))
        #expect(message.flag == .bound("tls-exporter"))
        #expect(message.authorisationIdentity == "x,y")
        #expect(message.username == "a,b=c")
        #expect(message.header == Array("p=tls-exporter,a=x=2Cy,".utf8))
        #expect(message.bare == Array("n=a=2Cb=3Dc,r=n,z=ext,h=more".utf8), "extensions are signed, so they are kept")
    }

    @Test(arguments: [
        ("", ScramFailure.invalidEncoding), ("n", .invalidEncoding), ("n,", .invalidEncoding),
        ("n,,", .invalidEncoding),
        ("n,,n=user", .invalidEncoding), ("n,,r=x,n=user", .invalidEncoding), ("n,,n=user,r=", .invalidEncoding),
        ("N,,n=user,r=x", .invalidEncoding), ("x,,n=user,r=x", .invalidEncoding), ("p=,,n=user,r=x", .invalidEncoding),
        ("p,,n=user,r=x", .invalidEncoding), ("p=a b,,n=user,r=x", .invalidEncoding),
        ("n,b=x,n=user,r=x", .invalidEncoding),
        ("n,user,n=user,r=x", .invalidEncoding), ("n,,n=user,r=x\u{7f}", .invalidEncoding),
        ("n,,n=user,r=a b", .invalidEncoding),
        ("n,,n=user,r=\u{e9}", .invalidEncoding), ("n,,n=user,r=x,", .invalidEncoding),
        ("n,,n=user,r=x,y", .invalidEncoding),
        ("n,,n=user,r=x,y=", .invalidEncoding), ("n,,n=user,r=x,1=y", .invalidEncoding),
        ("n,,n=user,r=x,y=\0", .invalidEncoding),
        ("n,,m=ext,n=user,r=x", .extensionsNotSupported), ("n,,n=user,r=x,m=ext", .extensionsNotSupported),
        ("n,,n=,r=x", .invalidUsernameEncoding), ("n,,n=a=b,r=x", .invalidUsernameEncoding),
        ("n,,n=a=2c,r=x", .invalidUsernameEncoding), ("n,,n=a=,r=x", .invalidUsernameEncoding),
        ("n,,n=a=2,r=x", .invalidUsernameEncoding), ("n,,n=a\0,r=x", .invalidUsernameEncoding),
        ("n,a=,n=user,r=x", .invalidUsernameEncoding), ("n,a==,n=user,r=x", .invalidUsernameEncoding),
    ])
    func badClientFirst(text: String, failure: ScramFailure) {
        #expect(throws: failure) { try ScramClientFirst(parsing: Array(text.utf8)) }
    }

    @Test func namesAreUTF8() {
        #expect(throws: ScramFailure.invalidUsernameEncoding) {
            try ScramClientFirst(parsing: Array("n,,n=".utf8) + [0xC3, 0x28] + Array(",r=x".utf8))
        }
        #expect(throws: ScramFailure.invalidUsernameEncoding) {
            try ScramClientFirst(parsing: Array("n,,n=".utf8) + [0xC0, 0xAF] + Array(",r=x".utf8))
        }
    }

    @Test func lengthsAreBounded() {
        let name = String(repeating: "n", count: ScramLimit.name + 1)
        #expect(throws: ScramFailure.invalidUsernameEncoding) {
            try ScramClientFirst(parsing: Array("n,,n=\(name),r=x".utf8))
        }
        #expect(throws: ScramFailure.invalidEncoding) {
            try ScramClientFirst(parsing: Array("n,,n=u,r=\(String(repeating: "x", count: 257))".utf8))
        }
        #expect(throws: ScramFailure.invalidEncoding) {
            try ScramClientFirst(
                parsing: Array("n,,n=u,r=x".utf8) + Array(repeating: UInt8(ascii: "x"), count: 1 << 20))
        }
        #expect(throws: ScramFailure.invalidEncoding) {
            try ScramClientFirst(parsing: Array("n,,n=u,r=x\(String(repeating: ",e=x", count: 16))".utf8))
        }
    }

    @Test func serverFirst() throws {
        let text = "r=abc,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
        let message = try ScramServerFirst(parsing: Array(text.utf8))
        #expect(message.nonce == "abc")
        #expect(message.salt.count == 16)
        #expect(message.iterations == 4_096)
        #expect(message.encoded == Array(text.utf8))
        #expect(try ScramServerFirst(parsing: Array("\(text),h=Zm9v,x=y".utf8)).offerHash == Array("foo".utf8))
    }

    @Test(arguments: [
        "", "r=a", "r=a,s=Zm9v", "r=a,s=,i=1", "r=a,s=Zm9,i=1", "r=a,s=Zm9v,i=", "r=a,s=Zm9v,i=0", "r=a,s=Zm9v,i=01",
        "r=a,s=Zm9v,i=-5", "r=a,s=Zm9v,i=1e9", "r=a,s=Zm9v,i=9999999999", "s=Zm9v,r=a,i=1", "r=,s=Zm9v,i=1",
        "r=a,s=Zm9v,i=1,h=?",
        "r=a,s=Zm9v,i=1,",
    ])
    func badServerFirst(text: String) {
        #expect(throws: ScramFailure.invalidEncoding) { try ScramServerFirst(parsing: Array(text.utf8)) }
    }

    @Test func clientFinal() throws {
        let message = try ScramClientFinal(parsing: Array("c=biws,r=abc,x=y,p=Zm9v".utf8))
        #expect(message.binding == Array("n,,".utf8))
        #expect(message.nonce == "abc")
        #expect(message.proof == SecretBytes(Array("foo".utf8)))
        #expect(message.withoutProof == Array("c=biws,r=abc,x=y".utf8))
    }

    @Test(arguments: [
        "", "c=biws", "c=biws,r=abc", "c=biws,p=Zm9v", "r=abc,c=biws,p=Zm9v", "c=biws,r=abc,p=Zm9", "c=bi,r=abc,p=Zm9v",
        "c=biws,r=abc,p=Zm9v,x=y", "c=biws,r=abc,p=Zm9v,", "c=biws,r=,p=Zm9v", "c=biws,r=abc,y,p=Zm9v",
    ])
    func badClientFinal(text: String) {
        #expect(throws: ScramFailure.invalidEncoding) { try ScramClientFinal(parsing: Array(text.utf8)) }
    }

    @Test func mandatoryExtensionsAreRefusedEverywhere() {
        #expect(throws: ScramFailure.extensionsNotSupported) {
            try ScramClientFinal(parsing: Array("c=biws,r=abc,m=x,p=Zm9v".utf8))
        }
        #expect(throws: ScramFailure.extensionsNotSupported) {
            try ScramServerFirst(parsing: Array("m=x,r=a,s=Zm9v,i=1".utf8))
        }
    }

    @Test func serverFinal() throws {
        #expect(try ScramServerFinal(parsing: Array("v=Zm9v".utf8)) == .signature(SecretBytes(Array("foo".utf8))))
        #expect(try ScramServerFinal(parsing: Array("e=invalid-proof".utf8)) == .error("invalid-proof"))
        for text in ["", "v=", "x=y", "v=Zm9", "e=\(String(repeating: "x", count: 65))"] where text != "v=" {
            #expect(throws: ScramFailure.invalidEncoding) { try ScramServerFinal(parsing: Array(text.utf8)) }
        }
    }

    @Test func randomBytesNeverTrap() {
        var generator = SeededGenerator(seed: 5802)
        let alphabet = Array("ncrspaivemh=,biws1234 \0\u{ff}y".utf8)
        for _ in 0..<5_000 {
            let length = Int.random(in: 0..<60, using: &generator)
            let bytes = (0..<length).map { _ in alphabet.randomElement(using: &generator) ?? 0 }
            _ = try? ScramClientFirst(parsing: bytes)
            _ = try? ScramServerFirst(parsing: bytes)
            _ = try? ScramClientFinal(parsing: bytes)
            _ = try? ScramServerFinal(parsing: bytes)
        }
    }
}

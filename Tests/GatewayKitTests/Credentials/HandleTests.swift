import Testing

@testable import GatewayKit

@Suite struct ReservedHandlesTests {
    @Test(arguments: [
        "admin", "root", "server", "system", "nickserv", "chanserv", "histserv", "operserv", "anyserv", "guest",
        "guest-1",
        "guest-", "u-abc", "all", "everyone", "here", "switchboard", "postmaster", "me", "adm1n", "r00t", "r0ot",
        "5erver",
        "ad-min", "a_d_m_i_n", "admin-", "n1ckserv", "nick5erv", "nick-serv", "he1p", "a11", "4dmin", "everyon3",
        "h057master",
    ])
    func namesThatNobodyGets(handle: String) {
        #expect(ReservedHandles.contains(handle))
    }

    @Test(arguments: [
        "alice", "ali", "bob", "serverina", "administer", "rooted", "adminton", "guesthouse", "guest1", "u", "ulf",
        "u_x",
        "helga", "servus", "observer", "mia", "al", "meg", "bot7", "user1", "lane",
    ])
    func namesOfPeople(handle: String) {
        #expect(!ReservedHandles.contains(handle))
    }

    @Test(arguments: ["a", "alice", "a1", "a-b_c", "z" + String(repeating: "9", count: 31)])
    func legal(handle: String) {
        #expect(ReservedHandles.isLegal(handle))
    }

    @Test(arguments: [
        "", "1a", "-a", "_a", "Alice", "al ice", "al.ice", "alïce", "a\0", "a\n", "аlice", "alice@example.org",
        "a\u{301}",
        "a" + String(repeating: "b", count: 32),
    ])
    func illegal(handle: String) {
        #expect(!ReservedHandles.isLegal(handle))
    }
}

@Suite struct HostSubjectTests {
    private func subject(_ text: String, realm: String = "app") throws -> HostSubject {
        try #require(HostSubject(realm: realm, subject: text))
    }

    @Test func aLegalSubjectKeepsItsName() throws {
        #expect(try subject("alice").preferredHandle == "alice")
        #expect(try subject("a-b_9").preferredHandle == "a-b_9")
    }

    /// Computed with Python's hashlib and base64.
    @Test(arguments: [
        ("Alice", "u-njh6vn2ulxhcz4c6mquu"), ("alice@example.org", "u-syncy5vqxafbuwom22fl"),
        ("u-abc", "u-4mm7s3nrssqejfazpd5s"), ("admin", "u-73frbtwq5xa53amldnyc"),
    ])
    func anyOtherIsMapped(text: String, handle: String) throws {
        #expect(try subject(text).preferredHandle == handle)
        #expect(try subject(text).mappedHandle == handle)
    }

    @Test(arguments: [
        "Alice", "ALICE", "1", "42", "auth0|5f7c8ec7c33c6c004bbafe82", "admin", "root", "nickserv", "guest-5",
        "u-njh6vn2ulxhcz4c6mquu",
        "адмін", "al ice", "a.b", "ad-min", "adm1n", "00u1a2b3c4", "CN=alice,O=x", "../alice", "alice\u{200b}", "ａlice",
        "123e4567-e89b-12d3-a456-426614174000",
    ])
    func mappedHandlesAreLegalAndUnclaimable(text: String) throws {
        let handle = try subject(text).preferredHandle
        #expect(handle != text)
        #expect(ReservedHandles.isLegal(handle))
        #expect(ReservedHandles.contains(handle), "nobody can register it")
        #expect(handle.utf8.count == 22)
    }

    @Test func theMappedHandleIsThereForATakenName() throws {
        let alice = try subject("alice")
        #expect(alice.mappedHandle.hasPrefix("u-"))
        #expect(alice.mappedHandle != alice.preferredHandle)
    }

    @Test func realmsAndSubjectsAreToldApart() throws {
        let handles = [
            try subject("A", realm: "app"), try subject("A", realm: "shop"), try subject("B", realm: "app"),
            try subject("pA", realm: "ap"),
        ].map(\.mappedHandle)
        #expect(Set(handles).count == 4)
    }

    @Test func identityIsByteForByte() throws {
        #expect(try subject("\u{e9}") != subject("e\u{301}"))
        #expect(Set([try subject("\u{e9}"), try subject("e\u{301}"), try subject("\u{e9}")]).count == 2)
        #expect(try subject("alice") != subject("Alice"))
        #expect(try subject("alice") == subject("alice"))
    }

    @Test func manySubjectsHaveManyHandles() throws {
        let handles = Set(try (0..<5_000).map { try subject("#\($0)").preferredHandle })
        #expect(handles.count == 5_000)
    }

    @Test func unusableSubjects() {
        for text in ["", "a\0b", "a\nb", "a\u{85}", String(repeating: "x", count: 256)] {
            #expect(HostSubject(realm: "app", subject: text) == nil)
        }
        #expect(HostSubject(realm: "a\0p", subject: "x") == nil)
    }
}

import GatewayKit
import Hub

extension Settings {
    static let basics: [Setting] = [
        Setting(
            "server.name", \.server.name,
            .text("domain name") {
                ServerName($0) == nil ? "must be a domain name such as chat.example.org, not \(quoted($0))" : nil
            },
            "The domain name of this server: part of every address that people see. It can't be changed once people use it."
        ),
        Setting(
            "server.loops", \.server.loops, .integer(0...256),
            "Threads that serve connections; 0: one per processor core."),
        Setting(
            "data.directory", \.data.directory, .text("path"),
            "The directory that holds everything: accounts, messages, keys. One server at a time owns it."),
        Setting(
            "data.readers", \.data.readers, .integer(1...64),
            "Threads that read the database at the same time."),
        Setting(
            "data.cache-kib", \.data.cacheKiB, .integer(512...16_777_216, "KiB"),
            "Memory for the database's pages."),
        Setting(
            "data.checkpoint-pages", \.data.checkpointPages, .integer(100...1_000_000, "pages of 4 KiB"),
            "After so many pages the write-ahead log is brought into the database."),
        Setting(
            "data.synchronous", \.data.synchronous, .choice(ServerConfiguration.Data.Synchronous.self),
            """
            full: what is acknowledged is on the disk. off is for tests that cut the power: it loses acknowledged \
            messages.
            """),
    ]

    static let doors: [Setting] = [
        Setting(
            "http.bind", \.http.bind, SettingKind.address.list,
            "Addresses to listen at. Only this machine reaches 127.0.0.1; 0.0.0.0 and :: are all of its addresses."),
        Setting("http.port", \.http.port, .integer(0...65_535), "The port to listen at; 0 lets the system choose."),
        Setting(
            "http.unix", \.http.unix, SettingKind.text("path").list,
            "Unix sockets to listen at besides, for a proxy on this machine. What connects there is a trusted proxy."),
        Setting(
            "http.unix-mode", \.http.unixMode, .fileMode,
            "Who may connect to the Unix sockets: whoever has the server's account or group, if it is 0660."),
        Setting(
            "http.public-url", \.http.publicURL, SettingKind.webAddress.optional, reload: true,
            "How people reach the server, as in https://chat.example.org: for links. Without it, the listening address."
        ),
        Setting(
            "http.origins", \.http.origins,
            SettingKind.text("origin of a web page, as in https://example.org") {
                WebOrigin($0) == nil ? "must be an origin such as https://example.org, not \(quoted($0))" : nil
            }.list,
            "Web pages of other sites that may use the server from a browser."),
        Setting(
            "http.own-names", \.http.ownNames,
            SettingKind.text("host name") { ServerName($0) == nil ? "must be a host name, not \(quoted($0))" : nil }
                .list,
            """
            Host names under which the server is reached; none: server.name and the host of http.public-url. Pages of \
            other names are foreign, and who uses another name is not taken for a program on this machine.
            """
        ),
        Setting(
            "tls.mode", \.tls.mode, .choice(ServerConfiguration.TLS.Mode.self),
            """
            Whether the HTTP door speaks TLS: off, with a certificate from files, or self-signed (made in the data \
            directory at the first start; its fingerprint is shown).
            """),
        Setting(
            "tls.certificate", \.tls.certificate, SettingKind.text("path").optional, reload: true,
            "The certificate chain in PEM. It is read again at a reload."),
        Setting("tls.key", \.tls.key, SettingKind.text("path").optional, reload: true, "The private key in PEM."),
        Setting(
            "proxy.trusted", \.proxy.trusted, SettingKind.addressRange.list,
            "Proxies whose word about the client's address is believed (X-Forwarded-For, Forwarded, PROXY protocol)."),
        Setting(
            "proxy.header", \.proxy.header, .flag,
            "Every connection begins with a PROXY protocol header (version 1 or 2), from a trusted proxy."),
    ]
}

extension SettingKind where Value == UInt16 {
    /// Permission bits in octal: `0660`.
    static var fileMode: Self {
        SettingKind(one: "permission bits in octal, 0600 to 0777") { (word) throws(SettingRefusal) in
            guard (3...4).contains(word.utf8.count), let mode = UInt16(word, radix: 8), (0o600...0o777).contains(mode)
            else { throw SettingRefusal(reason: "must be permission bits such as 0660, not \(quoted(word))") }
            return mode
        } show: {
            "\"0\(String($0, radix: 8))\""
        }
    }
}

extension SettingKind where Value == String {
    static var address: Self {
        .text("IP address or host name") {
            NetworkAddress(plain: $0) == nil && ServerName($0) == nil
                ? "must be an address such as 127.0.0.1, not \(quoted($0))" : nil
        }
    }

    static var addressRange: Self {
        .text("address or block, as in 10.0.0.0/8") {
            NetworkRange(parsing: $0) == nil
                ? "must be an address or a block such as 10.0.0.0/8, not \(quoted($0))" : nil
        }
    }

    /// `http://` or `https://`, a host, perhaps a port and a path.
    static var webAddress: Self {
        .text("address that begins with https:// or http://") { text in
            let rest = ["https://", "http://"].first(where: text.hasPrefix).map { text.dropFirst($0.count) }
            let isClean =
                text.utf8.allSatisfy { (0x21...0x7E).contains($0) } && !text.contains("#") && !text.contains("?")
            guard let rest, !rest.isEmpty, rest.first != "/", isClean, !rest.contains("@") else {
                return "must be an address such as https://chat.example.org, not \(quoted(text))"
            }
            return nil
        }
    }
}

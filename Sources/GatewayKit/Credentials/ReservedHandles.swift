/// Handles that nobody gets by asking for them, in whatever way: registration, invitation, host token, renaming.
///
/// They are names that people take for the server, for its staff, or, in one of the protocols, for a service or for
/// everybody. The first administrator's own handle is chosen by the operator and is not held back by this list.
package enum ReservedHandles {
    /// Length and letters of a handle: `[a-z][a-z0-9_-]{0,31}`.
    package static func isLegal(_ text: String) -> Bool {
        guard let first = text.utf8.first, isLetter(first), text.utf8.count <= 32 else { return false }
        return text.utf8.allSatisfy {
            isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-")
        }
    }

    /// Whether `handle`, in lower case already, is kept back. Look-alikes in digits (`adm1n`, `r00t`) and in separators
    /// (`ad-min`) count; the comparison of ordinary handles with one another is the hub's.
    package static func contains(_ handle: String) -> Bool {
        if prefixes.contains(where: handle.hasPrefix) { return true }
        let bare = handle.utf8.filter { $0 != UInt8(ascii: "_") && $0 != UInt8(ascii: "-") }
        // `1` stands for two letters, so a name has two readings.
        return [UInt8(ascii: "i"), UInt8(ascii: "l")].contains { one in
            let reading = String(decoding: bare.map { spelledOut($0, one: one) }, as: UTF8.self)
            return names.contains(reading) || reading.hasSuffix("serv")
        }
    }

    /// `guest-` is given by the server, `u-` by ``HostSubject``.
    private static let prefixes = ["guest-", HostSubject.mappedPrefix]

    private static let names: Set<String> = [
        // the server and its parts
        "server", "switchboard", "system", "sys", "daemon", "service", "services", "localhost", "gateway", "bridge",
        "relay", "node", "status", "config", "metrics", "health", "api", "www", "web", "mail", "ftp",
        // those in charge
        "admin", "admins", "administrator", "administrators", "administration", "root", "superuser", "sudo", "owner",
        "operator", "operators", "oper", "op", "ops", "moderator", "moderators", "mod", "mods", "staff", "sysop",
        "sysadmin", "official", "support", "help", "helpdesk", "helper", "security", "abuse", "billing",
        "postmaster", "hostmaster", "webmaster", "noc", "info", "contact", "noreply",
        // services of other protocols; all that ends in `serv` besides
        "irc", "xmpp", "jabber", "matrix", "mqtt", "stomp", "amqp", "sip", "push", "pubsub", "muc", "conference",
        "upload", "proxy", "bot", "bots", "webhook", "webhooks", "global", "oauth", "login", "register",
        // everybody and nobody
        "all", "everyone", "everybody", "here", "channel", "room", "rooms", "group", "user", "users", "guest", "guests",
        "anonymous", "anon", "nobody", "none", "null", "nil", "undefined", "unknown", "deleted", "me", "self", "you",
    ]

    private static func spelledOut(_ byte: UInt8, one: UInt8) -> UInt8 {
        switch byte {
        case UInt8(ascii: "0"): UInt8(ascii: "o")
        case UInt8(ascii: "1"): one
        case UInt8(ascii: "3"): UInt8(ascii: "e")
        case UInt8(ascii: "4"): UInt8(ascii: "a")
        case UInt8(ascii: "5"): UInt8(ascii: "s")
        case UInt8(ascii: "7"): UInt8(ascii: "t")
        default: byte
        }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}

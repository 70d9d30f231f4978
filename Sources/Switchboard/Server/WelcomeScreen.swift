import WireJSON

/// What a person sees when the server is ready: one screen, with lines to copy. Pure.
struct WelcomeScreen: Sendable {
    /// As people reach it from this machine: `http://127.0.0.1:8080`.
    let address: String
    let listening: [String]
    let serverName: String
    let dataDirectory: String
    /// The one-time link of the first administrator; nil when there is one.
    let administratorLink: String?
    /// Tokens of two guests, to try the server with; empty where guests are not let in.
    let guestTokens: [String]
    let fingerprint: String?
    /// Milliseconds from the start of the process.
    let startup: Int64

    var text: String {
        var lines = [
            "", "  Switchboard \(Version.text) is ready at \(address)   (\(startup) ms)", "",
            "  server    \(serverName)", "  data      \(dataDirectory)",
            "  listens   \(listening.joined(separator: ", "))",
        ]
        if let fingerprint { lines += ["  sha-256   \(fingerprint)"] }
        if let administratorLink { lines += administrator(administratorLink) }
        if guestTokens.count >= 2 { lines += trial }
        return lines.joined(separator: "\n") + "\n\n"
    }

    private func administrator(_ link: String) -> [String] {
        let secret = link.split(separator: "#").last.map(String.init) ?? link
        return [
            "",
            "  Nobody administers this server yet. This link makes the first administrator, once, within 30 minutes:",
            "", "    \(link)", "", "  or, in a terminal, with a name and a password of your own:", "",
            """
                \(curl) -H 'Content-Type: application/json' \(address)/v1/redeem \
            -d '{"secret":"\(secret)","handle":"NAME","password":"PASSWORD","device":"terminal"}'
            """,
        ]
    }

    private var trial: [String] {
        let socket = address.replacing("http", with: "ws", maxReplacements: 1)
        let hello = "{\"type\":\"hello\",\"token\":\"\(guestTokens[1])\"}"
        let insecure = fingerprint == nil ? "" : " --insecure"
        return [
            "", "  Try it: each line in a terminal of its own. What one says in the lobby, the others hear.", "",
            "  chat", "    switchboard chat --url \(address)\(insecure)", "",
            "  listen with curl (Server-Sent Events)",
            "    \(curl) -N -H 'Authorization: Bearer \(guestTokens[0])' \(address)/v1/stream", "",
            "  say something with curl",
            """
                \(curl) -H 'Authorization: Bearer \(guestTokens[0])' -H 'Content-Type: application/json' \
            \(address)/v1/post -d '{"conversation":"lobby","text":"Hello"}'
            """, "",
            "  WebSocket, with Python's websockets",
            "    (echo '\(hello)'; cat) | python3 -m websockets \(socket)/v1/socket",
            "    then type: {\"type\":\"post\",\"conversation\":\"lobby\",\"text\":\"Hello from a WebSocket\"}",
        ]
    }

    private var curl: String { fingerprint == nil ? "curl" : "curl --insecure" }

    /// The same for programs: one line.
    var json: String {
        let buffer = JSONWriter.write { writer in
            writer.object { writer in
                writer.field("event", "ready")
                writer.field("version", Version.text)
                writer.field("address", address)
                writer.array("listening") { writer in for address in listening { writer.string(address) } }
                writer.field("server", serverName)
                writer.field("data", dataDirectory)
                writer.field("administratorLink", administratorLink)
                writer.array("guestTokens") { writer in for token in guestTokens { writer.string(token) } }
                writer.field("fingerprint", fingerprint)
                writer.field("startupMilliseconds", startup)
            }
        }
        return String(buffer: buffer)
    }
}

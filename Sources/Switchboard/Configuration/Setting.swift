/// One key of the configuration: the only place that says its name, type, default, bounds and meaning. Reading, `config
/// explain`, the example file and the documentation are all made from it.
struct Setting: Sendable {
    /// As in `http.port`: section, then name.
    let key: String
    /// One or two sentences for the person who runs the server.
    let summary: String
    /// What values there are, as in «whole number, 1 to 65535».
    let kind: String
    let isList: Bool
    /// Whether a change takes effect at a reload; otherwise the server must be started anew.
    let isReloadable: Bool
    /// The value that a configuration has, as it stands in a YAML file.
    let show: @Sendable (ServerConfiguration) -> String
    let apply: @Sendable (SettingText, inout ServerConfiguration) throws(SettingRefusal) -> Void
    /// Takes the value of one configuration over into another.
    let copy: @Sendable (_ from: ServerConfiguration, _ to: inout ServerConfiguration) -> Void

    init<Value: Sendable>(
        _ key: String, _ field: any WritableKeyPath<ServerConfiguration, Value> & Sendable, _ kind: SettingKind<Value>,
        reload: Bool = false, _ summary: String
    ) {
        self.key = key
        self.summary = summary
        self.kind = kind.description
        isList = kind.isList
        isReloadable = reload
        show = { kind.show($0[keyPath: field]) }
        copy = { $1[keyPath: field] = $0[keyPath: field] }
        apply = { (text, configuration) throws(SettingRefusal) in configuration[keyPath: field] = try kind.parse(text) }
    }

    /// The default, as it stands in a YAML file.
    var defaultText: String { show(ServerConfiguration()) }
    var section: String { String(key.prefix { $0 != "." }) }
    /// The key within its section.
    var name: String { String(key.drop { $0 != "." }.dropFirst()) }

    /// The environment variable that sets it: `SWITCHBOARD_HTTP_PORT`.
    var variable: String {
        Setting.variablePrefix + key.map { $0.isLetter || $0.isNumber ? $0.uppercased() : "_" }.joined()
    }

    static let variablePrefix = "SWITCHBOARD_"
    /// Variables with our prefix that are no settings: they are read by the subcommands.
    static let otherVariables: Set<String> = ["SWITCHBOARD_CONFIG", "SWITCHBOARD_URL", "SWITCHBOARD_TOKEN"]
}

/// The settings, in the order in which people read them.
enum Settings {
    static let all: [Setting] = basics + doors + people + limits + operation

    static let byKey: [String: Setting] = Dictionary(uniqueKeysWithValues: all.map { ($0.key, $0) })

    /// Sections with their title, in order.
    static let sections: [(name: String, title: String)] = [
        ("server", "The server itself"),
        ("data", "Where everything is kept"),
        ("http", "The HTTP door: web pages, the client API, WebSocket and event streams"),
        ("tls", "Encryption of the HTTP door"),
        ("proxy", "Behind a reverse proxy or a load balancer"),
        ("accounts", "Who may have an account"),
        ("host-tokens", "Signed tokens (JWT) of an application that has its own accounts"),
        ("outbound", "Where the server may connect by itself: webhooks, key sets"),
        ("limits", "What one account or one message may cost"),
        ("door", "What one connection may cost"),
        ("log", "What the server says about itself"),
        ("metrics", "Figures for Prometheus"),
        ("drain", "Going down without losing anybody"),
    ]

    /// The key that somebody probably meant; nil when nothing is near.
    static func suggestion(for key: String) -> String? {
        // Most mistakes are a forgotten section, or one wrong letter.
        if let exact = all.first(where: { $0.name == key || $0.key.replacing(".", with: "-") == key }) {
            return exact.key
        }
        let near = all.map { ($0.key, min(EditDistance.of(key, $0.key), EditDistance.of(key, $0.name))) }
        guard let best = near.min(by: { $0.1 < $1.1 }), best.1 <= max(1, min(4, key.count / 3)) else { return nil }
        return best.0
    }
}

/// How many letters must be put in, taken out, changed or swapped with their neighbour to make one text of another.
enum EditDistance {
    static func of(_ a: String, _ b: String) -> Int {
        let (a, b) = (Array(a.lowercased().unicodeScalars.prefix(80)), Array(b.lowercased().unicodeScalars.prefix(80)))
        var beforeLast: [Int] = []
        var last = Array(0...b.count)
        for (i, x) in a.enumerated() {
            var row = [i + 1]
            for (j, y) in b.enumerated() {
                var best = min(last[j + 1] + 1, row[j] + 1, last[j] + (x == y ? 0 : 1))
                if i > 0, j > 0, x == b[j - 1], a[i - 1] == y { best = min(best, beforeLast[j - 1] + 1) }
                row.append(best)
            }
            (beforeLast, last) = (last, row)
        }
        return last[b.count]
    }
}

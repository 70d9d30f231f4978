/// Texts about the configuration, all made from the settings.
enum ConfigurationText {
    /// A file with every key at its default, commented out.
    static func example() -> String {
        var lines = [
            "# Switchboard's configuration. Everything here is optional: what is commented out shows the default.",
            "# Sizes: 64 KiB, 1 MiB. Durations: 500 ms, 30 s, 10 min, 24 h, 7 d.",
            "# The environment (SWITCHBOARD_HTTP_PORT=…) goes before this file, and flags (--set http.port=…) before both.",
            "# `switchboard config check` checks it; `switchboard config explain KEY` says more about a key.",
        ]
        for section in Settings.sections {
            lines += ["", "# \(section.title)", "#\(section.name):"]
            for setting in Settings.all where setting.section == section.name {
                lines += wrapped(setting.summary, width: 100).map { "#  # \($0)" }
                lines.append("#  \(setting.name): \(setting.defaultText)")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// One key, for people.
    static func explain(_ setting: Setting, current: ServerConfiguration, origin: ConfigurationSources.Origin?)
        -> String
    {
        var rows = [("type", setting.kind), ("default", setting.defaultText)]
        rows.append(("now", setting.show(current) + (origin.map { "  (\($0.source))" } ?? "  (the default)")))
        rows.append(("file", "\(setting.section): { \(setting.name): … }"))
        rows.append(("environment", setting.variable))
        rows.append(("flag", "--set \(setting.key)=…"))
        rows.append(("a change", setting.isReloadable ? "takes effect at a reload (SIGHUP)" : "needs a restart"))
        let table = rows.map { "  \($0.0.padded(to: 12)) \($0.1)" }
        return ([setting.key] + wrapped(setting.summary, width: 76).map { "  \($0)" } + [""] + table)
            .joined(separator: "\n")
    }

    /// All keys with their values, a line each.
    static func overview(_ current: ServerConfiguration) -> String {
        let width = Settings.all.map(\.key.count).max() ?? 0
        return Settings.all.map { "\($0.key.padded(to: width))  \($0.show(current))" }.joined(separator: "\n")
    }

    /// The keys that differ from the defaults.
    static func difference(_ result: ConfigurationSources.Result) -> String {
        let changed = ConfigurationRules.differences(ServerConfiguration(), result.configuration)
        guard !changed.isEmpty else { return "Everything is at its default." }
        let width = changed.map(\.key.count).max() ?? 0
        return changed.map { setting in
            let origin = result.origins[setting.key].map { "  (\($0.source))" } ?? ""
            let key = setting.key.padded(to: width)
            return "\(key)  \(setting.defaultText) → \(setting.show(result.configuration))\(origin)"
        }.joined(separator: "\n")
    }

    /// The page of the documentation.
    static func documentation() -> String {
        var lines = [
            "# Configuration", "",
            "<!-- Made by `switchboard config documentation`; a test compares it. Change the settings, not this page. -->",
            "",
            "A server needs no configuration. What should differ from the defaults stands in one file, `switchboard.yaml` in",
            "the working directory, or the one that `--config` (or `SWITCHBOARD_CONFIG`) names; in the environment; or in flags.",
            "Flags go before the environment, the environment before the file.", "",
            "```", "switchboard config example > switchboard.yaml   # every key, commented out",
            "switchboard config check                        # is it right?",
            "switchboard config diff                         # what differs from the defaults, and who said so",
            "switchboard config explain http.port            # one key", "```", "",
            "An unknown key is refused, with a suggestion. `SIGHUP` (`systemctl reload`) reads everything again; if it is wrong, the",
            "old configuration stays in force and the log says why. Keys that need a restart are marked, and named in the log when",
            "a reload finds them changed.", "",
            "Sizes are written `64 KiB`, durations `500 ms`, `30 s`, `10 min`, `24 h`, `7 d`. In the environment and in flags the",
            "elements of a list are separated by commas.",
        ]
        for section in Settings.sections {
            lines += ["", "## \(section.name)", "", "\(section.title).", ""]
            lines += ["| key | default | values | a change | |", "| --- | --- | --- | --- | --- |"]
            for setting in Settings.all where setting.section == section.name {
                let change = setting.isReloadable ? "reload" : "restart"
                lines.append(
                    "| `\(setting.key)` | `\(setting.defaultText)` | \(setting.kind) | \(change) | \(setting.summary) |"
                )
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Breaks a text at spaces.
    static func wrapped(_ text: String, width: Int) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            if !line.isEmpty, line.count + 1 + word.count > width {
                lines.append(line)
                line = ""
            }
            line += (line.isEmpty ? "" : " ") + word
        }
        return line.isEmpty ? lines : lines + [line]
    }
}

extension String {
    /// The text with spaces after it, so that it takes at least so many characters.
    func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}

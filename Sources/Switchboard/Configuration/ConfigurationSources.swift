import Configuration
import Foundation

/// Where a configuration comes from: a file, the environment, flags. The later ones go before the earlier ones.
struct ConfigurationSources: Sendable {
    /// The file; nil: the usual one, if it is there when the configuration is read.
    var path: String?
    /// Nil: no file is looked for.
    var usualPath: String?
    var environment: [String: String]
    /// Keys and values of `--set` and of the flags that have names of their own.
    var flags: [(key: String, value: String, flag: String)]

    static let usualPath = "switchboard.yaml"

    init(
        path: String? = nil, usualPath: String? = nil, environment: [String: String] = [:],
        flags: [(key: String, value: String, flag: String)] = []
    ) {
        self.path = path
        self.usualPath = usualPath
        self.environment = environment
        self.flags = flags
    }

    /// What a key was given, and by whom.
    struct Origin: Sendable {
        let source: ConfigurationProblem.Source
        let text: SettingText
    }

    /// A configuration, and where each value that is not a default came from.
    struct Result: Sendable {
        let configuration: ServerConfiguration
        let origins: [String: Origin]
    }

    /// The file that would be read now.
    var foundPath: String? {
        path ?? usualPath.flatMap { FileManager.default.fileExists(atPath: $0) ? $0 : nil }
    }

    /// Reads all sources anew.
    ///
    /// Throws all problems at once, so that nobody has to mend a file line by line.
    func read() throws(ConfigurationRefusal) -> Result {
        var file: ConfigurationFile?
        if let path = foundPath {
            do throws(ConfigurationProblem) {
                file = try ConfigurationFile(path: path)
            } catch {
                throw ConfigurationRefusal(problems: [error])
            }
        }
        return try merge(file)
    }

    /// The same with the content of a file at hand. Total.
    func merge(_ file: ConfigurationFile?) throws(ConfigurationRefusal) -> Result {
        var problems: [ConfigurationProblem] = []
        let layers = [flagLayer(&problems), environmentLayer(&problems), fileLayer(file, &problems)]
        let reader = ConfigReader(
            providers: layers.enumerated().map { index, layer in
                InMemoryProvider(
                    name: ["flags", "environment", "file"][index], values: layer.mapValuesAndKeys())
            }
        ).snapshot()
        var configuration = ServerConfiguration()
        var origins: [String: Origin] = [:]
        for setting in Settings.all {
            let key = ConfigKey(setting.key.split(separator: ".").map(String.init))
            let text: SettingText?
            if setting.isList {
                text = reader.stringArray(forKey: key).map(SettingText.many)
            } else {
                text = reader.string(forKey: key).map(SettingText.one)
            }
            guard let text, let origin = layers.lazy.compactMap({ $0[setting.key] }).first else { continue }
            do throws(SettingRefusal) {
                try setting.apply(text, &configuration)
                origins[setting.key] = origin
            } catch {
                problems.append(ConfigurationProblem(source: origin.source, message: "\(setting.key) \(error.reason)"))
            }
        }
        if problems.isEmpty { problems = ConfigurationRules.problems(of: configuration) }
        guard problems.isEmpty else { throw ConfigurationRefusal(problems: problems) }
        return Result(configuration: configuration, origins: origins)
    }

    // MARK: One source each

    private func flagLayer(_ problems: inout [ConfigurationProblem]) -> [String: Origin] {
        var layer: [String: Origin] = [:]
        for (key, value, flag) in flags {
            add(key, .one(value), .flag(flag), splitting: true, to: &layer, &problems)
        }
        return layer
    }

    private func environmentLayer(_ problems: inout [ConfigurationProblem]) -> [String: Origin] {
        var layer: [String: Origin] = [:]
        let byVariable = Dictionary(uniqueKeysWithValues: Settings.all.map { ($0.variable, $0) })
        for (name, value) in environment.sorted(by: { $0.key < $1.key }) where name.hasPrefix(Setting.variablePrefix) {
            if let setting = byVariable[name] {
                add(setting.key, .one(value), .variable(name), splitting: true, to: &layer, &problems)
            } else if !Setting.otherVariables.contains(name) {
                // Only what is nearly a setting: other programs' variables may begin alike.
                let near = byVariable.keys.sorted().first { EditDistance.of($0, name) <= 2 }
                guard let near else { continue }
                problems.append(
                    ConfigurationProblem(source: .variable(name), message: "is no setting; did you mean \(near)?"))
            }
        }
        return layer
    }

    private func fileLayer(
        _ file: ConfigurationFile?, _ problems: inout [ConfigurationProblem]
    ) -> [String: Origin] {
        var layer: [String: Origin] = [:]
        guard let file else { return layer }
        for entry in file.entries {
            add(entry.key, entry.text, .file(file.path, line: entry.line), splitting: false, to: &layer, &problems)
        }
        return layer
    }

    private func add(
        _ key: String, _ text: SettingText, _ source: ConfigurationProblem.Source, splitting: Bool,
        to layer: inout [String: Origin], _ problems: inout [ConfigurationProblem]
    ) {
        func refuse(_ message: String) {
            problems.append(ConfigurationProblem(source: source, message: message))
        }
        guard let setting = Settings.byKey[key] else {
            if Settings.sections.contains(where: { $0.name == key }) {
                return text == .one("") ? () : refuse("\(key) is a section: its keys stand below it, indented")
            }
            let hint = Settings.suggestion(for: key).map { "; did you mean \($0)?" } ?? ""
            return refuse("unknown key \(quoted(key))\(hint)")
        }
        guard layer[key] == nil else { return refuse("\(key) is said more than once") }
        switch (text, setting.isList) {
        case (.one(let word), false): layer[key] = Origin(source: source, text: .one(word))
        case (.many(let words), true): layer[key] = Origin(source: source, text: .many(words))
        case (.one(let word), true):
            guard splitting else { return refuse("\(key) must be a list, as in [a, b]") }
            let words = word.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
            layer[key] = Origin(source: source, text: .many(words))
        case (.many, false): refuse("\(key) must be one value (\(setting.kind)), not a list")
        }
    }
}

extension [String: ConfigurationSources.Origin] {
    /// The form that the configuration reader looks values up in.
    fileprivate func mapValuesAndKeys() -> [AbsoluteConfigKey: ConfigValue] {
        var values: [AbsoluteConfigKey: ConfigValue] = [:]
        for (key, origin) in self {
            let content: ConfigContent =
                switch origin.text {
                case .one(let word): .string(word)
                case .many(let words): .stringArray(words)
                }
            values[AbsoluteConfigKey(key.split(separator: ".").map(String.init))] = ConfigValue(
                content, isSecret: false)
        }
        return values
    }
}

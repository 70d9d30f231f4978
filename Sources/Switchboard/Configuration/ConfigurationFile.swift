import Foundation
import Yams

/// What a configuration file says, by key, and on which line. Nothing is understood yet.
struct ConfigurationFile: Sendable {
    struct Entry: Sendable, Equatable {
        let key: String
        let text: SettingText
        let line: Int?
    }
    let path: String
    let entries: [Entry]

    /// Bytes of a file, and entries in it. Aliases can make a short file a long one.
    private static let byteLimit = 1 << 20
    private static let entryLimit = 5_000

    /// Reads a file of the disk.
    init(path: String) throws(ConfigurationProblem) {
        func unreadable(_ reason: String) -> ConfigurationProblem {
            ConfigurationProblem(source: .file(path, line: nil), message: reason)
        }
        guard let handle = FileHandle(forReadingAtPath: path) else { throw unreadable("can't be read") }
        let data: Foundation.Data
        do {
            data = try handle.read(upToCount: Self.byteLimit + 1) ?? Foundation.Data()
            try handle.close()
        } catch {
            throw unreadable("can't be read: \(error.localizedDescription)")
        }
        guard let text = String(validating: data, as: UTF8.self) else { throw unreadable("is not UTF-8") }
        try self.init(text, path: path)
    }

    /// Reads the text of a file. Total.
    init(_ text: String, path: String) throws(ConfigurationProblem) {
        func problem(_ message: String, _ line: Int?) -> ConfigurationProblem {
            ConfigurationProblem(source: .file(path, line: line), message: message)
        }
        guard text.utf8.count <= Self.byteLimit else { throw problem("is larger than 1 MiB", nil) }
        self.path = path
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch let error as YamlError {
            throw Self.problem(error, path)
        } catch {
            throw problem("is not YAML: \(error)", nil)
        }
        guard let root else {
            entries = []
            return
        }
        var entries: [Entry] = []
        // A file in which everything is commented out is null to YAML.
        if let scalar = root.scalar, scalar.string.isEmpty || scalar.string == "~" || scalar.string == "null" {
            self.entries = []
            return
        }
        guard let mapping = root.mapping else {
            throw problem("must hold keys and values, as in “http:”", root.mark?.line)
        }
        var waiting = mapping.reversed().map { (prefix: "", key: $0.key, value: $0.value) }
        while let next = waiting.popLast() {
            guard entries.count + waiting.count < Self.entryLimit else { throw problem("has too many keys", nil) }
            let line = next.key.mark?.line
            guard let name = next.key.scalar?.string else { throw problem("a key must be a word", line) }
            let key = next.prefix + name
            switch next.value {
            case .mapping(let inner):
                guard key.utf8.filter({ $0 == UInt8(ascii: ".") }).count < 8 else {
                    throw problem("\(quoted(key)) is nested too deeply", line)
                }
                for (innerKey, value) in inner.reversed() { waiting.append((key + ".", innerKey, value)) }
            case .sequence(let elements):
                var words: [String] = []
                for element in elements {
                    guard let word = element.scalar?.string else {
                        throw problem("\(quoted(key)): a list holds words and numbers only", element.mark?.line ?? line)
                    }
                    words.append(word)
                }
                entries.append(Entry(key: key, text: .many(words), line: line))
            case .scalar(let scalar): entries.append(Entry(key: key, text: .one(scalar.string), line: line))
            case .alias: throw problem("\(quoted(key)): aliases are not used here", line)
            }
        }
        self.entries = entries
    }

    private static func problem(_ error: YamlError, _ path: String) -> ConfigurationProblem {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            ConfigurationProblem(source: .file(path, line: mark.line), message: "is not YAML: \(problem)")
        case .duplicatedKeysInMapping(let duplicates, let context):
            ConfigurationProblem(
                source: .file(path, line: context.mark.line),
                message: "says \(duplicates.map(quoted).joined(separator: ", ")) more than once")
        default: ConfigurationProblem(source: .file(path, line: nil), message: "is not YAML: \(error)")
        }
    }
}

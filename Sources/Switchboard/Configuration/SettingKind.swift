import NIOCore

/// What a configuration file, the environment or a flag says for one key, before it is understood.
enum SettingText: Sendable, Equatable {
    case one(String)
    case many([String])
}

/// Why a text is no value of a setting, as the end of a sentence that begins with the key.
struct SettingRefusal: Error, Equatable {
    let reason: String
}

/// A kind of value: how it is read, how it is written, and how it is described to people.
struct SettingKind<Value: Sendable>: Sendable {
    /// As in «whole number, 1 to 65535».
    let description: String
    let isList: Bool
    let parse: @Sendable (SettingText) throws(SettingRefusal) -> Value
    /// The value as it stands in a YAML file.
    let show: @Sendable (Value) -> String

    init(
        _ description: String, isList: Bool = false,
        parse: @escaping @Sendable (SettingText) throws(SettingRefusal) -> Value,
        show: @escaping @Sendable (Value) -> String
    ) {
        self.description = description
        self.isList = isList
        self.parse = parse
        self.show = show
    }

    /// A kind that is written as one scalar.
    init(
        one description: String, parse: @escaping @Sendable (String) throws(SettingRefusal) -> Value,
        show: @escaping @Sendable (Value) -> String
    ) {
        self.init(
            description,
            parse: { (text) throws(SettingRefusal) in
                guard case .one(let word) = text else {
                    throw SettingRefusal(reason: "must be one value (\(description)), not a list")
                }
                return try parse(word)
            }, show: show)
    }

    /// A list of this kind; in the environment and in flags its elements are separated by commas.
    var list: SettingKind<[Value]> {
        SettingKind<[Value]>(
            "list of: \(description)", isList: true,
            parse: { (text) throws(SettingRefusal) in
                guard case .many(let words) = text else { throw SettingRefusal(reason: "must be a list") }
                var values: [Value] = []
                for word in words { values.append(try parse(.one(word))) }
                return values
            },
            show: { values in "[" + values.map(show).joined(separator: ", ") + "]" })
    }

    /// This kind, or `none`.
    var optional: SettingKind<Value?> {
        SettingKind<Value?>(
            "\(description), or none",
            parse: { (text) throws(SettingRefusal) in text == .one("none") ? nil : try parse(text) },
            show: { $0.map(show) ?? "none" })
    }
}

extension SettingKind where Value == Int {
    static func integer(_ range: ClosedRange<Int>, _ unit: String = "") -> Self {
        let bounds = "\(range.lowerBound) to \(range.upperBound)" + (unit.isEmpty ? "" : " \(unit)")
        return SettingKind(one: "whole number, \(bounds)") { (word) throws(SettingRefusal) in
            guard let number = Int(word) else {
                throw SettingRefusal(reason: "must be a whole number, not \(quoted(word))")
            }
            guard range.contains(number) else {
                throw SettingRefusal(reason: "must be \(bounds), not \(number)")
            }
            return number
        } show: {
            "\($0)"
        }
    }

    /// A size in bytes: `65536`, `64 KiB`, `1 MiB`.
    static func bytes(_ range: ClosedRange<Int>) -> Self {
        let bounds = "\(ByteSize.text(range.lowerBound)) to \(ByteSize.text(range.upperBound))"
        return SettingKind(one: "size, \(bounds)") { (word) throws(SettingRefusal) in
            guard let size = ByteSize.parse(word) else {
                throw SettingRefusal(reason: "must be a size such as 64 KiB, not \(quoted(word))")
            }
            guard range.contains(size) else {
                throw SettingRefusal(reason: "must be \(bounds), not \(ByteSize.text(size))")
            }
            return size
        } show: {
            ByteSize.text($0)
        }
    }
}

extension SettingKind where Value == Double {
    static func decimal(_ range: ClosedRange<Double>, _ unit: String) -> Self {
        let bounds = "\(plain(range.lowerBound)) to \(plain(range.upperBound)) \(unit)"
        return SettingKind(one: "number, \(bounds)") { (word) throws(SettingRefusal) in
            guard let number = Double(word), number.isFinite else {
                throw SettingRefusal(reason: "must be a number, not \(quoted(word))")
            }
            guard range.contains(number) else {
                throw SettingRefusal(reason: "must be \(bounds), not \(plain(number))")
            }
            return number
        } show: {
            plain($0)
        }
    }

    private static func plain(_ number: Double) -> String {
        number == number.rounded() && abs(number) < 1e15 ? "\(Int64(number))" : "\(number)"
    }
}

extension SettingKind where Value == Bool {
    static var flag: Self {
        SettingKind(one: "true or false") { (word) throws(SettingRefusal) in
            switch word.lowercased() {
            case "true", "yes", "on", "1": return true
            case "false", "no", "off", "0": return false
            default: throw SettingRefusal(reason: "must be true or false, not \(quoted(word))")
            }
        } show: {
            $0 ? "true" : "false"
        }
    }
}

extension SettingKind where Value == TimeAmount {
    /// A duration: `500 ms`, `30 s`, `10 min`, `24 h`, `7 d`.
    static func duration(_ range: ClosedRange<TimeAmount>) -> Self {
        let bounds = "\(DurationText.text(range.lowerBound)) to \(DurationText.text(range.upperBound))"
        return SettingKind(one: "duration, \(bounds)") { (word) throws(SettingRefusal) in
            guard let amount = DurationText.parse(word) else {
                throw SettingRefusal(reason: "must be a duration such as 30 s, not \(quoted(word))")
            }
            guard range.contains(amount) else {
                throw SettingRefusal(reason: "must be \(bounds), not \(DurationText.text(amount))")
            }
            return amount
        } show: {
            DurationText.text($0)
        }
    }
}

extension SettingKind where Value == String {
    /// A text that a check accepts; the check gives the reason of its refusal.
    static func text(
        _ description: String, check: @escaping @Sendable (String) -> String? = { _ in nil }
    ) -> Self {
        SettingKind(one: description) { (word) throws(SettingRefusal) in
            guard !word.isEmpty, word.utf8.count <= 4_096, !word.utf8.contains(0) else {
                throw SettingRefusal(reason: "must not be empty, or longer than 4 KiB")
            }
            if let reason = check(word) { throw SettingRefusal(reason: reason) }
            return word
        } show: {
            YAMLText.scalar($0)
        }
    }
}

extension SettingKind {
    static func choice(_ type: Value.Type) -> Self
    where Value: CaseIterable & RawRepresentable, Value.RawValue == String {
        let names = type.allCases.map(\.rawValue)
        return SettingKind(one: names.joined(separator: ", ")) { (word) throws(SettingRefusal) in
            guard let value = Value(rawValue: word) else {
                throw SettingRefusal(
                    reason: "must be one of \(names.joined(separator: ", ")), not \(quoted(word))")
            }
            return value
        } show: {
            $0.rawValue
        }
    }
}

/// A foreign text in a message for people: short, on one line.
func quoted(_ text: String) -> String {
    let short = text.unicodeScalars.prefix(60)
    var shown = "“"
    for scalar in short {
        shown.unicodeScalars.append(
            scalar.properties.generalCategory == .control || scalar == "\u{2028}" || scalar == "\u{2029}" ? "�" : scalar
        )
    }
    return shown + (short.count < text.unicodeScalars.count ? "…”" : "”")
}

/// Something in the configuration that the server does not accept, and where it stands.
struct ConfigurationProblem: Error, Hashable, CustomStringConvertible {
    /// Where a value comes from.
    enum Source: Hashable, CustomStringConvertible {
        case file(String, line: Int?)
        case variable(String)
        case flag(String)
        /// What several keys say together.
        case whole

        var description: String {
            switch self {
            case .file(let path, let line): line.map { "\(path):\($0)" } ?? path
            case .variable(let name): name
            case .flag(let flag): flag
            case .whole: "configuration"
            }
        }
    }
    let source: Source
    let message: String

    var description: String { "\(source): \(message)" }
}

/// All problems of one configuration.
struct ConfigurationRefusal: Error, CustomStringConvertible {
    let problems: [ConfigurationProblem]

    var description: String { problems.map(\.description).joined(separator: "\n") }
}

import WireJSON

/// What a measurement found: for people in lines, for programs as one object.
struct BenchReport: Sendable {
    private(set) var rows: [(name: String, label: String, value: Double, unit: String)] = []
    let title: String

    init(_ title: String) { self.title = title }

    mutating func add(_ name: String, _ label: String, _ value: Double, _ unit: String) {
        rows.append((name, label, value, unit))
    }

    /// Percentiles of durations in nanoseconds, as milliseconds.
    mutating func add(latencies: [Int64]) {
        guard !latencies.isEmpty else { return }
        let sorted = latencies.sorted()
        for (name, share) in [("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("max", 1.0)] {
            add("\(name)Milliseconds", name, Double(BenchReport.percentile(sorted, share)) / 1_000_000, "ms")
        }
    }

    /// Nearest rank.
    static func percentile(_ sorted: [Int64], _ share: Double) -> Int64 {
        guard !sorted.isEmpty else { return 0 }
        let rank = Int((share * Double(sorted.count)).rounded(.up)) - 1
        return sorted[min(max(rank, 0), sorted.count - 1)]
    }

    /// What both sides took of the processors.
    mutating func add(server: Double?, generator: Double) {
        if let server { add("serverCPUSeconds", "server CPU", server, "s") }
        add("generatorCPUSeconds", "generator CPU", generator, "s")
    }

    func text(configuration: String?) -> String {
        let width = rows.map(\.label.count).max() ?? 0
        let lines = rows.map { "  \($0.label.padded(to: width))  \(BenchReport.number($0.value)) \($0.unit)" }
        let file = configuration.map { text in
            ["", "The server's configuration file:", ""] + text.split(separator: "\n").map { "  \($0)" }
        }
        return ([title] + lines + (file ?? [])).joined(separator: "\n") + "\n"
    }

    func json(configuration: String?) -> String {
        let buffer = JSONWriter.write { writer in
            writer.object { writer in
                writer.field("benchmark", title)
                for row in rows {
                    writer.key(string: row.name)
                    writer.double(row.value)
                }
                writer.field("configuration", configuration)
            }
        }
        return String(buffer: buffer)
    }

    private static func number(_ value: Double) -> String {
        if value >= 1_000 || value == value.rounded() { return grouped(Int64(value.rounded())) }
        let digits = value < 0.1 ? 10_000.0 : 100
        let scaled = (value * digits).rounded() / digits
        return "\(scaled)"
    }

    private static func grouped(_ number: Int64) -> String {
        var digits = String(number)
        var groups: [String] = []
        while digits.count > 3 {
            groups.insert(String(digits.suffix(3)), at: 0)
            digits = String(digits.dropLast(3))
        }
        return ([digits] + groups).joined(separator: ",")
    }
}

import Foundation
import Glibc
import Logging
import Synchronization
import WireJSON

/// The log lines of this process: where they go, in which form, and from which level on.
///
/// *Lives on* no loop: the level is an atomic, each line is one write to standard error.
final class ServerLog: Sendable {
    let format: ServerConfiguration.Log.Format
    private let levelIndex: Atomic<Int>

    init(format: ServerConfiguration.Log.Format, level: Logger.Level) {
        self.format = format
        levelIndex = Atomic(ServerLog.index(level))
    }

    var level: Logger.Level {
        get {
            let index = levelIndex.load(ordering: .relaxed)
            return Logger.Level.allCases.indices.contains(index) ? Logger.Level.allCases[index] : .info
        }
        set { levelIndex.store(ServerLog.index(newValue), ordering: .relaxed) }
    }

    private static func index(_ level: Logger.Level) -> Int { Logger.Level.allCases.firstIndex(of: level) ?? 2 }

    func logger(_ label: String) -> Logger {
        Logger(label: label) { Handler(label: $0, log: self) }
    }

    /// A line as it is written, without its end.
    static func line(
        _ format: ServerConfiguration.Log.Format, time: String, level: Logger.Level, label: String, message: String,
        metadata: [(String, String)]
    ) -> String {
        switch format {
        case .text:
            let name = label.hasPrefix("switchboard.") ? String(label.dropFirst(12)) : label
            var line = "\(time) \(level.rawValue.padded(to: 8)) \(name): \(printable(message))"
            for (key, value) in metadata {
                let text = printable(value)
                line += " \(key)=" + (text.contains(" ") || text.isEmpty ? "\"\(text)\"" : text)
            }
            return line
        case .json:
            let buffer = JSONWriter.write { writer in
                writer.object { writer in
                    writer.field("time", time)
                    writer.field("level", level.rawValue)
                    writer.field("source", label)
                    writer.field("message", message)
                    for (key, value) in metadata where !["time", "level", "source", "message"].contains(key) {
                        writer.key(string: key)
                        writer.string(value)
                    }
                }
            }
            return String(buffer: buffer)
        }
    }

    /// Foreign texts must not forge lines or move the cursor of whoever reads the log.
    static func printable(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isControl) else { return text }
        var clean = String.UnicodeScalarView()
        for scalar in text.unicodeScalars { clean.append(isControl(scalar) ? "�" : scalar) }
        return String(clean)
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || scalar.value == 0x2028 || scalar.value == 0x2029
    }

    /// RFC 3339 in UTC, with milliseconds.
    static func timestamp() -> String {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        var parts = tm()
        var seconds = now.tv_sec
        gmtime_r(&seconds, &parts)
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let milliseconds = now.tv_nsec / 1_000_000
        let fraction =
            milliseconds < 10 ? "00\(milliseconds)" : milliseconds < 100 ? "0\(milliseconds)" : "\(milliseconds)"
        return """
            \(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))T\
            \(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)).\(fraction)Z
            """
    }

    private struct Handler: LogHandler {
        let label: String
        let log: ServerLog
        var metadata: Logger.Metadata = [:]
        var metadataProvider: Logger.MetadataProvider?

        var logLevel: Logger.Level {
            get { log.level }
            // The level is the process's, not a logger's own.
            set { _ = newValue }
        }

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: Logging.LogEvent) {
            var all = metadata
            if let more = event.metadata { all.merge(more) { $1 } }
            let fields = all.sorted { $0.key < $1.key }.map { ($0.key, "\($0.value)") }
            let line = ServerLog.line(
                log.format, time: ServerLog.timestamp(), level: event.level, label: label, message: "\(event.message)",
                metadata: fields)
            writeFully(line + "\n", to: STDERR_FILENO)
        }
    }
}

import Foundation
import GatewayKit
import Glibc
import Hub

/// A text in Prometheus' exposition format 0.0.4, made line by line.
struct MetricsText {
    private(set) var text = ""

    enum Kind: String { case counter, gauge }

    /// A metric with one value.
    mutating func add(_ name: String, _ kind: Kind, _ help: String, _ value: Double) {
        add(name, kind, help, label: nil, [("", value)])
    }

    /// A metric with a value for each of a bounded set of labels.
    ///
    /// - Parameter label: the label's name; its values must come from a closed list, never from a client.
    mutating func add(_ name: String, _ kind: Kind, _ help: String, label: String?, _ values: [(String, Double)]) {
        text += "# HELP \(name) \(MetricsText.escaped(help, quotes: false))\n# TYPE \(name) \(kind.rawValue)\n"
        for (value, number) in values {
            let labels = label.map { "{\($0)=\"\(MetricsText.escaped(value, quotes: true))\"}" } ?? ""
            text += "\(name)\(labels) \(MetricsText.number(number))\n"
        }
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        let plain = text.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
        return quotes ? plain.replacing("\"", with: "\\\"") : plain
    }

    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        return value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)"
    }
}

/// What the server knows of itself, at one moment.
struct ServerFigures {
    var sessions = 0
    var waiting = 0
    var position: Int64 = 0
    var epoch: Int64 = 0
    var door = DoorMetrics().snapshot
    var databaseBytes = 0
    var uptime = 0.0
    var isReady = false
    var process = ProcessFigures()

    var metrics: String {
        var metrics = MetricsText()
        metrics.add(
            "switchboard_info", .gauge, "The version that runs.", label: "version", [(Version.text, 1)])
        metrics.add("switchboard_ready", .gauge, "Whether the server takes clients.", isReady ? 1 : 0)
        metrics.add("switchboard_uptime_seconds", .gauge, "Since the start.", uptime)
        metrics.add("switchboard_sessions", .gauge, "Sessions over all doors.", Double(sessions))
        metrics.add("switchboard_lane_waiting", .gauge, "Work that waits to be written.", Double(waiting))
        metrics.add("switchboard_log_position", .counter, "Durable changes in the log.", Double(position))
        metrics.add("switchboard_log_epoch", .gauge, "Changes when the log was restored.", Double(epoch))
        metrics.add("switchboard_database_bytes", .gauge, "Files of the database.", Double(databaseBytes))
        addDoor(&metrics)
        metrics.add("process_resident_memory_bytes", .gauge, "Resident memory.", Double(process.residentBytes))
        metrics.add("process_cpu_seconds_total", .counter, "Processor time.", process.cpuSeconds)
        metrics.add("process_open_fds", .gauge, "Open file descriptors.", Double(process.openFiles))
        metrics.add("process_max_fds", .gauge, "Limit of file descriptors.", Double(process.maximumFiles))
        return metrics.text
    }

    private func addDoor(_ metrics: inout MetricsText) {
        metrics.add(
            "switchboard_connections_total", .counter, "Connections accepted.", Double(door.connectionsAccepted))
        metrics.add("switchboard_connections", .gauge, "Connections open.", Double(door.connectionsOpen))
        metrics.add("switchboard_requests_total", .counter, "HTTP requests.", Double(door.requests))
        metrics.add(
            "switchboard_streams_opened_total", .counter, "Long answers begun.", label: "kind",
            [("websocket", Double(door.webSocketsOpened)), ("events", Double(door.streamsOpened))])
        metrics.add(
            "switchboard_streams", .gauge, "Long answers open.", label: "kind",
            [("websocket", Double(door.webSocketsOpen)), ("events", Double(door.streamsOpen))])
        metrics.add(
            "switchboard_received_bytes_total", .counter, "Bytes from clients, without TLS.",
            Double(door.bytesReceived))
        metrics.add("switchboard_sent_bytes_total", .counter, "Bytes to clients, without TLS.", Double(door.bytesSent))
        metrics.add(
            "switchboard_messages_received_total", .counter, "WebSocket messages from clients.",
            Double(door.messagesReceived))
        metrics.add(
            "switchboard_outbound_queued_bytes", .gauge, "Bytes that wait for clients which do not keep up.",
            Double(door.outboundQueued))
        metrics.add(
            "switchboard_refused_total", .counter, "What was turned away at the door.", label: "reason",
            DoorRefusal.allCases.map { ($0.rawValue, Double(door.refused[$0] ?? 0)) })
    }
}

/// What the kernel knows of this process.
struct ProcessFigures {
    var residentBytes = 0
    var cpuSeconds = 0.0
    var openFiles = 0
    var maximumFiles = 0

    static func now() -> ProcessFigures {
        var figures = ProcessFigures()
        figures.residentBytes = residentBytes(of: nil)
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        figures.cpuSeconds = seconds(usage.ru_utime) + seconds(usage.ru_stime)
        do {
            figures.openFiles = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
        } catch {
            figures.openFiles = 0
        }
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            figures.maximumFiles = Int(clamping: limit.rlim_cur)
        }
        return figures
    }

    private static func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1_000_000 }

    /// Of a process, or of this one. 0 where the system does not say.
    static func residentBytes(of process: Int32?) -> Int {
        let path = "/proc/\(process.map(String.init) ?? "self")/statm"
        guard let data = FileManager.default.contents(atPath: path) else { return 0 }
        let words = String(decoding: data, as: UTF8.self).split(separator: " ")
        guard words.count > 1, let pages = Int(words[1]) else { return 0 }
        return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    }

    /// Processor seconds of a process so far.
    static func cpuSeconds(of process: Int32) -> Double {
        guard let data = FileManager.default.contents(atPath: "/proc/\(process)/stat") else { return 0 }
        // The name may hold spaces; the fields after its bracket do not. proc(5): utime and stime are 14 and 15.
        let text = String(decoding: data, as: UTF8.self)
        guard let end = text.lastIndex(of: ")") else { return 0 }
        let fields = text[end...].split(separator: " ")
        guard fields.count > 13, let user = Double(fields[12]), let system = Double(fields[13]) else { return 0 }
        return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }
}

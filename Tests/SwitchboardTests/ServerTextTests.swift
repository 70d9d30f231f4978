import GatewayKit
import Hub
import Logging
import SwitchboardClient
import Testing
import WireJSON

@testable import Switchboard

/// What people and programs read from a server: the first screen, the figures, the log lines, the figures of `bench`.
struct ServerTextTests {
    private func screen(link: String? = nil, tokens: [String] = [], fingerprint: String? = nil) -> WelcomeScreen {
        WelcomeScreen(
            address: fingerprint == nil ? "http://127.0.0.1:8080" : "https://127.0.0.1:8080",
            listening: ["127.0.0.1:8080"], serverName: "localhost", dataDirectory: "switchboard-data",
            administratorLink: link, guestTokens: tokens, fingerprint: fingerprint, startup: 42)
    }

    @Test func theScreenSaysWhereTheServerIs() {
        let text = screen().text
        #expect(text.contains("ready at http://127.0.0.1:8080   (42 ms)"))
        #expect(text.contains("switchboard-data"))
        #expect(!text.contains("administrator"))
        #expect(!text.contains("Bearer"))
    }

    @Test func theAdministratorsSecretStandsInTheFragmentAndInTheBody() {
        let text = screen(link: "http://127.0.0.1:8080/#sba_secret").text
        #expect(text.contains("    http://127.0.0.1:8080/#sba_secret\n"))
        #expect(text.contains("/v1/redeem -d '{\"secret\":\"sba_secret\",\"handle\":\"NAME\""))
    }

    @Test func theLinesToCopyCarryTheirTokens() {
        let text = screen(tokens: ["sbd_one", "sbd_two"]).text
        #expect(text.contains("curl -N -H 'Authorization: Bearer sbd_one' http://127.0.0.1:8080/v1/stream"))
        #expect(text.contains("{\"type\":\"hello\",\"token\":\"sbd_two\"}"))
        #expect(text.contains("python3 -m websockets ws://127.0.0.1:8080/v1/socket"))
        #expect(text.contains("switchboard chat --url http://127.0.0.1:8080\n"))
        let secure = screen(tokens: ["a", "b"], fingerprint: "AA:BB").text
        #expect(secure.contains("curl --insecure -N"))
        #expect(secure.contains("AA:BB"))
        #expect(secure.contains("wss://127.0.0.1:8080/v1/socket"))
    }

    @Test func noLineOfTheScreenHasTrailingSpace() {
        for line in screen(link: "x/#y", tokens: ["a", "b"]).text.split(separator: "\n") { #expect(line.last != " ") }
    }

    @Test func theScreenForProgramsIsOneLineOfJSON() throws {
        let line = screen(link: "http://x/#s", tokens: ["a", "b"]).json
        #expect(!line.contains("\n"))
        let value = try JSONValue(parsing: line)
        #expect(value["event"] == "ready")
        #expect(value["address"] == "http://127.0.0.1:8080")
        #expect(value["administratorLink"] == "http://x/#s")
        #expect(value["guestTokens"] == ["a", "b"])
    }

    // MARK: Figures

    /// The exposition format 0.0.4: HELP and TYPE once per metric, before its samples.
    @Test func theFiguresAreInPrometheusFormat() {
        var figures = ServerFigures()
        figures.sessions = 3
        figures.door.refused[.origin] = 7
        figures.door.bytesSent = 1 << 40
        var types: [String: String] = [:]
        var samples: [String: String] = [:]
        for line in figures.metrics.split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            if line.hasPrefix("# TYPE ") {
                #expect(types[words[2]] == nil, "\(words[2])")
                types[words[2]] = words[3]
            } else if !line.hasPrefix("#") {
                #expect(words.count == 2, "\(line)")
                let name = String(words[0].prefix { $0 != "{" })
                #expect(types[name] != nil, "\(line)")
                #expect(Double(words[1]) != nil, "\(line)")
                samples[words[0]] = words[1]
            }
        }
        #expect(samples["switchboard_sessions"] == "3")
        #expect(samples["switchboard_refused_total{reason=\"origin\"}"] == "7")
        #expect(samples["switchboard_sent_bytes_total"] == "1099511627776")
        for (name, type) in types where name.hasSuffix("_total") { #expect(type == "counter", "\(name)") }
    }

    /// A label's values come from closed lists, whatever clients did.
    @Test func theLabelsAreBounded() {
        var figures = ServerFigures()
        let quiet = figures.metrics.split(separator: "\n").count
        for refusal in DoorRefusal.allCases { figures.door.refused[refusal] = 1_000_000 }
        figures.sessions = 1_000_000
        #expect(figures.metrics.split(separator: "\n").count == quiet)
        let labels = figures.metrics.matches(of: /\{([a-z]+)=/).map { String($0.1) }
        #expect(Set(labels) == ["version", "kind", "reason"])
    }

    @Test func helpAndLabelsAreEscaped() {
        var metrics = MetricsText()
        metrics.add("a", .gauge, "line\nbreak \\ \"", label: "l", [("x\"y\\z\n", .infinity), ("n", .nan), ("m", 0.5)])
        #expect(
            metrics.text == """
                # HELP a line\\nbreak \\\\ "
                # TYPE a gauge
                a{l="x\\"y\\\\z\\n"} +Inf
                a{l="n"} NaN
                a{l="m"} 0.5

                """)
    }

    // MARK: Log lines

    @Test func aLogLineCanNotBeForged() {
        let line = ServerLog.line(
            .text, time: "T", level: .info, label: "switchboard.door", message: "hello\nT info forged",
            metadata: [("who", "a b"), ("x", "\u{1B}[31m"), ("empty", "")])
        #expect(line == "T info     door: hello�T info forged who=\"a b\" x=�[31m empty=\"\"")
    }

    @Test func aLogLineForProgramsIsAnObject() throws {
        let line = ServerLog.line(
            .json, time: "T", level: .warning, label: "switchboard.door", message: "a\nb",
            metadata: [("client", "10.0.0.1"), ("message", "forged")])
        #expect(!line.contains("\n"))
        let value = try JSONValue(parsing: line)
        #expect(value["level"] == "warning")
        #expect(value["message"] == "a\nb")
        #expect(value["client"] == "10.0.0.1")
    }

    @Test func timesAreInUTC() {
        #expect(ServerLog.timestamp().wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil)
    }

    @Test func theLevelCanChange() {
        let log = ServerLog(format: .text, level: .error)
        var logger = log.logger("x")
        #expect(logger.logLevel == .error)
        log.level = .debug
        #expect(logger.logLevel == .debug)
        logger.logLevel = .trace
        #expect(logger.logLevel == .debug)
    }

    @Test func failuresHaveTheirExitCodes() {
        #expect(Failure(StoreError.unavailable("in use")).code.rawValue == 75)
        #expect(Failure(StoreError.damaged("x")).code.rawValue == 65)
        #expect(Failure(ClientError.unreachable("x")).code.rawValue == 69)
        #expect(
            Failure(ClientError.rejected(code: "unauthenticated", message: "", retryAfter: nil)).code.rawValue == 77)
        #expect(Failure(ClientError.rejected(code: "rate-limited", message: "", retryAfter: 1)).code.rawValue == 75)
    }

    // MARK: Tables and reports

    @Test func tablesAreAsWideAsTheirWidestCell() {
        #expect(AccountList.table([["A", "B"], ["日本", "x"], ["c", ""]]) == "A     B\n日本  x\nc\n")
    }

    @Test func percentilesAreByNearestRank() {
        let numbers = (1...100).map { Int64($0) }
        #expect(BenchReport.percentile(numbers, 0.5) == 50)
        #expect(BenchReport.percentile(numbers, 0.99) == 99)
        #expect(BenchReport.percentile(numbers, 1) == 100)
        #expect(BenchReport.percentile([7], 0.01) == 7)
        #expect(BenchReport.percentile([], 0.5) == 0)
    }

    @Test func aReportIsForPeopleAndForPrograms() throws {
        var report = BenchReport("a test")
        report.add("postsPerSecond", "rate", 12_345.6, "per second")
        report.add(latencies: [1_000_000, 2_000_000])
        #expect(report.text(configuration: "a: b").contains("rate  12,346 per second"))
        #expect(report.text(configuration: "a: b").contains("  a: b\n"))
        let value = try JSONValue(parsing: report.json(configuration: nil))
        #expect(value["postsPerSecond"] == 12_345.6)
        #expect(value["p50Milliseconds"] == 1.0)
    }

    /// The configuration that `bench` prints is one that the server takes, and only raises limits.
    @Test func theConfigurationOfABenchIsOrdinary() throws {
        let file = try ConfigurationFile(BenchTarget.configurationText, path: "bench")
        let result = try ConfigurationSources().merge(file)
        for key in result.origins.keys {
            #expect(key.hasPrefix("limits.") || key.hasPrefix("door.") || key == "server.name", "\(key)")
        }
    }
}

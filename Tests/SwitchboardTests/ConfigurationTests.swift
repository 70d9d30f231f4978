import Foundation
import GatewayKit
import Testing

@testable import Switchboard

/// How a configuration is put together from file, environment and flags.
struct ConfigurationTests {
    private func read(
        _ yaml: String? = nil, environment: [String: String] = [:], flags: [(String, String)] = []
    ) throws -> ServerConfiguration {
        let sources = ConfigurationSources(
            environment: environment, flags: flags.map { (key: $0.0, value: $0.1, flag: "--set \($0.0)") })
        return try sources.merge(yaml.map { try ConfigurationFile($0, path: "switchboard.yaml") }).configuration
    }

    private func problems(
        _ yaml: String? = nil, environment: [String: String] = [:], flags: [(String, String)] = []
    ) -> [String] {
        do {
            _ = try read(yaml, environment: environment, flags: flags)
            return []
        } catch let refusal as ConfigurationRefusal {
            return refusal.problems.map(\.description)
        } catch {
            return ["\(error)"]
        }
    }

    @Test func nothingGivesTheDefaults() throws {
        #expect(try read() == ServerConfiguration())
        #expect(try read("") == ServerConfiguration())
        #expect(try read("# nothing\n") == ServerConfiguration())
        #expect(try read("http:\nlog:\n") == ServerConfiguration())
    }

    @Test func flagsGoBeforeTheEnvironmentAndThatBeforeTheFile() throws {
        let yaml = "http: { port: 1001 }\nlog: { level: debug }\nserver: { name: file.example }\n"
        let environment = ["SWITCHBOARD_HTTP_PORT": "1002", "SWITCHBOARD_LOG_LEVEL": "error"]
        let all = try read(yaml, environment: environment, flags: [("http.port", "1003")])
        #expect(all.http.port == 1_003)
        #expect(all.log.level == .error)
        #expect(all.server.name == "file.example")
    }

    @Test func everyKeyHasItsVariable() throws {
        for setting in Settings.all {
            #expect(
                setting.variable.utf8.allSatisfy {
                    (0x41...0x5A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F
                })
        }
        #expect(Set(Settings.all.map(\.variable)).count == Settings.all.count)
        #expect(Settings.byKey["door.ping-after"]?.variable == "SWITCHBOARD_DOOR_PING_AFTER")
    }

    @Test func listsAreSeparatedByCommasOutsideTheFile() throws {
        #expect(try read(environment: ["SWITCHBOARD_HTTP_BIND": "127.0.0.1, ::1"]).http.bind == ["127.0.0.1", "::1"])
        #expect(try read("http: { bind: ['::1', 10.0.0.1] }").http.bind == ["::1", "10.0.0.1"])
        #expect(try read(flags: [("proxy.trusted", "")]).proxy.trusted.isEmpty)
    }

    @Test func unknownKeysAreRefusedWithLineAndSuggestion() {
        #expect(
            problems("http:\n  port: 8080\n  prot: 1\n") == [
                "switchboard.yaml:3: unknown key “http.prot”; did you mean http.port?"
            ])
        #expect(problems("nonsense: 1\n") == ["switchboard.yaml:1: unknown key “nonsense”"])
        #expect(
            problems(flags: [("htp.port", "1")]) == ["--set htp.port: unknown key “htp.port”; did you mean http.port?"])
        #expect(
            problems(environment: ["SWITCHBOARD_HTTP_PROT": "1"]) == [
                "SWITCHBOARD_HTTP_PROT: is no setting; did you mean SWITCHBOARD_HTTP_PORT?"
            ])
    }

    @Test func otherVariablesWithOurPrefixAreLeftAlone() throws {
        let environment = [
            "SWITCHBOARD_TOKEN": "x", "SWITCHBOARD_URL": "y", "SWITCHBOARD_BINARY": "/bin/x", "PATH": "/bin",
        ]
        #expect(try read(environment: environment) == ServerConfiguration())
    }

    @Test(arguments: [
        ("http: { port: eighty }", "http.port must be a whole number, not “eighty”"),
        ("http: { port: 70000 }", "http.port must be 0 to 65535, not 70000"),
        ("http: { port: [1, 2] }", "http.port must be one value (whole number, 0 to 65535), not a list"),
        ("http: { bind: 127.0.0.1 }", "http.bind must be a list, as in [a, b]"),
        ("http: { bind: [not an address] }", "http.bind must be an address such as 127.0.0.1, not “not an address”"),
        ("http: 8080", "http is a section: its keys stand below it, indented"),
        (
            "log: { level: loud }",
            "log.level must be one of trace, debug, info, notice, warning, error, critical, not “loud”"
        ),
        ("door: { ping-after: 30 }", "door.ping-after must be a duration such as 30 s, not “30”"),
        ("door: { ping-after: 2 d }", "door.ping-after must be 1 s to 1 h, not 48 h"),
        ("limits: { text-bytes: lots }", "limits.text-bytes must be a size such as 64 KiB, not “lots”"),
        ("limits: { commands-per-second: nan }", "limits.commands-per-second must be a number, not “nan”"),
        ("proxy: { header: maybe }", "proxy.header must be true or false, not “maybe”"),
        ("server: { name: 'bad name' }", "server.name must be a domain name such as chat.example.org, not “bad name”"),
        (
            "proxy: { trusted: [10.0.0.1/8] }",
            "proxy.trusted must be an address or a block such as 10.0.0.0/8, not “10.0.0.1/8”"
        ),
        (
            "http: { public-url: 'ftp://x' }",
            "http.public-url must be an address such as https://chat.example.org, not “ftp://x”"
        ),
    ])
    func wrongValuesAreNamedInOneLine(_ yaml: String, _ message: String) {
        #expect(problems(yaml) == ["switchboard.yaml:1: \(message)"])
    }

    @Test(arguments: [
        ("tls: { mode: files }", "tls.mode is files: tls.certificate and tls.key must name them"),
        ("tls: { certificate: x, key: y }", "tls.certificate and tls.key are only used when tls.mode is files"),
        ("http: { bind: [] }", "http.bind and http.unix are both empty: nobody could reach the server"),
        ("proxy: { header: true }", "proxy.header is true: proxy.trusted must say which proxies may send it"),
        ("door: { silence: 20 s }", "door.silence must be longer than door.ping-after"),
        ("drain: { deadline: 5 s }", "drain.deadline must be longer than drain.window"),
        ("host-tokens: { realm: app }", "host-tokens.realm needs host-tokens.audience, and keys-file or keys-url"),
        ("host-tokens: { audience: app }", "host-tokens: without host-tokens.realm no tokens are taken"),
    ])
    func whatDoesNotGoTogetherIsRefused(_ yaml: String, _ message: String) {
        #expect(problems(yaml) == ["configuration: \(message)"])
    }

    @Test func allProblemsAreToldAtOnce() {
        let found = problems(
            "http:\n  port: x\n  prot: 1\nlog:\n  level: loud\n", environment: ["SWITCHBOARD_DOOR_SILENCE": "soon"])
        #expect(found.count == 4)
    }

    @Test(arguments: [
        "http: [", "a: b: c", "\t- x", "{", "- 1\n- 2", "just text", "? [a]\n: 1", "http: { port: *missing }", "\"",
        "a: &x [*x]", "http:\n port: 1\n port: 2\n", "%YAML 9.9\n---\n", "--- 1\n--- 2\n", "!!binary x: y",
    ])
    func whatIsNoConfigurationIsRefused(_ yaml: String) { #expect(!problems(yaml).isEmpty) }

    @Test func aDuplicateKeyNamesItsLine() {
        let found = problems("http:\n  port: 1\n  port: 2\n")
        #expect(found.count == 1)
        #expect(found.first?.contains("port") ?? false)
    }

    @Test func aFileOfAliasesDoesNotGrow() {
        var yaml = "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
        for (last, next) in zip("abcdefghi", "bcdefghij") {
            yaml += "\(next): &\(next) [\(Array(repeating: "*\(last)", count: 10).joined(separator: ", "))]\n"
        }
        #expect(!problems(yaml).isEmpty)
    }

    @Test func aFileThatIsTooLongIsRefused() {
        #expect(
            problems(String(repeating: "# 3456789\n", count: 120_000)) == ["switchboard.yaml: is larger than 1 MiB"])
        #expect(!problems(String(repeating: "[", count: 100_000)).isEmpty)
    }

    /// A damaged file is refused, or read as something that keeps every rule: it never opens the server up by accident.
    @Test(arguments: 0..<60)
    func mutatedFilesNeverCrashAndNeverOpenUp(_ seed: UInt64) throws {
        var random = Seeded(state: seed &* 0x9E37_79B9_7F4A_7C15 | 1)
        var bytes = Array(ConfigurationText.example().replacing("\n#", with: "\n").utf8)
        for _ in 0..<Int.random(in: 1...40, using: &random) {
            let index = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes.remove(at: index)
            case 2: bytes.insert(UInt8.random(in: 0x20...0x7E, using: &random), at: index)
            default: bytes.swapAt(index, Int.random(in: 0..<bytes.count, using: &random))
            }
        }
        do {
            let configuration = try read(String(decoding: bytes, as: UTF8.self))
            #expect(ConfigurationRules.problems(of: configuration).isEmpty)
            #expect(configuration.accounts.registration != .open)
            #expect(configuration.accounts.guests != .anywhere)
            #expect(configuration.metrics.access != .anywhere)
        } catch is ConfigurationRefusal {
        } catch is ConfigurationProblem {
        }
    }

    // MARK: Texts

    @Test func theExampleIsRightAndChangesNothing() throws {
        let example = ConfigurationText.example()
        #expect(try read(example) == ServerConfiguration())
        // Comments have a space after the mark, keys have none or two.
        let active = example.split(separator: "\n").map { line in
            line.hasPrefix("#") && (!line.hasPrefix("# ") || line.hasPrefix("#  ")) ? String(line.dropFirst()) : ""
        }.joined(separator: "\n")
        let result = try ConfigurationSources().merge(ConfigurationFile(active, path: "example"))
        #expect(result.configuration == ServerConfiguration())
        #expect(result.origins.count == Settings.all.count)
    }

    @Test func theDocumentationIsTheOneThatTheSettingsMake() throws {
        let page = ConfigurationText.documentation()
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let file = root.appendingPathComponent("docs/operations/configuration.md").path
        let data = try #require(FileManager.default.contents(atPath: file))
        #expect(String(decoding: data, as: UTF8.self) == page)
        for setting in Settings.all { #expect(page.contains("| `\(setting.key)` |"), "\(setting.key)") }
    }

    @Test func theDifferenceNamesWhoSaidSo() throws {
        let sources = ConfigurationSources(
            environment: ["SWITCHBOARD_HTTP_PORT": "9000"], flags: [("log.level", "debug", "--log-level")])
        let text = ConfigurationText.difference(try sources.merge(nil))
        #expect(text.contains("http.port  8080 → 9000  (SWITCHBOARD_HTTP_PORT)"))
        #expect(text.contains("log.level  info → debug  (--log-level)"))
        #expect(ConfigurationText.difference(try ConfigurationSources().merge(nil)) == "Everything is at its default.")
    }

    @Test func explainSaysWhatAPersonNeeds() throws {
        let setting = try #require(Settings.byKey["http.port"])
        let text = ConfigurationText.explain(setting, current: ServerConfiguration(), origin: nil)
        for part in [
            "http.port", "whole number, 0 to 65535", "8080", "SWITCHBOARD_HTTP_PORT", "--set http.port=", "restart",
        ] {
            #expect(text.contains(part), "\(part)")
        }
    }
}

/// xorshift64*: the same numbers for the same seed.
struct Seeded: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 0x2545_F491_4F6C_DD1D
    }
}

import GatewayKit
import Hub
import NIOCore
import Testing

@testable import Switchboard

/// The declarations of the settings, and the defaults that the documentation promises.
struct SettingsTests {
    @Test func everyKeyIsDeclaredOnceInAKnownSection() {
        #expect(Settings.byKey.count == Settings.all.count)
        let sections = Set(Settings.sections.map(\.name))
        for setting in Settings.all {
            #expect(sections.contains(setting.section), "\(setting.key)")
            #expect(setting.name.allSatisfy { $0.isLowercase || $0.isNumber || $0 == "-" }, "\(setting.key)")
            #expect(setting.summary.hasSuffix("."), "\(setting.key)")
        }
    }

    /// What is shown as the default is read back as the same configuration.
    @Test(arguments: Settings.all.map(\.key))
    func theDefaultIsAValueOfItsOwnKind(_ key: String) throws {
        let setting = try #require(Settings.byKey[key])
        let file = try ConfigurationFile("\(setting.section):\n  \(setting.name): \(setting.defaultText)\n", path: "f")
        let result = try ConfigurationSources().merge(file)
        #expect(result.configuration == ServerConfiguration())
        #expect(result.origins.keys.elementsEqual([key]))
    }

    /// The table of defaults that people are promised.
    @Test(arguments: [
        ("http.bind", "[\"127.0.0.1\"]"), ("http.port", "8080"), ("data.directory", "switchboard-data"),
        ("server.name", "localhost"), ("tls.mode", "off"), ("accounts.registration", "invite"),
        ("accounts.guests", "loopback"), ("limits.sessions-per-account", "20"), ("limits.commands-per-second", "10"),
        ("limits.command-burst", "30"), ("limits.text-bytes", "64 KiB"), ("door.connections-per-address", "64"),
        ("door.head-time", "10 s"), ("door.header-bytes", "32 KiB"), ("door.ping-after", "30 s"),
        ("door.outbound-bytes", "1 MiB"), ("door.outbound-stall", "10 s"), ("metrics.access", "loopback"),
        ("proxy.trusted", "[]"), ("http.unix-mode", "\"0660\""), ("door.inbound-budget", "64 MiB"),
        ("drain.deadline", "20 s"),
    ])
    func theDefaultIsWhatIsPromised(_ key: String, _ value: String) {
        #expect(Settings.byKey[key]?.defaultText == value)
    }

    @Test func theDefaultsBreakNoRule() {
        #expect(ConfigurationRules.problems(of: ServerConfiguration()).isEmpty)
    }

    /// A setting changes its own field and no other.
    @Test(arguments: Settings.all.map(\.key))
    func copyTakesOneValueOver(_ key: String) throws {
        let setting = try #require(Settings.byKey[key])
        var other = ServerConfiguration()
        setting.copy(ServerConfiguration(), &other)
        #expect(other == ServerConfiguration())
    }

    @Test(arguments: [
        ("http.prot", "http.port"), ("htpt.port", "http.port"), ("port", "http.port"), ("http-port", "http.port"),
        ("accounts.guest", "accounts.guests"), ("door.ping_after", "door.ping-after"), ("log.levle", "log.level"),
        ("limits.textbytes", "limits.text-bytes"),
    ])
    func aMistypedKeyIsRecognised(_ typed: String, _ meant: String) {
        #expect(Settings.suggestion(for: typed) == meant)
    }

    @Test(arguments: ["", "x", "completely.different", "zzzzzzzzzzzzzz", "http.quux-frobnicate"])
    func whatIsNearToNothingGetsNoSuggestion(_ typed: String) {
        #expect(Settings.suggestion(for: typed) == nil)
    }

    @Test(arguments: [
        ("", "", 0), ("a", "", 1), ("abc", "abc", 0), ("abc", "acb", 1), ("kitten", "sitting", 3), ("ab", "xaby", 2),
    ])
    func editDistance(_ a: String, _ b: String, _ distance: Int) {
        #expect(EditDistance.of(a, b) == distance)
        #expect(EditDistance.of(b, a) == distance)
    }
}

/// Sizes, durations and scalars as people write them.
struct SettingUnitsTests {
    @Test(arguments: [
        ("0", 0), ("4096", 4_096), ("64KiB", 65_536), ("1 MiB", 1 << 20), ("2 gib", 2 << 30), ("1_000", 1_000),
    ])
    func sizes(_ text: String, _ bytes: Int) { #expect(ByteSize.parse(text) == bytes) }

    @Test(arguments: [
        "", "KiB", "-1", "1.5 MiB", "1 XiB", "9223372036854775807 KiB", "99999999999999999999", "1 MiB x",
    ])
    func badSizes(_ text: String) { #expect(ByteSize.parse(text) == nil) }

    @Test(arguments: [
        ("0", 0), ("500 ms", 500), ("30s", 30_000), ("10 min", 600_000), ("24 h", 86_400_000), ("7 d", 604_800_000),
    ])
    func durations(_ text: String, _ milliseconds: Int64) {
        #expect(DurationText.parse(text) == .milliseconds(milliseconds))
    }

    @Test(arguments: ["", "30", "s", "-1 s", "1.5 s", "1 week", "9223372036854775807 d"])
    func badDurations(_ text: String) { #expect(DurationText.parse(text) == nil) }

    @Test func unitsComeBackAsTheyWere() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<500 {
            let size = Int.random(in: 0...(1 << 40), using: &random)
            #expect(ByteSize.parse(ByteSize.text(size)) == size)
            let amount = TimeAmount.milliseconds(.random(in: 0...1_000_000_000, using: &random))
            #expect(DurationText.parse(DurationText.text(amount)) == amount)
        }
    }

    @Test(arguments: [
        "plain", "a b", "no", "12", "\"quoted\"", "tab\there", "ünïcödé", "a: b", "# x", "[x]", "\u{7F}", "\\",
    ])
    func scalarsSurviveYAML(_ text: String) throws {
        let file = try ConfigurationFile("key: \(YAMLText.scalar(text))\n", path: "f")
        #expect(file.entries.first?.text == .one(text))
    }
}

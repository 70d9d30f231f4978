"""Each gate passes on good code and fails on a planted fault."""

import pytest
from conftest import DEV

MANIFEST = """\
// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "x",
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-http2.git", exact: "1.46.0"),
    ]
)
"""


# check-decoders

GOOD_DECODER = '''\
/// It never does `x!` or fatalError("...").
struct Decoder {
    var table: [String: Int] = [:]
    mutating func decode(_ bytes: [UInt8], at index: Int) -> UInt8? {
        guard index != 3, !bytes.isEmpty, bytes.indices.contains(index) else { return nil }
        let text = "try! as! \\(table["a", default: 1])"
        let names: [String] = [text]
        _ = table[text]
        _ = bytes[0]
        _ = names[...]
        func scan(_ bytes: UnsafeRawBufferPointer) -> UnsafePointer<UInt8>? { nil }
        let closure = { (bytes: UnsafeRawBufferPointer) in bytes.count }
        // trap-ok: the guard above checked the index
        return bytes[index]
    }
}
'''


def test_decoders_pass_when_total(checkout):
    checkout.write("Sources/Wire/X/Decoder.swift", GOOD_DECODER)
    checkout.write("Sources/Hub/Other.swift", "let a = b!")
    checkout.assert_passes("check-decoders")


@pytest.mark.parametrize("fault", ["a!", "try! f()", "a as! B", 'fatalError("no")', "precondition(a > 0)", "preconditionFailure()",
                                   "assert(a)", "a &+ b", "a &*= b", "a.unsafelyUnwrapped", "a.withUnsafeBytes { $0 }",
                                   "UnsafeRawPointer(a)", "UnsafeMutablePointer<Int>.allocate(capacity: 1)", "a.baseAddress", "[UnsafeMutablePointer<Int>?]", "bytes[index]", "bytes[a..<b]", "f()[i]", "a?[i + 1]", "a.removeFirst()",
                                   '"\\(a!)"'])
def test_decoders_fail_on_what_can_trap(checkout, fault):
    checkout.write("Sources/Wire/X/Decoder.swift", f"func f() {{\n    let x = {fault}\n}}\n")
    checkout.assert_finds("check-decoders", "Sources/Wire/X/Decoder.swift:2: ", "check-decoders: 1 to mend")


@pytest.mark.parametrize("folder", ["Sources/GatewayKit", "Sources/Gateways/IRC", "Sources/Wire/JSON"])
def test_decoders_looks_at_all_who_read_the_wire(checkout, folder):
    checkout.write(f"{folder}/A.swift", "let a = b!\n")
    checkout.assert_finds("check-decoders", f"{folder}/A.swift:1: ")


def test_decoders_asks_for_a_reason_and_for_a_use_of_it(checkout):
    checkout.write("Sources/Wire/X/A.swift", "let a = b!  // trap-ok:\n")
    checkout.assert_finds("check-decoders", "A.swift:1: `!` traps")
    checkout.write("Sources/Wire/X/A.swift", "let a = b  // trap-ok: there was a reason once\n")
    checkout.assert_finds("check-decoders", "A.swift:1: this `trap-ok:` excuses nothing")


def test_decoders_can_excuse_a_whole_function_but_not_its_neighbour(checkout):
    excused = "/// Masks.\n/// trap-ok-function: the count was checked by the caller\n@inlinable\nfunc f() {\n    let x = a[i]\n    let y = a[i]\n}\n"
    checkout.write("Sources/Wire/X/A.swift", excused)
    checkout.assert_passes("check-decoders")
    checkout.write("Sources/Wire/X/A.swift", excused + "func g() {\n    let z = a[i]\n}\n")
    checkout.assert_finds("check-decoders", "A.swift:9: ", "check-decoders: 1 to mend")


# check-imports


@pytest.mark.parametrize("path, module", [
    ("Sources/Hub/A.swift", "NIOCore"), ("Sources/Hub/A.swift", "Collections"), ("Sources/Wire/IRC/A.swift", "NIOCore"),
    ("Sources/Wire/WebSocket/A.swift", "CZlib"), ("Sources/Gateways/IRC/A.swift", "WireIRC"),
    ("Sources/Gateways/IRC/Sub/A.swift", "GatewayKit"), ("Sources/Switchboard/A.swift", "StoreSQLite"),
    ("Tests/HubTests/A.swift", "Foundation"), ("Tests/SwitchboardTests/A.swift", "Switchboard"),
])
def test_imports_pass_in_their_layer(checkout, path, module):
    checkout.write(path, f"import {module}\n")
    checkout.assert_passes("check-imports")


@pytest.mark.parametrize("path, line", [
    ("Sources/Hub/A.swift", "import Foundation"), ("Sources/Hub/A.swift", "import GRDB"), ("Sources/Hub/A.swift", "import NIOPosix"),
    ("Sources/Wire/IRC/A.swift", "import Hub"), ("Sources/Wire/IRC/A.swift", "import CZlib"),
    ("Sources/GatewayKit/A.swift", "import ClientAPI"), ("Sources/Gateways/IRC/A.swift", "import WireXMPP"),
    ("Sources/Gateways/IRC/A.swift", "import ClientAPI"), ("Sources/Gateways/IRC/A.swift", "import StoreSQLite"),
    ("Sources/StoreSQLite/A.swift", "import GatewayKit"), ("Sources/Client/A.swift", "import Hub"),
    ("Sources/TestKit/A.swift", "import Switchboard"), ("Tests/HubTests/A.swift", "@testable import Switchboard"),
    ("Sources/Hub/A.swift", "import struct Foundation.Date"), ("Sources/Hub/A.swift", "@preconcurrency import GatewayKit"),
])
def test_imports_fail_across_layers(checkout, path, line):
    checkout.write(path, f"// import Nothing\n{line}\n")
    checkout.assert_finds("check-imports", f"{path}:2: `import ", "check-imports: 1 to mend")


def test_only_the_client_is_public(checkout):
    checkout.write("Sources/Client/A.swift", "public struct A {}\n")
    checkout.write("Sources/Hub/B.swift", "enum V { case `public` }\nlet v = V.public\nlet w = f(public: true)\n")
    checkout.assert_passes("check-imports")
    checkout.write("Sources/Hub/C.swift", "package struct A {\n    public private(set) var b = 1\n    public static let c = 2\n}\n")
    checkout.assert_finds("check-imports", "Sources/Hub/C.swift:3: `public` outside Sources/Client")
    checkout.write("Sources/Hub/C.swift", "open class A {}\n")
    checkout.assert_finds("check-imports", "Sources/Hub/C.swift:1: `open` outside Sources/Client")


# check-words


def test_words_pass_when_they_are_ours(checkout):
    checkout.write("Sources/Hub/A.swift", "/// A queue has room again: events in network order.\nlet knickKnack = audience == nil\n")
    checkout.write("Sources/Hub/Broker/B.swift", "let topic = rooms\n")
    checkout.write("Sources/Gateways/IRC/C.swift", "let privmsg = channel\n")
    checkout.assert_passes("check-words")


@pytest.mark.parametrize("line, word", [("let stanzaID = 1", "stanza"), ("let myMUCRoom = 1", "muc"), ("/// Sends a PRIVMSG.", "privmsg"),
                                        ("let a = channels", "channel"), ("let a = httpBody", "http"), ('let a = "xmpp"', "xmpp"),
                                        ("let topic = 1", "topic"), ("func jid() {}", "jid"), ("/* a\n roster */", "roster"),
                                        ("let k_qos = 1", "qos"), ("let roomID = 1", "room id"), ("/// In the room.", "the room"), ("let rooms = 1", "rooms")])
def test_words_fail_when_they_are_foreign(checkout, line, word):
    checkout.write("Sources/Hub/A.swift", line + "\n")
    checkout.assert_finds("check-words", "Sources/Hub/A.swift:", f"`{word}` is foreign in the hub")


def test_words_can_be_excused_with_a_reason(checkout):
    checkout.write("Sources/Hub/A.swift", "// word-ok: the standard's own name, which the log line quotes\nlet a = \"mqtt\"\n")
    checkout.assert_passes("check-words")
    checkout.write("Sources/Hub/A.swift", "// word-ok: nothing is here\nlet a = 1\n")
    checkout.assert_finds("check-words", "A.swift:1: this `word-ok:` excuses nothing")


# check-size


def test_size_of_files_and_functions(checkout):
    checkout.write("Sources/Hub/A.swift", "let a = 1\n" * 800)
    checkout.assert_passes("check-size")
    checkout.write("Sources/Hub/A.swift", "let a = 1\n" * 801)
    checkout.assert_finds("check-size", "Sources/Hub/A.swift:1: 801 lines")
    checkout.write("Sources/Hub/A.swift", "// size-ok: one table, generated from the standard\n" + "let a = 1\n" * 801)
    checkout.assert_passes("check-size")


def test_size_points_out_long_functions_without_failing(checkout):
    checkout.write("Sources/Hub/A.swift", "protocol P {\n    func short()\n    init(a: Int)\n}\nfunc long() {\n" + "    a()\n" * 60 + "}\n")
    status, output = checkout.run("check-size")
    assert status == 0 and "A.swift:5: note: `long` has 62 lines" in output
    assert "short" not in output and "init" not in output


# check-manifest


def test_manifest_with_exact_versions_passes(checkout):
    checkout.write("Package.swift", MANIFEST)
    checkout.assert_passes("check-manifest")


@pytest.mark.parametrize("old, new, expected", [
    ('exact: "2.101.2"', 'from: "2.101.2"', "Package.swift:7: swift-nio: name an exact version"),
    ('exact: "2.101.2"', 'branch: "main"', "Package.swift:7: swift-nio: name an exact version"),
    ('exact: "2.101.2"', 'exact: "2.99.9"', "Package.swift:7: swift-nio 2.99.9 is too old: 2.100.0"),
    ('exact: "1.46.0"', 'exact: "1.44.0"', "Package.swift:8: swift-nio-http2 1.44.0 is too old: 1.44.1"),
    ("    ]\n)", '        .package(path: "../near"),\n    ]\n)', "Package.swift:9: near: name an exact version"),
    ("    ]\n)", '    ],\n    targets: [.target(name: "X", swiftSettings: [.unsafeFlags(["-Ounchecked"])])]\n)', "unsafeFlags"),
])
def test_manifest_faults_are_found(checkout, old, new, expected):
    assert old in MANIFEST
    checkout.write("Package.swift", MANIFEST.replace(old, new))
    checkout.assert_finds("check-manifest", expected)


# check-secrets-and-paths


def test_ordinary_files_hold_no_secrets(checkout):
    checkout.write("README.md", "Data lives in /var/lib/switchboard; see https://example.org/home/page and ./work/x.\n")
    checkout.assert_passes("check-secrets-and-paths")


# Put together here so that this file holds none of them.
@pytest.mark.parametrize("line", ["-----BEGIN " + "PRIVATE KEY-----", "-----BEGIN EC " + "PRIVATE KEY-----", "AKIA" + "A1B2C3D4E5F6G7H8",
                                  "ghp_" + "a" * 36, "/wor" + "k/main/x", "/hom" + "e/alice/x", "/roo" + "t/x", "/op" + "t/swift/usr/bin",
                                  "py" + "pi.org/simple", "https://crate" + "s.io/x"])
def test_secrets_and_paths_are_found(checkout, line):
    checkout.write("docs/a.md", f"first\n{line}\n")
    checkout.assert_finds("check-secrets-and-paths", "docs/a.md:2: ")
    tag = "secret-ok" if "KEY" in line or "AKIA" in line or "ghp" in line else "path-ok"
    checkout.write("docs/a.md", f"<!-- {tag}: made for this test -->\n{line}\n")
    checkout.assert_passes("check-secrets-and-paths")


def test_large_and_generated_files_are_found(checkout):
    checkout.write("web/a.js", "x" * (512 * 1024 + 1))
    checkout.assert_finds("check-secrets-and-paths", "web/a.js:1: 512 KiB")
    (checkout.root / "web/a.js").unlink()
    checkout.write("Package.resolved", "{}")
    checkout.assert_finds("check-secrets-and-paths", "Package.resolved:1: a generated file")


# check-concurrency


@pytest.mark.parametrize("line", ["let a = Mutex(1)", "let a: NIOLockedValueBox<Int>", "final class A: @unchecked Sendable {}",
                                  "nonisolated(unsafe) var a = 1", "let a = NIOLock()"])
def test_locks_are_listed_with_a_reason(checkout, line):
    checkout.write("Sources/Hub/A.swift", line + "\n")
    checkout.assert_finds("check-concurrency", "Sources/Hub/A.swift:1: ")
    checkout.write("docs/concurrency.md", "| `Sources/Hub/A.swift` | the reason |\n")
    checkout.assert_passes("check-concurrency")


def test_a_listed_file_without_a_lock_is_found(checkout):
    checkout.write("Sources/Hub/A.swift", "// no Mutex here\n")
    checkout.write("docs/concurrency.md", "| `Sources/Hub/A.swift` | the reason |\n")
    checkout.assert_finds("check-concurrency", "docs/concurrency.md:1: Sources/Hub/A.swift holds no lock")


# check-format


def test_format(checkout):
    configuration = (DEV.parent / ".swift-format").read_text()
    checkout.write(".swift-format", configuration)
    checkout.assert_passes("check-format")
    checkout.write("Sources/A.swift", "func a() {\n    b()\n}\n")
    checkout.assert_passes("check-format")
    checkout.write("Sources/A.swift", "func a() {\n  b()\n}\n")
    checkout.assert_finds("check-format", "Sources/A.swift:2:", "[Indentation]", "make format")
    checkout.write("Sources/A.swift", "func a() {\n    b!.c()\n}\n")
    checkout.assert_finds("check-format", "[NeverForceUnwrap]")

/// Bytes that must never be seen in a log, a crash report or a debugger's summary: keys, tokens, proofs, passwords.
///
/// Every type here that holds a secret holds it as one of these, so that printing the outer type, at whatever depth,
/// meets this type's redaction. The bytes leave only through ``reveal()``, which is easy to find by name.
///
/// Not `Codable`, not `Hashable`; `==` takes constant time. Memory is not wiped: Swift may have copied it.
package struct SecretBytes: Sendable, Equatable {
    private let bytes: [UInt8]

    package init(_ bytes: some Sequence<UInt8>) {
        self.bytes = Array(bytes)
    }

    /// Fresh bytes of the system's cryptographic generator.
    package static func random(count: Int) -> SecretBytes {
        var generator = SystemRandomNumberGenerator()
        return SecretBytes((0..<max(0, count)).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
    }

    package var count: Int { bytes.count }

    /// The secret itself. Whoever calls this answers for where it goes.
    package func reveal() -> [UInt8] { bytes }

    package static func == (left: SecretBytes, right: SecretBytes) -> Bool {
        ConstantTime.equal(left.bytes, right.bytes)
    }
}

extension SecretBytes: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "[redacted]" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: [:]) }
}

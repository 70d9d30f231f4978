/// All that a server offered before the exchange, bound into it so that a man in the middle who strikes out the better
/// mechanisms is found out (XEP-0474, the attribute `h` of server-first).
///
/// The hash enters the signed text on both sides: a stripped offer gives another hash, a stripped `h` another signature.
package struct ScramOffer: Sendable, Equatable {
    package let mechanisms: [String]
    package let bindings: [String]

    /// - Parameters:
    ///   - mechanisms: SASL names as advertised, in any order, those that are not SCRAM included.
    ///   - bindings: channel-binding types as advertised; empty when none were.
    package init(mechanisms: [String], bindings: [String]) {
        self.mechanisms = mechanisms
        self.bindings = bindings
    }

    func hash(_ mechanism: ScramMechanism) -> [UInt8] {
        var text = Self.joined(mechanisms)
        if !bindings.isEmpty {
            text.append(0x1F)
            text += Self.joined(bindings)
        }
        return mechanism.hash(text)
    }

    private static func joined(_ names: [String]) -> [UInt8] {
        // i;octet order: by byte, not by the locale nor by Unicode.
        let sorted = names.map { Array($0.utf8) }.sorted { $0.lexicographicallyPrecedes($1) }
        return Array(sorted.joined(separator: [0x1E]))
    }
}

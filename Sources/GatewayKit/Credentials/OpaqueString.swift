// `precomposedStringWithCanonicalMapping` is in Foundation alone on Linux; the standard library's own normaliser is
// not open to us.
import Foundation

/// A password that has been prepared and may be hashed: the OpaqueString profile of PRECIS (RFC 8265 section 4.2).
///
/// Non-ASCII spaces become U+0020, the text is brought to NFC, and what remains must consist of letters, digits, marks,
/// symbols, punctuation and spaces (FreeformClass, RFC 8264 section 9.11). Case is kept. Two devices that type the same
/// password in different Unicode forms thus agree.
///
/// Limits, on purpose:
/// - 1 to 1,024 bytes of UTF-8 after preparation.
/// - Joiners (U+200C, U+200D), variation selectors and other invisible code points are refused, where RFC 8264 would
///   let joiners stand in some scripts. A password with an emoji sequence is therefore refused when it is chosen,
///   instead of failing later on a keyboard that spells it otherwise.
/// - The contextual rules for digits and middle dots (CONTEXTO) are not enforced: they guard against look-alike names,
///   and a password is not looked at.
/// - A SCRAM client prepares the password on its own side. One that still uses SASLprep (RFC 4013) agrees with us on
///   all text that NFKC leaves as it is; it disagrees on compatibility characters such as full-width letters.
package struct OpaqueString: Sendable, Equatable {
    /// The prepared text in UTF-8.
    package let secret: SecretBytes

    package static let maximumLength = 1_024

    package enum Refusal: Error, Equatable, Sendable {
        case empty
        /// Over ``OpaqueString/maximumLength`` bytes.
        case tooLong
        /// Holds a control, an invisible, an unassigned or a private-use code point. Which one is not said: it is part
        /// of a secret.
        case forbiddenCharacter
    }

    package init(_ password: String) throws(Refusal) {
        // Bounded before the work: normalisation is linear, but its input is not ours.
        guard password.utf8.count <= 4 * Self.maximumLength else { throw .tooLong }
        var mapped = String.UnicodeScalarView()
        for scalar in password.unicodeScalars {
            mapped.append(scalar.properties.generalCategory == .spaceSeparator ? " " : scalar)
        }
        let normalised = String(mapped).precomposedStringWithCanonicalMapping
        guard !normalised.isEmpty else { throw .empty }
        guard normalised.utf8.count <= Self.maximumLength else { throw .tooLong }
        guard normalised.unicodeScalars.allSatisfy(Self.isFreeform) else { throw .forbiddenCharacter }
        secret = SecretBytes(normalised.utf8)
    }

    /// Derived property of a code point, RFC 8264 section 8, for FreeformClass.
    private static func isFreeform(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.value >= 0x21 && scalar.value <= 0x7E { return true }
        switch scalar.value {
        case 0x0640, 0x07FA, 0x302E, 0x302F, 0x3031...0x3035, 0x303B:
            return false  // Exceptions, section 9.6
        case 0x1100...0x11FF, 0xA960...0xA97C, 0xD7B0...0xD7C6, 0xD7CB...0xD7FB:
            return false  // OldHangulJamo, section 9.9
        default:
            break
        }
        let properties = scalar.properties
        if properties.isDefaultIgnorableCodePoint || properties.isNoncharacterCodePoint { return false }
        switch properties.generalCategory {
        case .lowercaseLetter, .uppercaseLetter, .titlecaseLetter, .otherLetter, .modifierLetter,
            .decimalNumber, .letterNumber, .otherNumber,
            .nonspacingMark, .spacingMark, .enclosingMark,
            .spaceSeparator,
            .mathSymbol, .currencySymbol, .modifierSymbol, .otherSymbol,
            .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation,
            .initialPunctuation, .finalPunctuation, .otherPunctuation:
            return true
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator:
            return false
        @unknown default:
            return false
        }
    }
}

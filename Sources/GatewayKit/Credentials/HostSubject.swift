import Crypto

/// A person as a host application knows them: the application's name in our configuration, and the token's `sub`.
///
/// **The rule by which a subject becomes an account:**
///
/// 1. The directory keeps (realm, subject) with each account that was made for one, and looks a subject up by that pair
///    alone, byte for byte. A handle is never proof of identity: a host token for `alice` does not open the account of
///    an `alice` who registered here with a password.
/// 2. A subject without account gets a new one, where the configuration allows it, with ``preferredHandle`` if that is
///    free, else ``mappedHandle``.
/// 3. ``preferredHandle`` is the subject itself, if it is a legal handle (`[a-z][a-z0-9_-]{0,31}`) exactly as it stands
///    and not reserved. There is no folding: `sub` is case-sensitive, so `Alice` and `alice` are two people.
/// 4. ``mappedHandle`` is `u-` and 20 letters of base32 in lower case: the first 100 bits of
///    SHA-256(realm ‖ 0x00 ‖ subject). The prefix is reserved, so no chosen name can be a mapped one, and a
///    subject of this form is itself mapped. Someone with 2^50 subjects at their disposal might find two that share a
///    handle, both their own; to hit another person's takes 2^100.
///
/// Deterministic: the same subject gets the same handles on every server with the same realm. To rename a realm is to
/// make strangers of its people.
package struct HostSubject: Sendable, Hashable {
    package let realm: String
    package let subject: String

    package static let mappedPrefix = "u-"

    /// In bytes.
    package static let maximumLength = 255

    /// Nil for an empty or overlong subject, one with control characters, and a realm with NUL.
    package init?(realm: String, subject: String) {
        guard (1...Self.maximumLength).contains(subject.utf8.count), !realm.utf8.contains(0),
            !subject.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
        else { return nil }
        self.realm = realm
        self.subject = subject
    }

    package var preferredHandle: String {
        ReservedHandles.isLegal(subject) && !ReservedHandles.contains(subject) ? subject : mappedHandle
    }

    package var mappedHandle: String {
        let digest = SHA256.hash(data: Array("\(realm)\0\(subject)".utf8))
        let alphabet = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)
        var letters: [UInt8] = []
        var pending = 0
        var pendingBits = 0
        // 13 bytes are 104 bits: enough for 20 letters of five.
        for byte in digest.prefix(13) {
            pending = (pending << 8 | Int(byte)) & 0xFFFF
            pendingBits += 8
            while pendingBits >= 5, letters.count < 20 {
                pendingBits -= 5
                letters.append(alphabet[(pending >> pendingBits) & 0x1F])
            }
        }
        return Self.mappedPrefix + String(decoding: letters, as: UTF8.self)
    }

    /// Byte for byte: `String`'s own equality takes canonically equivalent texts for one, and a host need not.
    package static func == (left: HostSubject, right: HostSubject) -> Bool {
        left.realm.utf8.elementsEqual(right.realm.utf8) && left.subject.utf8.elementsEqual(right.subject.utf8)
    }

    package func hash(into hasher: inout Hasher) {
        for text in [realm, subject] {
            hasher.combine(text.utf8.count)
            for byte in text.utf8 { hasher.combine(byte) }
        }
    }
}

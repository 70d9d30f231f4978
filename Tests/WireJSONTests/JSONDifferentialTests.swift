import Foundation
import NIOCore
import Testing
import WireJSON

/// Foundation reads what we write, and agrees with us on what is JSON.
@Suite struct JSONDifferentialTests {
    /// Whether Foundation's object is the same as our tree.
    ///
    /// Two of its values need a second look: it keeps fractions as decimal numbers, of which `doubleValue` need not be the
    /// nearest, and it drops U+FEFF from a string, at the front and behind escapes.
    private func isEqual(_ value: JSONValue, _ object: Any) -> Bool {
        switch (value, object) {
        case (.null, is NSNull): return true
        case (.string(let text), let other as String):
            return withoutMark(text).utf8.elementsEqual(withoutMark(other).utf8)
        case (.array(let elements), let others as [Any]):
            return elements.count == others.count && zip(elements, others).allSatisfy { isEqual($0, $1) }
        case (.object(let members), let others as [String: Any]):
            return members.count == others.count
                && members.allSatisfy { member in
                    let other = others.first { key, _ in withoutMark(key) == withoutMark(member.key) }
                    return other.map { isEqual(member.value, $0.value) } ?? false
                }
        case (.bool(let flag), let other as NSNumber): return other.boolValue == flag
        case (.int(let int), let other as NSNumber): return other.int64Value == int
        case (.double(let double), let other as NSNumber):
            return other.doubleValue == double || Double(other.stringValue) == double
        default: return false
        }
    }

    private func withoutMark(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.filter { $0 != "\u{FEFF}" }))
    }

    /// A tree in which no two keys of an object are equal to Foundation, which keeps one of them.
    private func hasDictionaryKeys(_ value: JSONValue) -> Bool {
        switch value {
        case .array(let elements): elements.allSatisfy(hasDictionaryKeys)
        case .object(let members):
            Set(members.map { withoutMark($0.key) }).count == members.count
                && members.allSatisfy { hasDictionaryKeys($0.value) }
        default: true
        }
    }

    private func foundation(_ buffer: ByteBuffer) -> Any? {
        try? JSONSerialization.jsonObject(with: Data(buffer.readableBytesView), options: [.fragmentsAllowed])
    }

    @Test func foundationReadsWhatTheWriterWrites() throws {
        var samples = JSONSamples(seed: 1)
        for _ in 0..<3_000 {
            let value = samples.value()
            let buffer = JSONWriter.write { writer in value.write(to: &writer) }
            #expect(try JSONValue(parsing: buffer) == value)
            guard hasDictionaryKeys(value) else { continue }
            let object = try #require(foundation(buffer), "\(value)")
            #expect(isEqual(value, object), "\(value)")
        }
    }

    @Test func theReaderReadsWhatFoundationWrites() throws {
        var samples = JSONSamples(seed: 2)
        for _ in 0..<1_000 {
            let value = samples.value()
            guard hasDictionaryKeys(value) else { continue }
            let buffer = JSONWriter.write { writer in value.write(to: &writer) }
            let object = try #require(foundation(buffer))
            let data = try JSONSerialization.data(withJSONObject: object, options: [.fragmentsAllowed, .prettyPrinted])
            let read = try JSONValue(parsing: ByteBuffer(bytes: data))
            #expect(isEqual(read, object), "\(value)")
        }
    }

    @Test func everyWayToWriteAValueIsReadAsThatValue() throws {
        var samples = JSONSamples(seed: 3)
        for _ in 0..<3_000 {
            let value = samples.value()
            let text = samples.text(of: value)
            #expect(try JSONValue(parsing: text) == value, "\(text)")
            let raw = try JSONReader.read(text) { reader throws(JSONError) in try reader.rawValue() }
            #expect(try JSONValue(parsing: raw) == value, "\(text)")
            guard hasDictionaryKeys(value) else { continue }
            let object = try #require(foundation(ByteBuffer(string: text)), "\(text)")
            #expect(isEqual(value, object), "\(text)")
        }
    }

    /// Where we refuse on purpose what Foundation lets pass.
    private func isDeliberate(_ error: JSONError, _ bytes: [UInt8]) -> Bool {
        // RFC 8259, section 8.1: no mark, and UTF-8 only. Foundation takes NUL in front for UTF-16 or UTF-32.
        if error.code == .byteOrderMark || bytes.prefix(4).contains(0) { return true }
        // Section 4: names "SHOULD be unique". Foundation keeps one of them.
        if error.code == .duplicateKey { return true }
        // Section 5: an element follows each comma. Foundation allows a comma at the end of an array.
        let before = bytes.prefix(error.offset).last { ![0x20, 0x0A, 0x0D, 0x09].contains($0) }
        let here = bytes.dropFirst(error.offset).first
        return error.code == .unexpectedCharacter && here == UInt8(ascii: "]") && before == UInt8(ascii: ",")
    }

    @Test func brokenDocumentsAreRefusedByBoth() {
        var samples = JSONSamples(seed: 4)
        var accepted = 0
        var refused = 0
        for _ in 0..<30_000 {
            let text = samples.text(of: samples.value(depth: 3))
            let bytes = samples.mutated(Array(text.utf8))
            let buffer = ByteBuffer(bytes: bytes)
            let theirs = foundation(buffer)
            do throws(JSONError) {
                let ours = try JSONValue(parsing: buffer)
                accepted += 1
                let isSame = theirs.map { !hasDictionaryKeys(ours) || isEqual(ours, $0) } ?? false
                #expect(isSame, "\(String(buffer: buffer))")
            } catch {
                refused += 1
                let isSame = theirs == nil || isDeliberate(error, bytes)
                #expect(isSame, "\(error): \(bytes) \(String(buffer: buffer))")
            }
        }
        #expect(accepted > 1_000)
        #expect(refused > 10_000)
    }
}

import NIOCore
import WireJSON

/// Any bytes, read in all ways that there are: those must agree, and what was read must survive being written.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = UnsafeRawBufferPointer(start: start, count: count)
    let isRead = (try? JSONReader.read(bytes) { reader throws(JSONError) in try reader.skip() }) != nil
    let raw = try? JSONReader.read(bytes) { reader throws(JSONError) in try reader.rawValue() }
    guard isRead == (raw != nil) else { fatalError("what can be skipped can be copied, and nothing else") }
    checkTree(bytes, isRead: isRead)
    readAsIfTyped(bytes, isRead: isRead)
    guard let raw else { return 0 }

    // Escapes of U+2028 and U+2029 make the text longer than it was.
    let limits = JSONLimits(bytes: .max)
    let again = try? JSONReader.read(raw, limits: limits) { reader throws(JSONError) in try reader.rawValue() }
    guard again == raw else { fatalError("a copy is its own copy") }
    guard raw.utf8.allSatisfy({ $0 >= 0x20 }),
        !raw.unicodeScalars.contains(where: { $0 == "\u{2028}" || $0 == "\u{2029}" })
    else { fatalError("a copy is one line") }
    return 0
}

private func checkTree(_ bytes: UnsafeRawBufferPointer, isRead: Bool) {
    do throws(JSONError) {
        let value = try JSONReader.read(bytes) { reader throws(JSONError) in try JSONValue(from: &reader) }
        guard isRead else { fatalError("a tree of what can't be skipped") }
        guard let again = try? JSONValue(parsing: value.description, limits: JSONLimits(bytes: .max)), again == value
        else {
            fatalError("a tree that does not survive being written")
        }
    } catch {
        guard !isRead || error.code == .numberOutOfRange else { fatalError("no tree of what can be skipped") }
        guard error.offset >= 0, error.offset <= bytes.count else { fatalError("an error outside the document") }
        guard error.description.utf8.count < 16_384 else { fatalError("an error that is no line") }
    }
}

/// Reads values as kinds that they may not have, and swallows the errors, which must come back.
private func readAsIfTyped(_ bytes: UnsafeRawBufferPointer, isRead: Bool) {
    let outcome = try? JSONReader.read(bytes) { reader throws(JSONError) in
        try reader.array { element throws(JSONError) in
            switch try element.kind() {
            case .number:
                if bytes.count % 2 == 0 { _ = try? element.int64() } else { _ = try? element.uint64() }
            case .string: _ = try? element.string()
            case .object: try? element.object { key, value in if key.isEmpty { _ = try? value.double() } }
            case .array: _ = try? element.strings()
            case .bool: _ = try? element.bool()
            case .null: _ = try? element.optionalInt()
            }
        }
    }
    guard outcome == nil || isRead else { fatalError("an error was lost") }
}

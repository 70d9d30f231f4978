import Hub

/// The readers of names and places: no trap, and what was read is read again as the same from its own text.
///
/// The first byte chooses the reader, the rest is its input.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzNames(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    guard let reader = bytes.first, let home = ServerName("home.example") else { return 0 }
    let text = String(decoding: bytes.dropFirst(), as: UTF8.self)
    switch reader % 6 {
    case 0: check(Handle(text)) { Handle($0.text) }
    case 1: check(ServerName(text)) { ServerName($0.text) }
    case 2: check(Address(text, home: home)) { Address($0.description, home: home) }
    case 3: check(Cursor(text)) { Cursor($0.description) }
    case 4: check(EventID(text)) { EventID($0.description) }
    default: pattern(text)
    }
    return 0
}

private func check<Name: Equatable>(_ name: Name?, _ again: (Name) -> Name?) {
    guard let name else { return }
    precondition(again(name) == name, "a name is read from its own text")
}

/// Up to the first full stop the pattern of a ban, then an address.
private func pattern(_ text: String) {
    let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard let pattern = parts.first, let other = parts.last else { return }
    let matches = BanPattern.matches(pattern, other)
    precondition(BanPattern.matches("*", other), "a star stands for anything")
    if !pattern.contains("*") { precondition(matches == (pattern.utf8.elementsEqual(other.utf8))) }
    if matches { precondition(BanPattern.matches(pattern + "*", other + "x")) }
}

import GatewayKit

/// The readers of addresses, ranges and URLs: no trap, one value for one text, and nothing forbidden that passes.
///
/// The first byte chooses the reader, the rest is its input.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzAddress(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    guard let reader = bytes.first else { return 0 }
    let text = String(decoding: bytes.dropFirst(), as: UTF8.self)
    switch reader % 4 {
    case 0: address(text)
    case 1: range(text)
    case 2: url("https://" + text)
    default: url(text)
    }
    return 0
}

private func address(_ text: String) {
    guard let found = NetworkAddress(parsing: text) else { return }
    precondition(NetworkAddress(parsing: found.description) == found)
    precondition(NetworkAddress(bytes: found.bytes) == found)
    precondition(found.canonical.canonical == found.canonical)
    precondition(!found.isIPv4 || NetworkAddress.looksNumeric(Array(text.utf8)))
    precondition(found.unmapped.isIPv4 || found.unmapped == found)
    if let plain = NetworkAddress(plain: text) { precondition(plain == found.unmapped) }
    // The inside of an address is never judged milder than the address.
    let policy = OutboundPolicy()
    if policy.refusal(of: found.canonical, port: 443) != nil {
        precondition(policy.refusal(of: found, port: 443) != nil)
    }
}

private func range(_ text: String) {
    guard let found = NetworkRange(parsing: text) else { return }
    precondition(NetworkRange(parsing: found.description) == found)
    precondition(found.contains(found.base))
}

private func url(_ text: String) {
    let policy = OutboundPolicy()
    guard let found = try? OutboundURL(checking: text, by: policy) else { return }
    let again = try? OutboundURL(checking: "https://\(found.authority)\(found.target)", by: policy)
    precondition(again == found, "there is no second reading")
    guard case .name(let name) = found.host else { return }
    precondition(NetworkAddress(parsing: name) == nil, "a number is never taken for a name")
}

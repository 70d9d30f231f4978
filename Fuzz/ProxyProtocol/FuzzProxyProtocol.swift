import GatewayKit

/// The PROXY protocol: no trap, and a header is the same wherever its bytes were cut.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzProxyProtocol(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    let whole = outcome(bytes)
    if case .success(let header?) = whole {
        precondition(header.length <= bytes.count, "a header is no longer than what it was read from")
        precondition(outcome(Array(bytes.prefix(header.length))) == whole, "what follows a header does not change it")
    }
    // Cutting may delay the verdict, but never change it.
    for end in 0..<min(bytes.count, 300) {
        switch outcome(Array(bytes.prefix(end))) {
        case .success(nil): break
        case let early: precondition(early == whole, "a verdict once given stands")
        }
    }
    return 0
}

private func outcome(_ bytes: [UInt8]) -> Result<ProxyHeader?, ProxyHeader.Violation> {
    do throws(ProxyHeader.Violation) {
        return .success(try ProxyHeader.decode(bytes))
    } catch {
        return .failure(error)
    }
}

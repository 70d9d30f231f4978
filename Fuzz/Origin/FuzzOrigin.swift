import GatewayKit

/// The origins of pages: no trap, one value for one text, and a text that ours and a browser's reader agree on.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOrigin(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let text = String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    if let origin = WebOrigin(text) {
        precondition(WebOrigin(origin.description) == origin)
        precondition((0...65_535).contains(origin.port))
        precondition(origin.host == origin.host.lowercased() && !origin.host.isEmpty)
        precondition(!origin.host.contains { "/?#@\\ \t\r\n".contains($0) }, "nothing that another reader would cut at")
    }
    if let page = WebOrigin(ofPage: text) { precondition(WebOrigin(page.description) == page) }
    return 0
}

import WireWebSocket

/// The opening handshake: no trap, no delimiter of HTTP in what is answered, and an answer that our own client takes.
///
/// The input is lines of `name: value`; the first byte says who reads them.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzHandshake(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    guard let reader = bytes.first else { return 0 }
    let lines = String(decoding: bytes.dropFirst(), as: UTF8.self)
        .split(separator: "\n", omittingEmptySubsequences: false)
    let headers: WebSocketHandshake.Headers = lines.map { line in
        let parts = line.split(separator: ":", maxSplits: 1)
        return (String(parts.first ?? ""), parts.count > 1 ? String(parts[1]) : "")
    }
    switch reader % 4 {
    case 0: serve(headers, isHTTP2: false)
    case 1: serve(headers, isHTTP2: true)
    case 2: check(headers)
    default: extensions(headers.map(\.value))
    }
    return 0
}

private func serve(_ headers: WebSocketHandshake.Headers, isHTTP2: Bool) {
    do throws(WebSocketHandshake.Refusal) {
        let agreement = try accept(headers, isHTTP2: isHTTP2)
        precondition(agreement.headers.allSatisfy(isClean))
        precondition(agreement.subprotocol.map(service.subprotocols.contains) ?? true)
        if let deflate = agreement.deflate {
            precondition(WebSocketExtension.parse([deflate.headerValue])?.count == 1)
            precondition((8...15).contains(deflate.serverWindowBits) && (8...15).contains(deflate.clientWindowBits))
        }
        let respelt = headers.map { (name: uppercased($0.name), value: " \($0.value)\t") }
        let again = try accept(respelt, isHTTP2: isHTTP2)
        precondition(again.deflate == agreement.deflate && again.subprotocol == agreement.subprotocol)
    } catch {
        precondition((400...599).contains(error.status))
        precondition(error.headers.allSatisfy(isClean))
    }
}

private let service = WebSocketHandshake.Service(subprotocols: ["mqtt", "v12.stomp"])

private func accept(
    _ headers: WebSocketHandshake.Headers, isHTTP2: Bool
) throws(WebSocketHandshake.Refusal) -> WebSocketHandshake.Agreement {
    if isHTTP2 {
        try WebSocketHandshake.acceptConnect(
            method: "CONNECT", connectProtocol: "websocket", headers: headers, service: service)
    } else {
        try WebSocketHandshake.acceptUpgrade(method: "GET", version: (1, 1), headers: headers, service: service)
    }
}

private func uppercased(_ name: String) -> String {
    String(decoding: name.utf8.map { (0x61...0x7A).contains($0) ? $0 & 0xDF : $0 }, as: UTF8.self)
}

private func check(_ headers: WebSocketHandshake.Headers) {
    guard let key = WebSocketKey("dGhlIHNhbXBsZSBub25jZQ==") else { preconditionFailure("a good key is refused") }
    let request = WebSocketHandshake.Request(key: key, subprotocols: ["mqtt"])
    if let agreement = try? request.agreement(status: 101, headers: headers) {
        precondition(agreement.subprotocol == nil || agreement.subprotocol == "mqtt")
        precondition(headers.contains { $0.value.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") })
    }
}

private func extensions(_ values: [String]) {
    guard let parsed = WebSocketExtension.parse(values) else { return }
    let written = parsed.map { element in
        let parameters = element.parameters.map { parameter in
            parameter.value.map { "\(parameter.name)=\"\($0)\"" } ?? parameter.name
        }
        return ([element.name] + parameters).joined(separator: ";")
    }
    precondition(WebSocketExtension.parse(written) == parsed, "written and read again")
    precondition(WebSocketExtension.parse([written.joined(separator: ",")]) == parsed, "as one line")
}

private func isClean(_ header: (name: String, value: String)) -> Bool {
    header.value.utf8.allSatisfy { (0x20...0x7E).contains($0) }
}

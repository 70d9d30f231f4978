import GatewayKit

/// The readers of SCRAM messages and of stored verifiers: no trap, and one value for one text.
///
/// The first byte chooses the reader, the rest is its input.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzScram(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    guard let reader = bytes.first else { return 0 }
    let input = Array(bytes.dropFirst())
    switch reader % 5 {
    case 0: clientFirst(input)
    case 1: serverFirst(input)
    case 2: clientFinal(input)
    case 3: serverFinal(input)
    default: verifier(input)
    }
    return 0
}

private func clientFirst(_ input: [UInt8]) {
    guard let message = try? ScramClientFirst(parsing: input) else { return }
    // What is signed is what was sent.
    precondition(message.header + message.bare == input)
    let rewritten = ScramClientFirst(
        flag: message.flag, authorisationIdentity: message.authorisationIdentity, username: message.username,
        nonce: message.nonce)
    let again = try? ScramClientFirst(parsing: rewritten.header + rewritten.bare)
    precondition(again?.username.utf8.elementsEqual(message.username.utf8) == true)
    precondition(again?.nonce == message.nonce && again?.header == message.header)
}

private func serverFirst(_ input: [UInt8]) {
    guard let message = try? ScramServerFirst(parsing: input) else { return }
    let again = try? ScramServerFirst(parsing: message.encoded)
    precondition(again == message)
}

private func clientFinal(_ input: [UInt8]) {
    guard let message = try? ScramClientFinal(parsing: input) else { return }
    precondition(message.encoded == input, "base64 has one spelling, so the message has")
}

private func serverFinal(_ input: [UInt8]) {
    guard let message = try? ScramServerFinal(parsing: input) else { return }
    let again = try? ScramServerFinal(parsing: message.encoded)
    precondition(again == message)
}

private func verifier(_ input: [UInt8]) {
    let text = String(decoding: input, as: UTF8.self)
    guard let found = PasswordVerifier(serialised: text) else { return }
    precondition(found.serialised() == text)
    precondition(!"\(found)".contains(text))
}

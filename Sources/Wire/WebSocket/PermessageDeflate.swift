/// The extension that compresses each message on its own. RFC 7692.
package enum PermessageDeflate {
    package static let name = "permessage-deflate"

    /// What both sides agreed on. A `Deflater`'s output may be shared by all connections whose `serverWindowBits` are
    /// equal, so this is part of a dialect.
    package struct Agreement: Hashable, Sendable {
        /// Largest window (as a power of two, 8…15) of what the server compresses.
        package var serverWindowBits: Int
        /// Largest window of what the client compresses.
        package var clientWindowBits: Int
        /// Whether the client may refer back to its earlier messages; its inflater then lives as long as it does.
        /// (The server never refers back: what it sends is shared by many connections.)
        package var clientTakesContextOver: Bool

        package init(serverWindowBits: Int = 15, clientWindowBits: Int = 15, clientTakesContextOver: Bool = false) {
            self.serverWindowBits = serverWindowBits
            self.clientWindowBits = clientWindowBits
            self.clientTakesContextOver = clientTakesContextOver
        }

        /// The value of the server's `Sec-WebSocket-Extensions`.
        package var headerValue: String {
            var value = "\(PermessageDeflate.name); server_no_context_takeover"
            if !clientTakesContextOver { value += "; client_no_context_takeover" }
            if serverWindowBits < 15 { value += "; server_max_window_bits=\(serverWindowBits)" }
            if clientWindowBits < 15 { value += "; client_max_window_bits=\(clientWindowBits)" }
            return value
        }

        /// The largest window of what `role` receives.
        func inboundWindowBits(for role: WebSocketRole) -> Int {
            role == .server ? clientWindowBits : serverWindowBits
        }

        /// Whether what `role` receives may refer back to earlier messages.
        func inboundTakesContextOver(for role: WebSocketRole) -> Bool {
            role == .server && clientTakesContextOver
        }

        /// The largest window of what `role` sends.
        package func outboundWindowBits(for role: WebSocketRole) -> Int {
            role == .server ? serverWindowBits : clientWindowBits
        }
    }

    /// The offer of our own client: no context of either side outlives a message.
    package static let offer = "permessage-deflate; client_no_context_takeover; server_no_context_takeover"

    /// The server's choice: the first offer whose every parameter is known, single and valid; `nil` when there is none.
    ///
    /// - Parameter letsClientKeepContext: leaves the client its context, unless it offers to go without: better
    ///   compression of what it sends, for about 40 KiB per connection. RFC 7692 section 7.1.1.2.
    package static func accept(offers: [WebSocketExtension], letsClientKeepContext: Bool = false) -> Agreement? {
        for offer in offers where offer.name == name {
            if let parameters = Parameters(offer, isOffer: true) {
                return Agreement(
                    serverWindowBits: parameters.serverWindowBits ?? 15,
                    clientWindowBits: parameters.clientWindowBits ?? 15,
                    clientTakesContextOver: letsClientKeepContext && !parameters.clientNoContextTakeover)
            }
        }
        return nil
    }

    /// The client's reading of the server's answer to `offer`.
    /// - Returns: `nil` when the answer is not one that the offer allows, and the connection must fail.
    package static func agreement(answer: WebSocketExtension) -> Agreement? {
        guard
            answer.name == name,
            let parameters = Parameters(answer, isOffer: false),
            parameters.serverNoContextTakeover,
            parameters.clientWindowBits == nil
        else { return nil }
        return Agreement(serverWindowBits: parameters.serverWindowBits ?? 15)
    }

    /// The parameters of one offer or answer. RFC 7692 section 7.1.
    private struct Parameters {
        var serverNoContextTakeover = false
        var clientNoContextTakeover = false
        var serverWindowBits: Int?
        var clientWindowBits: Int?

        init?(_ element: WebSocketExtension, isOffer: Bool) {
            var seen: Set<String> = []
            for parameter in element.parameters {
                guard seen.insert(parameter.name).inserted else { return nil }
                switch (parameter.name, parameter.value) {
                case ("server_no_context_takeover", nil): serverNoContextTakeover = true
                case ("client_no_context_takeover", nil): clientNoContextTakeover = true
                case ("server_max_window_bits", let value?):
                    guard let bits = Self.windowBits(value) else { return nil }
                    serverWindowBits = bits
                case ("client_max_window_bits", let value?):
                    guard let bits = Self.windowBits(value) else { return nil }
                    clientWindowBits = bits
                case ("client_max_window_bits", nil) where isOffer: break
                default: return nil
                }
            }
        }

        /// 8…15 in decimal without leading zeros.
        private static func windowBits(_ value: String) -> Int? {
            guard let bits = Int(value), (8...15).contains(bits), String(bits) == value else { return nil }
            return bits
        }
    }
}

import NIOCore

/// One call of an outgoing webhook, ready to be sent.
package struct WebhookCall: Sendable {
    package let url: OutboundURL
    /// The one address to connect to: resolved once and checked. TLS still verifies the name of ``url``.
    package let address: SocketAddress
    package let headers: [(name: String, value: String)]
    /// JSON.
    package let body: ByteBuffer
}

/// How webhooks reach the network. The executable gives one that speaks HTTP.
package protocol WebhookTransport: Sendable {
    /// The addresses of a name, each with the port: one look-up.
    func resolve(_ name: String, port: Int) async throws -> [SocketAddress]
    /// Posts, and returns the status of the answer, whose body is not read. Follows no redirect, sends no cookies, obeys
    /// no proxy of the environment, and gives up after ``WebhookTiming/timeout``.
    func post(_ call: WebhookCall) async throws -> Int
}

/// When an outgoing call is made again.
package struct WebhookTiming: Sendable {
    /// For one call, connecting included.
    package static let timeout = TimeAmount.seconds(10)
    /// Milliseconds after an event until which it is tried.
    package static let lifetime: Int64 = 24 * 3_600_000
    private static let first: Int64 = 5_000
    private static let longest: Int64 = 3_600_000

    /// Milliseconds to wait after a number of failures in a row: 5 s, doubled each time up to an hour, and a random half
    /// of it more or less, so that targets which failed together are not called together.
    package static func delay(failures: Int, random: UInt64) -> Int64 {
        let doublings = min(max(failures - 1, 0), 10)
        let base = min(longest, first << Int64(doublings))
        return base / 2 + Int64(random % UInt64(base))
    }
}

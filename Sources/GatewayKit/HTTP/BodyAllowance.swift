/// How much of a request's body is taken in, decided by its head before a byte of the body is kept.
package enum BodyAllowance: Hashable, Sendable {
    /// What the door's limits say of the path: for who shows a credential.
    case standard
    /// At most this many bytes, and no more than `standard`: for what anybody may send.
    case atMost(Int)
    /// Nothing: the request is refused by its head. Its route is asked at once, with an empty body, and what comes is
    /// dropped.
    case dropped

    /// Enough for a form, for every path that says nothing else.
    package static let small = BodyAllowance.atMost(16 << 10)

    /// A body up to this size is there whole before its route is asked; a larger one is handed on part by part, as it
    /// comes.
    package static let wholeBytes = 64 << 10

    func bytes(forPath path: String, _ limits: DoorLimits) -> Int {
        switch self {
        case .standard: limits.bodyBytes(forPath: path)
        case .atMost(let bytes): min(bytes, limits.bodyBytes(forPath: path))
        case .dropped: .max
        }
    }

    /// Which part of `DoorLimits.inboundBudget` such bodies may fill: what anybody sends must leave room for the others.
    var shareOfBudget: Int {
        if case .atMost = self { 2 } else { 1 }
    }
}

import NIOCore
import WireJSON

/// What an operation answers.
package enum OperationResult: Sendable {
    /// Writes the members of the answer's object: what ``Operation/result`` describes.
    case members(@Sendable (inout JSONWriter) -> Void)
    /// One JSON document that is too long to be held at once, piece by piece; HTTP only. What `write` throws (the peer
    /// is gone) is to be passed on.
    case stream(@Sendable (_ write: (ByteBuffer) async throws -> Void) async throws -> Void)

    /// An answer without members.
    package static let nothing = OperationResult.members { _ in }
}

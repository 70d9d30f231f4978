import Hummingbird
import Logging
import NIOCore

/// What the door tells the router about a request besides the request itself.
package struct DoorRequestSource: RequestContextSource {
    /// Carries the request's id under `hb.request.id`, and the client's address.
    package let logger: Logger
    package let remote: RemoteClient
    /// The loop of the request's connection.
    package let eventLoop: any EventLoop
}

/// The context of a route that needs nothing but what the door knows. A gateway may define its own, with
/// `DoorRequestSource` as its `Source`.
package struct DoorRequestContext: RequestContext {
    package typealias Source = DoorRequestSource

    package var coreContext: CoreRequestContextStorage
    package let remote: RemoteClient

    package init(source: DoorRequestSource) {
        coreContext = CoreRequestContextStorage(source: source)
        remote = source.remote
    }
}

import Hub
import WireJSON

/// One thing that a client can ask for: what it is called, what it takes, what it gives, and who does it.
///
/// The table of operations (``Operations/all``) is the one source of the dispatch, of the documentation and of OpenAPI.
package final class Operation: Sendable {
    package enum Way: String, Sendable, CaseIterable {
        /// Changes nothing. `GET` with a query, or a frame.
        case read
        /// Changes something that lasts. `POST` with a JSON body, or a frame. Begun in the order in which frames came.
        case change
        /// Something that passes. `POST`, or a frame.
        case signal
        /// About the session itself: a frame only.
        case session
    }

    package enum Access: String, Sendable, CaseIterable {
        /// No credential is asked for.
        case nobody
        /// Anybody who is signed in, guests included.
        case guest
        /// Persons and bots, no guests.
        case account
        case administrator
    }

    /// Where an operation can be asked for.
    package struct Places: OptionSet, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }
        package static let http = Places(rawValue: 1)
        package static let socket = Places(rawValue: 2)
        package static let everywhere: Places = [.http, .socket]
    }

    package enum Handler: Sendable {
        /// One command in the conversation that the parameter `conversation` names, under the token that `ref` gives.
        /// The framework resolves, submits and answers; on a socket without a task.
        case command(@Sendable (Arguments) throws(Rejection) -> ConversationCommand)
        /// A signal in the conversation that the parameter `conversation` names.
        case signal(@Sendable (Arguments) throws(Rejection) -> SignalMaker)
        /// Anything else that a signed-in client asks for. Runs in a task.
        case task(@Sendable (Arguments, OperationContext) async throws(Rejection) -> OperationResult)
        /// What needs no credential. Runs in a task; HTTP only.
        case open(@Sendable (Arguments, OpenContext) async throws(Rejection) -> OperationResult)
        /// Done by the socket's own machine.
        case session(SessionOperation)
    }

    /// Makes the signal once the place and the author are known.
    package typealias SignalMaker = @Sendable (ConversationID, Party) -> Signal

    package let name: String
    package let way: Way
    package let access: Access
    package let places: Places
    /// One sentence for the documentation.
    package let summary: String
    package let parameters: [Parameter]
    /// The members of `ok` (over HTTP: of the answer).
    package let result: [Field]
    package let handler: Handler

    /// - Parameters:
    ///   - access: who may ask; operations with an ``Handler/open(_:)`` handler ask for nobody.
    ///   - places: `session` operations are for sockets only and `open` ones for HTTP only, whatever is said here.
    package init(
        _ name: String, _ way: Way, access: Access = .guest, places: Places = .everywhere, _ summary: String,
        parameters: [Parameter] = [], result: [Field] = [], _ handler: Handler
    ) {
        self.name = name
        self.way = way
        self.summary = summary
        self.parameters = parameters
        self.result = result
        self.handler = handler
        switch handler {
        case .open:
            self.access = .nobody
            self.places = .http
        case .session:
            self.access = access
            self.places = .socket
        case .command, .signal, .task:
            self.access = access
            self.places = places
        }
    }

    /// Whether an account may ask for this at all; what it may do with it is for the handler and the rules.
    package func admits(_ actor: Actor) -> Rejection? {
        switch access {
        case .nobody, .guest: nil
        case .account: actor.kind == .guest ? Rejection(.forbidden, "a guest can't do this") : nil
        case .administrator:
            actor.isAdministrator ? nil : Rejection(.forbidden, "this is for administrators of the server")
        }
    }

    /// Where a parameter stands in ``parameters`` and in ``Arguments``.
    func index(of name: String) -> Int? {
        parameters.firstIndex { $0.name == name }
    }
}

/// What a socket's machine does itself.
package enum SessionOperation: Sendable {
    case hello, ping, presence, attend
}

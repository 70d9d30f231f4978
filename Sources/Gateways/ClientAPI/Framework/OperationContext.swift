import GatewayKit
import Hub

/// What operations stand on. One value for the whole gateway.
package struct APIServices: Sendable {
    package let hub: Hub
    package let authenticator: any Authenticator
    private let accounts: AccountService?
    private let webhooks: WebhookService?
    let loops: APILoops

    /// - Parameter accounts: nil where accounts are kept by somebody else: their operations answer `not-applicable`.
    package init(
        hub: Hub, authenticator: any Authenticator, accounts: AccountService? = nil, webhooks: WebhookService? = nil
    ) {
        self.hub = hub
        self.authenticator = authenticator
        self.accounts = accounts
        self.webhooks = webhooks
        self.loops = APILoops(hub.eventLoops, epoch: hub.epoch)
    }

    func requireAccounts() throws(Rejection) -> AccountService {
        guard let accounts else { throw Rejection(.notApplicable, "accounts are not kept by this door") }
        return accounts
    }

    func requireWebhooks() throws(Rejection) -> WebhookService {
        guard let webhooks else { throw Rejection(.notApplicable, "webhooks are not kept by this door") }
        return webhooks
    }
}

/// Who asks, and what with: given to every handler of a signed-in client.
package struct OperationContext: Sendable {
    package let services: APIServices
    package let actor: Actor
    package let remote: RemoteClient

    package init(services: APIServices, actor: Actor, remote: RemoteClient) {
        self.services = services
        self.actor = actor
        self.remote = remote
    }

    package var hub: Hub { services.hub }

    /// The conversation of a name, for reading: it is not made if it is not there.
    package func find(_ name: ConversationName) async throws(Rejection) -> ConversationID {
        let actor = actor
        return try await hub.read { reader throws(Rejection) in try reader.conversation(name, for: actor) }
    }

    /// The conversation of a name, for a change: the direct conversation with an account is opened on first need.
    package func open(_ name: ConversationName) async throws(Rejection) -> ConversationID {
        guard case .direct(let address) = name else { return try await find(name) }
        do throws(Rejection) {
            return try await find(name)
        } catch {
            guard error.code == .notFound else { throw error }
            let other = try await account(address)
            return try await hub.submit(.openDirect(with: other.id, sealing: nil), by: actor, token: nil).conversation
        }
    }

    package func account(_ address: Address) async throws(Rejection) -> Account {
        try await hub.read { reader throws(Rejection) in try reader.account(named: address.description) }
    }

    /// Submits one command in a conversation and gives its acceptance as the answer.
    package func change(
        _ name: ConversationName, _ command: ConversationCommand, token: Token?
    ) async throws(Rejection) -> OperationResult {
        let conversation = try await open(name)
        let acceptance = try await hub.submit(.conversation(conversation, command), by: actor, token: token)
        return .acceptance(acceptance, epoch: hub.epoch)
    }
}

/// What a handler knows of a client that has not signed in.
package struct OpenContext: Sendable {
    package let services: APIServices
    package let remote: RemoteClient

    package init(services: APIServices, remote: RemoteClient) {
        self.services = services
        self.remote = remote
    }

    package var hub: Hub { services.hub }
}

extension Reader {
    /// A conversation that the actor may know of.
    func conversation(_ name: ConversationName, for actor: Actor) throws(Rejection) -> ConversationID {
        switch name {
        case .id(let id):
            return try view(id, for: actor).head.identity.id
        case .address(let address):
            return try conversation(named: address.description, for: actor)
        case .direct(let address):
            guard let id = try direct(with: try account(named: address.description).id, for: actor) else {
                throw Rejection(.notFound, "you have not talked with \(address) yet")
            }
            return id
        }
    }
}

import ClientAPI
import GatewayKit
import Hub

/// Whoever reaches the admin socket is the server itself: the socket lies in the data directory and only its owner may
/// open it, and who may open it could read the database too.
///
/// *Lives on* any thread.
struct AdminAuthenticator: Authenticator {
    let server: Actor

    func authenticate(bearer: String, remote: RemoteClient) async -> Result<Actor, Rejection> { .success(server) }
}

extension AccountService: Authenticator {}

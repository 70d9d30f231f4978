import Hub

/// What every deployment has from its first start on: the server's own account, and a place to talk.
enum FirstStart {
    static let serverHandle = "server"
    static let lobbyHandle = "lobby"

    /// The account that acts for the server itself: an administrator without credentials, and so without a way in but
    /// the admin socket. Made when there is none.
    static func serverActor(_ hub: Hub) async throws(Failure) -> Actor {
        guard let handle = Handle(serverHandle) else { throw Failure(.software, "the server's handle is no handle") }
        let now = hub.clock()
        do throws(StoreError) {
            let account = try await hub.write { directory throws(StoreError) in
                if let account = try directory.account(at: Address(handle: handle)) { return account }
                return try directory.create(
                    NewAccount(
                        address: Address(handle: handle), kind: .bot, displayName: "Server", isAdministrator: false,
                        created: now, expires: nil))
            }
            // A device of zero stands for the server itself; that it may administer is not kept in its account, so it does
            // not count as the first administrator.
            return Actor(party: account.party, device: DeviceID(rawValue: 0), isAdministrator: true, kind: .bot)
        } catch {
            throw Failure(error)
        }
    }

    /// The public group that newcomers find. Made at the first start only: who leaves it or renames it is not overruled.
    static func lobby(_ hub: Hub, by server: Actor) async throws(Failure) {
        guard let handle = Handle(lobbyHandle) else { throw Failure(.software, "the lobby's handle is no handle") }
        do throws(StoreError) {
            let isDone = try await hub.write { directory throws(StoreError) in
                try directory.secret("first-start") != nil
            }
            guard !isDone else { return }
            do throws(Rejection) {
                _ = try await hub.submit(
                    .create(
                        NewConversation(
                            kind: .group, handle: handle, name: "Lobby", subject: "Everybody is welcome here",
                            access: .public, history: .members)),
                    by: server, token: Token("first-start-lobby"))
            } catch {
                guard error.code == .nameTaken else {
                    throw StoreError.unavailable("the lobby can't be made: \(error.message)")
                }
            }
            try await hub.write { directory throws(StoreError) in try directory.setSecret([1], named: "first-start") }
        } catch {
            throw Failure(error)
        }
    }
}

import Hub

/// A device that has just been let in, and its token, which is shown this once.
package struct SignIn: Sendable {
    package let account: Account
    package let device: Device
    package let token: TokenSecret

    package var actor: Actor { account.actor(device.id) }
}

extension Account {
    /// This account, acting by one of its devices.
    package func actor(_ device: DeviceID) -> Actor {
        Actor(party: party, device: device, isAdministrator: isAdministrator, kind: kind)
    }

    /// The server, acting in this account's name: not limited in rate, and recorded without a device.
    ///
    /// - Parameter asAdministrator: with an administrator's power over groups, whatever the account itself may do.
    func byServer(asAdministrator: Bool = false) -> Actor {
        Actor(
            party: party, device: DeviceID(rawValue: 0), isAdministrator: asAdministrator || isAdministrator, kind: kind
        )
    }

    /// Nil if the account may be used now; otherwise why not, in words that say nothing about it.
    func refusal(at now: Timestamp) -> Rejection? {
        isDisabled || expires.map { $0 <= now } ?? false ? .notSignedIn : nil
    }
}

extension Rejection {
    /// The one answer to a token that opens nothing, whatever the reason.
    static let notSignedIn = Rejection(.unauthenticated, "the token is not valid, or no longer")
    /// The one answer to a login that failed, whatever the reason.
    static let wrongPassword = Rejection(.unauthenticated, "there is no account with this handle and password")
}

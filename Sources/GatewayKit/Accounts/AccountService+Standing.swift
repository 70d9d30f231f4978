import Hub

/// Whether who asked may still ask, at the moment when it counts.
///
/// A door looks at a token once, when a request or a connection begins. What lasts (a device, a link, a password, the
/// rights of an account) is given in a transaction that looks again: so a token that is revoked while its request is
/// under way leaves nothing behind.
extension AccountService {
    /// A decision in somebody's name; nil: of somebody who is not signed in.
    func decide<T: Sendable>(
        by authority: Authority?, asAdministrator: Bool = true,
        _ body: @escaping @Sendable (any DirectoryAccess) throws(StoreError) -> Result<T, Rejection>
    ) async throws(Rejection) -> T {
        let now = hub.clock()
        return try await decide { directory throws(StoreError) -> Result<T, Rejection> in
            if let refusal = try authority?.refusal(asAdministrator: asAdministrator, at: now, in: directory) {
                return .failure(refusal)
            }
            return try body(directory)
        }
    }

    /// Asks the directory, not the session: an administrator is one until the moment when they are not.
    func requireAdministrator(_ authority: Authority) async throws(Rejection) {
        let now = hub.clock()
        let refusal = try await look { directory throws(StoreError) in
            try authority.refusal(asAdministrator: true, at: now, in: directory)
        }
        if let refusal { throw refusal }
    }

    /// The account that acts, as it is now; nil for the operator.
    func current(_ authority: Authority) async throws(Rejection) -> Account? {
        guard case .account(let actor) = authority else { return nil }
        return try await current(actor)
    }

    func current(_ actor: Actor) async throws(Rejection) -> Account {
        let now = hub.clock()
        let found = try await look { directory throws(StoreError) in try actor.standing(at: now, in: directory) }
        guard let found else { throw .notSignedIn }
        return found
    }
}

extension Authority {
    /// Nil if they may act; otherwise why not.
    func refusal(
        asAdministrator: Bool, at now: Timestamp, in directory: any DirectoryAccess
    ) throws(StoreError) -> Rejection? {
        guard case .account(let actor) = self else { return nil }
        guard let account = try actor.standing(at: now, in: directory) else { return .notSignedIn }
        return asAdministrator && !account.isAdministrator
            ? Rejection(.forbidden, "this takes an administrator") : nil
    }
}

extension Actor {
    /// The account as it is now; nil if it is closed, or the device revoked.
    func standing(at now: Timestamp, in directory: any DirectoryAccess) throws(StoreError) -> Account? {
        guard let account = try directory.account(self.account), account.refusal(at: now) == nil else { return nil }
        // No token gives a device of zero: the server itself acts.
        if isServer { return account }
        let devices = try directory.devices(of: account.id)
        return devices.contains { $0.id == device } ? account : nil
    }
}

/// An account, and the verifier by which somebody proved to know its password.
///
/// A proof takes time (for the hash, or for the client's answer), and the password may be another one when it is over:
/// what follows from it asks ``refusal(at:in:)`` in its own transaction.
package struct ProvedPassword: Sendable {
    package let account: Account
    let verifier: PasswordVerifier

    /// Nil if the password is still this one and opens the account; otherwise why not.
    func refusal(at now: Timestamp, in directory: any DirectoryAccess) throws(StoreError) -> Rejection? {
        guard let account = try directory.account(account.id), account.refusal(at: now) == nil,
            let stored = try directory.credential(of: account.id, scheme: verifier.mechanism.scheme),
            PasswordVerifier(serialised: stored) == verifier
        else { return .wrongPassword }
        return nil
    }
}

/// What a new device is given for.
enum Entitlement: Sendable {
    /// Its account has just been made.
    case newcomer
    case password(ProvedPassword)
    case authority(Authority, asAdministrator: Bool)

    /// Nil if the account gets its device; otherwise why not.
    func refusal(
        of account: AccountID, at now: Timestamp, in directory: any DirectoryAccess
    ) throws(StoreError) -> Rejection? {
        switch self {
        case .newcomer:
            guard let account = try directory.account(account) else { return .notSignedIn }
            return account.refusal(at: now)
        case .password(let proof): return try proof.refusal(at: now, in: directory)
        case .authority(let authority, let asAdministrator):
            return try authority.refusal(asAdministrator: asAdministrator, at: now, in: directory)
        }
    }
}

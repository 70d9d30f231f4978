import Hub

extension AccountService {
    /// Changes one's own password.
    ///
    /// The old password counts as a guess like any login. An account without a password (of a host application) can't
    /// set one: who holds a session would else keep the account.
    ///
    /// - Parameter revokesOthers: whether all other devices are signed out.
    package func changePassword(
        old: String, new: String, revokesOthers: Bool, by actor: Actor, remote: RemoteClient
    ) async throws(Rejection) {
        guard actor.kind == .person else { throw Rejection(.notApplicable, "only a person has a password") }
        let account = try await check(password: old, of: actor.party.address.handle.text, remote: remote)
        guard account.id == actor.account else { throw .wrongPassword }
        try await store(try await verifiers(for: new), of: account.id)
        if revokesOthers { try await revokeAll(of: account.id, but: actor.device) }
    }

    func store(_ verifiers: [String: String], of account: AccountID) async throws(Rejection) {
        try await write { directory throws(StoreError) in
            try AccountService.replace(verifiers, of: account, in: directory)
        }
    }

    /// Replaces all verifiers: one of the old password must not stay under another mechanism.
    static func replace(
        _ verifiers: [String: String], of account: AccountID, in directory: any Directory
    ) throws(StoreError) {
        for mechanism in ScramMechanism.allCases {
            try directory.setCredential(verifiers[mechanism.scheme], scheme: mechanism.scheme, of: account)
        }
    }

    /// Revokes every device of an account but one.
    func revokeAll(of account: AccountID, but kept: DeviceID?) async throws(Rejection) {
        let known = try await look { directory throws(StoreError) in try directory.devices(of: account) }
        try await revoke(known.map(\.id).filter { $0 != kept }, of: account)
    }
}

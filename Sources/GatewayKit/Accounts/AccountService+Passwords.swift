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
        let proof = try await check(password: old, of: actor.party.address.handle.text, remote: remote)
        let id = proof.account.id
        guard id == actor.account else { throw .wrongPassword }
        let verifiers = try await verifiers(for: new)
        let now = hub.clock()
        let gone = try await decide(by: .account(actor), asAdministrator: false) {
            directory throws(StoreError) -> Result<[DeviceID], Rejection> in
            if let refusal = try proof.refusal(at: now, in: directory) { return .failure(refusal) }
            try AccountService.replace(verifiers, of: id, in: directory)
            guard revokesOthers else { return .success([]) }
            return .success(try AccountService.revokeAll(of: id, but: actor.device, at: now, in: directory))
        }
        await hub.revoked(gone, of: id)
    }

    /// On the lane: replaces all verifiers: one of the old password must not stay under another mechanism.
    static func replace(
        _ verifiers: [String: String], of account: AccountID, in directory: any DirectoryAccess
    ) throws(StoreError) {
        for mechanism in ScramMechanism.allCases {
            try directory.setCredential(verifiers[mechanism.scheme], scheme: mechanism.scheme, of: account)
        }
    }

    /// On the lane: revokes every device of an account but one. Returns them: the hub is to be told.
    static func revokeAll(
        of account: AccountID, but kept: DeviceID?, at now: Timestamp, in directory: any DirectoryAccess
    ) throws(StoreError) -> [DeviceID] {
        let gone = try directory.devices(of: account).map(\.id).filter { $0 != kept }
        try revoke(gone, of: account, at: now, in: directory)
        return gone
    }
}

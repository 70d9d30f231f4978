import Hub

extension AccountService {
    /// Signs a device in by password.
    ///
    /// An unknown account, a wrong password and a disabled account take the same work and get the same answer. Guesses
    /// are counted per account and per network (`rate-limited`); with too many logins at once the answer is `busy`.
    package func login(
        handle: String, password: String, device: String, remote: RemoteClient
    ) async throws(Rejection) -> SignIn {
        let name = try AccountService.deviceName(device)
        let proof = try await check(password: password, of: handle, remote: remote)
        return try await enrol(proof.account, device: name, by: .password(proof))
    }

    /// The account of a handle and password: for doors whose protocol sends both.
    package func check(
        password: String, of handle: String, remote: RemoteClient
    ) async throws(Rejection) -> ProvedPassword {
        // Says nothing about any account: such a password is nobody's.
        guard let password = try? OpaqueString(password) else { throw .wrongPassword }
        let name = AccountService.folded(handle)
        try admit(name, remote)
        let candidate: LoginCandidate
        let isRight: Bool
        do throws(Rejection) {
            candidate = try await self.candidate(name, .sha256)
            isRight = try await passwords.accepts(password, candidate.verifier)
        } catch {
            // No password was looked at, so nothing was guessed.
            attempts.succeeded(account: name, address: remote.address)
            throw error
        }
        guard isRight, let account = candidate.account else { throw .wrongPassword }
        attempts.succeeded(account: name, address: remote.address)
        return ProvedPassword(account: account, verifier: candidate.verifier)
    }

    /// The name under which a look-up and the limits know an account.
    static func folded(_ handle: String) -> String { Handle(handle)?.text ?? handle }

    func admit(_ name: String, _ remote: RemoteClient) throws(Rejection) {
        if case .limited(let wait) = attempts.admit(account: name, address: remote.address) {
            throw Rejection(
                .rateLimited, "too many attempts to sign in", retryAfter: max(1, wait.nanoseconds / 1_000_000))
        }
    }

    /// Whom a name would log in as, and the verifier to ask: a decoy where there is nobody.
    struct LoginCandidate: Sendable {
        /// Nil: whatever is proved, nobody is let in.
        let account: Account?
        let verifier: PasswordVerifier
    }

    func candidate(_ name: String, _ mechanism: ScramMechanism) async throws(Rejection) -> LoginCandidate {
        let now = hub.clock()
        let found = try await look { directory throws(StoreError) -> (account: Account?, stored: String?) in
            // An unknown name costs the same two look-ups as a known one.
            let account = try Handle(name).flatMap { (handle) throws(StoreError) in
                try directory.account(at: Address(handle: handle))
            }
            let stored = try directory.credential(
                of: account?.id ?? AccountID(rawValue: 0), scheme: mechanism.scheme)
            return (account, stored)
        }
        // Made for everybody, used for nobody who has one.
        let decoy = decoys.verifier(for: name, mechanism: mechanism)
        guard let account = found.account, account.refusal(at: now) == nil,
            let verifier = found.stored.flatMap(PasswordVerifier.init(serialised:)), verifier.mechanism == mechanism
        else { return LoginCandidate(account: nil, verifier: decoy) }
        return LoginCandidate(account: account, verifier: verifier)
    }

    // MARK: Devices

    /// Gives a device of an account its token, if whoever asks is still entitled to one. The directory keeps the token's
    /// hash.
    func enrol(
        _ account: Account, device name: String, kind: TokenKind = .device, by entitlement: Entitlement = .newcomer
    ) async throws(Rejection) -> SignIn {
        let token = TokenSecret.generate(kind)
        let hash = token.hash.bytes
        let now = hub.clock()
        let limit = configuration.devicesPerAccount
        let made = try await decide {
            directory throws(StoreError) -> Result<(device: Device, gone: [DeviceID]), Rejection> in
            if let refusal = try entitlement.refusal(of: account.id, at: now, in: directory) {
                return .failure(refusal)
            }
            let known = try directory.devices(of: account.id).sorted { $0.lastSeen < $1.lastSeen }
            let gone = known.prefix(max(0, known.count - max(limit, 1) + 1)).map(\.id)
            for device in gone { _ = try directory.revoke(device) }
            let device = try directory.createDevice(of: account.id, name: name, tokenHash: hash, at: now)
            return .success((device, gone))
        }
        await hub.revoked(made.gone, of: account.id)
        return SignIn(account: account, device: made.device, token: token)
    }

    /// Gives a device of its own to who is signed in by a host application's token.
    package func exchange(_ actor: Actor, device: String) async throws(Rejection) -> SignIn {
        let name = try AccountService.deviceName(device)
        guard actor.kind != .bot else { throw Rejection(.notApplicable, "a bot has the tokens that it was given") }
        return try await enrol(
            try await account(actor.account), device: name, by: .authority(.account(actor), asAdministrator: false))
    }

    package func devices(of actor: Actor) async throws(Rejection) -> [Device] {
        try await look { directory throws(StoreError) in try directory.devices(of: actor.account) }
    }

    /// Revokes one of the actor's own devices: within a second it is gone from every door.
    package func revoke(_ device: DeviceID, by actor: Actor) async throws(Rejection) {
        let now = hub.clock()
        try await decide(by: .account(actor), asAdministrator: false) {
            directory throws(StoreError) -> Result<Void, Rejection> in
            let own = try directory.devices(of: actor.account)
            guard own.contains(where: { $0.id == device }) else {
                return .failure(Rejection(.notFound, "no such device"))
            }
            try AccountService.revoke([device], of: actor.account, at: now, in: directory)
            return .success(())
        }
        await hub.revoked([device], of: actor.account)
    }

    /// Ends the device that asks.
    package func logout(_ actor: Actor) async throws(Rejection) {
        let now = hub.clock()
        try await write { directory throws(StoreError) in
            try AccountService.revoke([actor.device], of: actor.account, at: now, in: directory)
        }
        await hub.revoked([actor.device], of: actor.account)
    }

    /// On the lane: revokes devices. The hub is to be told afterwards.
    static func revoke(
        _ devices: [DeviceID], of account: AccountID, at now: Timestamp, in directory: any DirectoryAccess
    ) throws(StoreError) {
        try closeHostDoor(devices, of: account, at: now, in: directory)
        for device in devices { _ = try directory.revoke(device) }
    }

    static func deviceName(_ text: String) throws(Rejection) -> String {
        guard (1...AccountConfiguration.deviceNameBytes).contains(text.utf8.count),
            !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
        else {
            throw Rejection(
                .invalidValue,
                "a device's name takes 1 to \(AccountConfiguration.deviceNameBytes) bytes without control characters")
        }
        return text
    }
}

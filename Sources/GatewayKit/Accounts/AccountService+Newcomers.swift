import Hub

/// What a person says who wants an account.
package struct Newcomer: Sendable {
    package var handle: String
    package var password: String
    package var displayName: String?
    /// The name of the device that is signed in at once.
    package var device: String

    package init(handle: String, password: String, displayName: String? = nil, device: String) {
        self.handle = handle
        self.password = password
        self.displayName = displayName
        self.device = device
    }
}

/// A newcomer whose words have been checked and whose password is hashed: what goes to the lane.
struct CheckedNewcomer: Sendable {
    let handle: Handle
    let displayName: String?
    let verifiers: [String: String]
    let device: String
}

extension AccountService {
    /// Makes an account for whoever asks, where registration is open.
    ///
    /// A guest who asks becomes that account: the groups where the guest was are joined, at the same rank, and the
    /// guest's account ends. Direct conversations stay with the guest: they belong to the pair of accounts.
    package func register(
        _ newcomer: Newcomer, as guest: Actor? = nil, remote: RemoteClient
    ) async throws(Rejection) -> SignIn {
        guard configuration.registration == .open else {
            throw Rejection(.forbidden, "accounts are made by invitation here")
        }
        try requireGuest(guest)
        try arrive(remote)
        let checked = try await check(newcomer, allowsReserved: false)
        let now = hub.clock()
        let account = try await decide(by: guest.map(Authority.account), asAdministrator: false) {
            directory throws(StoreError) in
            try AccountService.make(checked, isAdministrator: false, at: now, in: directory)
        }
        logger.info("an account was registered", metadata: ["account": "\(account.address)"])
        await adopt(guest, by: account)
        return try await enrol(account, device: checked.device)
    }

    func requireGuest(_ actor: Actor?) throws(Rejection) {
        guard actor.map({ $0.kind == .guest }) ?? true else {
            throw Rejection(.notApplicable, "you have an account already")
        }
    }

    /// Counts somebody who makes an account or tries a link. Programs on this machine are not counted.
    func arrive(_ remote: RemoteClient) throws(Rejection) {
        guard !remote.isLocal else { return }
        // The account's own bucket must not limit: it is a name of one use.
        let once = StrictBase64.encode(SecretBytes.random(count: 9).reveal(), as: .url)
        if case .limited(let wait) = arrivals.admit(account: once, address: remote.address) {
            throw Rejection(
                .rateLimited, "too many from your address", retryAfter: max(1, wait.nanoseconds / 1_000_000))
        }
    }

    func check(_ newcomer: Newcomer, allowsReserved: Bool) async throws(Rejection) -> CheckedNewcomer {
        CheckedNewcomer(
            handle: try AccountService.freeName(newcomer.handle, allowsReserved: allowsReserved),
            displayName: try displayName(newcomer.displayName), verifiers: try await verifiers(for: newcomer.password),
            device: try AccountService.deviceName(newcomer.device))
    }

    /// A handle that may be given. Capitals are folded.
    static func freeName(_ text: String, allowsReserved: Bool) throws(Rejection) -> Handle {
        guard let handle = Handle(text) else {
            throw Rejection(
                .invalidName, "a handle begins with a letter and has up to \(Handle.limit) of a-z, 0-9, _ and -")
        }
        guard !handle.isGuest, !handle.text.hasPrefix(HostSubject.mappedPrefix),
            handle.text != serverHandle, allowsReserved || !ReservedHandles.contains(handle.text)
        else { throw Rejection(.invalidName, "this handle is reserved") }
        return handle
    }

    func displayName(_ text: String?) throws(Rejection) -> String? {
        guard let text, !text.isEmpty else { return nil }
        guard text.utf8.count <= hub.limits.nameBytes else {
            throw Rejection(.tooLarge, "a name takes up to \(hub.limits.nameBytes) bytes")
        }
        guard !text.utf8.contains(0) else { throw Rejection(.invalidValue, "the name contains U+0000") }
        return text
    }

    /// What is stored for a new password.
    func verifiers(for password: String) async throws(Rejection) -> [String: String] {
        let configuration = configuration
        guard password.unicodeScalars.count >= configuration.minimumPasswordLength else {
            throw Rejection(
                .invalidValue, "a password takes at least \(configuration.minimumPasswordLength) characters")
        }
        let prepared: OpaqueString
        do throws(OpaqueString.Refusal) {
            prepared = try OpaqueString(password)
        } catch {
            throw Rejection(
                .invalidValue,
                "a password takes up to \(OpaqueString.maximumLength) bytes, without control or invisible characters")
        }
        return try await passwords.verifiers(
            for: prepared, configuration.mechanisms, iterations: configuration.iterations)
    }

    /// Makes the account of a newcomer. On the lane.
    static func make(
        _ newcomer: CheckedNewcomer, isAdministrator: Bool, at now: Timestamp, in directory: any DirectoryAccess
    ) throws(StoreError) -> Result<Account, Rejection> {
        let new = NewAccount(
            address: Address(handle: newcomer.handle), kind: .person, displayName: newcomer.displayName,
            isAdministrator: isAdministrator, created: now, expires: nil)
        return try make(new, verifiers: newcomer.verifiers, in: directory)
    }

    static func make(
        _ new: NewAccount, verifiers: [String: String], in directory: any DirectoryAccess
    ) throws(StoreError) -> Result<Account, Rejection> {
        let account: Account
        do throws(StoreError) {
            account = try directory.create(new)
        } catch .constraint {
            return .failure(Rejection(.nameTaken, "somebody has this handle, or had it"))
        }
        for (scheme, verifier) in verifiers {
            try directory.setCredential(verifier, scheme: scheme, of: account.id)
        }
        return .success(account)
    }
}

import Crypto
import Hub

/// People whom a host application vouches for by its signed tokens.
///
/// The account of a subject is found by the rule of ``HostSubject``: the subject is kept with the account (as a
/// credential, which no client can set) and compared byte for byte; the handle only says where to look. All sessions
/// that a subject opens by host tokens are one device, whose row is keyed by a hash of realm and subject: so a `ref`
/// is unique however often the application renews the token. Who wants a device of its own exchanges the token for one.
extension AccountService {
    /// The credential that says whose account it is.
    static let subjectScheme = "host-subject"
    /// The credential that says, in seconds since 1970, from when on a token must have been issued.
    static let notBeforeScheme = "host-not-before"

    func actor(ofHostToken token: String) async throws(Rejection) -> Actor {
        let (claims, createsAccounts) = try await believe(token)
        var found = try await look { directory throws(StoreError) in try claims.admission(in: directory) }.get()
        if found == nil || found?.account.kind == .guest && !claims.isGuest {
            found = try await letIn(claims, createsAccounts: createsAccounts)
        }
        guard let found else { throw .notSignedIn }
        if let refusal = found.account.refusal(at: hub.clock()) { throw refusal }
        await saw(found.device)
        await upkeep.opened(found.device.id, of: found.account.id, until: claims.expires + HostTokenRules.leeway)
        return found.account.actor(found.device.id)
    }

    private func believe(_ token: String) async throws(Rejection) -> (HostClaims, createsAccounts: Bool) {
        var refusals: [HostTokenRefusal] = []
        for host in configuration.hosts {
            do throws(HostTokenRefusal) {
                return (try await host.verifier.verify(token), host.createsAccounts)
            } catch {
                refusals.append(error)
            }
        }
        logger.debug("a host token was refused", metadata: ["reasons": "\(refusals)"])
        throw .notSignedIn
    }

    /// A subject's first token here, its first after its device was revoked, or its first as more than a guest.
    private func letIn(_ claims: HostClaims, createsAccounts: Bool) async throws(Rejection) -> HostAdmission {
        let now = hub.clock()
        let guestLifetime = configuration.guestLifetime
        let nameBytes = hub.limits.nameBytes
        let admission = try await decide { directory throws(StoreError) -> Result<HostAdmission, Rejection> in
            var entry = HostEntry(
                claims: claims, createsAccounts: createsAccounts, now: now, guestLifetime: guestLifetime,
                nameBytes: nameBytes)
            return try entry.decide(in: directory)
        }
        if admission.isNew { logger.info("a host application's person has an account now") }
        if let guest = admission.formerGuest {
            await adopt(guest, by: admission.account)
        }
        if admission.isNew, let picture = claims.picture {
            let profile = Profile(displayName: admission.account.profile.displayName, avatar: picture)
            _ = try await hub.submit(.setProfile(profile), by: admission.account.byServer(), token: nil)
        }
        return admission
    }

    /// On the lane: when the device that host tokens open is among those that are revoked, tokens issued until now open
    /// nothing more.
    static func closeHostDoor(
        _ devices: [DeviceID], of account: AccountID, at now: Timestamp, in directory: any DirectoryAccess
    ) throws(StoreError) {
        guard let kept = try directory.credential(of: account, scheme: AccountService.subjectScheme),
            let subject = HostSubject(credential: kept),
            let device = try directory.device(tokenHash: subject.deviceHash)?.device, devices.contains(device.id)
        else { return }
        try directory.setCredential("\(now.rawValue / 1_000)", scheme: AccountService.notBeforeScheme, of: account)
    }

    /// Ends the sessions of host devices whose newest token is over.
    func endExpiredHostSessions() async {
        for (device, account) in await upkeep.takeExpired(at: hub.clock().rawValue / 1_000) {
            await hub.endSessions(of: account, device: device)
        }
    }
}

/// Whom a host token opened the door for.
struct HostAdmission: Sendable {
    let device: Device
    let account: Account
    var isNew = false
    /// The guest that this person was until now.
    var formerGuest: Account?
}

/// One decision on the lane: which account a subject has, making it if it may be made.
private struct HostEntry {
    let claims: HostClaims
    let createsAccounts: Bool
    let now: Timestamp
    let guestLifetime: Int64
    let nameBytes: Int
    private var formerGuest: Account?

    init(claims: HostClaims, createsAccounts: Bool, now: Timestamp, guestLifetime: Int64, nameBytes: Int) {
        self.claims = claims
        self.createsAccounts = createsAccounts
        self.now = now
        self.guestLifetime = guestLifetime
        self.nameBytes = nameBytes
    }

    mutating func decide(in directory: any DirectoryAccess) throws(StoreError) -> Result<HostAdmission, Rejection> {
        let known: HostAdmission?
        switch try claims.admission(in: directory) {
        case .success(let admission): known = admission
        case .failure(let refusal): return .failure(refusal)
        }
        if let known {
            guard known.account.kind == .guest, !claims.isGuest else { return .success(known) }
            // The device goes on under the full account.
            formerGuest = known.account
            _ = try directory.revoke(known.device.id)
        }
        if let account = try find(in: directory) {
            if let refusal = account.refusal(at: now) { return .failure(refusal) }
            guard try claims.isIssuedInTime(for: account.id, in: directory) else { return .failure(.notSignedIn) }
            return .success(try admit(account, isNew: false, directory))
        }
        guard createsAccounts, let account = try make(in: directory) else { return .failure(.notSignedIn) }
        return .success(try admit(account, isNew: true, directory))
    }

    private var handles: [Handle] {
        [claims.subject.preferredHandle, claims.subject.mappedHandle].compactMap { Handle($0) }
    }

    private func find(in directory: any DirectoryAccess) throws(StoreError) -> Account? {
        for handle in handles {
            guard let account = try directory.account(at: Address(handle: handle)),
                let kept = try directory.credential(of: account.id, scheme: AccountService.subjectScheme),
                HostSubject(credential: kept) == claims.subject
            else { continue }
            return account
        }
        return nil
    }

    private func make(in directory: any DirectoryAccess) throws(StoreError) -> Account? {
        let name = claims.name.flatMap { $0.utf8.count <= nameBytes && !$0.utf8.contains(0) ? $0 : nil }
        for handle in claims.isGuest ? MadeUpHandle.guests() : handles {
            let new = NewAccount(
                address: Address(handle: handle), kind: claims.isGuest ? .guest : .person, displayName: name,
                isAdministrator: false, created: now,
                expires: claims.isGuest ? now.adding(milliseconds: guestLifetime) : nil)
            do throws(StoreError) {
                let account = try directory.create(new)
                try directory.setCredential(
                    claims.subject.credential, scheme: AccountService.subjectScheme, of: account.id)
                return account
            } catch .constraint {
                continue
            }
        }
        return nil
    }

    private func admit(
        _ account: Account, isNew: Bool, _ directory: any DirectoryAccess
    ) throws(StoreError) -> HostAdmission {
        let device = try directory.createDevice(
            of: account.id, name: claims.subject.deviceName, tokenHash: claims.subject.deviceHash, at: now)
        return HostAdmission(device: device, account: account, isNew: isNew, formerGuest: formerGuest)
    }
}

extension HostClaims {
    /// The device that the subject's tokens open, if there is one; a token from before its last revocation opens nothing.
    fileprivate func admission(
        in directory: any DirectoryAccess
    ) throws(StoreError) -> Result<HostAdmission?, Rejection> {
        guard let (device, account) = try directory.device(tokenHash: subject.deviceHash) else { return .success(nil) }
        guard try isIssuedInTime(for: account.id, in: directory) else { return .failure(.notSignedIn) }
        return .success(HostAdmission(device: device, account: account))
    }

    /// Whether the token was issued after the last revocation of the account's host device.
    fileprivate func isIssuedInTime(
        for account: AccountID, in directory: any DirectoryAccess
    ) throws(StoreError) -> Bool {
        guard let text = try directory.credential(of: account, scheme: AccountService.notBeforeScheme),
            let notBefore = Int64(text)
        else { return true }
        return issued.map { $0 > notBefore } ?? false
    }
}

extension HostSubject {
    /// The key of the device row. No token has this hash: tokens are hashed under other words.
    var deviceHash: [UInt8] {
        Array(SHA256.hash(data: Array("switchboard host device\0\(realm)\0\(subject)".utf8)))
    }

    var deviceName: String { String(decoding: "signed in by \(realm)".utf8.prefix(100), as: UTF8.self) }

    /// Realm and subject as a credential's text.
    var credential: String {
        [realm, subject].map { StrictBase64.encode($0.utf8, as: .url) }.joined(separator: ".")
    }

    init?(credential: String) {
        let parts = credential.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            .map { StrictBase64.decode($0, as: .url).flatMap { String(validating: $0, as: UTF8.self) } }
        guard parts.count == 2, let realm = parts.first ?? nil, let subject = parts.last ?? nil else { return nil }
        self.init(realm: realm, subject: subject)
    }
}

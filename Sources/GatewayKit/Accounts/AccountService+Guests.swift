import Hub

/// Handles that the server makes up: `guest-` or `hook-` and eight random letters.
enum MadeUpHandle {
    private static let alphabet = Array("abcdefghijkmnpqrstuvwxyz23456789".utf8)

    private static func letters() -> String {
        let letters = SecretBytes.random(count: 8).reveal().map { alphabet[Int($0 & 31)] }
        return String(decoding: letters, as: UTF8.self)
    }

    /// For a guest: a few, in case that the first is taken.
    static func guests() -> [Handle] { (0..<4).compactMap { _ in Handle("guest-\(letters())") } }

    /// For the bot of a webhook.
    static func hook() -> String { "hook-\(letters())" }
}

extension AccountService {
    /// Makes an expiring account for whoever asks, where guests are let in.
    package func guest(
        displayName: String?, device: String, remote: RemoteClient
    ) async throws(Rejection) -> SignIn {
        let configuration = configuration
        switch configuration.guests {
        case .off: throw Rejection(.forbidden, "guests are not let in here")
        case .loopback where !remote.isLocal:
            throw Rejection(.forbidden, "guests are let in from this machine only")
        case .loopback, .everyone: break
        }
        let device = try AccountService.deviceName(device)
        let name = try self.displayName(displayName)
        try arrive(remote)
        let now = hub.clock()
        let account = try await decide { directory throws(StoreError) -> Result<Account, Rejection> in
            guard try AccountService.guests(in: directory, atMost: configuration.guestLimit) < configuration.guestLimit
            else { return .failure(Rejection(.limitReached, "there are \(configuration.guestLimit) guests already")) }
            for handle in MadeUpHandle.guests() {
                let new = NewAccount(
                    address: Address(handle: handle), kind: .guest, displayName: name, isAdministrator: false,
                    created: now, expires: now.adding(milliseconds: configuration.guestLifetime))
                let made = try AccountService.make(new, verifiers: [:], in: directory)
                if case .success = made { return made }
            }
            return .failure(Rejection(.busy, "no free name was found", retryAfter: 1_000))
        }
        return try await enrol(account, device: device)
    }

    /// Where the guests begin in the order of handles.
    private static let beforeGuests = Handle("guest-")

    private static func guests(in directory: any DirectoryAccess, atMost limit: Int) throws(StoreError) -> Int {
        try directory.accounts(after: beforeGuests, limit: limit).prefix { $0.address.handle.isGuest }.count
    }

    /// Closes the guests whose time is over. Guests stand together in the order of handles, so nobody else is read.
    func endExpiredGuests() async throws(Rejection) {
        let now = hub.clock()
        var last = AccountService.beforeGuests
        while true {
            let after = last
            let page = try await look { directory throws(StoreError) -> (expired: [Account], end: Handle?) in
                let page = try directory.accounts(after: after, limit: 500)
                let guests = page.prefix { $0.address.handle.isGuest }
                var expired: [Account] = []
                for guest in guests where guest.kind == .guest && guest.expires.map({ $0 <= now }) ?? false {
                    // One whose closing waits is not begun anew.
                    if try directory.credential(of: guest.id, scheme: AccountService.closingScheme) == nil {
                        expired.append(guest)
                    }
                }
                return (expired, guests.count == page.count ? guests.last?.address.handle : nil)
            }
            for guest in page.expired { try await beginClosing(guest, erase: false) }
            guard let end = page.end else { return }
            last = end
        }
    }

    // MARK: From guest to account

    func adopt(_ guest: Actor?, by account: Account) async {
        guard let guest else { return }
        do throws(Rejection) {
            await adopt(try await self.account(guest.account), by: account)
        } catch {
            logger.warning("a guest can't be found any more", metadata: ["reason": "\(error.message)"])
        }
    }

    /// Brings an account to where a guest was, then ends the guest.
    ///
    /// What fails is passed over: the person can still be invited.
    func adopt(_ guest: Account, by account: Account) async {
        do throws(Rejection) {
            for row in try await memberships(of: guest.id) where row.member.isJoined {
                switch row.identity.kind {
                case .direct, .ledger: continue
                case .group, .broadcast: await bring(account, into: row, by: guest)
                }
            }
            try await beginClosing(guest, erase: false)
        } catch {
            logger.warning("a guest's places can't be taken over", metadata: ["reason": "\(error.message)"])
        }
    }

    private func bring(_ account: Account, into row: MembershipRow, by guest: Account) async {
        let power = guest.byServer(asAdministrator: true)
        let id = row.identity.id
        await attempt(.conversation(id, .invite(account.id)), by: power)
        await attempt(.conversation(id, .join), by: account.byServer())
        if row.member.rank != .member {
            await attempt(.conversation(id, .setRank(account.id, row.member.rank)), by: power)
        }
    }

    func memberships(of account: AccountID) async throws(Rejection) -> [MembershipRow] {
        let archive = hub.archive
        return try await hub.read { _ throws(Rejection) in
            do throws(StoreError) {
                return try archive.memberships(of: account)
            } catch {
                throw .unreadable
            }
        }
    }
}

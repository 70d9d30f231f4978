import Hub

extension MemoryStore {
    /// Works on a copy, which then takes the place of what was there.
    package func transaction<Value: Sendable>(
        _ body: (any DirectoryAccess) throws(StoreError) -> Value
    ) throws(StoreError) -> Value {
        try withContents { (contents) throws(StoreError) -> Value in
            let copy = MemoryStore(copying: contents)
            let value = try body(copy)
            contents = copy.withContents { $0 }
            return value
        }
    }

    package func account(_ id: AccountID) throws(StoreError) -> Account? { withContents { $0.living(id) } }

    package func account(at address: Address) throws(StoreError) -> Account? {
        withContents { contents in
            contents.accounts.values.first { $0.account.address == address && !$0.isDeleted }?.account
        }
    }

    package func accounts(after: Handle?, limit: Int) throws(StoreError) -> [Account] {
        withContents { contents in
            Array(
                contents.accounts.values
                    .filter { stored in
                        !stored.isDeleted && !stored.account.address.isRemote
                            && (after.map { stored.account.address.handle > $0 } ?? true)
                    }
                    .map(\.account).sorted { $0.address.handle < $1.address.handle }.prefix(max(limit, 0)))
        }
    }

    package func hasAdministrator() throws(StoreError) -> Bool {
        withContents { contents in
            contents.accounts.values.contains { stored in
                !stored.isDeleted && stored.account.isAdministrator && !stored.account.isDisabled
            }
        }
    }

    package func credential(of account: AccountID, scheme: String) throws(StoreError) -> String? {
        withContents { $0.accounts[account]?.credentials[scheme] }
    }

    package func device(tokenHash: [UInt8]) throws(StoreError) -> (device: Device, account: Account)? {
        withContents { contents in
            guard let device = contents.devices.values.first(where: { $0.tokenHash == tokenHash })?.device,
                let account = contents.living(device.account)
            else { return nil }
            return (device, account)
        }
    }

    package func devices(of account: AccountID) throws(StoreError) -> [Device] {
        withContents { contents in
            contents.devices.values.map(\.device).filter { $0.account == account }.sorted { $0.id < $1.id }
        }
    }

    package func link(hash: [UInt8]) throws(StoreError) -> OneTimeLink? { withContents { $0.links[hash] } }

    package func webhooks() throws(StoreError) -> [Webhook] {
        withContents { $0.webhooks.values.sorted { $0.id < $1.id } }
    }

    package func webhook(_ id: String) throws(StoreError) -> Webhook? { withContents { $0.webhooks[id] } }

    package func secret(_ name: String) throws(StoreError) -> [UInt8]? { withContents { $0.secrets[name] } }

    package func create(_ account: NewAccount) throws(StoreError) -> Account {
        try withContents { (contents) throws(StoreError) -> Account in
            guard !contents.accounts.values.contains(where: { $0.account.address == account.address }) else {
                throw .constraint("the address \(account.address) is taken")
            }
            let made = Account(
                id: AccountID(rawValue: (contents.accounts.keys.max()?.rawValue ?? 0) + 1), address: account.address,
                kind: account.kind, profile: Profile(displayName: account.displayName),
                isAdministrator: account.isAdministrator, isDisabled: false, created: account.created,
                expires: account.expires)
            contents.accounts[made.id] = MemoryAccount(account: made)
            return made
        }
    }

    package func update(
        _ account: AccountID, administrator: Bool?, disabled: Bool?, kind: Account.Kind?
    ) throws(StoreError) {
        try withContents { (contents) throws(StoreError) in
            try contents.change(account) { stored in
                if let administrator { stored.account.isAdministrator = administrator }
                if let disabled { stored.account.isDisabled = disabled }
                if let kind {
                    stored.account.kind = kind
                    if kind != .guest { stored.account.expires = nil }
                }
            }
        }
    }

    package func setCredential(_ verifier: String?, scheme: String, of account: AccountID) throws(StoreError) {
        try withContents { (contents) throws(StoreError) in
            try contents.change(account) { $0.credentials[scheme] = verifier }
        }
    }

    package func createDevice(
        of account: AccountID, name: String, tokenHash: [UInt8], at time: Timestamp
    ) throws(StoreError) -> Device {
        try withContents { (contents) throws(StoreError) -> Device in
            guard contents.living(account) != nil else { throw .constraint("unknown \(account)") }
            guard !contents.devices.values.contains(where: { $0.tokenHash == tokenHash }) else {
                throw .constraint("the token is taken")
            }
            contents.lastDevice += 1
            let id = DeviceID(rawValue: contents.lastDevice)
            let device = Device(id: id, account: account, name: name, created: time, lastSeen: time)
            contents.devices[id] = MemoryDevice(device: device, tokenHash: tokenHash)
            return device
        }
    }

    package func setDevice(_ device: DeviceID, lastSeen: Timestamp) throws(StoreError) {
        withContents { $0.devices[device]?.device.lastSeen = lastSeen }
    }

    package func revoke(_ device: DeviceID) throws(StoreError) -> Bool {
        withContents { $0.devices.removeValue(forKey: device) != nil }
    }

    package func createLink(_ link: OneTimeLink) throws(StoreError) {
        try withContents { (contents) throws(StoreError) in
            guard contents.links[link.hash] == nil else { throw .constraint("the link is taken") }
            contents.links[link.hash] = link
        }
    }

    package func redeemLink(hash: [UInt8], at time: Timestamp) throws(StoreError) -> OneTimeLink? {
        withContents { contents in
            contents.links = contents.links.filter { $0.value.expires > time }
            guard var link = contents.links[hash], link.uses > 0 else { return nil }
            link.uses -= 1
            contents.links[hash] = link.uses > 0 ? link : nil
            return link
        }
    }

    package func delete(_ account: AccountID) throws(StoreError) {
        try withContents { (contents) throws(StoreError) in
            try contents.change(account) { stored in
                stored.account.profile = Profile()
                stored.account.isAdministrator = false
                stored.credentials = [:]
                stored.isDeleted = true
            }
            contents.devices = contents.devices.filter { $0.value.device.account != account }
            contents.webhooks = contents.webhooks.filter { $0.value.account != account }
            contents.links = contents.links.filter { $0.value.purpose != .resetPassword(account) }
            contents.reports.removeAll { $0.reporter.id == account }
            guard let ledger = contents.ledger(of: account)?.identity.id else { return }
            for stored in contents.conversations[ledger]?.events ?? [] {
                contents.conversations[ledger]?.erase(stored.event.sequence)
            }
            contents.conversations[ledger]?.values = [:]
            contents.conversations[ledger]?.valuesBefore = [:]
        }
    }

    package func save(_ webhook: Webhook) throws(StoreError) {
        try withContents { (contents) throws(StoreError) in
            guard contents.living(webhook.account) != nil, contents.conversations[webhook.conversation] != nil else {
                throw .constraint("unknown \(webhook.account) or \(webhook.conversation)")
            }
            contents.webhooks[webhook.id] = webhook
        }
    }

    package func deleteWebhook(_ id: String) throws(StoreError) -> Bool {
        withContents { $0.webhooks.removeValue(forKey: id) != nil }
    }

    package func setFollowerCursor(_ name: String, to position: Position) throws(StoreError) {
        withContents { $0.followers[name] = position }
    }

    package func setSecret(_ bytes: [UInt8], named name: String) throws(StoreError) {
        withContents { $0.secrets[name] = bytes }
    }
}

extension MemoryContents {
    /// Changes an account that was not deleted.
    fileprivate mutating func change(
        _ id: AccountID, _ body: (inout MemoryAccount) -> Void
    ) throws(StoreError) {
        guard var stored = accounts[id], !stored.isDeleted else { throw .constraint("unknown \(id)") }
        body(&stored)
        accounts[id] = stored
    }
}

/// Accounts, devices and credentials.
///
/// Reads are made on reader threads and block. Writes are made on the lane, each its own synced transaction, unless they
/// are made within one.
package protocol Directory: DirectoryAccess, Sendable {
    /// Calls `body` within one transaction, which is on disk when this returns; nothing is kept of one that throws.
    ///
    /// `body` must use what it is given, not this directory: reads see what it has written, and nobody else writes
    /// meanwhile. A write in it that throws ``StoreError/constraint(_:)`` has written nothing, and `body` may go on.
    func transaction<Value: Sendable>(
        _ body: (any DirectoryAccess) throws(StoreError) -> Value
    ) throws(StoreError) -> Value
}

extension Directory {
    /// A transaction that can refuse: nothing is kept of one that does.
    package func decide<Value: Sendable>(
        _ body: (any DirectoryAccess) throws(StoreError) -> Result<Value, Rejection>
    ) throws(StoreError) -> Result<Value, Rejection> {
        var refusal: Rejection?
        do throws(StoreError) {
            return try transaction { access throws(StoreError) -> Result<Value, Rejection> in
                let outcome = try body(access)
                if case .failure(let rejection) = outcome {
                    refusal = rejection
                    throw .constraint("refused")
                }
                return outcome
            }
        } catch {
            guard let refusal else { throw error }
            return .failure(refusal)
        }
    }
}

/// What can be read in a directory and done to it: one call at a time by ``Directory``, or several as one in its
/// ``Directory/transaction(_:)``.
package protocol DirectoryAccess {
    // Reads
    func account(_ id: AccountID) throws(StoreError) -> Account?
    func account(at address: Address) throws(StoreError) -> Account?
    func accounts(after: Handle?, limit: Int) throws(StoreError) -> [Account]
    func hasAdministrator() throws(StoreError) -> Bool
    /// The stored verifier of a scheme («scram-sha-256», …), in that scheme's text form.
    func credential(of account: AccountID, scheme: String) throws(StoreError) -> String?
    func device(tokenHash: [UInt8]) throws(StoreError) -> (device: Device, account: Account)?
    func devices(of account: AccountID) throws(StoreError) -> [Device]
    func link(hash: [UInt8]) throws(StoreError) -> OneTimeLink?
    func webhooks() throws(StoreError) -> [Webhook]
    func webhook(_ id: String) throws(StoreError) -> Webhook?
    /// A secret that this deployment made for itself (key of signed links, of fake salts …); nil before its first use.
    func secret(_ name: String) throws(StoreError) -> [UInt8]?

    // Writes
    /// Throws ``StoreError/constraint(_:)`` if the address is taken, by a deleted account too.
    func create(_ account: NewAccount) throws(StoreError) -> Account
    func update(_ account: AccountID, administrator: Bool?, disabled: Bool?, kind: Account.Kind?) throws(StoreError)
    /// Nil removes the credential.
    func setCredential(_ verifier: String?, scheme: String, of account: AccountID) throws(StoreError)
    func createDevice(
        of account: AccountID, name: String, tokenHash: [UInt8], at time: Timestamp
    ) throws(StoreError) -> Device
    func setDevice(_ device: DeviceID, lastSeen: Timestamp) throws(StoreError)
    /// False if there was none.
    func revoke(_ device: DeviceID) throws(StoreError) -> Bool
    func createLink(_ link: OneTimeLink) throws(StoreError)
    /// Takes one use of a link; nil when it is unknown, used up or over.
    func redeemLink(hash: [UInt8], at time: Timestamp) throws(StoreError) -> OneTimeLink?
    /// Erases profile, credentials, devices, ledger and reports of an account; its handle stays taken.
    func delete(_ account: AccountID) throws(StoreError)
    func save(_ webhook: Webhook) throws(StoreError)
    func deleteWebhook(_ id: String) throws(StoreError) -> Bool
    func setFollowerCursor(_ name: String, to position: Position) throws(StoreError)
    func setSecret(_ bytes: [UInt8], named name: String) throws(StoreError)
}

/// An account that is to be made.
package struct NewAccount: Hashable, Sendable {
    package var address: Address
    package var kind: Account.Kind
    package var displayName: String?
    package var isAdministrator: Bool
    package var created: Timestamp
    package var expires: Timestamp?

    package init(
        address: Address, kind: Account.Kind, displayName: String?, isAdministrator: Bool, created: Timestamp,
        expires: Timestamp?
    ) {
        self.address = address
        self.kind = kind
        self.displayName = displayName
        self.isAdministrator = isAdministrator
        self.created = created
        self.expires = expires
    }
}

/// A secret that is worth something a few times: its hash, and what it is good for.
package struct OneTimeLink: Hashable, Sendable {
    package enum Purpose: Hashable, Sendable {
        case firstAdministrator
        /// Makes an account and joins conversations.
        case invite(conversations: [ConversationID], by: AccountID?)
        case resetPassword(AccountID)
    }
    package let hash: [UInt8]
    package let purpose: Purpose
    package let expires: Timestamp
    package var uses: Int

    package init(hash: [UInt8], purpose: Purpose, expires: Timestamp, uses: Int) {
        self.hash = hash
        self.purpose = purpose
        self.expires = expires
        self.uses = uses
    }
}

/// An address that is told about a conversation's events (outgoing), or that posts into it (incoming).
package struct Webhook: Hashable, Sendable {
    package enum Direction: Hashable, Sendable {
        /// The URL, and the secret that signs.
        case outgoing(url: String, secret: [UInt8])
        /// The hash of the token in the URL's path.
        case incoming(tokenHash: [UInt8])
    }
    package let id: String
    /// The bot that a webhook acts as: it sees and says what that account may.
    package let account: AccountID
    package let conversation: ConversationID
    package let direction: Direction
    package let created: Timestamp

    package init(
        id: String, account: AccountID, conversation: ConversationID, direction: Direction, created: Timestamp
    ) {
        self.id = id
        self.account = account
        self.conversation = conversation
        self.direction = direction
        self.created = created
    }
}

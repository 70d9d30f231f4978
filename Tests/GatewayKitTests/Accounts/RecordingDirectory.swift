import Hub
import Synchronization

/// Another directory, with a list of what was asked of it; and with faults on order.
final class RecordingDirectory: Directory, RecordedAccess {
    let book = DirectoryBook()
    private let stored: any Directory

    init(_ stored: any Directory) { self.stored = stored }

    var inner: any DirectoryAccess { stored }

    /// The calls since the last time.
    func takeCalls() -> [String] {
        book.calls.withLock { calls in
            defer { calls = [] }
            return calls
        }
    }

    /// From now on this call fails, as on a full disk; nil: none.
    func breakDown(at call: String?) { book.brokenCall.withLock { $0 = call } }

    /// Done once, before the next call of this name is made: what comes in between.
    func before(_ call: String, _ action: @escaping @Sendable () throws -> Void) {
        book.interruption.withLock { $0 = (call, action) }
    }

    func transaction<Value: Sendable>(
        _ body: (any DirectoryAccess) throws(StoreError) -> Value
    ) throws(StoreError) -> Value {
        try book.note("transaction")
        return try stored.transaction { access throws(StoreError) in
            try body(RecordedTransaction(inner: access, book: book))
        }
    }
}

/// A transaction of a ``RecordingDirectory``.
struct RecordedTransaction: RecordedAccess {
    let inner: any DirectoryAccess
    let book: DirectoryBook
}

/// What a ``RecordingDirectory`` has written down, and what it was told.
///
/// Bounded: a test that looks at more has gone wrong.
final class DirectoryBook: Sendable {
    private static let capacity = 10_000

    let calls = Mutex<[String]>([])
    let brokenCall = Mutex<String?>(nil)
    let interruption = Mutex<(call: String, action: @Sendable () throws -> Void)?>(nil)

    func note(_ call: String) throws(StoreError) {
        let action = interruption.withLock { interruption in
            guard interruption?.call == call else { return nil as (@Sendable () throws -> Void)? }
            defer { interruption = nil }
            return interruption?.action
        }
        do {
            try action?()
        } catch {
            throw .unavailable("a test's interruption failed: \(error)")
        }
        calls.withLock { if $0.count < DirectoryBook.capacity { $0.append(call) } }
        if brokenCall.withLock({ $0 == call }) { throw .unavailable("broken by the test") }
    }
}

/// Writes every call down.
protocol RecordedAccess: DirectoryAccess {
    var inner: any DirectoryAccess { get }
    var book: DirectoryBook { get }
}

extension RecordedAccess {
    private func note(_ call: String) throws(StoreError) { try book.note(call) }

    func account(_ id: AccountID) throws(StoreError) -> Account? {
        try note("account")
        return try inner.account(id)
    }
    func account(at address: Address) throws(StoreError) -> Account? {
        try note("account(at:)")
        return try inner.account(at: address)
    }
    func accounts(after: Handle?, limit: Int) throws(StoreError) -> [Account] {
        try note("accounts")
        return try inner.accounts(after: after, limit: limit)
    }
    func hasAdministrator() throws(StoreError) -> Bool {
        try note("hasAdministrator")
        return try inner.hasAdministrator()
    }
    func credential(of account: AccountID, scheme: String) throws(StoreError) -> String? {
        try note("credential")
        return try inner.credential(of: account, scheme: scheme)
    }
    func device(tokenHash: [UInt8]) throws(StoreError) -> (device: Device, account: Account)? {
        try note("device")
        return try inner.device(tokenHash: tokenHash)
    }
    func devices(of account: AccountID) throws(StoreError) -> [Device] {
        try note("devices")
        return try inner.devices(of: account)
    }
    func link(hash: [UInt8]) throws(StoreError) -> OneTimeLink? {
        try note("link")
        return try inner.link(hash: hash)
    }
    func webhooks() throws(StoreError) -> [Webhook] {
        try note("webhooks")
        return try inner.webhooks()
    }
    func webhook(_ id: String) throws(StoreError) -> Webhook? {
        try note("webhook")
        return try inner.webhook(id)
    }
    func secret(_ name: String) throws(StoreError) -> [UInt8]? {
        try note("secret")
        return try inner.secret(name)
    }
    func create(_ account: NewAccount) throws(StoreError) -> Account {
        try note("create")
        return try inner.create(account)
    }
    func update(
        _ account: AccountID, administrator: Bool?, disabled: Bool?, kind: Account.Kind?
    ) throws(StoreError) {
        try note("update")
        try inner.update(account, administrator: administrator, disabled: disabled, kind: kind)
    }
    func setCredential(_ verifier: String?, scheme: String, of account: AccountID) throws(StoreError) {
        try note("setCredential")
        try inner.setCredential(verifier, scheme: scheme, of: account)
    }
    func createDevice(
        of account: AccountID, name: String, tokenHash: [UInt8], at time: Timestamp
    ) throws(StoreError) -> Device {
        try note("createDevice")
        return try inner.createDevice(of: account, name: name, tokenHash: tokenHash, at: time)
    }
    func setDevice(_ device: DeviceID, lastSeen: Timestamp) throws(StoreError) {
        try note("setDevice")
        try inner.setDevice(device, lastSeen: lastSeen)
    }
    func revoke(_ device: DeviceID) throws(StoreError) -> Bool {
        try note("revoke")
        return try inner.revoke(device)
    }
    func createLink(_ link: OneTimeLink) throws(StoreError) {
        try note("createLink")
        try inner.createLink(link)
    }
    func redeemLink(hash: [UInt8], at time: Timestamp) throws(StoreError) -> OneTimeLink? {
        try note("redeemLink")
        return try inner.redeemLink(hash: hash, at: time)
    }
    func delete(_ account: AccountID) throws(StoreError) {
        try note("delete")
        try inner.delete(account)
    }
    func save(_ webhook: Webhook) throws(StoreError) {
        try note("save")
        try inner.save(webhook)
    }
    func deleteWebhook(_ id: String) throws(StoreError) -> Bool {
        try note("deleteWebhook")
        return try inner.deleteWebhook(id)
    }
    func setFollowerCursor(_ name: String, to position: Position) throws(StoreError) {
        try note("setFollowerCursor")
        try inner.setFollowerCursor(name, to: position)
    }
    func setSecret(_ bytes: [UInt8], named name: String) throws(StoreError) {
        try note("setSecret")
        try inner.setSecret(bytes, named: name)
    }
}

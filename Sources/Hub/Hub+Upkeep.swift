/// What services around the hub ask of it besides commands and reads.
extension Hub {
    /// Ends the sessions of a device (nil: of all the account's devices) on every door. Their tokens stay good: who may
    /// still sign in comes back with the rights that it has now.
    package func endSessions(of account: AccountID, device: DeviceID? = nil) async {
        await onLane { $0.current.items.append(.revoked(account, device)) }
    }
}

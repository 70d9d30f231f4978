/// What services around the hub ask of it besides commands and reads.
extension Hub {
    /// Devices were revoked: their sessions end on every door, and nothing more is taken from them.
    package func revoked(_ devices: [DeviceID], of account: AccountID) async {
        await onLane { lane in
            for device in devices { lane.revoke(device, of: account) }
        }
    }

    /// Ends the sessions of a device (nil: of all the account's devices) on every door. Their tokens stay good: who may
    /// still sign in comes back with the rights that it has now.
    package func endSessions(of account: AccountID, device: DeviceID? = nil) async {
        await onLane { $0.current.items.append(.revoked(account, device)) }
    }
}

import Hub

/// What waits to be done for accounts, and is not durable by itself.
///
/// *Lives on* its own executor. Bounded: what does not fit is forgotten, and costs a stale `lastSeen` or a session that
/// lives until its connection ends.
actor AccountUpkeep {
    private static let capacity = 100_000

    private var seen: [DeviceID: Timestamp] = [:]
    private var hostSessions: [DeviceID: (account: AccountID, until: Int64)] = [:]
    private var closings: [AccountID] = []

    func saw(_ device: DeviceID, at time: Timestamp) {
        guard seen.count < Self.capacity || seen[device] != nil else { return }
        seen[device] = time
    }

    /// Some devices whose `lastSeen` is to be written: few at a time, so that the lane is not held up.
    func takeSeen(atMost count: Int) -> [(device: DeviceID, time: Timestamp)] {
        let taken = seen.prefix(count).map { (device: $0.key, time: $0.value) }
        for entry in taken { seen[entry.device] = nil }
        return taken
    }

    /// A host token opened the door; the newest one counts, because the application vouches for the person again.
    ///
    /// - Parameter until: seconds since 1970.
    func opened(_ device: DeviceID, of account: AccountID, until: Int64) {
        guard hostSessions.count < Self.capacity || hostSessions[device] != nil else { return }
        hostSessions[device] = (account, max(until, hostSessions[device]?.until ?? until))
    }

    func takeExpired(at seconds: Int64) -> [(device: DeviceID, account: AccountID)] {
        let expired = hostSessions.filter { $0.value.until <= seconds }
        for device in expired.keys { hostSessions[device] = nil }
        return expired.map { (device: $0.key, account: $0.value.account) }
    }

    // MARK: Closing

    /// An account whose closing is on disk and not finished.
    func mustClose(_ account: AccountID) {
        if !closings.contains(account) { closings.append(account) }
    }

    func takeClosings() -> [AccountID] {
        defer { closings = [] }
        return closings
    }
}

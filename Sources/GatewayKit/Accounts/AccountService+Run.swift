import Hub

extension AccountService {
    /// Keeps accounts in order until it is cancelled: finishes closings (those of an earlier run first), ends guests and
    /// host sessions whose time is over, and writes when devices were last seen.
    package func run() async throws {
        try await insistOnFinding()
        var round = 0
        while !Task.isCancelled {
            await tick(endsGuests: round.isMultiple(of: 60))
            round += 1
            try await Task.sleep(for: .seconds(1))
        }
    }

    /// One second's work.
    func tick(endsGuests: Bool) async {
        await endExpiredHostSessions()
        if endsGuests {
            do throws(Rejection) {
                try await endExpiredGuests()
            } catch {
                logger.warning("guests can't be ended now", metadata: ["reason": "\(error.message)"])
            }
        }
        await finishClosings()
        await writeLastSeen()
    }

    private func insistOnFinding() async throws {
        while true {
            do throws(Rejection) {
                return try await findUnfinishedClosings()
            } catch {
                logger.warning("accounts can't be read", metadata: ["reason": "\(error.message)"])
                try await Task.sleep(for: .seconds(1))
            }
        }
    }

    private func writeLastSeen() async {
        let seen = await upkeep.takeSeen(atMost: 20)
        guard !seen.isEmpty else { return }
        do throws(Rejection) {
            try await write { directory throws(StoreError) in
                for entry in seen { try directory.setDevice(entry.device, lastSeen: entry.time) }
            }
        } catch {
            for entry in seen { await upkeep.saw(entry.device, at: entry.time) }
        }
    }
}

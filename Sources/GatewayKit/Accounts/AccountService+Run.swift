import Hub

extension AccountService {
    /// Keeps accounts in order until it is cancelled: finishes closings (those of an earlier run first), ends guests and
    /// host sessions whose time is over, and writes when devices were last seen.
    ///
    /// None of it waits for another: a closing can take long, and whose time is over must not stay for it.
    package func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.every(.seconds(1)) { await self.endExpiredHostSessions() } }
            group.addTask { try await self.every(.seconds(10)) { await self.sweepGuests() } }
            group.addTask { try await self.every(.seconds(1)) { await self.writeLastSeen() } }
            group.addTask {
                try await self.insistOnFinding()
                try await self.every(.seconds(1)) { await self.finishClosings() }
            }
            try await group.waitForAll()
        }
    }

    private func every(_ pause: Duration, _ work: @Sendable () async -> Void) async throws {
        while true {
            await work()
            try await Task.sleep(for: pause)
        }
    }

    func sweepGuests() async {
        do throws(Rejection) {
            try await endExpiredGuests()
        } catch {
            logger.warning("guests can't be ended now", metadata: ["reason": "\(error.message)"])
        }
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

    func writeLastSeen() async {
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

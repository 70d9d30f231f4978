import Hub

extension AccountService {
    /// Submits a command of the server's own, and tries again while the hub is only busy.
    @discardableResult
    func insist(_ command: Command, by actor: Actor) async throws(Rejection) -> Acceptance {
        for _ in 0..<8 {
            do throws(Rejection) {
                return try await hub.submit(command, by: actor, token: nil)
            } catch {
                guard error.code.isRetryable, error.code != .fault else { throw error }
                // Cut short by the end of the program, and then the command fails like any other.
                try? await Task.sleep(for: .milliseconds(error.retryAfter ?? 250))
            }
        }
        return try await hub.submit(command, by: actor, token: nil)
    }

    /// The same where a refusal changes nothing for what follows.
    func attempt(_ command: Command, by actor: Actor) async {
        do throws(Rejection) {
            try await insist(command, by: actor)
        } catch {
            logger.debug("a command of the server was refused", metadata: ["reason": "\(error.message)"])
        }
    }
}

/// A person in a play, on one protocol's fake client.
package protocol Player: AnyObject {
    /// Does something; the refusal's code if the server said no.
    func perform(_ action: PlayAction, _ stage: Stage) async throws -> String?
    /// Waits until the person has noticed this, after everything that was noticed before.
    func notice(_ notice: PlayNotice, _ stage: Stage) async throws
}

/// What a play's people know together: which event a label means.
package final class Stage {
    package struct Spoken: Sendable {
        package let conversation: String
        package let id: String
        package let sequence: Int64
        package init(conversation: String, id: String, sequence: Int64) {
            self.conversation = conversation
            self.id = id
            self.sequence = sequence
        }
    }
    package var spoken: [String: Spoken] = [:]
    /// A play's person → the account's handle.
    package let handles: [String: String]

    package init(handles: [String: String]) { self.handles = handles }

    package func event(_ label: String) throws -> Spoken {
        guard let known = spoken[label] else { throw PlayFailure("nothing is called \(label)") }
        return known
    }

    package func handle(_ person: String) throws -> String {
        guard let handle = handles[person] else { throw PlayFailure("nobody is called \(person)") }
        return handle
    }
}

extension PlayScript {
    /// Plays it. A failure names the line.
    package func run(players: [String: any Player], stage: Stage) async throws {
        var refusal: String?
        for line in lines {
            guard let player = players[line.person] else {
                throw PlayFailure("\(name):\(line.number): \(line.person) is on no door")
            }
            do {
                switch line.step {
                case .act(let action):
                    if let refusal { throw PlayFailure("the action before was refused: \(refusal)") }
                    refusal = try await player.perform(action, stage)
                case .notice(let notice):
                    if let refusal { throw PlayFailure("the action before was refused: \(refusal)") }
                    try await player.notice(notice, stage)
                case .refused(let code):
                    guard refusal == code else {
                        throw PlayFailure("expected the refusal \(code), got \(refusal ?? "an acceptance")")
                    }
                    refusal = nil
                }
            } catch {
                throw PlayFailure("\(name):\(line.number): \(line.text)\n  \(error)")
            }
        }
        if let refusal { throw PlayFailure("\(name): the last action was refused: \(refusal)") }
    }
}

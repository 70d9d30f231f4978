/// Who is here now: sessions by account, the presence folded from them, and attendance.
///
/// *Lives on* the lane. Not durable: a restart begins with everybody offline.
final class PresenceBoard {
    private struct Entry {
        let actor: Actor
        let loop: Int
        var state: Presence.State
        var attends: Set<ConversationID> = []
    }
    private var entries: [SessionID: Entry] = [:]
    private var byAccount: [AccountID: Set<SessionID>] = [:]
    private var perLoop: [Int: Int] = [:]
    private var attendance: [ConversationID: [AccountID: Int]] = [:]
    private var lastSeen: [AccountID: Timestamp] = [:]

    func hasSessions(on loop: Int) -> Bool { (perLoop[loop] ?? 0) > 0 }
    func sessionCount(of account: AccountID) -> Int { byAccount[account]?.count ?? 0 }
    var sessionCount: Int { entries.count }
    func actor(of session: SessionID) -> Actor? { entries[session]?.actor }

    /// The greatest state of an account's sessions.
    func presence(of account: AccountID) -> Presence {
        guard let sessions = byAccount[account], !sessions.isEmpty else {
            return Presence(state: .offline, lastSeen: lastSeen[account])
        }
        return Presence(state: sessions.compactMap { entries[$0]?.state }.max() ?? .offline)
    }

    /// The account's presence if this changed it.
    func begin(_ session: SessionID, actor: Actor, loop: Int, state: Presence.State) -> Presence? {
        changing(actor.account) {
            entries[session] = Entry(actor: actor, loop: loop, state: state)
            byAccount[actor.account, default: []].insert(session)
            perLoop[loop, default: 0] += 1
        }
    }

    func set(_ state: Presence.State, of session: SessionID) -> Presence? {
        guard let entry = entries[session] else { return nil }
        return changing(entry.actor.account) { entries[session]?.state = state }
    }

    /// What ended with a session: the account's presence if it changed, and the conversations that it left empty of it.
    func end(_ session: SessionID, at time: Timestamp) -> (actor: Actor, presence: Presence?, left: [ConversationID])? {
        guard let entry = entries[session] else { return nil }
        let account = entry.actor.account
        let left = entry.attends.filter { leave($0, account) }
        let presence = changing(account) {
            entries[session] = nil
            byAccount[account]?.remove(session)
            if byAccount[account]?.isEmpty ?? false {
                byAccount[account] = nil
                lastSeen[account] = time
                if lastSeen.count > 100_000 { lastSeen.removeAll() }
            }
            perLoop[entry.loop, default: 0] -= 1
        }
        return (entry.actor, presence, Array(left))
    }

    private func changing(_ account: AccountID, _ change: () -> Void) -> Presence? {
        let before = presence(of: account).state
        change()
        let after = presence(of: account)
        return after.state == before ? nil : after
    }

    // MARK: Attendance

    /// True if the account was not there before.
    func attend(_ conversation: ConversationID, _ session: SessionID) -> Bool {
        guard let entry = entries[session], entries[session]?.attends.insert(conversation).inserted ?? false else {
            return false
        }
        attendance[conversation, default: [:]][entry.actor.account, default: 0] += 1
        return attendance[conversation]?[entry.actor.account] == 1
    }

    /// True if the account is not there any more.
    func unattend(_ conversation: ConversationID, _ session: SessionID) -> Bool {
        guard let entry = entries[session], entries[session]?.attends.remove(conversation) != nil else { return false }
        return leave(conversation, entry.actor.account)
    }

    private func leave(_ conversation: ConversationID, _ account: AccountID) -> Bool {
        guard let count = attendance[conversation]?[account] else { return false }
        attendance[conversation]?[account] = count > 1 ? count - 1 : nil
        if attendance[conversation]?.isEmpty ?? false { attendance[conversation] = nil }
        return count <= 1
    }

    func attending(_ conversation: ConversationID) -> [AccountID] {
        attendance[conversation].map { Array($0.keys) } ?? []
    }
}

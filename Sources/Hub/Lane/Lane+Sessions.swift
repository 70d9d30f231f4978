import NIOCore

extension LaneInbox {
    /// Asks for an account's view; the answer reaches the session's audience between two batches.
    func attach(_ session: SessionID, actor: Actor, presence: Presence.State, loop: Int) {
        _ = put(.aside { lane in lane.attach(session, actor, presence, loop) })
    }

    func detach(_ session: SessionID) {
        _ = put(.aside { lane in lane.detach(session) })
    }
}

extension Lane {
    func attach(_ session: SessionID, _ actor: Actor, _ state: Presence.State, _ loop: Int) {
        current.installs.append((session, loop, view(for: actor)))
        guard case .success(let view)? = current.installs.last?.result else { return }
        if let presence = presence.begin(session, actor: actor, loop: loop, state: state) {
            tell(presence, of: actor.party, in: Set(view.seats.lazy.filter(\.member.isJoined).map(\.identity.id)))
        }
    }

    private func view(for actor: Actor) -> Result<AccountView, Rejection> {
        do throws(StoreError) {
            guard let state = try account(actor.account), !state.account.isDisabled else {
                return .failure(Rejection(.unauthenticated, "the account is closed"))
            }
            // Who this is was read before: what has been taken away since must not come back by a session.
            let isKnown = actor.isServer ? true : try log.hasDevice(actor.device, of: actor.account)
            guard isKnown, actor.isAdministrator == state.account.isAdministrator else {
                return .failure(Rejection(.unauthenticated, "the device was signed out"))
            }
            if presence.sessionCount(of: actor.account) >= hub.limits.sessionsPerAccount {
                return .failure(
                    Rejection(.limitReached, "an account has \(hub.limits.sessionsPerAccount) sessions at most"))
            }
            let seats = try seats(of: actor.account, in: state.conversations)
            return .success(AccountView(seats: seats, blocked: state.blocked, head: position))
        } catch {
            logger.error("an account's view can't be read", metadata: ["reason": "\(error)"])
            return .failure(Rejection(.unavailable, "the log can't be read at the moment", retryAfter: 1_000))
        }
    }

    /// From memory where it is there. The rest is one query: nobody's many large conversations may hold up the lane.
    private func seats(
        of account: AccountID, in ids: Set<ConversationID>
    ) throws(StoreError) -> [SeatRow] {
        var seats: [SeatRow] = []
        seats.reserveCapacity(ids.count)
        var missing: [ConversationID] = []
        for id in ids {
            if let known = conversations[id] {
                if let member = known.members[account] { seats.append(SeatRow(known, member: member)) }
            } else {
                missing.append(id)
            }
        }
        if !missing.isEmpty { seats += try log.seats(of: account, in: missing) }
        return seats
    }

    func detach(_ session: SessionID) {
        guard let ended = presence.end(session, at: hub.clock()) else { return }
        for conversation in ended.left {
            current.items.append(.signal(.attendance(conversation, ended.actor.party, present: false)))
        }
        if let presence = ended.presence { tellOfAccount(presence, ended.actor.party) }
    }

    func setPresence(_ state: Presence.State, of session: SessionID) {
        guard let actor = presence.actor(of: session), let changed = presence.set(state, of: session) else { return }
        tellOfAccount(changed, actor.party)
    }

    func attend(_ conversation: ConversationID, _ session: SessionID, present: Bool) {
        guard let actor = presence.actor(of: session), !present || isJoined(actor.account, conversation) else { return }
        let changed =
            present ? presence.attend(conversation, session) : presence.unattend(conversation, session)
        guard changed else { return }
        current.items.append(.signal(.attendance(conversation, actor.party, present: present)))
    }

    func isJoined(_ account: AccountID, _ conversation: ConversationID) -> Bool {
        do throws(StoreError) {
            try load(conversation)
        } catch {
            return false
        }
        return conversations[conversation]?.members[account]?.isJoined ?? false
    }

    private func tellOfAccount(_ presence: Presence, _ party: Party) {
        let known = accounts[party.id]?.conversations
        let conversations: Set<ConversationID>
        if let known {
            conversations = known
        } else {
            do throws(StoreError) {
                conversations = try account(party.id)?.conversations ?? []
            } catch {
                return
            }
        }
        tell(presence, of: party, in: conversations.filter { isJoined(party.id, $0) })
    }

    private func tell(_ presence: Presence, of party: Party, in conversations: Set<ConversationID>) {
        current.items.append(.presence(party, presence, in: conversations))
    }
}

extension Lane {
    /// Checks what an audience would check for a session, and hands the signal to the loops.
    func signal(_ make: (Party) -> Signal, in conversation: ConversationID, by actor: Actor) -> Rejection? {
        guard isJoined(actor.account, conversation), let state = conversations[conversation],
            let member = state.members[actor.account]
        else { return Rejection(.forbidden, "you are not in this conversation") }
        guard member.rank >= state.permissions.required(for: .post) else {
            return Rejection(.forbidden, "you may not write in this conversation")
        }
        current.items.append(.signal(make(actor.party)))
        return nil
    }
}

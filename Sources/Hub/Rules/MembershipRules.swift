extension RuleContext {
    private func change(_ subject: Party, _ standing: Standing, _ rank: Rank, _ reason: String? = nil) -> Decision {
        .event(
            .membership(MembershipChange(subject: subject, standing: standing, rank: rank, reason: reason)), erase: [])
    }

    func join() throws(Rejection) -> Decision {
        try requireNotDirect()
        switch member?.standing {
        case .joined: return .unchanged
        case .banned: throw Rejection(.banned, "you are banned from this conversation")
        case .invited: break
        case .knocking, .left, nil:
            if let pattern = BanPattern.matching(actor.party.address, in: state.values) {
                throw Rejection(.banned, "you are banned from this conversation by \(pattern)")
            }
            switch state.access {
            case .public, .unlisted: break
            case .private:
                throw member == nil
                    ? Rejection(.notFound, "no such conversation")
                    : Rejection(.forbidden, "this conversation is by invitation")
            }
        }
        try requireRoom()
        try requirePlace(member?.standing)
        try requireFewReturns()
        return change(
            actor.party, .joined, max(.member, member?.standing == .invited ? member?.rank ?? .member : .member))
    }

    private func requireRoom() throws(Rejection) {
        if state.members.count >= limits.members, state.joinedCount >= limits.members {
            throw Rejection(.limitReached, "the conversation has \(limits.members) members")
        }
    }

    /// Nobody is given more conversations than a first screen can hold, by whomever.
    private func requirePlace(_ standing: Standing?) throws(Rejection) {
        guard standing == nil || standing == .left else { return }
        if facts.places >= limits.conversationsPerAccount {
            throw Rejection(
                .limitReached, "an account is in \(limits.conversationsPerAccount) conversations at most")
        }
    }

    /// A member's visibility is a list of the times in which they were joined.
    private func requireFewReturns() throws(Rejection) {
        guard (member?.intervals.count ?? 0) < Member.maxIntervals else {
            throw Rejection(.limitReached, "you have left and joined this conversation too often")
        }
    }

    func knock(_ reason: String?) throws(Rejection) -> Decision {
        try requireNotDirect()
        try requireShort(reason, limits.reasonBytes, "the reason")
        switch member?.standing {
        case .joined, .invited, .knocking: return .unchanged
        case .banned: throw Rejection(.banned, "you are banned from this conversation")
        case .left, nil:
            // A private conversation that one never was in does not exist for one.
            if state.access == .private, member == nil { throw Rejection(.notFound, "no such conversation") }
            try requirePlace(member?.standing)
            return change(actor.party, .knocking, .member, reason)
        }
    }

    func leave(_ reason: String?) throws(Rejection) -> Decision {
        try requireNotDirect()
        try requireShort(reason, limits.reasonBytes, "the reason")
        switch member?.standing {
        case .joined, .invited, .knocking: break
        case .left, .banned, nil: return .unchanged
        }
        try requireAnotherOwner("leaving")
        return change(actor.party, .left, .member, reason)
    }

    private func requireAnotherOwner(_ what: String) throws(Rejection) {
        guard member?.isJoined == true, member?.rank == .owner else { return }
        let others = state.members.values.filter { $0.isJoined && $0.party.id != actor.account }
        if !others.isEmpty, !others.contains(where: { $0.rank == .owner }) {
            throw Rejection(.notApplicable, "make somebody else an owner before \(what)")
        }
    }

    private func requireSubject() throws(Rejection) -> Account {
        guard let subject = facts.subject else { throw Rejection(.notFound, "no such account") }
        return subject
    }

    func invite() throws(Rejection) -> Decision {
        try requireNotDirect()
        try require(.invite)
        let subject = try requireSubject()
        if facts.isBlocked || subject.isDisabled {
            throw Rejection(.forbidden, "this person does not take invitations from you")
        }
        switch state.members[subject.id]?.standing {
        case .joined, .invited: return .unchanged
        case .banned: throw Rejection(.banned, "\(subject.address) is banned from this conversation")
        case .knocking, .left, nil: break
        }
        try requireRoom()
        try requirePlace(state.members[subject.id]?.standing)
        return change(subject.party, .invited, .member)
    }

    /// Kick and ban. Nobody removes an equal or higher rank.
    func remove(_ standing: Standing, _ reason: String?) throws(Rejection) -> Decision {
        try requireNotDirect()
        let action: Action = standing == .banned ? .ban : .kick
        try require(action)
        try requireShort(reason, limits.reasonBytes, "the reason")
        let subject = try requireSubject()
        if subject.id == actor.account { throw Rejection(.notApplicable, "leave instead") }
        let current = state.members[subject.id]
        if let current, current.isJoined, current.rank >= rank(for: action) {
            throw Rejection(.forbidden, "\(subject.address) has rank \(current.rank)")
        }
        switch (current?.standing, standing) {
        case (.banned, .banned): return .unchanged
        case (.banned, _), (.left, .left), (nil, .left):
            throw Rejection(.notApplicable, "\(subject.address) is not in this conversation")
        default: return change(subject.party, standing, .member, reason)
        }
    }

    func unban() throws(Rejection) -> Decision {
        try requireNotDirect()
        try require(.ban)
        let subject = try requireSubject()
        guard state.members[subject.id]?.standing == .banned else { return .unchanged }
        return change(subject.party, .left, .member)
    }

    /// Nobody gives more than they have, or changes an equal but themselves.
    func setRank(_ rank: Rank) throws(Rejection) -> Decision {
        try requireNotDirect()
        try require(.setRank)
        let subject = try requireSubject()
        guard let current = state.members[subject.id], current.isJoined else {
            throw Rejection(.notApplicable, "\(subject.address) is not in this conversation")
        }
        if current.rank == rank { return .unchanged }
        let own = self.rank(for: .setRank)
        if rank > own { throw Rejection(.forbidden, "you can't give a rank above your own") }
        if subject.id == actor.account {
            try requireAnotherOwner("giving up the rank")
        } else if current.rank >= own, !(actor.isAdministrator && current.rank == .owner) {
            throw Rejection(.forbidden, "\(subject.address) has rank \(current.rank)")
        }
        return change(subject.party, .joined, rank)
    }
}

/// A ban that names a server or a pattern instead of an account: `*@server`, `spam*`. Kept as open state.
package enum BanPattern {
    package static func key(_ pattern: String) -> StateKey { StateKey(namespace: "", type: "ban", key: pattern) }

    /// The first pattern among a conversation's values that an address matches.
    package static func matching(_ address: Address, in values: [StateKey: String]) -> String? {
        values.keys.first { $0.namespace.isEmpty && $0.type == "ban" && matches($0.key, address.description) }?.key
    }

    /// `*` stands for any run of characters. Linear in pattern × text, no recursion.
    package static func matches(_ pattern: String, _ text: String) -> Bool {
        let pattern = Array(pattern.utf8)
        let text = Array(text.utf8)
        var p = 0
        var t = 0
        var star: (p: Int, t: Int)?
        while t < text.count {
            if p < pattern.count, pattern[p] == UInt8(ascii: "*") {
                star = (p, t)
                p += 1
            } else if p < pattern.count, pattern[p] == text[t] {
                p += 1
                t += 1
            } else if let last = star {
                p = last.p + 1
                t = last.t + 1
                star = (last.p, t)
            } else {
                return false
            }
        }
        while p < pattern.count, pattern[p] == UInt8(ascii: "*") { p += 1 }
        return p == pattern.count
    }
}

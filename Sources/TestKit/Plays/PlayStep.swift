/// One thing that a person does or notices. Names of messages (`as hello`) are the play's own.
package enum PlayStep: Hashable, Sendable {
    case act(PlayAction)
    case notice(PlayNotice)
    /// The action before was refused with this code.
    case refused(String)
}

/// What a person does.
package enum PlayAction: Hashable, Sendable {
    case connect, disconnect
    case create(kind: String, access: String, name: String)
    case join(String), leave(String), knock(String)
    case invite(String, to: String), kick(String, from: String), ban(String, from: String), unban(String, in: String)
    case rank(String, role: String, in: String)
    case say(String, in: String, label: String?)
    case reply(String, to: String, label: String?)
    case thread(String, under: String, label: String?)
    case edit(String, to: String), redact(String)
    case react(String, to: String, removed: Bool)
    case pin(String, removed: Bool)
    case read(String)
    case type(in: String, active: Bool)
    case live(String, in: String)
    case set(String, of: String, to: String)
    case presence(String)
    case attend(String, present: Bool)
    case block(String, removed: Bool)
    case report(String, reason: String)
    case displayName(String)
    case search(String, finds: String)
    case history(of: String, has: String)
    case unread(Int, in: String)
}

/// What a person notices.
package enum PlayNotice: Hashable, Sendable {
    case hears(String, from: String, in: String)
    case edited(String, to: String)
    case redacted(String)
    case reaction(String, on: String, from: String, removed: Bool)
    case pinned(String, removed: Bool)
    case member(String, standing: String, in: String)
    case role(String, role: String, in: String)
    case state(String, of: String, value: String)
    case read(by: String, upTo: String)
    case typing(String, in: String)
    case live(String, from: String, in: String)
    case presence(String, state: String)
    case attendance(String, in: String)
    case displayName(String, of: String)
    /// Nothing more than was noticed.
    case nothing
}

extension PlayStep {
    init?(_ words: [PlayScript.Word]) {
        let texts = words.map(\.text)
        guard let verb = texts.first else { return nil }
        if verb == "is", texts.count == 3, texts[1] == "refused" {
            self = .refused(texts[2])
        } else if let action = PlayAction(verb, Array(texts.dropFirst())) {
            self = .act(action)
        } else if let notice = PlayNotice(verb, Array(texts.dropFirst())) {
            self = .notice(notice)
        } else {
            return nil
        }
    }
}

extension PlayAction {
    init?(_ verb: String, _ words: [String]) {
        let word = { (index: Int) -> String in index < words.count ? words[index] : "" }
        /// `X as LABEL` at a place.
        let label = { (index: Int) -> String? in word(index) == "as" ? word(index + 1) : nil }
        switch (verb, words.count) {
        case ("connects", 0): self = .connect
        case ("disconnects", 0): self = .disconnect
        case ("creates", 2): self = .create(kind: word(0), access: "public", name: word(1))
        case ("creates", 3): self = .create(kind: word(1), access: word(0), name: word(2))
        case ("joins", 1): self = .join(word(0))
        case ("leaves", 1): self = .leave(word(0))
        case ("knocks", 1): self = .knock(word(0))
        case ("invites", 3): self = .invite(word(0), to: word(2))
        case ("kicks", 3): self = .kick(word(0), from: word(2))
        case ("bans", 3): self = .ban(word(0), from: word(2))
        case ("unbans", 3): self = .unban(word(0), in: word(2))
        case ("makes", 4): self = .rank(word(0), role: word(1), in: word(3))
        case ("says", 3), ("says", 5): self = .say(word(0), in: word(2), label: label(3))
        case ("replies", 3), ("replies", 5): self = .reply(word(0), to: word(2), label: label(3))
        case ("threads", 3), ("threads", 5): self = .thread(word(0), under: word(2), label: label(3))
        case ("edits", 3): self = .edit(word(0), to: word(2))
        case ("redacts", 1): self = .redact(word(0))
        case ("reacts", 3): self = .react(word(0), to: word(2), removed: false)
        case ("unreacts", 3): self = .react(word(0), to: word(2), removed: true)
        case ("pins", 1): self = .pin(word(0), removed: false)
        case ("unpins", 1): self = .pin(word(0), removed: true)
        case ("reads", 1): self = .read(word(0))
        case ("types", 2): self = .type(in: word(1), active: true)
        case ("rests", 2): self = .type(in: word(1), active: false)
        case ("writes", 4) where word(0) == "live": self = .live(word(1), in: word(3))
        case ("sets", 5): self = .set(word(0), of: word(2), to: word(4))
        case ("goes", 1): self = .presence(word(0))
        case ("attends", 1): self = .attend(word(0), present: true)
        case ("unattends", 1): self = .attend(word(0), present: false)
        case ("blocks", 1): self = .block(word(0), removed: false)
        case ("unblocks", 1): self = .block(word(0), removed: true)
        case ("reports", 3): self = .report(word(0), reason: word(2))
        case ("renames", 2) where word(0) == "themselves": self = .displayName(word(1))
        case ("searches", 3): self = .search(word(0), finds: word(2))
        case ("finds", 5) where word(0) == "in": self = .history(of: word(3), has: word(4))
        case ("has", 4): self = .unread(Int(word(0)) ?? -1, in: word(3))
        default: return nil
        }
    }
}

extension PlayNotice {
    init?(_ verb: String, _ words: [String]) {
        let word = { (index: Int) -> String in index < words.count ? words[index] : "" }
        switch (verb, words.count) {
        case ("hears", 1) where word(0) == "nothing": self = .nothing
        case ("hears", 5): self = .hears(word(0), from: word(2), in: word(4))
        case ("sees", 4) where word(1) == "edited": self = .edited(word(0), to: word(3))
        case ("sees", 2) where word(1) == "redacted": self = .redacted(word(0))
        case ("sees", 2) where word(1) == "pinned": self = .pinned(word(0), removed: false)
        case ("sees", 2) where word(1) == "unpinned": self = .pinned(word(0), removed: true)
        case ("sees", 6) where word(0) == "reaction":
            self = .reaction(word(1), on: word(3), from: word(5), removed: false)
        case ("sees", 6) where word(0) == "unreaction":
            self = .reaction(word(1), on: word(3), from: word(5), removed: true)
        case ("sees", 4) where word(2) == "in" && word(1) == "typing": self = .typing(word(0), in: word(3))
        case ("sees", 4) where word(2) == "in" && word(1) == "attending": self = .attendance(word(0), in: word(3))
        case ("sees", 4) where word(2) == "in": self = .member(word(0), standing: word(1), in: word(3))
        case ("sees", 5) where word(1) == "as": self = .role(word(0), role: word(2), in: word(4))
        case ("sees", 4) where word(1) == "of": self = .state(word(0), of: word(2), value: word(3))
        case ("sees", 3) where word(1) == "read": self = .read(by: word(0), upTo: word(2))
        case ("sees", 6) where word(0) == "live": self = .live(word(1), from: word(3), in: word(5))
        case ("sees", 3) where word(1) == "go": self = .presence(word(0), state: word(2))
        case ("sees", 3) where word(1) == "named": self = .displayName(word(2), of: word(0))
        default: return nil
        }
    }
}

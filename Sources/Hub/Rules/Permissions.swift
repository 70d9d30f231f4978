/// Everything in a conversation that takes a rank.
package enum Action: String, Sendable, CaseIterable {
    case post, react, call, custom
    case invite, pin, kick, ban
    case redactOthers = "redact-others"
    case mentionAll = "mention-all"
    case setName = "set-name"
    case setSubject = "set-subject"
    case setAvatar = "set-avatar"
    /// Open state of other namespaces.
    case setState = "set-state"
    case setRank = "set-rank"
    /// Access, history visibility, retention, slow mode, the permission table itself.
    case configure
}

/// The rank that each action takes: a default per kind of conversation, and what the conversation says otherwise.
package struct PermissionTable: Hashable, Sendable {
    private let kind: ConversationKind
    private var overrides: [Action: Rank] = [:]

    package init(kind: ConversationKind) { self.kind = kind }

    package func required(for action: Action) -> Rank {
        overrides[action] ?? PermissionTable.standard(action, in: kind)
    }

    package mutating func set(_ action: Action, to rank: Rank?) { overrides[action] = rank }

    package static func standard(_ action: Action, in kind: ConversationKind) -> Rank {
        switch kind {
        case .direct, .ledger:
            return .member
        case .group, .broadcast:
            switch action {
            case .post, .call, .custom: return kind == .broadcast ? .voiced : .member
            case .react, .invite: return .member
            case .mentionAll: return .helper
            case .pin, .kick, .ban, .redactOthers, .setName, .setSubject, .setAvatar, .setState: return .moderator
            case .setRank, .configure: return .admin
            }
        }
    }
}

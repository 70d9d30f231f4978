extension RuleContext {
    func setState(_ change: StateChange) throws(Rejection) -> Decision {
        if state.identity.kind == .ledger {
            guard state.identity.pair?.low == actor.account else { throw Rejection(.notFound, "no such conversation") }
        } else {
            try require(action(for: change.key))
            if state.identity.kind == .direct, facts.isBlocked {
                throw Rejection(.forbidden, "this person does not take messages from you")
            }
        }
        try requireForm(change)
        if state.values[change.key] == change.value { return .unchanged }
        if change.key == .history, state.timeline.entries.count >= VisibilityTimeline.maxEntries {
            throw Rejection(.limitReached, "the visibility of the past was changed too often")
        }
        if change.value != nil, state.values[change.key] == nil, state.values.count >= limits.stateKeys {
            throw Rejection(.limitReached, "the conversation keeps \(limits.stateKeys) values")
        }
        return .event(.state(change), erase: [])
    }

    private func action(for key: StateKey) -> Action {
        guard key.namespace.isEmpty else { return .setState }
        switch key.type {
        case "name": return .setName
        case "subject": return .setSubject
        case "avatar": return .setAvatar
        case "ban": return .ban
        default: return .configure
        }
    }

    private func requireForm(_ change: StateChange) throws(Rejection) {
        let key = change.key
        guard key.namespace.utf8.count <= 64, (1...64).contains(key.type.utf8.count), key.key.utf8.count <= 128 else {
            throw Rejection(.invalidValue, "a state key takes up to 64 + 64 + 128 bytes, and a type")
        }
        try requireShort(change.value, limits.stateValueBytes, "the value")
        guard key.namespace.isEmpty, state.identity.kind != .ledger else { return }
        try requireKnown(key, change.value)
    }

    /// Our own facts have a form each; in the empty namespace there are no others.
    private func requireKnown(_ key: StateKey, _ value: String?) throws(Rejection) {
        switch key.type {
        case "name" where key.key.isEmpty: try requireShort(value, limits.nameBytes, "the name")
        case "subject" where key.key.isEmpty: try requireShort(value, limits.subjectBytes, "the subject")
        case "avatar" where key.key.isEmpty: try requireShort(value, 2_048, "the avatar")
        case "access" where key.key.isEmpty:
            try requireNotDirect()
            try requireValue(value.flatMap(Access.init(rawValue:)) != nil, "public, unlisted or private")
        case "history" where key.key.isEmpty:
            try requireNotDirect()
            try requireValue(
                value.flatMap(HistoryVisibility.init(rawValue:)) != nil, "everyone, members or since-joined")
        case "slow-mode" where key.key.isEmpty:
            try requireNumber(value, 0...21_600, "seconds between 0 and 21600")
        case "retention" where key.key == "age-ms":
            try requireNumber(value, 60_000...Int64.max / 2, "milliseconds from 60000 on")
        case "retention" where key.key == "count": try requireNumber(value, 1...Int64.max / 2, "a number from 1 on")
        case "permission":
            try requireNotDirect()
            try requireValue(Action(rawValue: key.key) != nil, "a known action as key")
            try requireNumber(value, -1...100, "a rank from -1 to 100")
            let asked = value.flatMap { Int($0) }.flatMap(Rank.init(rawValue:))
            if let asked, asked > rank(for: .configure) {
                throw Rejection(.forbidden, "you can't ask for a rank above your own")
            }
        case "ban":
            try requireNotDirect()
            try requireValue(!key.key.isEmpty, "a pattern as key")
        default: throw Rejection(.invalidValue, "there is no \(key) in the empty namespace")
        }
    }

    private func requireValue(_ holds: Bool, _ form: String) throws(Rejection) {
        if !holds { throw Rejection(.invalidValue, "the value must be \(form)") }
    }

    private func requireNumber(_ value: String?, _ range: ClosedRange<Int64>, _ form: String) throws(Rejection) {
        guard let value else { return }
        guard let number = Int64(value), range.contains(number) else {
            throw Rejection(.invalidValue, "the value must be \(form)")
        }
    }
}

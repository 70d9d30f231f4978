/// What one transaction will hold, while it is gathered.
///
/// *Lives on* the lane.
struct PendingBatch {
    /// The position before the batch.
    let head: Position
    /// Every command of the batch, in order.
    private(set) var steps: [Step] = []
    var jobs: [@Sendable (Lane) -> Void] = []
    /// A job for which later commands wait is among them.
    var isClosed = false
    var extras = PublishedExtras()
    /// The first step that writes: it and all that follow were judged by, or are, what is not saved yet.
    private var firstWrite: Int?
    private var tokens: Set<TokenKey> = []
    private var targets: Set<EventID> = []
    private var isStructural = false

    /// One command: its writes, what the loops hear of it, and its answer.
    struct Step {
        let submission: Submission
        fileprivate(set) var writes: [Write]
        fileprivate(set) var items: [Batch.Item]
        fileprivate(set) var outcome: Result<Acceptance, Rejection>
    }

    private struct TokenKey: Hashable {
        let device: DeviceID
        let token: Token
    }

    init(head: Position) { self.head = head }

    var writesAnything: Bool { firstWrite != nil }
    var writes: [Write] { steps.flatMap(\.writes) }
    var items: [Batch.Item] { steps.flatMap(\.items) }
    var replies: [(reply: Reply, outcome: Result<Acceptance, Rejection>)] {
        steps.map { ($0.submission.reply, $0.outcome) }
    }

    /// Whether a command depends on what this batch has only tentatively: the repeat of a token, a second command about
    /// the same event, anything after a conversation was made, and making one.
    func mustCommit(before submission: Submission) -> Bool {
        guard writesAnything else { return false }
        if isStructural { return true }
        if let token = submission.token,
            tokens.contains(TokenKey(device: submission.actor.device, token: token))
        {
            return true
        }
        switch submission.command {
        case .create, .openDirect, .setLedger, .setProfile: return true
        case .conversation(_, let command): return command.target.map(targets.contains) ?? false
        }
    }

    mutating func accept(
        _ submission: Submission, writes: [Write], items: [Batch.Item], _ acceptance: Acceptance
    ) {
        firstWrite = firstWrite ?? steps.endIndex
        steps.append(Step(submission: submission, writes: writes, items: items, outcome: .success(acceptance)))
        if let token = submission.token { tokens.insert(TokenKey(device: submission.actor.device, token: token)) }
        switch submission.command {
        case .create, .openDirect, .setLedger, .setProfile: isStructural = true
        case .conversation(_, let command):
            if let target = command.target { targets.insert(target) }
        }
    }

    mutating func refuse(_ submission: Submission, _ rejection: Rejection) {
        steps.append(Step(submission: submission, writes: [], items: [], outcome: .failure(rejection)))
    }

    /// Nothing is written: it already is as asked.
    mutating func answer(_ submission: Submission, _ acceptance: Acceptance) {
        steps.append(Step(submission: submission, writes: [], items: [], outcome: .success(acceptance)))
    }

    // MARK: When it could not be saved

    /// Nothing was saved: the steps that write are refused, and so is every answer that rested on them.
    mutating func refuseAll(_ rejection: Rejection) {
        for index in steps.indices.dropFirst(firstWrite ?? steps.endIndex) {
            steps[index].writes = []
            steps[index].items = []
            steps[index].outcome = .failure(rejection)
        }
        firstWrite = nil
    }

    /// It was saved, but it is not known to be on disk: the loops must hear of it, and nobody may be told that it is safe.
    mutating func withholdAnswers(_ rejection: Rejection) {
        for index in steps.indices.dropFirst(firstWrite ?? steps.endIndex) {
            steps[index].outcome = .failure(rejection)
        }
    }

    /// Takes the steps out that must be tried again, one by one.
    mutating func takeTentative() -> [Submission] {
        let start = firstWrite ?? steps.endIndex
        let tentative = steps[start...].map(\.submission)
        steps.removeLast(steps.endIndex - start)
        firstWrite = nil
        return tentative
    }

    mutating func absorb(_ other: PendingBatch) {
        if firstWrite == nil, let first = other.firstWrite { firstWrite = steps.endIndex + first }
        steps += other.steps
    }
}

extension ConversationCommand {
    /// The event that the command is about.
    var target: EventID? {
        switch self {
        case .edit(let target, _), .redact(let target, _), .react(let target, _, _), .pin(let target, _),
            .report(let target, _):
            target
        case .post, .join, .knock, .leave, .invite, .kick, .ban, .unban, .setRank, .setState, .call, .sealed, .custom,
            .receipt:
            nil
        }
    }

    /// The account that the command is about.
    var subject: AccountID? {
        switch self {
        case .invite(let account), .kick(let account, _), .ban(let account, _), .unban(let account),
            .setRank(let account, _):
            account
        case .post, .edit, .redact, .react, .pin, .join, .knock, .leave, .setState, .call, .sealed, .custom, .receipt,
            .report:
            nil
        }
    }
}

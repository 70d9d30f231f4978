/// What one transaction will hold, while it is gathered.
///
/// *Lives on* the lane.
struct PendingBatch {
    /// The position before the batch.
    let head: Position
    var entries: [Entry] = []
    /// Answers of commands that wrote nothing.
    private(set) var answers: [(reply: Reply, outcome: Result<Acceptance, Rejection>)] = []
    var jobs: [@Sendable (Lane) -> Void] = []
    var extras = PublishedExtras()
    private var tokens: Set<TokenKey> = []
    private var targets: Set<EventID> = []
    private var isStructural = false

    /// One accepted command: its writes, what the loops hear of it, and its answer.
    struct Entry {
        let submission: Submission
        let writes: [Write]
        var items: [Batch.Item]
        let acceptance: Acceptance
    }

    private struct TokenKey: Hashable {
        let device: DeviceID
        let token: Token
    }

    init(head: Position) { self.head = head }

    /// Whether a command depends on what this batch has only tentatively: the repeat of a token, a second command about
    /// the same event, anything after a conversation was made, and making one.
    func mustCommit(before submission: Submission) -> Bool {
        guard !entries.isEmpty else { return false }
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
        entries.append(Entry(submission: submission, writes: writes, items: items, acceptance: acceptance))
        if let token = submission.token { tokens.insert(TokenKey(device: submission.actor.device, token: token)) }
        switch submission.command {
        case .create, .openDirect, .setLedger, .setProfile: isStructural = true
        case .conversation(_, let command):
            if let target = command.target { targets.insert(target) }
        }
    }

    /// Adds to what the loops hear of the command that was accepted last.
    mutating func add(_ item: Batch.Item) {
        guard let last = entries.indices.last else { return }
        entries[last].items.append(item)
    }

    mutating func refuse(_ submission: Submission, _ rejection: Rejection) {
        answers.append((submission.reply, .failure(rejection)))
    }

    /// Nothing is written: the answer stands by itself.
    mutating func answer(_ submission: Submission, _ acceptance: Acceptance) {
        answers.append((submission.reply, .success(acceptance)))
    }

    /// Nothing of the batch was saved: what was to be accepted is refused.
    mutating func refuseAll(_ rejection: Rejection) {
        for entry in entries { answers.append((entry.submission.reply, .failure(rejection))) }
        entries = []
    }

    /// The batch without its accepted commands, which are about to be tried again.
    func withoutEntries() -> PendingBatch {
        var rest = PendingBatch(head: head)
        rest.answers = answers
        rest.jobs = jobs
        return rest
    }

    mutating func absorb(_ other: PendingBatch) {
        entries += other.entries
        answers += other.answers
    }

    var replies: [(reply: Reply, outcome: Result<Acceptance, Rejection>)] {
        answers + entries.map { ($0.submission.reply, .success($0.acceptance)) }
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

import NIOCore

/// Who listens to what on one event loop, and the last step of live delivery.
///
/// *Lives on* its event loop. It is given every batch of the lane in order, so its replica of standings, blocks and
/// history visibility is as of the event that it is about to deliver. Invariants: a live session has been given all that
/// it may see up to `head`; nothing is written that `canSee` refuses; an event is encoded once per dialect.
package final class Audience {
    package let eventLoop: any EventLoop
    let index: Int
    let hub: Hub
    private(set) var head: Position
    private var sessions: [SessionID: Session] = [:]
    private var residences: [AccountID: Residence] = [:]
    private var benches: [ConversationID: Bench] = [:]
    private var touched: [Session] = []
    private var cache = EncodeCache()

    init(eventLoop: any EventLoop, index: Int, hub: Hub, head: Position) {
        self.eventLoop = eventLoop
        self.index = index
        self.hub = hub
        self.head = head
    }

    package var sessionCount: Int { sessions.count }

    // MARK: Sessions

    /// Begins a session. It is given what changed after `cursor` (nil: only what comes), then goes live.
    ///
    /// The sink hears `caughtUp` when it is live, or `ended`. No event is lost or doubled between history and live.
    package func attach(
        _ sink: any SessionSink, as actor: Actor, dialect: Dialect, from cursor: Cursor?, presence: Presence.State
    ) -> Session {
        eventLoop.preconditionInEventLoop()
        let session = Session(id: hub.nextSessionID(), actor: actor, dialect: dialect, sink: sink, from: cursor)
        sessions[session.id] = session
        hub.inbox.attach(session.id, actor: actor, presence: presence, loop: index)
        return session
    }

    /// Lets go of a session whose connection is gone. Does nothing the second time.
    package func detach(_ session: Session) {
        guard sessions.removeValue(forKey: session.id) != nil else { return }
        session.mode = .ended
        if let residence = residences[session.actor.account] {
            residence.sessions.removeAll { $0 === session }
            if residence.sessions.isEmpty { release(residence) }
        }
        hub.inbox.detach(session.id)
    }

    private func release(_ residence: Residence) {
        for seat in residence.seats.values { leaveBench(seat) }
        residences[residence.account] = nil
    }

    private func leaveBench(_ seat: Seat) {
        guard let bench = benches[seat.identity.id] else { return }
        bench.remove(seat)
        if bench.seats.isEmpty { benches[seat.identity.id] = nil }
    }

    /// The lane's answer to `attach`: comes after every batch up to `view.head`, and before every later one.
    func install(_ id: SessionID, _ result: Result<AccountView, Rejection>) {
        guard let session = sessions[id], case .attaching(let cursor) = session.mode else { return }
        switch result {
        case .failure(let rejection):
            end(session, .rejected(rejection))
        case .success(let view):
            let residence = residences[session.actor.account] ?? settle(session.actor.account, view)
            residence.sessions.append(session)
            begin(session, from: cursor, view)
        }
    }

    private func settle(_ account: AccountID, _ view: AccountView) -> Residence {
        let residence = Residence(account: account, blocked: view.blocked)
        residences[account] = residence
        residence.seats.reserveCapacity(view.seats.count)
        for row in view.seats { sit(row, in: residence) }
        return residence
    }

    private func sit(_ row: SeatRow, in residence: Residence) {
        let seat = Seat(row, residence: residence)
        residence.seats[row.identity.id] = seat
        if let bench = benches[row.identity.id] {
            bench.add(seat)
        } else {
            let bench = Bench(timeline: row.timeline, postRank: row.postRank)
            bench.add(seat)
            benches[row.identity.id] = bench
        }
    }

    private func end(_ session: Session, _ reason: SessionEnd) {
        detach(session)
        session.sink.ended(reason)
    }

    // MARK: Catching up

    private func begin(_ session: Session, from cursor: Cursor?, _ view: AccountView) {
        guard let cursor else { return goLive(session, through: view.head) }
        guard cursor.epoch == hub.epoch, cursor.position <= view.head else {
            session.sink.continuityLost()
            return goLive(session, through: view.head)
        }
        session.deliveredThrough = cursor.position
        session.mode = .catchingUp(
            CatchUp(untold: Dictionary(view.seats.lazy.map { ($0.identity.id, $0) }, uniquingKeysWith: { $1 })))
        readOn(session)
        flushTouched()
    }

    private func goLive(_ session: Session, through position: Position) {
        session.mode = .live
        session.deliveredThrough = position
        session.sink.caughtUp(to: Cursor(epoch: hub.epoch, position: position))
        session.sink.flush()
    }

    /// The sink has room again: a session that is behind reads on.
    package func becameWritable(_ session: Session) {
        guard case .catchingUp(var state) = session.mode else { return }
        if let (page, index) = state.waiting {
            state.waiting = nil
            session.mode = .catchingUp(state)
            take(page, from: index, for: session)
        } else {
            readOn(session)
        }
        flushTouched()
    }

    private func readOn(_ session: Session) {
        guard case .catchingUp(var state) = session.mode, !state.isReading else { return }
        if session.deliveredThrough >= head { return goLive(session, through: session.deliveredThrough) }
        guard session.sink.isWritable else { return }
        state.isReading = true
        session.mode = .catchingUp(state)
        // The seats are as of `head`, so the page ends there: a place that begins later is in the scope of the next one.
        var scope = ChangeScope()
        for seat in residences[session.actor.account]?.seats.values ?? [:].values {
            scope.add(seat.identity.id, seat.viewer.standing)
        }
        let id = session.id
        hub.readChanges(
            for: session.actor.account, in: scope, after: session.deliveredThrough, through: head, on: index
        ) { audience, result in
            audience.pageArrived(id, result)
        }
    }

    private func pageArrived(_ id: SessionID, _ result: Result<ChangePage, Rejection>) {
        guard let session = sessions[id], case .catchingUp(var state) = session.mode else { return }
        state.isReading = false
        session.mode = .catchingUp(state)
        switch result {
        case .failure(let rejection): end(session, .rejected(rejection))
        case .success(let page): take(page, from: 0, for: session)
        }
        flushTouched()
    }

    /// Writes a page from one of its changes on, as far as the sink takes it.
    private func take(_ page: ChangePage, from start: Int, for session: Session) {
        guard case .catchingUp(var state) = session.mode else { return }
        var index = start
        while index < page.changes.endIndex || index == 0 {
            guard session.sink.isWritable else {
                state.waiting = (page, index)
                session.mode = .catchingUp(state)
                return
            }
            var frames = hub.allocator.buffer(capacity: CatchUp.pieceBytes)
            if index == 0 { encode(page.gaps, for: session, &state, &frames) }
            while index < page.changes.endIndex, frames.readableBytes < CatchUp.pieceBytes {
                let change = page.changes[index]
                index += 1
                guard change.position > session.deliveredThrough else { continue }
                encode(change, for: session, &state, &frames)
                session.deliveredThrough = change.position
            }
            write(frames, to: session)
            if page.changes.isEmpty { break }
        }
        session.deliveredThrough = max(session.deliveredThrough, page.through)
        session.mode = .catchingUp(state)
        readOn(session)
    }

    private func encode(
        _ gaps: [ChangeGap], for session: Session, _ state: inout CatchUp, _ frames: inout ByteBuffer
    ) {
        for gap in gaps where state.gaps.updateValue(gap.first, forKey: gap.conversation) != gap.first {
            state.lastSeen[gap.conversation] = nil
            session.dialect.encode(.gap(gap.conversation, first: gap.first), &frames)
        }
    }

    private func encode(_ change: Change, for session: Session, _ state: inout CatchUp, _ frames: inout ByteBuffer) {
        switch change {
        case .event(let event):
            guard isVisible(event, to: session) else {
                // The first that is visible after it does not follow the one before it.
                if state.lastSeen[event.conversation] == nil, event.sequence.rawValue > 0 {
                    state.lastSeen[event.conversation] = Sequence(rawValue: event.sequence.rawValue - 1)
                }
                return
            }
            let last = state.lastSeen[event.conversation]
            let previous = last.flatMap { $0.next == event.sequence ? nil : $0 }
            state.lastSeen[event.conversation] = event.sequence
            if let row = state.untold[event.conversation], row.member.isNew(with: event) {
                state.untold[event.conversation] = nil
                session.dialect.encode(.seat(row), &frames)
            }
            session.dialect.encode(.event(event, previous: previous), &frames)
        case .receipt(let receipt):
            guard mayKnow(receipt, session) else { return }
            session.dialect.encode(.receipt(receipt), &frames)
        case .profile(let profile):
            guard residences[session.actor.account]?.blocked.contains(profile.party.id) == false else { return }
            session.dialect.encode(.profile(profile), &frames)
        }
    }

    private func isVisible(_ event: Event, to session: Session) -> Bool {
        let visible = Visible(event)
        guard let seat = residences[session.actor.account]?.seats[event.conversation],
            let bench = benches[event.conversation]
        else {
            // No seat: a conversation that the account left. Its own removal is still its own to see.
            if case .event(_, _, _, let subject) = visible { return subject == session.actor.account }
            return false
        }
        return canSee(seat.viewer, visible, history: bench.timeline)
    }

    private func mayKnow(_ receipt: Receipt, _ session: Session) -> Bool {
        guard let seat = residences[session.actor.account]?.seats[receipt.conversation] else { return false }
        return canSee(seat.viewer, .signal(author: receipt.party.id), history: VisibilityTimeline(.members))
    }

    // MARK: Live delivery

    /// Delivers a batch, in order; each touched sink is flushed once.
    func deliver(_ batch: Batch) {
        var index = batch.items.startIndex
        while index < batch.items.endIndex {
            if case .event(let item) = batch.items[index] {
                let end = endOfRun(batch.items, from: index, in: item.event.conversation)
                deliverRun(batch.items[index..<end], in: item.event.conversation)
                index = end
            } else {
                deliver(batch.items[index])
                index += 1
            }
        }
        head = max(head, batch.head)
        flushTouched()
    }

    /// Events of one conversation that follow each other are joined into one buffer per dialect; one that moves standings
    /// or visibility stands alone, so that each event is judged by what held at its sequence.
    private func endOfRun(_ items: [Batch.Item], from start: Int, in conversation: ConversationID) -> Int {
        var end = start
        while end < items.endIndex, case .event(let item) = items[end], item.event.conversation == conversation {
            if item.movesReplica { return end == start ? end + 1 : end }
            end += 1
        }
        return end
    }

    private func deliverRun(_ run: ArraySlice<Batch.Item>, in conversation: ConversationID) {
        guard case .event(let first) = run.first, case .event(let last) = run.last else { return }
        if let row = last.seat { seatChanged(row) }
        guard let bench = benches[conversation] else { return }
        if let timeline = last.timeline { bench.timeline = timeline }
        if let rank = last.postRank { bench.postRank = rank }
        cache.begin()
        for seat in bench.seats {
            let isUnbroken = seat.lastSeen.next == first.event.sequence
            if isUnbroken, canSeeAll(seat.viewer, from: first.event.sequence) {
                seat.lastSeen = last.event.sequence
                for session in seat.residence.sessions {
                    if session.takes(first.event.position) {
                        write(cache.joined(run, session.dialect, hub.allocator), to: session)
                        session.deliveredThrough = last.event.position
                    } else if session.takes(last.event.position) {
                        writeRest(of: run, to: session)
                    }
                }
            } else {
                deliverOneByOne(run, to: seat, bench)
            }
        }
        if let row = last.seat, row.member.standing != .joined, row.member.standing != .invited,
            row.member.standing != .knocking
        {
            seatEnded(row)
        }
    }

    /// The part of a run that a session has not read already while it caught up.
    private func writeRest(of run: ArraySlice<Batch.Item>, to session: Session) {
        var frames = hub.allocator.buffer(capacity: run.count * 256)
        for case .event(let item) in run where session.takes(item.event.position) {
            session.dialect.encode(.event(item.event, previous: nil), &frames)
            session.deliveredThrough = item.event.position
        }
        write(frames, to: session)
    }

    private func deliverOneByOne(_ run: ArraySlice<Batch.Item>, to seat: Seat, _ bench: Bench) {
        for case .event(let item) in run {
            let event = item.event
            guard canSee(seat.viewer, Visible(event), history: bench.timeline) else { continue }
            let previous = seat.lastSeen.next == event.sequence ? nil : seat.lastSeen
            for session in seat.residence.sessions where session.takes(event.position) {
                var frames = hub.allocator.buffer(capacity: 256)
                session.dialect.encode(.event(event, previous: previous), &frames)
                write(frames, to: session)
                session.deliveredThrough = event.position
            }
            seat.lastSeen = event.sequence
        }
    }

    /// A membership event about an account that has sessions here: its seat moves before the event is delivered.
    private func seatChanged(_ row: SeatRow) {
        guard let residence = residences[row.member.party.id] else { return }
        if let seat = residence.seats[row.identity.id] {
            seat.update(row.member)
        } else {
            sit(row, in: residence)
            residence.seats[row.identity.id]?.lastSeen = Sequence(rawValue: row.lastSequence.rawValue - 1)
        }
        for session in residence.sessions {
            switch session.mode {
            case .live:
                var frames = hub.allocator.buffer(capacity: 256)
                session.dialect.encode(.seat(row), &frames)
                write(frames, to: session)
            case .catchingUp(var state):
                state.untold[row.identity.id] = row
                session.mode = .catchingUp(state)
            case .attaching, .ended: break
            }
        }
    }

    private func seatEnded(_ row: SeatRow) {
        guard let seat = residences[row.member.party.id]?.seats.removeValue(forKey: row.identity.id) else { return }
        leaveBench(seat)
    }

    private func deliver(_ item: Batch.Item) {
        switch item {
        case .event: break
        case .receipt(let receipt):
            deliver(.receipt(receipt), about: receipt.party.id, in: receipt.conversation, at: receipt.position)
        case .profile(let profile, let conversations):
            deliver(.profile(profile), about: profile.party.id, in: conversations, at: profile.position)
        case .signal(let signal): deliver(signal)
        case .presence(let party, let presence, let conversations):
            deliver(.signal(.presence(party, presence)), about: party.id, in: conversations, at: nil)
        case .blocks(let account, let blocked): residences[account]?.blocked = blocked
        case .revoked(let account, let device):
            for session in residences[account]?.sessions ?? [] where device == nil || session.actor.device == device {
                end(session, .revoked)
            }
            for session in sessions.values
            where session.actor.account == account && (device == nil || session.actor.device == device) {
                end(session, .revoked)
            }
        }
    }

    /// A signal of a conversation, to all who are joined, where the connection has room.
    private func deliver(_ signal: Signal) {
        switch signal {
        case .typing(let place, _), .liveText(let place, _), .ringing(let place, _):
            deliver(.signal(signal), about: place.party.id, in: place.conversation, at: nil)
        case .attendance(let conversation, let party, _):
            deliver(.signal(signal), about: party.id, in: conversation, at: nil)
        case .presence: break
        }
    }

    private func deliver(
        _ delivery: Delivery, about author: AccountID, in conversation: ConversationID, at position: Position?
    ) {
        guard let bench = benches[conversation] else { return }
        cache.begin()
        for seat in bench.seats where canSee(seat.viewer, .signal(author: author), history: bench.timeline) {
            for session in seat.residence.sessions { offer(delivery, to: session, at: position) }
        }
    }

    /// To everybody who shares one of these conversations with the account, and to the account itself, once.
    private func deliver(
        _ delivery: Delivery, about author: AccountID, in conversations: Set<ConversationID>, at position: Position?
    ) {
        cache.begin()
        var told: Set<AccountID> = []
        for session in residences[author]?.sessions ?? [] { offer(delivery, to: session, at: position) }
        told.insert(author)
        for conversation in conversations {
            guard let bench = benches[conversation] else { continue }
            for seat in bench.seats where !told.contains(seat.viewer.account) {
                guard canSee(seat.viewer, .signal(author: author), history: bench.timeline) else { continue }
                told.insert(seat.viewer.account)
                for session in seat.residence.sessions { offer(delivery, to: session, at: position) }
            }
        }
    }

    /// Something without a sequence: durable (with a position) or a signal, which a full connection does without.
    private func offer(_ delivery: Delivery, to session: Session, at position: Position?) {
        if let position {
            guard session.takes(position) else { return }
            session.deliveredThrough = position
        } else {
            guard case .live = session.mode, session.sink.isWritable else { return }
        }
        write(cache.single(delivery, session.dialect, hub.allocator), to: session)
    }

    private func write(_ frames: ByteBuffer, to session: Session) {
        guard frames.readableBytes > 0 else { return }
        session.sink.write(frames)
        if !session.isTouched {
            session.isTouched = true
            touched.append(session)
        }
    }

    private func flushTouched() {
        for session in touched {
            session.isTouched = false
            session.sink.flush()
        }
        touched.removeAll(keepingCapacity: true)
    }

    // MARK: Signals

    /// Sends a signal of a session's own account: at most one hop, no lane.
    package func send(_ make: (Party) -> Signal, in conversation: ConversationID, from session: Session) -> Rejection? {
        guard let seat = residences[session.actor.account]?.seats[conversation], let bench = benches[conversation],
            seat.viewer.standing == .joined
        else { return Rejection(.forbidden, "you are not in this conversation") }
        guard seat.viewer.rank >= bench.postRank else {
            return Rejection(.forbidden, "you may not write in this conversation")
        }
        if let rejection = hub.limiter.takeSignal(session.actor) { return rejection }
        hub.broadcast(make(session.actor.party), from: self)
        return nil
    }

    func deliverNow(_ signal: Signal) {
        deliver(signal)
        flushTouched()
    }
}

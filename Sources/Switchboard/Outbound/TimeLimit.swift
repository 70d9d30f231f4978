import NIOCore
import Synchronization

/// Work that may take until a time and no longer, whatever it is waiting for.
enum TimeLimit {
    struct Exceeded: Error, CustomStringConvertible {
        var description: String { "it took too long" }
    }

    /// What `work` gives. When the time has come, or the caller is cancelled, the work is cancelled and no longer waited
    /// for: a system call that blocks may go on in its own thread.
    static func run<Value: Sendable>(
        until deadline: NIODeadline, _ work: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let race = Race<Value>()
        let task = Task {
            do {
                race.settle(.success(try await work()))
            } catch {
                race.settle(.failure(error))
            }
        }
        let alarm = Task {
            try await Task.sleep(for: .nanoseconds(max((deadline - .now()).nanoseconds, 0)))
            race.settle(.failure(Exceeded()))
        }
        defer {
            task.cancel()
            alarm.cancel()
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { race.wait($0) }
        } onCancel: {
            race.settle(.failure(CancellationError()))
        }
    }
}

/// The first outcome of several. *Lives on*: any thread.
private final class Race<Value: Sendable>: Sendable {
    private enum State {
        case running
        case awaited(CheckedContinuation<Value, any Error>)
        case settled(Result<Value, any Error>)
        case over
    }

    private let state = Mutex(State.running)

    func settle(_ outcome: Result<Value, any Error>) {
        let waiting = state.withLock { state -> CheckedContinuation<Value, any Error>? in
            switch state {
            case .running:
                state = .settled(outcome)
                return nil
            case .awaited(let continuation):
                state = .over
                return continuation
            case .settled, .over: return nil
            }
        }
        waiting?.resume(with: outcome)
    }

    /// To be called once.
    func wait(_ continuation: CheckedContinuation<Value, any Error>) {
        let outcome = state.withLock { state -> Result<Value, any Error>? in
            if case .settled(let outcome) = state {
                state = .over
                return outcome
            }
            state = .awaited(continuation)
            return nil
        }
        if let outcome { continuation.resume(with: outcome) }
    }
}

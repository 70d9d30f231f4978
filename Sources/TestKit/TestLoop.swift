import Dispatch
import NIOCore
import Synchronization

/// An event loop whose turns belong to the test. Work may be given from any thread; it runs when the test says so.
///
/// Nothing that is scheduled for later runs by itself: the hub has no timers of its own.
package final class TestLoop: EventLoop {
    private let tasks = Mutex<[@Sendable () -> Void]>([])

    package init() {}

    package var inEventLoop: Bool { true }

    package func execute(_ task: @escaping @Sendable () -> Void) { tasks.withLock { $0.append(task) } }

    /// Runs what waits, and what that brings.
    package func run() {
        while true {
            let waiting = tasks.withLock { tasks in
                defer { tasks = [] }
                return tasks
            }
            if waiting.isEmpty { return }
            for task in waiting { task() }
        }
    }

    @discardableResult
    package func scheduleTask<T>(deadline: NIODeadline, _ task: @escaping () throws -> T) -> Scheduled<T> {
        Scheduled(promise: makePromise(), cancellationTask: {})
    }

    @discardableResult
    package func scheduleTask<T>(in delay: TimeAmount, _ task: @escaping () throws -> T) -> Scheduled<T> {
        Scheduled(promise: makePromise(), cancellationTask: {})
    }

    package func shutdownGracefully(queue: DispatchQueue, _ callback: @escaping @Sendable ((any Error)?) -> Void) {
        callback(nil)
    }
}

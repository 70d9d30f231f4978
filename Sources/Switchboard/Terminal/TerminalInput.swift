import Glibc
import NIOPosix
import Synchronization

/// The terminal in raw mode: keys come one by one and unechoed, while output still ends lines as usual.
///
/// *Lives on* the task that made it. The old mode is restored by ``restore()`` and when the process exits.
final class RawTerminal {
    private static let saved = Mutex<termios?>(nil)

    /// Nil when standard input is no terminal.
    init?() {
        var mode = termios()
        guard isatty(STDIN_FILENO) == 1, tcgetattr(STDIN_FILENO, &mode) == 0 else { return nil }
        let old = mode
        RawTerminal.saved.withLock { $0 = old }
        atexit { RawTerminal.restore() }
        mode.c_iflag &= ~tcflag_t(BRKINT | ICRNL | INPCK | ISTRIP | IXON)
        mode.c_lflag &= ~tcflag_t(ECHO | ICANON | IEXTEN | ISIG)
        mode.c_cflag |= tcflag_t(CS8)
        guard tcsetattr(STDIN_FILENO, TCSAFLUSH, &mode) == 0 else { return nil }
        // Bracketed paste: a pasted line break is not a pressed enter.
        writeFully("\u{1B}[?2004h", to: STDOUT_FILENO)
    }

    static func restore() {
        guard
            var mode = saved.withLock({ mode in
                defer { mode = nil }
                return mode
            })
        else { return }
        writeFully("\u{1B}[?2004l", to: STDOUT_FILENO)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &mode)
    }

    /// Columns of the terminal; 80 when nobody knows.
    static var columns: Int {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    /// Asks for a line without showing it, as for a password. Nil at the end of the input.
    static func readSecret(_ prompt: String) -> String? {
        var mode = termios()
        let isTerminal = isatty(STDIN_FILENO) == 1 && tcgetattr(STDIN_FILENO, &mode) == 0
        let old = mode
        if isTerminal {
            writeFully(prompt, to: STDERR_FILENO)
            mode.c_lflag &= ~tcflag_t(ECHO)
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &mode)
        }
        let line = readLine(strippingNewline: true)
        if isTerminal {
            var old = old
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &old)
            writeFully("\n", to: STDERR_FILENO)
        }
        return line
    }
}

/// What arrives at standard input, read when it is asked for: a long pipe waits.
///
/// *Lives on* a thread of the blocking pool, which stays in `read` until something comes or the process ends.
enum StandardInput {
    /// Bytes as a terminal sends them.
    static let chunks = Reading<[UInt8]> {
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = read(STDIN_FILENO, &buffer, buffer.count)
            if count > 0 { return Array(buffer[..<count]) }
            if count == 0 || errno != EINTR { return nil }
        }
    }
    /// Lines of a pipe, without their ends.
    static let lines = Reading<String> { readLine(strippingNewline: true) }

    struct Reading<Element: Sendable>: AsyncSequence, Sendable {
        let next: @Sendable () -> Element?

        struct Iterator: AsyncIteratorProtocol {
            let read: @Sendable () -> Element?

            func next() async -> Element? {
                await withCheckedContinuation { continuation in
                    NIOThreadPool.singleton.submit { _ in continuation.resume(returning: read()) }
                }
            }
        }
        func makeAsyncIterator() -> Iterator { Iterator(read: next) }
    }
}

import Glibc
import Hub
import SwitchboardClient

/// Why a command ends: one line for people, and an exit code of `sysexits.h` for programs.
struct Failure: Error, CustomStringConvertible {
    enum Code: Int32 {
        case usage = 64
        case badData = 65
        case noInput = 66
        case unavailable = 69
        case software = 70
        case cannotCreate = 73
        case inputOutput = 74
        case tryAgain = 75
        case noPermission = 77
        case configuration = 78
    }
    let code: Code
    let description: String

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    init(_ error: StoreError) {
        switch error {
        case .constraint(let reason): self.init(.software, reason)
        case .unavailable(let reason): self.init(.tryAgain, reason)
        case .unsynced(let reason): self.init(.inputOutput, reason)
        case .damaged(let reason): self.init(.badData, reason)
        }
    }

    init(_ error: ClientError) {
        switch error {
        case .rejected(let code, _, _):
            let kind: Code =
                switch code {
                case "unauthenticated", "forbidden", "banned": .noPermission
                case "rate-limited", "busy", "unavailable": .tryAgain
                case "fault": .software
                default: .badData
                }
            self.init(kind, "\(error)")
        case .unreachable: self.init(.unavailable, "\(error)")
        case .protocolViolation: self.init(.software, "\(error)")
        case .invalidAddress: self.init(.usage, "\(error)")
        case .closed: self.init(.unavailable, "\(error)")
        }
    }
}

/// Writes a line where people look for errors.
func printError(_ text: String) {
    writeFully(text + "\n", to: STDERR_FILENO)
}

/// Writes all of a text, whatever signals come between.
func writeFully(_ text: String, to descriptor: Int32) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
        let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        if count > 0 {
            bytes = bytes.dropFirst(count)
        } else if count < 0, errno == EAGAIN {
            var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            _ = poll(&waiting, 1, 1_000)
        } else if count < 0, errno != EINTR {
            return
        }
    }
}

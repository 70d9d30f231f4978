import GRDB
import Hub
import WireJSON

/// A value on disk that nobody can have written.
struct Damage: Error {
    let what: String
}

extension StoreError {
    /// What an error of SQLite, or of reading a row, means to the hub.
    init(_ error: any Error) {
        switch error {
        case let error as StoreError:
            self = error
        case let error as Damage:
            self = .damaged(error.what)
        case let error as JSONError:
            self = .damaged("a detail is not the JSON that was written: \(error)")
        case let error as DatabaseError:
            let message = error.message ?? "no message"
            switch error.resultCode {
            case .SQLITE_CONSTRAINT: self = .constraint(message)
            case .SQLITE_CORRUPT, .SQLITE_NOTADB: self = .damaged(message)
            default:
                let text = "\(message) (SQLite \(error.extendedResultCode.rawValue))"
                switch error.extendedResultCode {
                case .SQLITE_IOERR_FSYNC, .SQLITE_IOERR_DIR_FSYNC: self = .unsynced(text)
                default: self = .unavailable(text)
                }
            }
        default:
            self = .unavailable("\(error)")
        }
    }
}

import Foundation
import Hub
import Synchronization

/// A data directory, owned by this process until it is released.
///
/// Holds `switchboard.sqlite` (the log and everything that is not derived), `search.sqlite` (derived: may be deleted),
/// `store.json` (says that there is a log, so that a lost one is noticed) and `lock`.
final class DataDirectory: Sendable {
    let path: String
    /// Closed when the directory is released.
    private let lock: Mutex<Int32?>

    var database: String { path + "/switchboard.sqlite" }
    var search: String { path + "/search.sqlite" }
    var backups: String { path + "/backups" }
    /// What a restore makes before it takes the database's place.
    var restored: String { database + ".restored" }
    /// What a restore that was cut off has left.
    var restoreLeftovers: [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.map { path + "/" + $0 }.filter { $0.hasPrefix(restored) }
    }
    private var marker: String { path + "/store.json" }

    /// Makes the directory if there is none, and takes its lock.
    init(_ path: String) throws(StoreError) {
        self.path = path
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw .unavailable("the data directory \(path) can't be made: \(error.localizedDescription)")
        }
        let lock = open(path + "/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0 else { throw .unavailable("the data directory \(path) can't be written: \(lastError())") }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            close(lock)
            throw .unavailable("the data directory \(path) is in use by another process")
        }
        self.lock = Mutex(lock)
    }

    deinit { release() }

    func release() {
        lock.withLock { lock in
            if let lock { close(lock) }
            lock = nil
        }
    }

    func exists(_ file: String) -> Bool { access(file, F_OK) == 0 }

    // MARK: The marker

    /// What `store.json` says; nil if there is none.
    func readMarker() throws(StoreError) -> StoreMarker? {
        guard exists(marker) else { return nil }
        guard let data = FileManager.default.contents(atPath: marker) else {
            throw .unavailable("\(marker) can't be read: \(lastError())")
        }
        return try StoreMarker(json: String(decoding: data, as: UTF8.self), path: marker)
    }

    func write(_ marker: StoreMarker) throws(StoreError) {
        try replaceFile(self.marker, with: marker.json + "\n")
    }
}

/// Makes an empty file that its owner alone can read, in the place of any other. SQLite takes an empty file for a new
/// database, and gives the files beside it the same mode.
func makePrivateFile(_ path: String) throws(StoreError) {
    try removeFile(path)
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .unavailable("\(path) can't be made: \(lastError())") }
    close(descriptor)
}

/// Puts a whole file in the place of another, and syncs both it and its name.
func replaceFile(_ path: String, with text: String) throws(StoreError) {
    let fresh = path + ".new"
    guard
        FileManager.default.createFile(atPath: fresh, contents: Data(text.utf8), attributes: [.posixPermissions: 0o600])
    else { throw fileError("\(fresh) can't be written") }
    try syncFile(fresh)
    try moveFile(fresh, to: path)
}

/// Renames, and syncs the directory so that the new name outlives a power cut.
func moveFile(_ from: String, to: String) throws(StoreError) {
    guard rename(from, to) == 0 else { throw .unavailable("\(from) can't be renamed to \(to): \(lastError())") }
    try syncFile(URL(fileURLWithPath: to).deletingLastPathComponent().path)
}

/// Gives a file another name, which nothing may have yet.
func linkFile(_ from: String, to: String) throws(StoreError) {
    guard link(from, to) == 0 else { throw .unavailable("\(from) can't be named \(to): \(lastError())") }
    try syncFile(URL(fileURLWithPath: to).deletingLastPathComponent().path)
}

/// Puts a file's or a directory's content on disk.
func syncFile(_ path: String) throws(StoreError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .unavailable("\(path) can't be opened: \(lastError())") }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw .unsynced("\(path) can't be synced: \(lastError())") }
}

/// Removes a file that may not be there.
func removeFile(_ path: String) throws(StoreError) {
    guard unlink(path) == 0 || errno == ENOENT else { throw .unavailable("\(path) can't be removed: \(lastError())") }
}

/// The last error of the system about a file. An input or output error is the disk's.
func fileError(_ what: String) -> StoreError {
    errno == EIO ? .unsynced("\(what): \(lastError())") : .unavailable("\(what): \(lastError())")
}

func lastError() -> String { String(cString: strerror(errno)) }

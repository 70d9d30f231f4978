import Glibc

/// Whether something answers at a Unix socket.
enum AdminSocket {
    /// `sockaddr_un` has room for so many bytes of a path.
    static let pathLimit = 107

    static func isAnswered(_ path: String) -> Bool {
        let bytes = Array(path.utf8)
        guard bytes.count <= pathLimit else { return false }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
    }
}

import Glibc
import NIOCore
import NIOPosix

/// Asks the system's resolver, on threads of its own, because it blocks for as long as it likes.
struct NameLookUp: Sendable {
    private let threads: NIOThreadPool

    init(threads: NIOThreadPool) { self.threads = threads }

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// All addresses of a name, in the order of preference that the system gives (RFC 6724).
    func addresses(of name: String, port: Int) async throws -> [SocketAddress] {
        try await threads.runIfActive { try NameLookUp.ask(name, port) }
    }

    private static func ask(_ name: String, _ port: Int) throws -> [SocketAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_ADDRCONFIG
        var first: UnsafeMutablePointer<addrinfo>?
        let outcome = getaddrinfo(name, String(port), &hints, &first)
        defer { if let first { freeaddrinfo(first) } }
        guard outcome == 0 else { throw Failure(description: String(cString: gai_strerror(outcome))) }
        var found: [SocketAddress] = []
        var next = first
        while let entry = next?.pointee {
            if let address = address(entry, name) { found.append(address) }
            next = entry.ai_next
        }
        return found
    }

    private static func address(_ entry: addrinfo, _ name: String) -> SocketAddress? {
        guard let raw = UnsafeRawPointer(entry.ai_addr) else { return nil }
        switch entry.ai_family {
        case AF_INET where entry.ai_addrlen >= MemoryLayout<sockaddr_in>.size:
            return SocketAddress(raw.loadUnaligned(as: sockaddr_in.self), host: name)
        case AF_INET6 where entry.ai_addrlen >= MemoryLayout<sockaddr_in6>.size:
            return SocketAddress(raw.loadUnaligned(as: sockaddr_in6.self), host: name)
        default: return nil
        }
    }
}

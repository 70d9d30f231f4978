#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// What the process may open. *Lives on*: any thread.
package enum DescriptorLimit {
    /// Descriptors kept free for files, the database, and connections that we make.
    static let reserve = 256

    /// Connections that the process's present limit of file descriptors leaves room for; at least 16.
    package static var connections: Int {
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0 else { return 1024 }
        return max(Int(clamping: limit.rlim_cur) - reserve, 16)
    }

    #if canImport(Glibc)
    // The C library takes an integer where it declares an enumeration.
    private static var resource: Int32 { Int32(RLIMIT_NOFILE.rawValue) }
    #else
    private static var resource: Int32 { RLIMIT_NOFILE }
    #endif
}

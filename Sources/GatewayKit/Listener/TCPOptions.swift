import NIOCore

/// What the kernel is told of each accepted TCP connection.
enum TCPOptions {
    /// Bytes that the kernel takes from us before it has sent them. Left to itself it would take megabytes for a peer
    /// that does not read, and the outbound limits would see nothing of it.
    static let unsentBytes = 128 << 10

    static func all(_ limits: DoorLimits) -> [(ChannelOptions.Types.SocketOption, SocketOptionValue)] {
        var options = [(tcp(1), SocketOptionValue(1))]  // TCP_NODELAY
        #if os(Linux)
        let patience = limits.silence.nanoseconds / 1_000_000
        options.append((tcp(25), SocketOptionValue(unsentBytes)))  // TCP_NOTSENT_LOWAT
        // TCP_USER_TIMEOUT: a peer that no longer acknowledges is gone, even where nobody asks it for a sign of life.
        options.append((tcp(18), SocketOptionValue(clamping: patience)))
        #endif
        return options
    }

    private static func tcp(_ name: CInt) -> ChannelOptions.Types.SocketOption {
        ChannelOptions.Types.SocketOption(level: .tcp, name: NIOBSDSocket.Option(rawValue: name))
    }
}

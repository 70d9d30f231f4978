import GatewayKit
import Hub
import Logging
import NIOCore

/// Everything that a server is told before it starts: one immutable value, swapped whole at a reload.
///
/// The defaults are the ones of a server that one person tries on their own machine. Each field is named, bounded and
/// explained by one ``Setting``.
package struct ServerConfiguration: Sendable, Equatable {
    package var server = Server()
    package var data = Data()
    package var http = HTTP()
    package var tls = TLS()
    package var proxy = Proxy()
    package var limits = Limits()
    package var door = DoorLimits()
    package var accounts = Accounts()
    package var hostTokens = HostTokens()
    package var outbound = Outbound()
    package var log = Log()
    package var metrics = Metrics()
    package var drain = Drain()

    package init() {}

    package struct Server: Sendable, Equatable {
        package var name = "localhost"
        /// Event loops that connections live on; 0: one per core.
        package var loops = 0
    }

    package struct Data: Sendable, Equatable {
        package var directory = "switchboard-data"
        package var readers = 4
        package var cacheKiB = 8_192
        package var checkpointPages = 4_000
        package var synchronous = Synchronous.full

        /// Whether an acknowledgement means that it is on the disk.
        package enum Synchronous: String, Sendable, CaseIterable { case full, off }
    }

    package struct HTTP: Sendable, Equatable {
        package var bind = ["127.0.0.1"]
        package var port = 8080
        /// Paths of Unix sockets for a proxy on this machine.
        package var unix: [String] = []
        /// Who may connect to them, as permission bits.
        package var unixMode: UInt16 = 0o660
        /// How people reach the server, for links; nil: made from the listener.
        package var publicURL: String?
        package var origins: [String] = []
        package var ownNames: [String] = []
    }

    package struct TLS: Sendable, Equatable {
        package enum Mode: String, Sendable, CaseIterable {
            case off, files
            case selfSigned = "self-signed"
        }
        package var mode = Mode.off
        package var certificate: String?
        package var key: String?
    }

    package struct Proxy: Sendable, Equatable {
        package var trusted: [String] = []
        /// Whether every connection begins with a PROXY protocol header.
        package var header = false
    }

    package struct Accounts: Sendable, Equatable {
        package enum Registration: String, Sendable, CaseIterable { case closed, invite, open }
        package enum Guests: String, Sendable, CaseIterable { case off, loopback, anywhere }
        package var registration = Registration.invite
        package var guests = Guests.loopback
        package var guestLifetime = TimeAmount.hours(24)
        package var inviteLifetime = TimeAmount.hours(24 * 7)
    }

    /// Signed tokens of one host application.
    package struct HostTokens: Sendable, Equatable {
        package var realm: String?
        package var audience: String?
        package var issuer: String?
        package var keysFile: String?
        package var keysURL: String?
        package var createAccounts = true
    }

    /// Where the server may connect by itself: webhooks, key sets.
    package struct Outbound: Sendable, Equatable {
        package var ranges: [String] = []
        package var names: [String] = []
        package var plainHTTP = false
        package var ports: [Int] = []
    }

    package struct Log: Sendable, Equatable {
        package enum Format: String, Sendable, CaseIterable { case text, json }
        package var level = Logger.Level.info
        package var format = Format.text
    }

    package struct Metrics: Sendable, Equatable {
        package enum Access: String, Sendable, CaseIterable { case off, loopback, anywhere }
        package var access = Access.loopback
    }

    package struct Drain: Sendable, Equatable {
        package var window = TimeAmount.seconds(5)
        package var deadline = TimeAmount.seconds(20)
    }
}

import GatewayKit
import Glibc
import Hub
import Logging
import NIOCore

/// The host application whose tokens are believed, if the configuration names one.
struct HostKeys {
    let configuration: ServerConfiguration
    /// The way to keys that are published.
    let outbound: OutboundHTTP
    let gate: OutboundGate
    let logger: Logger

    private static let timeout = TimeAmount.seconds(5)

    /// - Parameter old: those in force until now, at a reload. A file of keys is read again, and when it can't be, this
    ///   throws and the old ones stay. Published keys come by themselves: their verifier goes on with what it has.
    func applications(
        replacing old: [AccountConfiguration.HostApplication] = []
    ) throws(Failure) -> [AccountConfiguration.HostApplication] {
        let tokens = configuration.hostTokens
        guard let realm = tokens.realm, let audience = tokens.audience else { return [] }
        let rules = HostTokenRules(realm: realm, audience: audience, issuer: tokens.issuer)
        let clock = HostTokenVerifier.Clock(seconds: { SystemClock.now().rawValue / 1_000 })
        let verifier: HostTokenVerifier
        if let path = tokens.keysFile {
            let keys = try keys(path)
            verifier = HostTokenVerifier(rules: rules, keys: keys, clock: clock)
            logger.info("the host application's keys were read", metadata: ["keys": "\(keys.keys.count)"])
        } else if let known = old.first {
            verifier = known.verifier
        } else if let url = tokens.keysURL {
            verifier = published(at: url, rules, clock)
        } else {
            return []
        }
        return [AccountConfiguration.HostApplication(verifier: verifier, createsAccounts: tokens.createAccounts)]
    }

    /// Fetched when the first token comes, and again now and then: the server starts without the application.
    private func published(
        at url: String, _ rules: HostTokenRules, _ clock: HostTokenVerifier.Clock
    ) -> HostTokenVerifier {
        HostTokenVerifier(
            rules: rules, clock: clock,
            report: { [logger] refresh in
                switch refresh {
                case .updated(let keys):
                    logger.info("the host application's keys were fetched", metadata: ["keys": "\(keys)"])
                case .failed(let reason):
                    logger.warning("the host application's keys can't be fetched", metadata: ["reason": "\(reason)"])
                }
            },
            fetch: { [outbound, gate] in
                try await outbound.get(
                    url, by: gate.policy, limit: HostKeySet.maximumLength, timeout: HostKeys.timeout)
            })
    }

    private func keys(_ path: String) throws(Failure) -> HostKeySet {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw Failure(.noInput, "host-tokens.keys-file: \(path) can't be read")
        }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: HostKeySet.maximumLength + 1)
        var count = 0
        while count < bytes.count {
            let got = bytes.withUnsafeMutableBytes {
                read(descriptor, $0.baseAddress?.advanced(by: count), $0.count - count)
            }
            guard got > 0 else { break }
            count += got
        }
        do {
            return try HostKeySet(parsing: Array(bytes[..<count]), from: .file)
        } catch {
            throw Failure(.badData, "host-tokens.keys-file: \(path) holds no keys that can be used (\(error))")
        }
    }
}

import GatewayKit
import Glibc
import Hub

/// The host application whose tokens are believed, if the configuration names one.
struct HostKeys {
    let configuration: ServerConfiguration

    func applications() throws(Failure) -> [AccountConfiguration.HostApplication] {
        let tokens = configuration.hostTokens
        guard let realm = tokens.realm, let audience = tokens.audience, let path = tokens.keysFile else { return [] }
        let rules = HostTokenRules(realm: realm, audience: audience, issuer: tokens.issuer)
        let clock = HostTokenVerifier.Clock(seconds: { SystemClock.now().rawValue / 1_000 })
        let verifier = HostTokenVerifier(rules: rules, keys: try keys(path), clock: clock)
        return [AccountConfiguration.HostApplication(verifier: verifier, createsAccounts: tokens.createAccounts)]
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

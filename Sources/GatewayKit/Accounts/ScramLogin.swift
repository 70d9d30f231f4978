import Hub

/// One login by SCRAM: the exchange, the limits and the directory in one, for every door that speaks SASL.
///
/// A value that the door keeps while the exchange lasts. The password never reaches the server.
package struct ScramLogin: Sendable {
    package enum Step: Sendable {
        /// Send this, and wait for the client's answer.
        case challenge([UInt8])
        /// The client proved the password: send this, and go on as the account.
        case success(ProvedPassword, serverFinal: [UInt8])
    }

    /// Why the exchange is over.
    package enum Failure: Error, Sendable {
        /// A word of RFC 5802 section 7 for doors that pass it on; those that don't answer as for a wrong password.
        case exchange(ScramFailure)
        case rejected(Rejection)

        package var rejection: Rejection {
            switch self {
            case .exchange: .wrongPassword
            case .rejected(let rejection): rejection
            }
        }
    }

    private let service: AccountService
    private let mechanism: ScramMechanism
    private let remote: RemoteClient
    private var server: ScramServer
    private var candidate: AccountService.LoginCandidate?
    private var name = ""

    /// - Parameter server: made by the door, with the channel bindings of its connection.
    package init(_ server: ScramServer, _ mechanism: ScramMechanism, service: AccountService, remote: RemoteClient) {
        self.server = server
        self.mechanism = mechanism
        self.service = service
        self.remote = remote
    }

    /// Takes the client's next message. Every failure is final.
    package mutating func receive(_ message: [UInt8]) async throws(Failure) -> Step {
        let step: ScramServer.Step
        do throws(ScramFailure) {
            step = try server.receive(message)
        } catch {
            throw .exchange(error)
        }
        switch step {
        case .lookUp(let username): return .challenge(try await challenge(username))
        case .authenticated(_, let serverFinal):
            let proof = try await proof()
            service.attempts.succeeded(account: name, address: remote.address)
            return .success(proof, serverFinal: serverFinal)
        }
    }

    private mutating func challenge(_ username: String) async throws(Failure) -> [UInt8] {
        name = AccountService.folded(username)
        let found: AccountService.LoginCandidate
        do throws(Rejection) {
            try service.admit(name, remote)
            found = try await service.candidate(name, mechanism)
        } catch {
            throw .rejected(error)
        }
        candidate = found
        do throws(ScramFailure) {
            return try server.answer(found.verifier, isDecoy: found.account == nil)
        } catch {
            throw .exchange(error)
        }
    }

    /// Looked up anew: between the two messages the account may have been disabled, or its password changed.
    private func proof() async throws(Failure) -> ProvedPassword {
        do throws(Rejection) {
            guard let candidate, let id = candidate.account?.id else { throw .wrongPassword }
            let proof = ProvedPassword(account: try await service.account(id), verifier: candidate.verifier)
            let now = service.hub.clock()
            let refusal = try await service.look { directory throws(StoreError) in
                try proof.refusal(at: now, in: directory)
            }
            if let refusal { throw refusal }
            return proof
        } catch {
            throw .rejected(error)
        }
    }
}

extension AccountService {
    /// What a client that logs in over HTTP is answered.
    package enum ScramAnswer: Sendable {
        /// The server's message, and the name of the exchange for the next request.
        case challenge([UInt8], state: String)
        case success([UInt8], SignIn)
    }

    /// The first message of a login in two requests.
    package func beginScram(
        mechanism: ScramMechanism, message: [UInt8], remote: RemoteClient
    ) async throws(Rejection) -> ScramAnswer {
        var login = ScramLogin(ScramServer(mechanism: mechanism), mechanism, service: self, remote: remote)
        guard case .challenge(let answer) = try await AccountService.step(&login, message) else {
            throw .wrongPassword
        }
        return .challenge(answer, state: await exchanges.keep(login))
    }

    /// The second message. A state is good for one use within a minute.
    package func finishScram(
        state: String, message: [UInt8], device: String
    ) async throws(Rejection) -> ScramAnswer {
        let name = try AccountService.deviceName(device)
        guard var login = await exchanges.take(state),
            case .success(let proof, let serverFinal) = try await AccountService.step(&login, message)
        else { throw .wrongPassword }
        return .success(serverFinal, try await enrol(proof.account, device: name, by: .password(proof)))
    }

    private static func step(_ login: inout ScramLogin, _ message: [UInt8]) async throws(Rejection) -> ScramLogin.Step {
        do throws(ScramLogin.Failure) {
            return try await login.receive(message)
        } catch {
            throw error.rejection
        }
    }
}

/// Logins by SCRAM that wait for their second request.
///
/// *Lives on* its own executor. Bounded: with too many, the oldest are given up.
actor ScramExchanges {
    private static let capacity = 2_000
    private static let lifetime: Int64 = 60_000

    private var waiting: [String: (login: ScramLogin, since: Timestamp)] = [:]
    private let clock: @Sendable () -> Timestamp

    init(clock: @escaping @Sendable () -> Timestamp) { self.clock = clock }

    func keep(_ login: ScramLogin) -> String {
        let now = clock()
        if waiting.count >= Self.capacity {
            waiting = waiting.filter { $0.value.since.adding(milliseconds: Self.lifetime) > now }
        }
        if waiting.count >= Self.capacity, let oldest = waiting.min(by: { $0.value.since < $1.value.since })?.key {
            waiting[oldest] = nil
        }
        let state = StrictBase64.encode(SecretBytes.random(count: 18).reveal(), as: .url)
        waiting[state] = (login, now)
        return state
    }

    /// Nil for one that is unknown, used or older than a minute.
    func take(_ state: String) -> ScramLogin? {
        guard let found = waiting.removeValue(forKey: state),
            found.since.adding(milliseconds: Self.lifetime) > clock()
        else { return nil }
        return found.login
    }
}

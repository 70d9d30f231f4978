import Hub

/// Who may have an account here, and under which limits: one immutable value, swapped whole at a reload.
package struct AccountConfiguration: Sendable {
    /// How a person comes by an account.
    package enum Registration: String, Sendable, CaseIterable {
        /// Anybody makes one.
        case open
        /// Who has an invite link that an administrator made.
        case invite
        /// Administrators alone add accounts.
        case closed
    }

    /// Who may have an expiring account for the asking.
    package enum Guests: String, Sendable, CaseIterable {
        /// Programs on this machine.
        case loopback
        case everyone
        case off
    }

    /// An application whose signed tokens open accounts here.
    package struct HostApplication: Sendable {
        package let verifier: HostTokenVerifier
        /// Whether a person whom we have not seen is given an account.
        package let createsAccounts: Bool

        package init(verifier: HostTokenVerifier, createsAccounts: Bool = true) {
            self.verifier = verifier
            self.createsAccounts = createsAccounts
        }
    }

    package var registration = Registration.invite
    package var guests = Guests.loopback
    /// Asked in order; the first that believes a token decides.
    package var hosts: [HostApplication] = []
    /// Where people reach this server, without a slash at the end: links begin with it.
    package var publicURL = "http://127.0.0.1:8080"
    /// The verifiers that are stored for a new password. SHA-256 is always among them: logins by password use it.
    package var mechanisms: Set<ScramMechanism> = [.sha256, .sha512]
    package var iterations = PasswordVerifier.defaultIterations
    /// In Unicode scalars.
    package var minimumPasswordLength = 8
    /// Beyond it, a login takes the place of the device that was unseen for longest.
    package var devicesPerAccount = 100
    /// Milliseconds from the making of a guest to its end.
    package var guestLifetime: Int64 = 24 * 3_600_000
    /// Guests at the same time.
    package var guestLimit = 1_000
    /// Hours that an invite link lives, unless it says otherwise, and at most.
    package var inviteHours = 72
    package var longestInviteHours = 24 * 365
    package var inviteUses = 10_000

    package init() {}

    package static let firstAdministratorLifetime: Int64 = 30 * 60_000
    package static let resetLifetime: Int64 = 24 * 3_600_000
    /// A device's `lastSeen` is at most this old while the device is in use.
    package static let lastSeenStep: Int64 = 10 * 60_000
    /// UTF-8 bytes of a device's name.
    package static let deviceNameBytes = 100
}

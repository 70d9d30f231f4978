/// The durable identity of a person or bot.
package struct Account: Hashable, Sendable {
    package enum Kind: String, Sendable, CaseIterable { case person, bot, guest }

    package let id: AccountID
    package let address: Address
    package var kind: Kind
    package var profile: Profile
    package var isAdministrator: Bool
    package var isDisabled: Bool
    package let created: Timestamp
    /// When a guest's account ends; nil for the others.
    package var expires: Timestamp?

    package init(
        id: AccountID, address: Address, kind: Kind, profile: Profile, isAdministrator: Bool, isDisabled: Bool,
        created: Timestamp, expires: Timestamp?
    ) {
        self.id = id
        self.address = address
        self.kind = kind
        self.profile = profile
        self.isAdministrator = isAdministrator
        self.isDisabled = isDisabled
        self.created = created
        self.expires = expires
    }

    package var party: Party { Party(id: id, address: address) }
}

/// What others see of an account.
package struct Profile: Hashable, Sendable {
    package var displayName: String?
    package var avatar: String?
    /// A line about how the person is; durable, unlike presence.
    package var statusText: String?

    package init(displayName: String? = nil, avatar: String? = nil, statusText: String? = nil) {
        self.displayName = displayName
        self.avatar = avatar
        self.statusText = statusText
    }
}

/// A named installation of an account, with its own revocable token.
package struct Device: Hashable, Sendable {
    package let id: DeviceID
    package let account: AccountID
    package var name: String
    package let created: Timestamp
    package var lastSeen: Timestamp

    package init(id: DeviceID, account: AccountID, name: String, created: Timestamp, lastSeen: Timestamp) {
        self.id = id
        self.account = account
        self.name = name
        self.created = created
        self.lastSeen = lastSeen
    }
}

/// Who gives a command: an account by one of its devices. A device of zero stands for the server itself.
package struct Actor: Hashable, Sendable {
    package let party: Party
    package let device: DeviceID
    package let isAdministrator: Bool
    package let kind: Account.Kind

    package init(party: Party, device: DeviceID, isAdministrator: Bool, kind: Account.Kind) {
        self.party = party
        self.device = device
        self.isAdministrator = isAdministrator
        self.kind = kind
    }

    package var account: AccountID { party.id }
    /// The server itself acts, not a device.
    package var isServer: Bool { device.rawValue == 0 }
}

import Hub

/// A store with all four ports.
package typealias StorePorts = EventLog & Archive & Directory & SearchIndex

/// One promise that every store keeps. A store's tests run all of them, each on a fresh store:
///
/// ```swift
/// @Test(arguments: StoreContract.all) func keeps(_ promise: StoreContract) throws {
///     try promise.check(MemoryStore())
/// }
/// ```
package struct StoreContract: Sendable, CustomStringConvertible {
    package let description: String
    private let body: @Sendable (any StorePorts) throws -> Void

    init(_ description: String, _ body: @escaping @Sendable (any StorePorts) throws -> Void) {
        self.description = description
        self.body = body
    }

    /// - Parameter store: an empty store.
    package func check(_ store: any StorePorts) throws { try body(store) }

    package static let all: [StoreContract] =
        accounts + appending + contents + history + lists + changePages + searching + properties
}

/// What a store did, and should not have.
package struct ContractViolation: Error, CustomStringConvertible {
    package let description: String
}

/// Throws unless `condition` holds.
func require(_ condition: Bool, _ what: @autoclosure () -> String, line: UInt = #line) throws {
    guard condition else { throw ContractViolation(description: "\(what()) (line \(line) of the contract)") }
}

/// Throws unless both are equal.
func require<Value: Equatable>(
    _ found: Value, is expected: Value, _ what: @autoclosure () -> String = "", line: UInt = #line
) throws {
    try require(found == expected, "\(what()) is \(found), should be \(expected)", line: line)
}

/// Throws unless `body` throws a constraint.
func requireConstraint(
    _ what: @autoclosure () -> String, line: UInt = #line, _ body: () throws -> Void
) throws {
    do {
        try body()
    } catch StoreError.constraint {
        return
    }
    throw ContractViolation(description: "\(what()) was not refused (line \(line) of the contract)")
}

extension ChangeScope {
    /// Joined in all of them.
    package init(_ conversations: [ConversationID]) {
        self.init()
        for conversation in conversations { add(conversation, .joined) }
    }
}

extension Position {
    package static let last = Position(rawValue: .max)
}

/// The table of everything that clients can ask for. Each group is a file of its own beside this one.
package enum Operations {
    package static let all: [Operation] =
        messages + conversations + reading + signals + signIn + account + administration + webhooks

    private static let byName = Dictionary(all.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })

    package static func named(_ name: String) -> Operation? { byName[name] }
}

import Foundation

/// The number of allocations of the server that is measured, as the library of `Benchmarks/allocations.c` counts them.
enum AllocationCount {
    /// Names that library; without it nothing is counted.
    static let variable = "ALLOCATION_COUNTER"

    static func path(in directory: String) -> String { directory + "/allocations" }

    static func read(in directory: String) -> UInt64? {
        guard let data = FileManager.default.contents(atPath: path(in: directory)), data.count == 8 else { return nil }
        return data.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}

import Hub

/// The sequences of a conversation that an account can see, as far as the place decides it: ascending, disjoint.
///
/// It says of every sequence what `canSee(_:at:history:)` says, and lets SQL count whole ranges.
func visibleRanges(_ viewer: Viewer, history: VisibilityTimeline) -> [ClosedRange<Int64>] {
    var ranges = viewer.intervals.compactMap { range($0.from.rawValue, $0.through?.rawValue ?? .max) }
    let entries = history.entries
    for (index, entry) in entries.enumerated() {
        let isVisible =
            switch entry.visibility {
            case .everyone: viewer.standing != .banned
            case .members: viewer.standing == .joined
            case .sinceJoined: false
            }
        // What a later entry also covers is that entry's to say.
        let end = entries.dropFirst(index + 1).first?.from.rawValue ?? .max
        if isVisible, let range = range(entry.from.rawValue, end == .max ? .max : end - 1) { ranges.append(range) }
    }
    return merged(ranges)
}

private func range(_ from: Int64, _ through: Int64) -> ClosedRange<Int64>? {
    from <= through ? from...through : nil
}

private func merged(_ ranges: [ClosedRange<Int64>]) -> [ClosedRange<Int64>] {
    var merged: [ClosedRange<Int64>] = []
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
        if let last = merged.last, range.lowerBound <= last.upperBound {
            merged[merged.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
        } else {
            merged.append(range)
        }
    }
    return merged
}

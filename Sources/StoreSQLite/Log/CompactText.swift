import Hub

/// Membership intervals as text: `1-5, 9-`.
extension [Interval] {
    var compactText: String {
        map { "\($0.from)-\($0.through?.description ?? "")" }.joined(separator: ", ")
    }

    init(compactText text: String) throws {
        self = try text.split(separator: ",").map { part in
            let ends = part.drop { $0 == " " }.split(separator: "-", omittingEmptySubsequences: false)
            guard ends.count == 2, let from = Int64(ends[0]), ends[1].isEmpty || Int64(ends[1]) != nil else {
                throw Damage(what: "«\(text)» is not a list of intervals")
            }
            return Interval(from: Sequence(rawValue: from), through: Int64(ends[1]).map(Sequence.init(rawValue:)))
        }
    }
}

/// A history's visibility as text: `0 members, 17 everyone`.
extension VisibilityTimeline {
    var compactText: String {
        entries.map { "\($0.from) \($0.visibility.rawValue)" }.joined(separator: ", ")
    }

    init(compactText text: String) throws {
        var timeline: VisibilityTimeline?
        for part in text.split(separator: ",") {
            let words = part.split(separator: " ")
            guard words.count == 2, let from = Int64(words[0]),
                let visibility = HistoryVisibility(rawValue: String(words[1]))
            else { throw Damage(what: "«\(text)» is not a timeline") }
            if timeline == nil {
                timeline = VisibilityTimeline(visibility)
            } else {
                timeline?.change(to: visibility, from: Sequence(rawValue: from))
            }
        }
        guard let timeline else { throw Damage(what: "an empty timeline") }
        self = timeline
    }
}

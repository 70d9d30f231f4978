import Hub

/// Arguments from the query of a URL: every form that is a word, a number, a flag or a list of words.
extension ArgumentDecoder {
    /// Reads `a=b&c=d`. Unknown names are ignored, a name twice is an error.
    func arguments(of operation: Operation, query: Substring) throws(APIError) -> Arguments {
        var arguments = Arguments(operation)
        var seen: Set<String> = []
        for part in query.utf8.split(separator: UInt8(ascii: "&")) {
            let pair = part.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard let first = pair.first, let name = ArgumentDecoder.unescape(first) else {
                throw APIError(.badQuery, "the query is not percent-encoded UTF-8")
            }
            guard let text = ArgumentDecoder.unescape(pair.count == 2 ? pair.last ?? first : Substring().utf8) else {
                throw APIError(.badQuery, "the query is not percent-encoded UTF-8")
            }
            guard seen.insert(name).inserted else { throw APIError(.badQuery, "the query names something twice") }
            guard let index = operation.index(of: name) else { continue }
            arguments.set(index, try value(operation.parameters[index], text))
        }
        if let fault = arguments.fault { throw APIError(fault) }
        return arguments
    }

    private func value(_ parameter: Parameter, _ text: String) throws(APIError) -> ArgumentValue {
        switch parameter.kind {
        case .text(let maximum):
            guard text.utf8.count <= maximum else { throw invalid(parameter, "longer than \(maximum) bytes") }
            return .text(text)
        case .handle:
            return .text(text)
        case .choice(let names):
            guard names.contains(text) else { throw invalid(parameter, "one of \(names.joined(separator: ", "))") }
            return .text(text)
        case .integer(let range):
            guard let number = Int64(text), range.contains(number) else {
                throw invalid(parameter, ArgumentDecoder.expectation(parameter.kind))
            }
            return .integer(number)
        case .flag:
            guard text == "true" || text == "false" else { throw invalid(parameter, "expected true or false") }
            return .flag(text == "true")
        case .place:
            if let number = Int64(text), number >= 0, number < .max {
                return .place(.sequence(Sequence(rawValue: number)))
            }
            guard let id = EventID(text) else {
                throw invalid(parameter, ArgumentDecoder.expectation(parameter.kind))
            }
            return .place(.event(id))
        case .conversation, .account, .event, .ref, .cursor:
            guard let value = name(parameter.kind, text) else {
                throw invalid(parameter, ArgumentDecoder.expectation(parameter.kind))
            }
            return value
        case .texts, .accounts:
            return try list(parameter, text)
        case .json, .body, .spans, .attachments, .extras, .steps, .bytes, .state, .ranks:
            throw invalid(parameter, "not in a query")
        }
    }

    private func list(_ parameter: Parameter, _ text: String) throws(APIError) -> ArgumentValue {
        let words = text.split(separator: ",").map(String.init)
        switch parameter.kind {
        case .accounts(let maximum):
            guard words.count <= maximum else { throw invalid(parameter, "more than \(maximum)") }
            let addresses = words.compactMap { Address($0, home: home) }
            guard addresses.count == words.count else {
                throw invalid(parameter, ArgumentDecoder.expectation(.account))
            }
            return .accounts(addresses)
        case .texts(let maximum):
            guard words.count <= maximum else { throw invalid(parameter, "more than \(maximum)") }
            return .texts(words)
        default:
            throw invalid(parameter, "not a list")
        }
    }

    private func invalid(_ parameter: Parameter, _ reason: String) -> APIError {
        APIError(Rejection(.invalidValue, "\(parameter.name): \(reason)"))
    }

    /// Percent-decoding, with `+` for a space; nil unless the result is UTF-8.
    static func unescape(_ text: Substring.UTF8View) -> String? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count)
        var rest = text[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"):
                bytes.append(0x20)
            case UInt8(ascii: "%"):
                guard let high = rest.popFirst().flatMap(hexDigit), let low = rest.popFirst().flatMap(hexDigit) else {
                    return nil
                }
                bytes.append(high << 4 | low)
            default:
                bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func hexDigit(_ letter: UInt8) -> UInt8? {
        switch letter {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): letter - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): letter - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): letter - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

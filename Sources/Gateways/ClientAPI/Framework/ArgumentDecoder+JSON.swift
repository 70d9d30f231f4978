import Hub
import NIOCore
import WireJSON

/// Arguments from JSON objects: the body of a request, or a client's frame.
extension ArgumentDecoder {
    /// What a document from a client may hold: a sealed body in base64 must fit into one string.
    static let limits = JSONLimits(bytes: 1 << 20, depth: 32, stringBytes: 1 << 19)

    /// Reads the body of a request. Unknown members are ignored.
    func arguments(of operation: Operation, json: ByteBuffer) throws(APIError) -> Arguments {
        var arguments = Arguments(operation)
        do throws(JSONError) {
            try JSONReader.read(json, limits: ArgumentDecoder.limits) { reader throws(JSONError) in
                try reader.object { key, value throws(JSONError) in
                    try take(key, &value, into: &arguments)
                }
            }
        } catch {
            throw APIError(error)
        }
        if let fault = arguments.fault { throw APIError(fault) }
        return arguments
    }

    /// Takes one member, if the operation has a parameter of that name.
    private func take(
        _ key: String, _ reader: inout JSONReader, into arguments: inout Arguments
    ) throws(JSONError) {
        guard let index = arguments.operation.index(of: key) else { return try reader.skip() }
        let parameter = arguments.operation.parameters[index]
        if parameter.isNullable || !parameter.isRequired, try reader.nullIfPresent() {
            // Where null has no meaning of its own, it is as good as nothing.
            if parameter.isNullable { arguments.set(index, .null) }
            return
        }
        arguments.set(index, try value(parameter.kind, &reader))
    }

    /// Reads a frame: an object with `type`, `id` and the operation's parameters, in any order.
    func frame(_ bytes: ByteBuffer) throws(FrameRefusal) -> ClientFrame {
        var draft = FrameDraft()
        do throws(JSONError) {
            try JSONReader.read(bytes, limits: ArgumentDecoder.limits) { reader throws(JSONError) in
                try readEnvelope(&reader, &draft)
            }
            if draft.needsSecondPass, draft.arguments != nil {
                try JSONReader.read(bytes, limits: ArgumentDecoder.limits) { reader throws(JSONError) in
                    try readMembers(&reader, &draft)
                }
            }
        } catch {
            throw FrameRefusal(correlation: draft.correlation ?? correlation(of: bytes), error: APIError(error))
        }
        guard let arguments = draft.arguments else {
            let error =
                draft.hasType
                ? APIError(.unknownOperation, "there is no such operation")
                : APIError(Rejection(.invalidValue, "type: missing"))
            throw FrameRefusal(correlation: draft.correlation, error: error)
        }
        if let fault = arguments.fault { throw FrameRefusal(correlation: draft.correlation, error: APIError(fault)) }
        return ClientFrame(correlation: draft.correlation, arguments: arguments)
    }

    private struct FrameDraft {
        var correlation: String?
        var hasType = false
        var arguments: Arguments?
        /// Members came before `type` said what they are.
        var needsSecondPass = false
    }

    private func readEnvelope(_ reader: inout JSONReader, _ draft: inout FrameDraft) throws(JSONError) {
        try reader.object { key, value throws(JSONError) in
            switch key {
            case "type":
                draft.hasType = true
                draft.arguments = Operations.named(try value.string()).map { Arguments($0) }
            case "id":
                draft.correlation = try correlation(&value)
            default:
                if draft.arguments == nil {
                    draft.needsSecondPass = true
                    try value.skip()
                } else if !draft.needsSecondPass {
                    try takeMember(key, &value, &draft)
                } else {
                    try value.skip()
                }
            }
        }
    }

    private func readMembers(_ reader: inout JSONReader, _ draft: inout FrameDraft) throws(JSONError) {
        try reader.object { key, value throws(JSONError) in
            if key == "type" || key == "id" { try value.skip() } else { try takeMember(key, &value, &draft) }
        }
    }

    private func takeMember(
        _ key: String, _ reader: inout JSONReader, _ draft: inout FrameDraft
    ) throws(JSONError) {
        // Taken out for the change, so that it happens in place.
        guard var arguments = draft.arguments.take() else { return try reader.skip() }
        defer { draft.arguments = arguments }
        try take(key, &reader, into: &arguments)
    }

    private func correlation(_ reader: inout JSONReader) throws(JSONError) -> String {
        let text = try reader.string()
        guard text.utf8.count <= 64 else { throw reader.invalid("longer than 64 bytes") }
        return text
    }

    /// The `id` of a frame that was refused before it was reached: so that whoever waits for the answer gets one.
    private func correlation(of bytes: ByteBuffer) -> String? {
        var found: String?
        _ = try? JSONReader.read(bytes, limits: ArgumentDecoder.limits) { reader throws(JSONError) in
            try reader.object { key, value throws(JSONError) in
                if key == "id" { found = try correlation(&value) }
            }
        }
        return found
    }
}

/// What a client sent on a socket, decoded.
struct ClientFrame: Sendable {
    /// The client's own `id` for the answer; nil if it wants none.
    let correlation: String?
    let arguments: Arguments

    var operation: Operation { arguments.operation }
}

/// Why a frame was refused, and whom to tell.
struct FrameRefusal: Error {
    let correlation: String?
    let error: APIError
}

import NIOCore

/// Turns the bytes that one connection receives into messages and control frames. RFC 6455 sections 5 to 8, RFC 7692.
///
/// Bytes go in by `append`, then `next` is called until it gives `nil`. A payload is unmasked (and inflated) as it
/// comes, straight into the message that will be handed out, so at most a broken header of 13 bytes is ever kept of the
/// input; an idle decoder holds no memory but itself. The result does not depend on how the bytes are cut.
///
/// After a close frame or a violation the rest of the input is ignored.
package struct WebSocketDecoder: ~Copyable {
    /// May change at any time, for instance when the peer has logged in; frames already accepted are not looked at again.
    package var limits: WebSocketLimits
    /// Whether `next` will never give anything again: the peer has closed, or broke the protocol.
    package private(set) var isFinished = false

    private let role: WebSocketRole
    private let deflate: PermessageDeflate.Agreement?
    private var input = ByteBuffer()
    private var frame: Frame?
    private var message: PartialMessage?
    private var control = ByteBuffer()
    private var inflater: Inflater?

    /// The frame whose payload is being read.
    private struct Frame {
        let opcode: WebSocketOpcode
        let isFinal: Bool
        var missing: Int
        var mask: WebSocketMask?

        /// Copies the next bytes of the payload without their mask, and counts them.
        // trap-ok-function: both callers give a target as long as the source
        mutating func unmask(_ source: UnsafeRawBufferPointer, to target: UnsafeMutableRawBufferPointer) -> Int {
            if mask == nil {
                target.copyMemory(from: source)
            } else {
                mask?.apply(from: source, to: target)
            }
            return source.count
        }
    }

    /// - Parameters:
    ///   - role: the side that this end plays; a server's decoder reads a client's frames.
    ///   - deflate: what the handshake agreed on, or `nil` for no compression.
    package init(
        role: WebSocketRole, limits: WebSocketLimits = WebSocketLimits(), deflate: PermessageDeflate.Agreement? = nil
    ) {
        self.role = role
        self.limits = limits
        self.deflate = deflate
    }

    /// Whether there are bytes that `next` has not looked at.
    package var hasInput: Bool { input.readableBytes > 0 }

    /// Takes bytes in the order in which they were received.
    package mutating func append(_ bytes: ByteBuffer) {
        guard !isFinished else { return }
        if input.readableBytes == 0 {
            input = bytes
        } else {
            input.writeImmutableBuffer(bytes)
        }
    }

    /// The next message or control frame; `nil` when more bytes are needed.
    package mutating func next() throws(WebSocketViolation) -> WebSocketInput? {
        guard !isFinished else { return nil }
        do throws(WebSocketViolation) {
            return try advance()
        } catch {
            finish()
            throw error
        }
    }

    private mutating func advance() throws(WebSocketViolation) -> WebSocketInput? {
        while true {
            if frame == nil {
                let header = try WebSocketFrameHeader.read(
                    from: &input, role: role, compressionAgreed: deflate != nil)
                guard let header else { break }
                try begin(header)
            }
            try readPayload()
            guard let ended = frame, ended.missing == 0 else { break }
            frame = nil
            if let result = try end(ended) { return result }
        }
        releaseInput()
        return nil
    }

    // MARK: Frames

    private mutating func begin(_ header: WebSocketFrameHeader) throws(WebSocketViolation) {
        switch header.opcode {
        case .text, .binary:
            guard message == nil else { throw .init(.protocolError, "a message starts within another") }
            message = PartialMessage(isText: header.opcode == .text, isCompressed: header.isCompressed)
        case .continuation:
            guard message != nil else { throw .init(.protocolError, "a continuation of no message") }
        case .close, .ping, .pong:
            break
        }
        if !header.opcode.isControl {
            try message?.beginFragment(of: header.length, inflated: inflater?.received ?? 0, limits: limits)
        }
        frame = Frame(opcode: header.opcode, isFinal: header.isFinal, missing: header.length, mask: header.mask)
    }

    private mutating func end(_ frame: Frame) throws(WebSocketViolation) -> WebSocketInput? {
        switch frame.opcode {
        case .text, .binary, .continuation:
            return frame.isFinal ? try endMessage() : nil
        case .ping:
            return .ping(takeControl())
        case .pong:
            return .pong(takeControl())
        case .close:
            let close = try Self.close(takeControl())
            finish()
            return close
        }
    }

    private mutating func endMessage() throws(WebSocketViolation) -> WebSocketInput? {
        guard var message = self.message.take() else { return nil }
        if message.isCompressed {
            if inflater == nil { inflater = try makeInflater() }
            try inflater?.finish(into: &message, maxBytes: limits.maxMessageBytes)
            if deflate?.inboundTakesContextOver(for: role) != true { inflater = nil }
        }
        return try message.finish()
    }

    private mutating func takeControl() -> ByteBuffer {
        defer { control = ByteBuffer() }
        return control
    }

    /// RFC 6455 sections 5.5.1 and 7.4.
    private static func close(_ payload: ByteBuffer) throws(WebSocketViolation) -> WebSocketInput {
        var payload = payload
        guard payload.readableBytes > 0 else { return .close(nil, reason: "") }
        guard let code = payload.readInteger(as: UInt16.self).map(WebSocketCloseCode.init), code.mayBeSent else {
            throw .init(.protocolError, "the close code is not allowed")
        }
        guard let reason = String(validating: payload.readableBytesView, as: UTF8.self) else {
            throw .init(.invalidPayload, "the close reason is not valid UTF-8")
        }
        return .close(code, reason: reason)
    }

    // MARK: Payloads

    /// Takes as much of the frame's payload as there is.
    ///
    /// It is copied although it could be sliced: the input belongs to the reader's pool of buffers, and a message that
    /// is kept must not keep a whole read with it.
    // trap-ok-function: the pointers do not leave the closures, and each target has as many bytes as its source
    private mutating func readPayload() throws(WebSocketViolation) {
        guard var frame = self.frame, let source = input.readSlice(length: min(frame.missing, input.readableBytes))
        else { return }
        frame.missing -= source.readableBytes
        if frame.opcode.isControl {
            control.writeWithUnsafeMutableBytes(minimumWritableBytes: source.readableBytes) { target in
                source.withUnsafeReadableBytes { frame.unmask($0, to: target) }
            }
        } else if var message = self.message.take() {
            if message.isCompressed {
                try inflate(source, &frame, into: &message)
            } else {
                try message.append(room: source.readableBytes) { target in
                    source.withUnsafeReadableBytes { frame.unmask($0, to: target) }
                }
            }
            self.message = message
        }
        self.frame = frame
    }

    /// Unmasks on the stack, a piece at a time, what goes into the inflater.
    // trap-ok-function: the pointers do not leave the closures, and no piece is longer than the memory it is copied to
    private mutating func inflate(
        _ source: ByteBuffer, _ frame: inout Frame, into message: inout PartialMessage
    ) throws(WebSocketViolation) {
        if inflater == nil { inflater = try makeInflater() }
        let step = 1024
        var source = source
        try withUnsafeTemporaryAllocation(byteCount: step, alignment: 8) { memory throws(WebSocketViolation) in
            while let piece = source.readSlice(length: min(step, source.readableBytes)), piece.readableBytes > 0 {
                let count = piece.withUnsafeReadableBytes { frame.unmask($0, to: memory) }
                try inflater?.inflate(
                    UnsafeRawBufferPointer(rebasing: memory.prefix(count)), into: &message,
                    maxBytes: limits.maxMessageBytes)
            }
        }
    }

    private func makeInflater() throws(WebSocketViolation) -> Inflater {
        try Inflater(windowBits: deflate?.inboundWindowBits(for: role) ?? 15)
    }

    private mutating func releaseInput() {
        if input.readableBytes == 0 {
            input = ByteBuffer()
        } else if input.storageCapacity > 64 {
            input = ByteBuffer(bytes: input.readableBytesView)
        }
    }

    private mutating func finish() {
        isFinished = true
        input = ByteBuffer()
        control = ByteBuffer()
        frame = nil
        message = nil
        inflater = nil
    }
}

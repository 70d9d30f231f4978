import NIOCore
import WireJSON
import WireWebSocket

/// Makes compressed messages for one window. *Lives on* the event loop of its deflater.
final class Compressor {
    private let deflater: Deflater
    private let windowBits: Int
    private var scratch = ByteBuffer()

    init(deflater: Deflater, windowBits: Int) {
        self.deflater = deflater
        self.windowBits = windowBits
    }

    /// Appends one message, compressed if that makes it shorter.
    func append(_ type: String, to buffer: inout ByteBuffer, _ members: (inout JSONWriter) -> Void) {
        scratch.clear()
        Framing.json(type, into: &scratch, members)
        deflater.write(.text, scratch, windowBits: windowBits, into: &buffer)
    }
}

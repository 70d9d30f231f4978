import NIOCore

@testable import WireWebSocket

/// Builds frames byte by byte, right or wrong, without the code under test.
enum RawFrame {
    static let key: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]

    /// - Parameters:
    ///   - first: FIN, RSV and opcode as one byte.
    ///   - mask: `nil` for a server's frame.
    static func make(_ first: UInt8, _ payload: [UInt8] = [], mask: [UInt8]? = key) -> [UInt8] {
        var bytes = [first]
        let maskBit: UInt8 = mask == nil ? 0 : 0x80
        switch payload.count {
        case ...125:
            bytes.append(maskBit | UInt8(payload.count))
        case ...0xFFFF:
            bytes.append(maskBit | 126)
            bytes += bigEndian(UInt64(payload.count), bytes: 2)
        default:
            bytes.append(maskBit | 127)
            bytes += bigEndian(UInt64(payload.count), bytes: 8)
        }
        guard let mask else { return bytes + payload }
        return bytes + mask + payload.enumerated().map { $1 ^ mask[$0 % 4] }
    }

    static func text(_ text: String, fin: Bool = true) -> [UInt8] {
        make(fin ? 0x81 : 0x01, Array(text.utf8))
    }

    static func binary(_ payload: [UInt8], fin: Bool = true) -> [UInt8] {
        make(fin ? 0x82 : 0x02, payload)
    }

    static func more(_ payload: [UInt8], fin: Bool) -> [UInt8] {
        make(fin ? 0x80 : 0x00, payload)
    }

    static func more(_ text: String, fin: Bool) -> [UInt8] {
        more(Array(text.utf8), fin: fin)
    }

    static func ping(_ payload: [UInt8] = []) -> [UInt8] { make(0x89, payload) }
    static func pong(_ payload: [UInt8] = []) -> [UInt8] { make(0x8A, payload) }

    static func close(_ code: UInt16?, _ reason: [UInt8] = []) -> [UInt8] {
        make(0x88, code.map { bigEndian(UInt64($0), bytes: 2) + reason } ?? [])
    }

    static func bigEndian(_ value: UInt64, bytes: Int) -> [UInt8] {
        (0..<bytes).reversed().map { UInt8(truncatingIfNeeded: value >> UInt64($0 * 8)) }
    }
}

/// What came out of a decoder, the violation included.
enum Seen: Equatable, Sendable {
    case input(WebSocketInput)
    case violation(UInt16)

    static func text(_ text: String) -> Self { .input(.text(ByteBuffer(string: text))) }
    static func text(_ bytes: [UInt8]) -> Self { .input(.text(ByteBuffer(bytes: bytes))) }
    static func binary(_ bytes: [UInt8]) -> Self { .input(.binary(ByteBuffer(bytes: bytes))) }
    static func ping(_ bytes: [UInt8] = []) -> Self { .input(.ping(ByteBuffer(bytes: bytes))) }
    static func pong(_ bytes: [UInt8] = []) -> Self { .input(.pong(ByteBuffer(bytes: bytes))) }
    static func close(_ code: UInt16?, _ reason: String = "") -> Self {
        .input(.close(code.map(WebSocketCloseCode.init), reason: reason))
    }
}

extension WebSocketDecoder {
    /// Everything that can be had now.
    mutating func drain() -> [Seen] {
        var seen: [Seen] = []
        do {
            while let input = try next() { seen.append(.input(input)) }
        } catch {
            seen.append(.violation(error.code.rawValue))
        }
        return seen
    }

    /// Everything that can be had once `bytes` have come.
    mutating func take(_ bytes: ByteBuffer) -> [Seen] {
        append(bytes)
        return drain()
    }

    mutating func take(_ bytes: [UInt8]) -> [Seen] {
        take(ByteBuffer(bytes: bytes))
    }
}

/// What a new decoder makes of `pieces`.
func decode(
    _ pieces: [[UInt8]], role: WebSocketRole = .server, limits: WebSocketLimits = WebSocketLimits(),
    deflate: PermessageDeflate.Agreement? = nil
) -> [Seen] {
    var decoder = WebSocketDecoder(role: role, limits: limits, deflate: deflate)
    return pieces.flatMap { decoder.take($0) }
}

/// What a new decoder makes of `bytes`, which must be the same however they are cut: at each place in two, and byte by
/// byte. Returns the cuts that gave something else.
func cutsThatMatter(
    _ bytes: [UInt8], role: WebSocketRole = .server, limits: WebSocketLimits = WebSocketLimits(),
    deflate: PermessageDeflate.Agreement? = nil
) -> [String] {
    let whole = decode([bytes], role: role, limits: limits, deflate: deflate)
    var different: [String] = []
    for cut in 0...bytes.count {
        let pieces = [Array(bytes[..<cut]), Array(bytes[cut...])]
        if decode(pieces, role: role, limits: limits, deflate: deflate) != whole { different.append("at \(cut)") }
    }
    if decode(bytes.map { [$0] }, role: role, limits: limits, deflate: deflate) != whole {
        different.append("byte by byte")
    }
    return different
}

/// Random numbers that are the same in every run.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func bytes(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + 7)
        while bytes.count < count {
            withUnsafeBytes(of: next()) { bytes.append(contentsOf: $0) }
        }
        return Array(bytes.prefix(count))
    }
}

func hex(_ text: String) -> [UInt8] {
    let digits = text.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

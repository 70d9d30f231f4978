@testable import WireWebSocket

extension AutobahnCase {
    // MARK: 7 Close

    static let closing: [Self] = afterClose + closePayloads + closeCodes

    private static let afterClose: [Self] = {
        let normal = RawFrame.close(1000)
        let hello = RawFrame.text("Hello, world!")
        let long = Array(repeating: UInt8(ascii: "*"), count: 256 << 10)
        return [
            Self("7.1.1", "7.1.2", "text, then close", [hello, normal], [.text("Hello, world!"), .close(1000)]),
            Self("7.1.2", "5.5.1", "close twice", [normal, normal], [.close(1000)]),
            Self("7.1.3", "5.5.1", "ping after close", [normal, RawFrame.ping()], [.close(1000)]),
            Self("7.1.4", "5.5.1", "text after close", [normal, hello], [.close(1000)]),
            Self(
                "7.1.5", "5.5.1", "close between two fragments",
                [RawFrame.text("fragment1", fin: false), normal, RawFrame.more("fragment2", fin: true)], [.close(1000)]),
            Self(
                "7.1.6", "5.5.1", "256 KiB of text, close, ping",
                [RawFrame.make(0x81, long), normal, RawFrame.ping()], [.text(long), .close(1000)]),
        ]
    }()

    private static let closePayloads: [Self] = {
        let longest = String(repeating: "*", count: 123)
        return [
            Self("7.3.1", "5.5.1", "close without payload", [RawFrame.close(nil)], [.close(nil)]),
            Self("7.3.2", "5.5.1", "close with half a code", [RawFrame.make(0x88, [0x03])], [.violation(1002)]),
            Self("7.3.3", "5.5.1", "close with a code", [RawFrame.close(1000)], [.close(1000)]),
            Self(
                "7.3.4", "5.5.1", "close with a code and a reason", [RawFrame.close(1000, Array("Hello World!".utf8))],
                [.close(1000, "Hello World!")]),
            Self(
                "7.3.5", "5.5", "close with the longest reason", [RawFrame.close(1000, Array(longest.utf8))],
                [.close(1000, longest)]),
            Self(
                "7.3.6", "5.5", "close with a reason one byte too long",
                [RawFrame.close(1000, Array(longest.utf8) + [0x2A])], [.violation(1002)]),
            Self(
                "7.5.1", "8.1", "close with a reason that is not UTF-8",
                [RawFrame.close(1000, hex("CEBAE1BDB9CF83CEBCCEB5EDA080656469746564"))], [.violation(1007)]),
        ]
    }()

    private static let closeCodes: [Self] = {
        let valid: [UInt16] = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999]
        let invalid: [UInt16] = [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999]
        let beyond: [UInt16] = [5000, 65535]
        return valid.enumerated().map { index, code in
            Self("7.7.\(index + 1)", "7.4", "close with code \(code)", [RawFrame.close(code)], [.close(code)])
        }
            + invalid.enumerated().map { index, code in
                Self("7.9.\(index + 1)", "7.4", "close with code \(code)", [RawFrame.close(code)], [.violation(1002)])
            }
            + beyond.enumerated().map { index, code in
                Self("7.13.\(index + 1)", "7.4", "close with code \(code)", [RawFrame.close(code)], [.violation(1002)])
            }
    }()
}

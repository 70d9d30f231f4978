import Testing

@testable import GatewayKit

@Suite struct ConstantTimeTests {
    @Test func equalBytesAreEqual() {
        #expect(ConstantTime.equal([], []))
        #expect(ConstantTime.equal([1, 2, 3], [1, 2, 3]))
        #expect(ConstantTime.equal([0, 1, 2, 3][1...], [1, 2, 3]))
        #expect(ConstantTime.equal("abc".utf8, Array("abc".utf8)))
    }

    @Test func anyDifferenceIsSeen() {
        let bytes = [UInt8](repeating: 0x5A, count: 32)
        for index in bytes.indices {
            for bit in 0..<8 {
                var other = bytes
                other[index] ^= 1 << bit
                #expect(!ConstantTime.equal(bytes, other))
            }
        }
    }

    @Test func lengthIsPartOfTheComparison() {
        #expect(!ConstantTime.equal([], [0]))
        #expect(!ConstantTime.equal([1, 2], [1, 2, 0]))
        #expect(!ConstantTime.equal([1, 2, 3], [1, 2]))
    }
}

import NIOCore
import WireJSON

/// The elements of one page, encoded until the page is full. Whoever wants the rest asks for the next page.
///
/// A page is bounded by bytes, not only by number: a thousand messages of the largest size would be an answer that no
/// client could take at once.
struct PageElements: Sendable {
    /// Of one page, unless its only element is larger.
    static let maximumBytes = 256 << 10

    private var json = ByteBuffer()
    private var elements: [(place: Int, bytes: Range<Int>)] = []

    var count: Int { elements.count }

    /// Encodes those that fit, the first in any case.
    ///
    /// - Parameter order: the places to be filled, the most wanted first. The page has them in ascending order.
    init(_ order: some Sequence<Int>, _ members: (inout JSONWriter, Int) -> Void) {
        for place in order {
            let start = json.writerIndex
            JSONWriter.write(into: &json) { writer in writer.object { members(&$0, place) } }
            guard elements.isEmpty || json.readableBytes <= PageElements.maximumBytes else {
                json.moveWriterIndex(to: start)
                return
            }
            elements.append((place, start..<json.writerIndex))
        }
    }

    func write(_ key: StaticString, to writer: inout JSONWriter) {
        writer.array(key) { writer in
            for element in elements.sorted(by: { $0.place < $1.place }) {
                let bytes = element.bytes
                if let slice = json.getSlice(at: bytes.lowerBound, length: bytes.count) { writer.raw(slice) }
            }
        }
    }
}

extension PageElements {
    /// All places, those nearest to one of them first.
    static func around(_ middle: Int, of count: Int) -> [Int] {
        (0..<count).sorted { abs($0 - middle) < abs($1 - middle) }
    }
}

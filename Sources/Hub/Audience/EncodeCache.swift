import NIOCore

/// What was encoded in this step, by dialect. A handful of dialects at most: a short array beats a dictionary.
///
/// *Lives on* the loop of its audience.
struct EncodeCache {
    private var entries: [(dialect: Dialect, frames: ByteBuffer)] = []

    /// Forgets the step before.
    mutating func begin() { entries.removeAll(keepingCapacity: true) }

    /// All events of a run in one buffer.
    mutating func joined(_ run: ArraySlice<Batch.Item>, _ dialect: Dialect, _ allocator: ByteBufferAllocator)
        -> ByteBuffer
    {
        if let known = find(dialect) { return known }
        var frames = allocator.buffer(capacity: run.count * 256)
        for case .event(let item) in run { dialect.encode(.event(item.event, previous: nil), &frames) }
        entries.append((dialect, frames))
        return frames
    }

    mutating func single(_ delivery: Delivery, _ dialect: Dialect, _ allocator: ByteBufferAllocator) -> ByteBuffer {
        if let known = find(dialect) { return known }
        var frames = allocator.buffer(capacity: 256)
        dialect.encode(delivery, &frames)
        entries.append((dialect, frames))
        return frames
    }

    private func find(_ dialect: Dialect) -> ByteBuffer? {
        for entry in entries where entry.dialect === dialect { return entry.frames }
        return nil
    }
}

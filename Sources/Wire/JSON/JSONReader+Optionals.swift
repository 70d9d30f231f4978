/// Values that may be `null`, which reads as nil.
extension JSONReader {
    package mutating func optionalString() throws(JSONError) -> String? {
        try nullIfPresent() ? nil : try string()
    }

    package mutating func optionalInt() throws(JSONError) -> Int? {
        try nullIfPresent() ? nil : try int()
    }

    package mutating func optionalInt64() throws(JSONError) -> Int64? {
        try nullIfPresent() ? nil : try int64()
    }

    package mutating func optionalUInt64() throws(JSONError) -> UInt64? {
        try nullIfPresent() ? nil : try uint64()
    }

    package mutating func optionalDouble() throws(JSONError) -> Double? {
        try nullIfPresent() ? nil : try double()
    }

    package mutating func optionalBool() throws(JSONError) -> Bool? {
        try nullIfPresent() ? nil : try bool()
    }
}

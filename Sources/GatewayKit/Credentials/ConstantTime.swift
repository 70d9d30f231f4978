/// Comparison of secrets and of what is derived from them.
package enum ConstantTime {
    /// Whether both sequences hold the same bytes, in a time that depends on their lengths only.
    ///
    /// Different lengths answer `false` at once: the length of a hash, a proof or a token is public.
    /// Never inlined, so that the optimiser cannot see a caller that wants only the first difference.
    @inline(never)
    package static func equal(_ left: some Collection<UInt8>, _ right: some Collection<UInt8>) -> Bool {
        guard left.count == right.count else { return false }
        var difference: UInt8 = 0
        for (one, other) in zip(left, right) {
            difference |= one ^ other
        }
        return difference == 0
    }
}

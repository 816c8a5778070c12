/// A small generator of random numbers whose sequence follows from its seed, the same on every machine (Steele, Lea and
/// Flood, OOPSLA 2014).
public struct SplitMix64: RandomNumberGenerator, Sendable {
    @usableFromInline var state: UInt64

    /// The start of the sequence that belongs to `seed`.
    @inlinable
    public init(seed: UInt64) { state = seed }

    /// The start of the sequence that belongs to the FNV-1a hash of a name.
    public init(named name: String) {
        self.init(seed: name.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 })
    }

    /// The next 64 bits.
    @inlinable
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}

import SeededRandomness

/// A small generator whose sequence follows from its seed, so that a failing run can be repeated.
public struct SeededGenerator: RandomNumberGenerator {
    private var words: SplitMix64

    /// A generator for a seed.
    public init(seed: UInt64) { words = SplitMix64(seed: seed) }

    /// The next 64 bits.
    public mutating func next() -> UInt64 { words.next() }

    /// A number from 0 up to but not including the bound.
    public mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }
}

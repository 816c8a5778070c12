import SeededRandomness

/// Gives up tokens at random: the control that any method has to beat.
///
/// The numbers come from SplitMix64 (Steele, Lea and Flood 2014), started with the seed, one for each token in the order
/// of the sequence. So the same seed keeps the same places in every picture, and in every order of a batch.
public struct RandomChoice: Filter {
    /// Where the generator starts.
    public let seed: Int

    /// A choice that follows from `seed`.
    public init(seed: Int) { self.seed = seed }

    /// Reads `seed`; default: 0.
    init(reading options: inout MethodOptions) throws(ReductionError) {
        try self.init(seed: options.integer("seed", default: 0, in: 0...Int(UInt32.max)))
    }

    /// Nothing of the layer is needed as evidence.
    public var needs: EvidenceNeeds { [] }

    /// The ranking is of all tokens.
    public var offers: CandidateContent { .ranking }

    /// One line for the table of methods.
    public var summary: String { "random, seed \(seed)" }

    /// All tokens, those that drew the largest numbers first.
    public func candidates(in layer: LayerView, removing count: Int) throws(ReductionError) -> Candidates {
        var random = SplitMix64(seed: UInt64(bitPattern: Int64(seed)))
        let draws = (0..<layer.count).map { _ in
            let bits: UInt64 = random.next()
            return Double(bits >> 11) / Double(UInt64(1) << 53)
        }
        return try Candidates(largest: layer.count, of: draws)
    }
}

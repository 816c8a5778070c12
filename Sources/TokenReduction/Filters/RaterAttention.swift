public import JobVocabulary
public import Tensors

/// SparseVLM's filter: drops the tokens with the least attention of the words about the picture.
///
///     sᵢ = − (1/|R|) Σ_{r ∈ R} A[r, i]                            (the authors' code, v1.5; A averaged over heads)
///
/// The raters R are settled once, on the rows that enter the language model: with v the projected visual tokens and t
/// those of the text after the picture, m = mean over the visual tokens of softmax(v·tᵀ) over the text, unscaled, and R are
/// the text tokens with m above its mean; where none is, as when all are equal, all of them.
public struct RaterAttention: Filter {
    /// The ranking has no parameters.
    public init() {}

    /// The attention map, and who rates.
    public var needs: EvidenceNeeds { [.attentionProbabilities, .raters] }

    /// The ranking is of all tokens.
    public var offers: CandidateContent { .ranking }

    /// Only the language model, where text is.
    public var places: Set<ReductionPlace> { [.languageModel] }

    /// One line for the table of methods.
    public var summary: String { "least attention of the words that speak about the picture" }

    /// All tokens, the least attended first.
    public func candidates(in layer: LayerView, removing count: Int) throws(ReductionError) -> Candidates {
        guard let raters = layer.evidence.raters, !raters.isEmpty else {
            throw ReductionError(
                .missingEvidence,
                "this reduction needs to know which words are about the picture, which is decided when rows enter the "
                    + "language model: either no words follow the picture, or they were not rated")
        }
        let sums = try layer.attention(.probabilities)
            .columnSums(rows: raters.map { $0..<$0 + 1 }, columns: layer.layout.visual.runs)
        return try Candidates(leastWorthFirst: sums.map { $0 / Double(raters.count) })
    }

    /// The rows behind the first picture that speak about what is seen; `states`, (rows, width), are those that enter the language model.
    public static func raters(of states: Tensor, layout: TokenLayout) throws(ReductionError) -> [Int] {
        let text = layout.textBehind
        guard !text.isEmpty else {
            throw ReductionError(
                .missingEvidence, "no text follows the picture that could rate its tokens: put the question after it")
        }
        let logits = PairTable(layout.visual.of(states).products(withRowsOf: text.of(states)))
        var mean = [Double](repeating: 0, count: text.count)
        for token in 0..<layout.visual.count {
            for (word, probability) in logits.row(token).softmax().enumerated() { mean[word] += probability }
        }
        guard mean.allSatisfy(\.isFinite) else {
            throw ReductionError(.notFinite, "the rows that enter the language model are not finite numbers")
        }
        let average = mean.reduce(0, +) / Double(mean.count)
        let raters = mean.indices.filter { mean[$0] > average }
        return (raters.isEmpty ? Array(mean.indices) : raters).map { text[$0] }
    }
}

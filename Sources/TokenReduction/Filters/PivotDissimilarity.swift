public import JobVocabulary
import Tensors

/// DART's filter: keeps the tokens least like a few pivots, and so least redundant.
///
/// Pivots are the image tokens and the text tokens after the picture whose keys have the largest L1 norm over all heads,
/// positions in them. Each in turn, the image pivots by falling norm and then the text's, takes the tokens of lowest cosine
/// to it among those that nobody has taken; image pivots stay themselves (Wen et al., EMNLP 2025). Cosines are of the rows
/// after the language model's final norm. Of equal tokens the earlier one is taken.
///
/// The authors take ⌊budget/8⌋ for each of 4 + 4 pivots, so that their 128 is 132, and visit the pivots in the order of a
/// Python set, which nobody chose. Here the budget is exact: the first pivots take one more where it does not divide.
public struct PivotDissimilarity: Filter {
    /// Pivots among the image tokens.
    public let imagePivots: Int
    /// Pivots among the text tokens after the picture.
    public let textPivots: Int

    /// A filter with the given numbers of pivots.
    public init(imagePivots: Int, textPivots: Int) {
        self.imagePivots = imagePivots
        self.textPivots = textPivots
    }

    /// Reads `image-pivots` and `text-pivots`; default: the authors' 4 and 4.
    init(reading options: inout MethodOptions) throws(ReductionError) {
        try self.init(
            imagePivots: options.integer("image-pivots", default: 4, in: 1...1024),
            textPivots: options.integer("text-pivots", default: 4, in: 0...1024))
    }

    /// The keys of all heads and the rows after the final norm.
    public var needs: EvidenceNeeds { [.wholeKeys, .normalizedStates] }

    /// Only the language model, where text is.
    public var places: Set<ReductionPlace> { [.languageModel] }

    /// One line for the table of methods.
    public var summary: String { "all but those least like \(imagePivots) + \(textPivots) pivots" }

    /// All but the taken, the most alike to a pivot first.
    public func candidates(in layer: LayerView, removing count: Int) throws(ReductionError) -> Candidates {
        guard let keys = layer.evidence.wholeKeys, let states = layer.evidence.normalizedStates else {
            throw ReductionError(
                .missingEvidence, "this reduction needs the keys of all heads, and the rows after the final norm")
        }
        let visual = layer.layout.visual, text = layer.layout.textBehind
        let keep = layer.count - count
        let own = try pivots(among: visual, keys, min(imagePivots, keep))
        let rows = try own.map { visual[$0] } + pivots(among: text, keys, min(textPivots, text.count)).map { text[$0] }
        let unit = try UnitRows(states)
        let cosines = unit.cosines(rows, Array(visual))

        var kept = own
        var isTaken = [Bool](repeating: false, count: layer.count)
        for token in kept { isTaken[token] = true }
        let (each, more) = (keep - own.count).quotientAndRemainder(dividingBy: rows.count)
        for pivot in rows.indices {
            let open = (0..<layer.count).filter { !isTaken[$0] }
                .sorted { (cosines[pivot, $0], $0) < (cosines[pivot, $1], $1) }
            for token in open.prefix(each + (pivot < more ? 1 : 0)) {
                kept.append(token)
                isTaken[token] = true
            }
        }
        let likeness = (0..<layer.count).map { token in
            rows.indices.reduce(-Double.infinity) { max($0, cosines[$1, token]) }
        }
        return try Candidates(keeping: kept, scores: likeness)
    }

    /// Which `count` of `rows` have keys of the largest L1 norm, by falling norm.
    private func pivots(among rows: RowRuns, _ keys: Tensor, _ count: Int) throws(ReductionError) -> [Int] {
        try Candidates(largest: count, of: rows.of(keys).absoluteRowSums()).sources
    }
}

import Tensors
import TokenReduction

/// What one layer offers about several sequences: all that reductions there get to see comes from here, and nothing is computed
/// that none of them asked for.
struct EvidenceSource {
    private let needs: [EvidenceNeeds]
    private let heads: Heads
    private let backend: any Backend
    /// What was offered about each sequence so far.
    private(set) var offered: [Evidence]

    /// The source of a layer that is asked for `needs` of each sequence.
    init(_ needs: [EvidenceNeeds], heads: Heads, backend: any Backend) {
        self.needs = needs
        self.heads = heads
        self.backend = backend
        offered = needs.map { _ in Evidence() }
    }

    /// The sequences that ask about the next layer.
    var lookingAhead: [Int] { needs.indices.filter { needs[$0].looksAhead } }

    /// Attention of sequence `number` into `output`, and the evidence about it.
    ///
    /// `observer` is the query whose row of attention stands for the sequence: the class token, or the last row.
    mutating func attend(_ number: Int, _ problem: Attention, output: Tensor, observer: Int) throws {
        let needs = needs[number]
        let kind: AttentionMapKind? =
            needs.contains(.attentionProbabilities)
            ? .probabilities : needs.contains(.attentionLogits) ? .logits : nil
        offered[number].attention = try backend.attend(problem, output: output, map: kind).map {
            try AttentionMap($0, scores: kind == .logits ? .logits : .probabilities)
        }
        if needs.contains(.keys) { offered[number].keys = backend.headMeanKeys(problem) }
        if needs.contains(.observerAttention) {
            offered[number].observer = backend.attentionRow(problem, query: observer)
        }
        if needs.contains(.wholeKeys) { offered[number].wholeKeys = problem.keys.numbers }
    }

    /// Offers the attention that the next layer would pay sequence `number`, seen from row `observer`.
    mutating func lookAhead(_ number: Int, queries: Columns, keys: Columns, observer: Int) throws {
        let row = Columns(queries.tensor.rows(observer..<observer + 1), first: queries.first, count: queries.count)
        offered[number].upcoming = try UpcomingAttention(
            query: row.numbers, keys: keys.numbers, heads: heads, needs: needs[number])
    }

    /// Offers the rows of each sequence as `norm` would leave them.
    mutating func normalize(_ rows: RaggedRows, _ norm: Normalization) {
        for (number, segment) in rows.segments.enumerated() where needs[number].contains(.normalizedStates) {
            offered[number].normalizedStates = backend.normalize(
                rows.tensor.rows(segment), norm, as: backend.residualType)
        }
    }
}

import Tensors
import TokenReduction

extension UpcomingAttention {
    /// What a reduction asks of the attention of a layer that has not run, seen from row `observer` of `queries`.
    init(
        queries: Columns, observer: Int, keys: Columns, heads: Heads, needs: EvidenceNeeds
    ) throws(ReductionError) {
        let row = Columns(queries.tensor.rows(observer..<observer + 1), first: queries.first, count: queries.count)
        try self.init(query: row.numbers, keys: keys.numbers, heads: heads, needs: needs)
    }
}

extension Backend {
    /// Attention of one sequence into `output`, and the evidence about it that a reduction asks for, no more.
    ///
    /// `observer` is the query whose row of attention stands for the sequence: the class token, or the last row.
    func attend(_ problem: Attention, output: Tensor, needs: EvidenceNeeds, observer: Int) throws -> Evidence {
        let kind: AttentionMapKind? =
            needs.contains(.attentionProbabilities)
            ? .probabilities : needs.contains(.attentionLogits) ? .logits : nil
        var evidence = Evidence()
        evidence.attention = try attend(problem, output: output, map: kind).map {
            try AttentionMap($0, scores: kind == .logits ? .logits : .probabilities)
        }
        if needs.contains(.keys) { evidence.keys = headMeanKeys(problem) }
        if needs.contains(.observerAttention) { evidence.observer = attentionRow(problem, query: observer) }
        if needs.contains(.wholeKeys) { evidence.wholeKeys = problem.keys.numbers }
        return evidence
    }
}

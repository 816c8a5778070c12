import Tensors
import TokenReduction

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
        return evidence
    }
}

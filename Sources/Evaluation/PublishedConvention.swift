public import VisionLanguage

/// A formula by which papers count the cost of reading a prompt.
///
/// They differ by more than a factor of two for the same run, so a number means nothing without its convention. With n
/// rows in a layer, width d, MLP width m and h heads, one layer of the language model costs
///
/// | convention | one layer | LLaVA-1.5-7B, 576 + 60 rows |
/// |---|---|---|
/// | ``ficocoAppendix`` | 4nd² + 2n²d + 2ndm multiply-adds | 3.31 T |
/// | ``gatedFeedForward`` | 4nd² + 2n²d + 3ndm multiply-adds | 4.22 T |
/// | ``llmViewer`` | 2n(4d² + 3dm) + 4n²d + 5hn² + 18nd operations | 8.45 T |
///
/// and LLM-Viewer adds d · vocabulary once. Where attention and MLP of a layer see different numbers of rows, the terms
/// of the MLP (2ndm, 3ndm, 6ndm + 10nd) are counted over the MLP's.
public enum PublishedConvention: String, Sendable, Hashable, CaseIterable {
    /// FastV's formula, which FiCoCo's appendix (arXiv:2411.17686v4) and DivPrune repeat.
    ///
    /// Multiply-adds, and an MLP of two matrices where Llama has three: 39 % of LLM-Viewer's number. For the tower, whose
    /// MLP does have two, it is right. The savings that the appendix prints (eq. 5 and 6) are not differences of this
    /// formula: one has N·Nₛ for 2N·Nₛ, the other lacks 4M·Nₛ·D.
    case ficocoAppendix = "ficoco-appendix"
    /// The formula of SparseVLM (arXiv:2410.04417) and CDPruner: multiply-adds, with the three matrices of a gated MLP.
    case gatedFeedForward = "gated-ffn"
    /// The tool that FiCoCo's and many other tables come from (github.com/hahnyuan/LLM-Viewer, its Llama analysis):
    /// two operations a multiply-add, attention over all pairs, norms, softmax and additions too.
    ///
    /// It counts the activation over d numbers a row instead of m, and the head as one multiply-add a weight, once.
    case llmViewer = "llm-viewer"

    /// The formula of one layer.
    public var formula: String {
        switch self {
        case .ficocoAppendix: "4nd² + 2n²d + 2ndm"
        case .gatedFeedForward: "4nd² + 2n²d + 3ndm"
        case .llmViewer: "2n(4d² + 3dm) + 4n²d + 5hn² + 18nd"
        }
    }

    /// What it counts: `MAC` for multiply-adds, `FLOP` for operations.
    public var unit: String { self == .llmViewer ? "FLOP" : "MAC" }

    /// Who counts like this.
    public var source: String {
        switch self {
        case .ficocoAppendix: "FiCoCo, arXiv:2411.17686v4, appendix; FastV; DivPrune"
        case .gatedFeedForward: "SparseVLM; CDPruner"
        case .llmViewer: "LLM-Viewer, the tables of FiCoCo"
        }
    }

    /// What it does not count.
    public var leavesOut: String {
        switch self {
        case .ficocoAppendix:
            "one of the MLP's three matrices, head, norms, softmax, projector, decode; the reduction's own work, which the "
                + "appendix lists apart"
        case .gatedFeedForward: "head, norms, softmax, vision tower, projector, decode, the reduction"
        case .llmViewer: "vision tower, projector, decode, the reduction"
        }
    }

    /// Reading a prompt in the language model `c`; `rows` has one entry for each layer that counts.
    public func prefill(_ rows: [LayerRows], of c: LLaVAConfiguration.Text) -> Double {
        let d = Double(c.hidden), m = Double(c.intermediate)
        switch self {
        case .ficocoAppendix: return Self.multiplyAdds(rows, width: d, mlp: 2 * d * m)
        case .gatedFeedForward: return Self.multiplyAdds(rows, width: d, mlp: 3 * d * m)
        case .llmViewer:
            let width = Double(c.heads * c.headSize), keyWidth = Double(c.keyValueHeads * c.headSize)
            let projections = 2 * d * (2 * width + 2 * keyWidth)
            let pair = 4 * width + 5 * Double(c.heads)
            let mlp = 2 * 3 * d * m
            return rows.reduce(d * Double(c.vocabulary)) { sum, layer in
                let n = Double(layer.attention)
                return sum + n * (projections + 8 * d) + n * n * pair + Double(layer.feedForward) * (mlp + 10 * d)
            }
        }
    }

    /// The layers of a vision tower, where the convention speaks of one.
    public func tower(_ rows: [LayerRows], of c: LLaVAConfiguration.Vision) -> Double? {
        guard self == .ficocoAppendix else { return nil }
        let d = Double(c.hidden)
        return Self.multiplyAdds(rows, width: d, mlp: 2 * d * Double(c.intermediate))
    }

    /// 4nd² + 2n²d, and `mlp` for each row of the MLP.
    private static func multiplyAdds(_ rows: [LayerRows], width d: Double, mlp: Double) -> Double {
        rows.reduce(0) { sum, layer in
            let n = Double(layer.attention)
            return sum + 4 * n * d * d + 2 * n * n * d + Double(layer.feedForward) * mlp
        }
    }
}

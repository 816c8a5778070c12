public import JobVocabulary

/// How the attention between visual and text tokens is read off a decoder's map.
public enum TextAxis: String, Sendable, Hashable, CaseIterable {
    /// A[i, k]: visual token i looks at text token k, the equations to the letter.
    case literal
    /// A[k, i]: text token k looks at visual token i, "received from textual tokens" in the prose.
    case received
}

/// Which printing of FiCoCo-L's equations.
public enum PaperVersion: String, Sendable, Hashable, CaseIterable {
    /// November 2025: means over the M text tokens in equations 3 and 4.
    case v4
    /// November 2024 (its figure and algorithm 2): plain sums over the text tokens.
    case v1

    /// What a sum over `count` text tokens is multiplied by.
    func weight(ofTextTokens count: Int) -> Double { self == .v4 ? 1 / Double(max(count, 1)) : 1 }
}

extension MethodOptions {
    /// Reads `axis` and `version` of FiCoCo-L's filter and correlation; received attention and plain sums unless told
    /// otherwise, see `MethodRecipe.fiCoCoL`.
    mutating func textReading() throws(ReductionError) -> (axis: TextAxis, version: PaperVersion) {
        let axis = try choice("axis", default: TextAxis.received)
        return (axis, try choice("version", default: PaperVersion.v1))
    }
}

/// FiCoCo-L's filter: drops tokens that the other visual tokens attend to and the text does not.
///
///     sᵢ = β · (1/N) Σⱼ Aᵢⱼ − (1−β) · (1/M) Σₖ Aᵢₖ               (Han et al., arXiv:2411.17686v4, eq. 3)
///
/// j runs over the N visual tokens and k over the M other tokens of the prompt, before and after the image.
///
/// Read to the letter, a causal map has Aᵢₖ = 0 for every text token k after the image: the instruction would have no
/// say, only the ~35 tokens of the system prompt. The prose speaks of attention *received from* the text, Aₖᵢ, which a
/// causal map does hold; so `received` (Aⱼᵢ and Aₖᵢ) is the default of the option `axis`. The authors' code avoids the question with logits
/// taken before the mask, sums instead of averaging over j, and takes the first 576 positions for the image.
public struct TaskRedundancy: Filter {
    /// β: the weight of the vision term against the text's.
    public let beta: Double
    /// How the attention is read off the map.
    public let axis: TextAxis
    /// Mean or sum over the text.
    public let version: PaperVersion
    /// How both terms are scaled; with ``TermScale/l2`` mean or sum is the same.
    public let scale: TermScale

    /// Equation 3 with the given weight and reading of the attention.
    public init(beta: Double, axis: TextAxis, version: PaperVersion, scale: TermScale) {
        self.beta = beta
        self.axis = axis
        self.version = version
        self.scale = scale
    }

    /// Reads `axis`, `version`, `beta` and `normalize`; default: β is the paper's 0.6.
    init(reading options: inout MethodOptions) throws(ReductionError) {
        let (axis, version) = try options.textReading()
        try self.init(
            beta: options.number("beta", default: 0.6, in: 0...1), axis: axis, version: version,
            scale: options.choice("normalize", default: .none))
    }

    /// The attention probabilities.
    public var needs: EvidenceNeeds { .attentionProbabilities }

    /// Only the language model, where text is.
    public var places: Set<ReductionPlace> { [.languageModel] }

    /// One line for the table of methods.
    public var summary: String {
        "\(beta)·vision − \(1 - beta)·text attention (\(axis.rawValue), \(version.rawValue))"
            + (scale == .l2 ? ", both of length one" : "")
    }

    /// Equation 3 and the largest scores.
    public func candidates(in layer: LayerView, removing count: Int) throws(ReductionError) -> Candidates {
        let attention = try layer.attention(.probabilities)
        let (visual, text) = (layer.layout.visual.runs, layer.layout.text)
        let vision: [Double]
        let task: [Double]
        switch axis {
        case .literal:
            vision = attention.rowSums(rows: visual, columns: visual)
            task = attention.rowSums(rows: visual, columns: text)
        case .received:
            vision = attention.columnSums(rows: visual, columns: visual)
            task = attention.columnSums(rows: text, columns: visual)
        }
        let n = Double(layer.count)
        let perText = version.weight(ofTextTokens: text.extent)
        let repeated = scale.applied(to: vision.map { $0 / n })
        let asked = scale.applied(to: task.map { $0 * perText })
        let redundancy = zip(repeated, asked).map { beta * $0 - (1 - beta) * $1 }
        return try Candidates(largest: count, of: redundancy)
    }
}

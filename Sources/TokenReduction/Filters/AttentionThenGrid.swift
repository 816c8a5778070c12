public import JobVocabulary

/// PruMerge+'s filter: keeps the tokens with the most class attention in the next layer, and an even sample of the rest.
///
/// The authors' rule settles the count by the picture: the attention part are the M outliers (see
/// ``UpcomingObserverAttention``), the grid is every s-th token, s = ⌊⌊N/M⌋/3⌋ at least 1, without the last token of the
/// raster and those already chosen; without outliers, where their code divides by zero, s = ⌊N/3⌋. For a fixed budget of
/// K, which the authors do not offer, round(`attention` · K) are chosen by attention, at least one, and the others from
/// the R that are left at ⌊t·R/(K−A)⌋: exactly K, none twice.
///
/// Those that stay are named by falling attention, then the grid as it stands.
public struct AttentionThenGrid: CountingFilter {
    /// The share of a fixed budget that attention chooses; the outliers of a picture find three tokens of the grid each.
    public let attention: Double
    /// Rows of the budget that are left for new tokens.
    public let spare: Int
    /// Whether the picture settles the count, by the authors' rule.
    public let isAdaptive: Bool
    private let ranking = UpcomingObserverAttention(headsAsOne: true)

    /// A filter with the given share, spared rows and rule.
    public init(attention: Double, spare: Int, isAdaptive: Bool) {
        self.attention = attention
        self.spare = spare
        self.isAdaptive = isAdaptive
    }

    /// Reads `attention`; a quarter unless told otherwise, as the authors' code has on average.
    static func share(reading options: inout MethodOptions) throws(ReductionError) -> Double {
        try options.number("attention", default: 0.25, in: 0...1)
    }

    /// The next layer's attention.
    public var needs: EvidenceNeeds { ranking.needs }

    /// Where there is a layer to come.
    public var places: Set<ReductionPlace> { ranking.places }

    /// The ranking goes beyond those that go where rows are spared for new tokens.
    public var offers: CandidateContent { spare > 0 ? .ranking : [] }

    /// One line for the table of methods.
    public var summary: String { "all but \(attention) by attention in the next layer and an even sample of the rest" }

    /// All but the chosen, the least attended first.
    public func candidates(in layer: LayerView, removing count: Int) throws(ReductionError) -> Candidates {
        let attention = try layer.upcomingAttention(headsAsOne: true)
        let scores = attention.map { -$0 }
        let ranked = try Candidates(largest: layer.count, of: attention).sources
        let budget = layer.count - count - spare
        var chosen = isAdaptive ? adaptiveChoice(attention, ranked: ranked) : []
        // Where fewer are allowed than the picture asks for, the budget rules.
        if chosen.count != budget { chosen = fixedChoice(of: budget, ranked: ranked) }
        return try Candidates(keeping: chosen, scores: scores)
    }

    /// The outliers with their grid, and the spared rows.
    public func count(in layer: LayerView) throws(ReductionError) -> Int {
        let attention = try layer.upcomingAttention(headsAsOne: true)
        let ranked = try Candidates(largest: layer.count, of: attention).sources
        return min(max(adaptiveChoice(attention, ranked: ranked).count + spare, 1), layer.count)
    }

    private func adaptiveChoice(_ attention: [Double], ranked: [Int]) -> [Int] {
        let tokens = attention.count, outliers = attention.upperOutliers().count
        let step = max(1, outliers > 0 ? tokens / outliers / 3 : tokens / 3)
        let first = ranked.prefix(outliers), isFirst = Set(first)
        return first + stride(from: 0, to: tokens - 1, by: step).filter { !isFirst.contains($0) }
    }

    private func fixedChoice(of budget: Int, ranked: [Int]) -> [Int] {
        guard budget > 0 else { return [] }
        let first = ranked.prefix(max(1, Int(attention * Double(budget) + 0.5)))
        let rest = Set(first), others = ranked.filter { !rest.contains($0) }.sorted(), grid = budget - first.count
        return first + (0..<grid).map { others[$0 * others.count / grid] }
    }
}

import Tensors
import TokenReduction

extension Evidence {
    /// What `needs` names of all that a layer can offer about `layout`, and nothing else: of attention what `map` holds, of
    /// the rest random numbers, or `key` throughout.
    static func made(
        _ map: AttentionMap, _ layout: TokenLayout, seed: Int, needs: EvidenceNeeds, key: Double? = nil,
        precision: ElementType = .float64
    ) throws -> Evidence {
        func stored(_ tensor: Tensor) -> Tensor { precision == .float32 ? tensor.inSinglePrecision : tensor }
        func table(_ offset: Int, rows: Int, width: Int) -> Tensor {
            if let key { return stored(Tensor([Double](repeating: key, count: rows * width), shape: [rows, width])) }
            var generator = Generator(seed: seed + offset)
            return stored(generator.states(rows: rows, width: width))
        }
        let rows = layout.rows
        var evidence = Evidence()
        if !needs.isDisjoint(with: [.attentionProbabilities, .attentionLogits]) {
            evidence.attention = try precision == .float32 ? map.inSinglePrecision() : map
        }
        if needs.contains(.observerAttention) {
            // After the projector: what the class token looked at in the tower.
            let observer = layout.classToken ?? (rows == layout.visual.count ? 0 : rows - 1)
            evidence.observer = stored(Tensor(map.row(observer, columns: [0..<rows]), shape: [1, rows]))
        }
        if needs.contains(.keys) { evidence.keys = table(0, rows: rows, width: 5) }
        if !needs.isDisjoint(with: .upcoming) {
            evidence.upcoming = try UpcomingAttention(
                query: table(100, rows: 1, width: 6), keys: table(200, rows: rows, width: 6),
                heads: Heads(count: 2, size: 3), needs: needs)
        }
        if needs.contains(.wholeKeys) { evidence.wholeKeys = table(300, rows: rows, width: 10) }
        if needs.contains(.normalizedStates) { evidence.normalizedStates = table(400, rows: rows, width: 6) }
        if needs.contains(.questionRelevance) {
            var generator = Generator(seed: seed + 500)
            let relevance = generator.numbers(layout.visual.count)
            evidence.relevance = key.map { [Double](repeating: $0, count: relevance.count) } ?? relevance
        }
        if needs.contains(.raters), !layout.textBehind.isEmpty { evidence.raters = Array(layout.textBehind) }
        return evidence
    }
}

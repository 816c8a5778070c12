import Tensors
import TokenReduction

extension Evidence {
    /// Everything that a layer can offer about `layout` beside its own `map`: random numbers, or `key` throughout; of the
    /// next layer's attention what `needs` asks for.
    static func made(
        _ map: AttentionMap, _ layout: TokenLayout, seed: Int, key: Double? = nil, precision: ElementType = .float64,
        needs: EvidenceNeeds = .upcoming
    ) throws -> Evidence {
        func table(_ offset: Int, rows: Int, width: Int) -> Tensor {
            var generator = Generator(seed: seed + offset)
            var states = generator.states(rows: rows, width: width)
            if let key { states = Tensor([Double](repeating: key, count: states.count), shape: states.shape) }
            return precision == .float32 ? states.inSinglePrecision : states
        }
        let rows = layout.rows
        var evidence = Evidence(
            attention: try precision == .float32 ? map.inSinglePrecision() : map, keys: table(0, rows: rows, width: 5),
            upcoming: try UpcomingAttention(
                query: table(100, rows: 1, width: 6), keys: table(200, rows: rows, width: 6),
                heads: Heads(count: 2, size: 3), needs: needs),
            wholeKeys: table(300, rows: rows, width: 10), normalizedStates: table(400, rows: rows, width: 6))
        var generator = Generator(seed: seed + 500)
        let relevance = generator.numbers(layout.image.count)
        evidence.relevance = key.map { [Double](repeating: $0, count: relevance.count) } ?? relevance
        if layout.rows == layout.image.count {
            // After the projector: what the class token looked at in the tower.
            evidence.observer = Tensor(map.row(0, columns: [0..<rows]), shape: [1, rows])
        }
        if layout.image.upperBound < rows { evidence.raters = Array(layout.image.upperBound..<rows) }
        return evidence
    }
}

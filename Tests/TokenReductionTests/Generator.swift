import Tensors
import TokenReduction

/// The generator of `Tests/Fixtures/reduction/make_reduction_goldens.py`, number for number.
struct Generator {
    private var state: UInt64

    init(seed: Int) { state = UInt64(seed) }

    /// The next number of [0, 1).
    mutating func next() -> Double {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Double(state >> 11) / Double(UInt64(1) << 53)
    }

    mutating func numbers(_ count: Int) -> [Double] { (0..<count).map { _ in next() } }

    /// Hidden states in -1 … 1, (rows, width).
    mutating func states(rows: Int, width: Int) -> Tensor {
        Tensor(numbers(rows * width).map { 2 * $0 - 1 }, shape: [rows, width])
    }

    /// Attention with heads, (heads, rows, rows); probabilities have rows that sum to one and a few strong entries.
    mutating func attention(heads: Int, rows: Int, scores: AttentionScores, causal: Bool = false) -> Tensor {
        var cells = numbers(heads * rows * rows)
        if scores == .logits { return Tensor(cells.map { 8 * $0 - 2 }, shape: [heads, rows, rows]) }
        for start in stride(from: 0, to: cells.count, by: rows) {
            let query = start / rows % rows
            var total = 0.0
            for key in 0..<rows {
                let square = cells[start + key] * cells[start + key]
                cells[start + key] = causal && key > query ? 0 : square * square
                total += cells[start + key]
            }
            for key in 0..<rows { cells[start + key] /= total }
        }
        return Tensor(cells, shape: [heads, rows, rows])
    }
}

extension Tensor {
    /// The same numbers in float32.
    var inSinglePrecision: Tensor { Tensor(floats, shape: shape) }

    /// The given rows in memory of their own.
    func gathered(_ rows: [Int]) -> Tensor {
        let all = doubles
        let cells = rows.flatMap { all[$0 * width..<($0 + 1) * width] }
        return type == .float64
            ? Tensor(cells, shape: [rows.count, width]) : Tensor(cells.map { Float($0) }, shape: [rows.count, width])
    }

    /// Row by row.
    var table: [[Double]] {
        let all = doubles
        return (0..<rows).map { Array(all[$0 * width..<($0 + 1) * width]) }
    }
}

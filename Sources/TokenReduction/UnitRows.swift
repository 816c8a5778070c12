import Tensors

/// Rows scaled to length one, so that products of them are cosines.
///
/// They stay in the precision they came in; a row of zeros stays one, and is at right angles to everything.
public struct UnitRows: Sendable {
    /// How many rows.
    public var count: Int { rows.rows }
    private let rows: Tensor

    /// The rows of `tensor`, (rows, width) in float32 or float64; throws `notFinite` if they hold NaN or infinity.
    init(_ tensor: Tensor) throws(ReductionError) {
        var finite = true
        rows =
            tensor.type == .float64
            ? Tensor(Self.scaled(tensor.doubles, tensor.width, &finite), shape: tensor.shape)
            : Tensor(Self.scaled(tensor.floats, tensor.width, &finite), shape: tensor.shape)
        guard finite else {
            throw ReductionError(
                .notFinite, "rows to compare are not finite numbers: the layer's evidence holds NaN or infinity")
        }
    }

    /// The cosines of each of `sources` with each of `targets`, (sources, targets).
    func cosines(_ sources: [Int], _ targets: [Int]) -> PairTable {
        PairTable(rows.gathering(sources).products(withRowsOf: rows.gathering(targets)))
    }

    /// The cosines of each row with each row, (count, count).
    func allCosines() -> PairTable { PairTable(rows.products(withRowsOf: rows)) }

    private static func scaled<Number: BinaryFloatingPoint>(
        _ numbers: [Number], _ width: Int, _ finite: inout Bool
    ) -> [Number] {
        var numbers = numbers
        numbers.withUnsafeMutableBufferPointer { cells in
            for start in stride(from: 0, to: cells.count, by: max(width, 1)) {
                var square = 0.0
                for cell in start..<start + width { square += Double(cells[cell]) * Double(cells[cell]) }
                finite = finite && square.isFinite
                let scale = square > 0 ? 1 / square.squareRoot() : 0
                for cell in start..<start + width { cells[cell] = Number(Double(cells[cell]) * scale) }
            }
        }
        return numbers
    }
}

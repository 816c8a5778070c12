import Tensors

/// Rows scaled to length one, so that products of them are cosines.
///
/// They stay in the precision they came in; a row of zeros stays one, and is at right angles to everything.
public struct UnitRows: Sendable {
    /// How many rows.
    public let count: Int
    private let width: Int
    private let storage: Storage

    private enum Storage: Sendable {
        case single([Float])
        case double([Double])
    }

    /// The rows of `tensor`, (rows, width) in float32 or float64; throws `notFinite` where they hold NaN or infinity.
    init(_ tensor: Tensor) throws(ReductionError) {
        count = tensor.rows
        width = tensor.width
        var finite = true
        if tensor.type == .float64 {
            storage = .double(Self.scaled(tensor.doubles, tensor.width, &finite))
        } else {
            storage = .single(Self.scaled(tensor.floats, tensor.width, &finite))
        }
        guard finite else {
            throw ReductionError(
                .notFinite, "rows to compare are not finite numbers: the layer's evidence holds NaN or infinity")
        }
    }

    /// The cosines of each of `rows` with each of `columns`, (rows, columns).
    func cosines(_ rows: [Int], _ columns: [Int]) -> [[Double]] {
        switch storage {
        case .single(let numbers): Self.products(numbers, width, rows, columns, SIMD16<Float>.self)
        case .double(let numbers): Self.products(numbers, width, rows, columns, SIMD8<Double>.self)
        }
    }

    /// The cosines of each row with each row, (count, count); each pair is looked at once.
    func allCosines() -> [[Double]] {
        let all = Array(0..<count)
        var table =
            switch storage {
            case .single(let numbers): Self.products(numbers, width, all, all, SIMD16<Float>.self, upTo: { $0 })
            case .double(let numbers): Self.products(numbers, width, all, all, SIMD8<Double>.self, upTo: { $0 })
            }
        for row in all { for column in 0..<row { table[row][column] = table[column][row] } }
        return table
    }

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

    /// Four columns at a time, so that a row is read once for all of them; of the columns before `end`, only `upTo(end)`
    /// rows.
    private static func products<Number: BinaryFloatingPoint, Vector: SIMD>(
        _ numbers: [Number], _ width: Int, _ rows: [Int], _ columns: [Int], _: Vector.Type,
        upTo: (_ end: Int) -> Int = { _ in .max }
    ) -> [[Double]] where Vector.Scalar == Number {
        let lanes = Vector.scalarCount, whole = width / lanes * lanes
        var result = [[Double]](repeating: [Double](repeating: 0, count: columns.count), count: rows.count)
        numbers.withUnsafeBytes { bytes in
            let size = MemoryLayout<Number>.size
            func vector(_ at: Int) -> Vector { bytes.loadUnaligned(fromByteOffset: at * size, as: Vector.self) }
            func number(_ at: Int) -> Number { bytes.loadUnaligned(fromByteOffset: at * size, as: Number.self) }
            for first in stride(from: 0, to: columns.count, by: 4) {
                let block = first..<min(first + 4, columns.count)
                let starts = (0..<4).map { columns[min(first + $0, block.upperBound - 1)] * width }
                let (b0, b1, b2, b3) = (starts[0], starts[1], starts[2], starts[3])
                for (place, row) in rows.prefix(upTo(block.upperBound)).enumerated() {
                    let start = row * width
                    var (s0, s1, s2, s3) = (Vector(), Vector(), Vector(), Vector())
                    var at = 0
                    while at < whole {
                        let x = vector(start + at)
                        s0 += x * vector(b0 + at)
                        s1 += x * vector(b1 + at)
                        s2 += x * vector(b2 + at)
                        s3 += x * vector(b3 + at)
                        at += lanes
                    }
                    for (column, (sum, other)) in zip(block, [(s0, b0), (s1, b1), (s2, b2), (s3, b3)]) {
                        var total: Number = 0
                        for lane in 0..<lanes { total += sum[lane] }
                        for rest in whole..<width { total += number(start + rest) * number(other + rest) }
                        result[place][column] = Double(total)
                    }
                }
            }
        }
        return result
    }
}

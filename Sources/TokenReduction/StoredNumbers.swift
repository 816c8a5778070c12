import Tensors

/// A number as large tensors store it; arithmetic on it is in Double.
protocol StoredNumber {
    init(_ value: Double)
    var double: Double { get }
}

extension Float: StoredNumber {
    @inline(__always) var double: Double { Double(self) }
}

extension Double: StoredNumber {
    @inline(__always) var double: Double { self }
}

/// The loops over large tensors, each written once for both precisions. Callers have checked all indices.
extension Tensor {
    /// Whether the loops below can read this tensor.
    var isReadable: Bool { type == .float32 || type == .float64 }

    /// Whether no number is NaN or infinite.
    var holdsFiniteNumbers: Bool {
        type == .float64 ? doubles.allSatisfy(\.isFinite) : floats.allSatisfy(\.isFinite)
    }

    /// The given rows in memory of their own.
    func gathering(_ chosen: [Int]) -> Tensor {
        let result = Tensor(shape: [chosen.count] + shape.dropFirst(), type: type)
        let stride = width * type.size
        withUnsafeBytes { from in
            result.withUnsafeMutableBytes { to in
                for (place, row) in chosen.enumerated() {
                    UnsafeMutableRawBufferPointer(rebasing: to[place * stride..<(place + 1) * stride])
                        .copyMemory(from: UnsafeRawBufferPointer(rebasing: from[row * stride..<(row + 1) * stride]))
                }
            }
        }
        return result
    }

    /// Σ of one row over consecutive columns.
    func sum(row: Int, columns: Range<Int>) -> Double {
        type == .float64 ? sum(Double.self, row, columns) : sum(Float.self, row, columns)
    }

    /// Consecutive cells of one row.
    func values(row: Int, columns: Range<Int>) -> [Double] {
        type == .float64 ? values(Double.self, row, columns) : values(Float.self, row, columns)
    }

    /// Consecutive cells of one column.
    func values(rows: Range<Int>, column: Int) -> [Double] {
        type == .float64 ? values(Double.self, rows, column) : values(Float.self, rows, column)
    }

    /// Σ of weight · row over the given rows, for consecutive columns.
    func combination(of rows: [Range<Int>], weights: [Double], columns: Range<Int>) -> [Double] {
        type == .float64
            ? combination(Double.self, rows, weights, columns) : combination(Float.self, rows, weights, columns)
    }

    /// Σ |x| of each row.
    func absoluteRowSums() -> [Double] {
        (0..<rows).map { row in values(row: row, columns: 0..<width).reduce(0) { $0 + abs($1) } }
    }

    /// The scalar product of each row, from column `first` on, with `vector`.
    func products(with vector: [Double], from first: Int) -> [Double] {
        type == .float64 ? products(Double.self, vector, first) : products(Float.self, vector, first)
    }

    /// row[target] = (own · row[target] + Σ weight · row[source]) / divisor, in place; sources are rows of `others`.
    func blend(
        row target: Int, keeping own: Double, with shares: [Share], of others: Tensor, dividingBy divisor: Double
    ) {
        type == .float64
            ? blend(Double.self, target, own, shares, others, divisor)
            : blend(Float.self, target, own, shares, others, divisor)
    }

    /// The mean over the outermost extent, as float64.
    func meanOfOutermost() -> Tensor {
        let blocks = reshaped([shape[0], width])
        let sums = blocks.combination(
            of: [0..<shape[0]], weights: [Double](repeating: 1, count: shape[0]), columns: 0..<width)
        return Tensor(sums.map { $0 / Double(shape[0]) }, shape: Array(shape.dropFirst()))
    }

    private func sum<Number: StoredNumber>(_: Number.Type, _ row: Int, _ columns: Range<Int>) -> Double {
        withUnsafeBytes { bytes in
            let cells = bytes.bindMemory(to: Number.self)
            let start = row * width + columns.lowerBound
            // Four chains of additions: one chain alone waits for each addition to finish.
            var sums = SIMD4<Double>.zero
            let quads = columns.count / 4
            for quad in 0..<quads {
                let at = start + 4 * quad
                sums += SIMD4(cells[at].double, cells[at + 1].double, cells[at + 2].double, cells[at + 3].double)
            }
            var sum = sums.sum()
            for at in start + 4 * quads..<start + columns.count { sum += cells[at].double }
            return sum
        }
    }

    private func values<Number: StoredNumber>(_: Number.Type, _ row: Int, _ columns: Range<Int>) -> [Double] {
        withUnsafeBytes { bytes in
            let start = row * width
            return bytes.bindMemory(to: Number.self)[start + columns.lowerBound..<start + columns.upperBound]
                .map(\.double)
        }
    }

    private func values<Number: StoredNumber>(_: Number.Type, _ rows: Range<Int>, _ column: Int) -> [Double] {
        withUnsafeBytes { bytes in
            let cells = bytes.bindMemory(to: Number.self)
            return rows.map { cells[$0 * width + column].double }
        }
    }

    private func combination<Number: StoredNumber>(
        _: Number.Type, _ rows: [Range<Int>], _ weights: [Double], _ columns: Range<Int>
    ) -> [Double] {
        withUnsafeBytes { bytes in
            let cells = bytes.bindMemory(to: Number.self)
            let width = self.width
            var result = [Double](repeating: 0, count: columns.count)
            result.withUnsafeMutableBufferPointer { sums in
                for (row, weight) in zip(rows.joined(), weights) where weight != 0 {
                    let start = row * width + columns.lowerBound
                    for column in 0..<sums.count { sums[column] += weight * cells[start + column].double }
                }
            }
            return result
        }
    }

    private func products<Number: StoredNumber>(_: Number.Type, _ vector: [Double], _ first: Int) -> [Double] {
        withUnsafeBytes { bytes in
            vector.withUnsafeBufferPointer { vector in
                let cells = bytes.bindMemory(to: Number.self), width = self.width
                return (0..<rows).map { row in
                    var sum = 0.0
                    for (column, factor) in vector.enumerated() {
                        sum += factor * cells[row * width + first + column].double
                    }
                    return sum
                }
            }
        }
    }

    private func blend<Number: StoredNumber>(
        _: Number.Type, _ target: Int, _ own: Double, _ shares: [Share], _ others: Tensor, _ divisor: Double
    ) {
        let width = self.width
        var sums = values(Number.self, target, 0..<width)
        if own != 1 { for column in 0..<width { sums[column] *= own } }
        sums.withUnsafeMutableBufferPointer { sums in
            others.withUnsafeBytes { bytes in
                let cells = bytes.bindMemory(to: Number.self)
                for share in shares {
                    let start = share.source * width
                    for column in 0..<width { sums[column] += share.weight * cells[start + column].double }
                }
            }
            withUnsafeMutableBytes { bytes in
                let cells = bytes.bindMemory(to: Number.self)
                for column in 0..<width { cells[target * width + column] = Number(sums[column] / divisor) }
            }
        }
    }
}

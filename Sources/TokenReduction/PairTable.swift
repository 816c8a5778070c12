import Tensors

/// One number for each pair of a row and a column, in one piece of memory: cosines, products or distances.
struct PairTable {
    let columns: Int
    let values: [Double]

    /// The table (rows, columns), float32 or float64.
    init(_ table: Tensor) {
        columns = table.width
        values = table.doubles
    }

    subscript(row: Int, column: Int) -> Double { values[row * columns + column] }

    /// The numbers of one row with all columns, counted from 0.
    func row(_ row: Int) -> [Double] { Array(values[row * columns..<(row + 1) * columns]) }

    /// The largest number of `row` with any of `others`; minus infinity where there are none.
    func largest(of row: Int, among others: [Int]) -> Double {
        values.withUnsafeBufferPointer { values in
            var largest = -Double.infinity
            for column in others { largest = max(largest, values[row * columns + column]) }
            return largest
        }
    }

    /// The column of the largest number of `row`, the first of equal ones; nil if there are no columns.
    func columnOfLargest(of row: Int) -> Int? {
        let start = row * columns
        var best: Int?
        for column in 0..<columns where best.map({ values[start + $0] < values[start + column] }) ?? true {
            best = column
        }
        return best
    }
}

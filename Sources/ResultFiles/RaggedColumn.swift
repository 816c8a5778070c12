internal import HDF5

/// One dataset of a ragged group: several values of every row, all rows one after the other.
protocol RaggedColumn: Sendable {
    /// The name of the dataset.
    var name: String { get }
    /// Writes the values of all rows.
    func write(_ rows: [ResultRow], to group: borrowing Group) throws(HDF5Error)
    /// Fills in the values of `rows`; those of row `i` are `offsets[i]..<offsets[i + 1]`.
    func read(_ offsets: [Int], from group: borrowing Group, into rows: inout [ResultRow]) throws
    /// The number of values in the file.
    func count(in group: borrowing Group) throws(HDF5Error) -> Int
    /// Fills in a column that the file lacks, because an earlier version wrote it, for rows of these lengths; false if every
    /// version has it.
    func fillAbsent(_ lengths: [Int], into rows: inout [ResultRow]) -> Bool
}

extension RaggedColumn {
    func fillAbsent(_ lengths: [Int], into rows: inout [ResultRow]) -> Bool { false }
}

/// A group of columns of equal length with `indptr[rows + 1]`: row `i` owns `indptr[i]..<indptr[i + 1]`.
struct RaggedGroup: Sendable {
    let name: String
    let length: @Sendable (ResultRow) -> Int
    let columns: [any RaggedColumn]

    func write(_ rows: [ResultRow], to root: borrowing Group, attributes: KeyValuePairs<String, Attribute> = [:])
        throws(HDF5Error)
    {
        let group = try root.createGroup(name)
        for (attribute, value) in attributes { try group.set(attribute, to: value) }
        try group.write(
            Self.offsets(rows.map(length)), to: "indptr", layout: .chunked(columnChunk, compressed: true),
            attributes: describe("1", "where each row begins; the last entry is the total"))
        for column in columns { try column.write(rows, to: group) }
        try group.close()
    }

    /// Fills in what the rows of `range` own; `total` is the number of rows in the file.
    func read(_ range: Range<Int>, of total: Int, from root: borrowing Group, into rows: inout [ResultRow]) throws {
        let group = try root.group(name)
        for column in columns {
            if try !group.contains(column.name), column.fillAbsent(rows.map(length), into: &rows) { continue }
            let offsets = try Self.offsets(range, of: total, in: group, values: try column.count(in: group))
            try column.read(offsets, from: group, into: &rows)
        }
    }

    /// Where rows of these lengths begin, and the total.
    static func offsets(_ lengths: [Int]) -> [Int] {
        var offsets = [0]
        offsets.reserveCapacity(lengths.count + 1)
        for length in lengths { offsets.append(offsets[offsets.count - 1] + length) }
        return offsets
    }

    /// Where the rows of `range` begin and end among `count` values; `total` is the number of rows in the file.
    static func offsets(
        _ range: Range<Int>, of total: Int, in group: borrowing Group, values count: Int
    ) throws -> [Int] {
        let dataset = try group.dataset("indptr")
        guard dataset.shape == [total + 1] else {
            throw ResultFileError(.corrupt, "\(dataset.name) has shape \(dataset.shape) instead of [\(total + 1)]")
        }
        let offsets = try dataset.read(Int.self, rows: range.lowerBound..<(range.upperBound + 1))
        let isSorted = zip(offsets, offsets.dropFirst()).allSatisfy { $0 <= $1 }
        let first = offsets.first ?? 0
        let last = offsets.last ?? 0
        let begins = range.lowerBound == 0 ? first == 0 : first >= 0
        let ends = range.upperBound == total ? last == count : last <= count
        guard isSorted, begins, ends else {
            throw ResultFileError(.corrupt, "\(dataset.name) does not divide \(count) values into \(total) rows")
        }
        return offsets
    }
}

/// Numbers of each row.
struct RaggedNumbers<Value: Element>: RaggedColumn {
    let name: String
    let units: String
    let longName: String
    let path: Field<[Value]>
    let isCompressed: Bool
    /// The value in files of earlier versions, which lack the column; nil if all have it.
    let absent: Value?

    init(
        _ name: String, _ path: Field<[Value]>, units: String = "1", _ longName: String,
        compressed: Bool = false, ifAbsent absent: Value? = nil
    ) {
        self.name = name
        self.units = units
        self.longName = longName
        self.path = path
        isCompressed = compressed
        self.absent = absent
    }

    func fillAbsent(_ lengths: [Int], into rows: inout [ResultRow]) -> Bool {
        guard let absent else { return false }
        for index in rows.indices { rows[index][keyPath: path] = Array(repeating: absent, count: lengths[index]) }
        return true
    }

    func write(_ rows: [ResultRow], to group: borrowing Group) throws(HDF5Error) {
        try group.write(
            concatenated(rows, path), to: name, layout: .chunked(columnChunk, compressed: isCompressed),
            attributes: describe(units, longName))
    }

    func read(_ offsets: [Int], from group: borrowing Group, into rows: inout [ResultRow]) throws {
        let values = try group.dataset(name).read(Value.self, rows: (offsets.first ?? 0)..<(offsets.last ?? 0))
        distribute(values, offsets, path, &rows)
    }

    func count(in group: borrowing Group) throws(HDF5Error) -> Int { try group.dataset(name).shape.first ?? 0 }
}

/// Texts of each row.
struct RaggedTexts: RaggedColumn {
    let name: String
    let longName: String
    let path: Field<[String]>

    init(_ name: String, _ path: Field<[String]>, _ longName: String) {
        self.name = name
        self.longName = longName
        self.path = path
    }

    func write(_ rows: [ResultRow], to group: borrowing Group) throws(HDF5Error) {
        try group.write(texts: concatenated(rows, path), to: name, attributes: describe("1", longName))
    }

    func read(_ offsets: [Int], from group: borrowing Group, into rows: inout [ResultRow]) throws {
        let texts = try group.dataset(name).strings(rows: (offsets.first ?? 0)..<(offsets.last ?? 0))
        distribute(texts, offsets, path, &rows)
    }

    func count(in group: borrowing Group) throws(HDF5Error) -> Int { try group.dataset(name).shape.first ?? 0 }
}

/// Named codes of each row.
struct RaggedCodes<Code: ResultCode>: RaggedColumn {
    let name: String
    let longName: String
    let path: Field<[Code]>

    func write(_ rows: [ResultRow], to group: borrowing Group) throws(HDF5Error) {
        try group.write(
            codes: concatenated(rows, path).map(\.code), named: Code.byCode.map(\.rawValue), to: name,
            layout: .chunked(columnChunk), attributes: describe("1", longName))
    }

    func read(_ offsets: [Int], from group: borrowing Group, into rows: inout [ResultRow]) throws {
        let dataset = try group.dataset(name)
        let codes = try Codes<Code>(of: dataset)
        let range = (offsets.first ?? 0)..<(offsets.last ?? 0)
        let values = try dataset.read(UInt8.self, rows: range).map { code throws(ResultFileError) in try codes[code] }
        distribute(values, offsets, path, &rows)
    }

    func count(in group: borrowing Group) throws(HDF5Error) -> Int { try group.dataset(name).shape.first ?? 0 }
}

private func concatenated<Value>(_ rows: [ResultRow], _ path: KeyPath<ResultRow, [Value]>) -> [Value] {
    var values: [Value] = []
    values.reserveCapacity(rows.reduce(0) { $0 + $1[keyPath: path].count })
    for row in rows { values.append(contentsOf: row[keyPath: path]) }
    return values
}

private func distribute<Value>(
    _ values: [Value], _ offsets: [Int], _ path: WritableKeyPath<ResultRow, [Value]>, _ rows: inout [ResultRow]
) {
    let start = offsets.first ?? 0
    for index in rows.indices {
        rows[index][keyPath: path] = Array(values[(offsets[index] - start)..<(offsets[index + 1] - start)])
    }
}

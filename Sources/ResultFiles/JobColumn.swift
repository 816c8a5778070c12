internal import HDF5

/// One dataset of `/jobs`: a value of every row.
protocol JobColumn: Sendable {
    /// The name of the dataset.
    var name: String { get }
    /// Writes the column of all rows.
    func write(_ rows: [ResultRow], to group: borrowing Group) throws(HDF5Error)
    /// What the values mean.
    var longName: String { get }
    /// Their units; `1` for plain numbers and text.
    var units: String { get }
    /// What kind of value it is outside of a shard.
    var kind: ScalarColumn.Kind { get }
    /// The value of one row as it is shown and queried.
    func value(of row: ResultRow) -> Scalar
    /// Fills in the column of `rows`, which are those of `range` in the file.
    func read(_ range: Range<Int>, from group: borrowing Group, into rows: inout [ResultRow]) throws
}

/// Where a value stands in a row.
typealias Field<Value> = any WritableKeyPath<ResultRow, Value> & Sendable

/// The two attributes that every dataset carries.
func describe(_ units: String, _ longName: String) -> KeyValuePairs<String, Attribute> {
    ["units": .string(units), "long_name": .string(longName)]
}

/// Values of one chunk of a column: a slice of one row unpacks little more than itself.
let columnChunk = [16_384]

/// A number of each row.
struct NumberColumn<Value: Element & ScalarNumber>: JobColumn {
    let name: String
    let units: String
    let longName: String
    let path: Field<Value>

    init(_ name: String, _ path: Field<Value>, units: String = "1", _ longName: String) {
        self.name = name
        self.units = units
        self.longName = longName
        self.path = path
    }

    func write(_ rows: [ResultRow], to group: borrowing Group) throws(HDF5Error) {
        try group.write(
            rows.map { $0[keyPath: path] }, to: name, layout: .chunked(columnChunk),
            attributes: describe(units, longName))
    }

    func read(_ range: Range<Int>, from group: borrowing Group, into rows: inout [ResultRow]) throws {
        let values = try group.dataset(name).read(Value.self, rows: range)
        for (index, value) in values.enumerated() { rows[index][keyPath: path] = value }
    }

    var kind: ScalarColumn.Kind { Value.kind }
    func value(of row: ResultRow) -> Scalar { row[keyPath: path].scalar }
}

extension Group {
    /// Writes a dataset of texts in the form that suits them.
    borrowing func write(
        texts: [String], to name: String, attributes: KeyValuePairs<String, Attribute>
    ) throws(HDF5Error) {
        let lengths = texts.map(\.utf8.count)
        let width = max(1, lengths.max() ?? 1)
        // Padded text can be checksummed and packed; one enormous text must not make every other as long.
        let isPadded = width * texts.count <= max(16 << 20, 8 * lengths.reduce(0, +))
        let chunk = [max(1, min(1024, (1 << 20) / width))]
        try write(
            texts, to: name, layout: isPadded ? .chunked(chunk, compressed: true) : .contiguous, attributes: attributes)
    }
}

/// A text of each row.
struct TextColumn: JobColumn {
    let name: String
    let longName: String
    let path: Field<String>

    init(_ name: String, _ path: Field<String>, _ longName: String) {
        self.name = name
        self.longName = longName
        self.path = path
    }

    func write(_ rows: [ResultRow], to group: borrowing Group) throws(HDF5Error) {
        try group.write(texts: rows.map { $0[keyPath: path] }, to: name, attributes: describe("1", longName))
    }

    func read(_ range: Range<Int>, from group: borrowing Group, into rows: inout [ResultRow]) throws {
        let texts = try group.dataset(name).strings(rows: range)
        for (index, text) in texts.enumerated() { rows[index][keyPath: path] = text }
    }

    var units: String { "1" }
    var kind: ScalarColumn.Kind { .text }
    func value(of row: ResultRow) -> Scalar { .text(row[keyPath: path]) }
}

/// A named code of each row.
struct CodeColumn<Code: ResultCode>: JobColumn {
    let name: String
    let longName: String
    let path: Field<Code>

    init(_ name: String, _ path: Field<Code>, _ longName: String) {
        self.name = name
        self.longName = longName
        self.path = path
    }

    func write(_ rows: [ResultRow], to group: borrowing Group) throws(HDF5Error) {
        try group.write(
            codes: rows.map { $0[keyPath: path].code }, named: Code.byCode.map(\.rawValue), to: name,
            layout: .chunked(columnChunk), attributes: describe("1", longName))
    }

    func read(_ range: Range<Int>, from group: borrowing Group, into rows: inout [ResultRow]) throws {
        let dataset = try group.dataset(name)
        let codes = try Codes<Code>(of: dataset)
        for (index, value) in try dataset.read(UInt8.self, rows: range).enumerated() {
            rows[index][keyPath: path] = try codes[value]
        }
    }

    var units: String { "1" }
    var kind: ScalarColumn.Kind { .text }
    func value(of row: ResultRow) -> Scalar { .text(row[keyPath: path].rawValue) }
}

/// The names of the method of each row, which the header lists.
struct MethodColumn: JobColumn {
    let name = "method"
    let methods: [String]

    func write(_ rows: [ResultRow], to group: borrowing Group) throws(HDF5Error) {
        let codes = Dictionary(methods.enumerated().map { ($1, UInt8(truncatingIfNeeded: $0)) }) { first, _ in first }
        try group.write(
            codes: rows.map { codes[$0.method] ?? 0 }, named: methods, to: name, layout: .chunked(columnChunk),
            attributes: describe("1", "reduction method"))
    }

    func read(_ range: Range<Int>, from group: borrowing Group, into rows: inout [ResultRow]) throws {
        let dataset = try group.dataset(name)
        let names = try dataset.enumerationNames()
        for (index, code) in try dataset.read(UInt8.self, rows: range).enumerated() {
            guard let method = names[Int64(code)] else {
                throw ResultFileError(.corrupt, "\(dataset.name) has the code \(code), which has no name")
            }
            rows[index].method = method
        }
    }

    let longName = "reduction method"
    var units: String { "1" }
    var kind: ScalarColumn.Kind { .text }
    func value(of row: ResultRow) -> Scalar { .text(row.method) }
}

/// What the codes of a dataset mean, by its own names rather than by their numbers.
struct Codes<Code: ResultCode> {
    private let meanings: [Int64: Code]
    private let dataset: String

    init(of dataset: borrowing Dataset) throws(HDF5Error) {
        let known = Dictionary(Code.byCode.map { ($0.rawValue, $0) }) { first, _ in first }
        meanings = try dataset.enumerationNames().compactMapValues { known[$0] }
        self.dataset = dataset.name
    }

    subscript(code: UInt8) -> Code {
        get throws(ResultFileError) {
            guard let meaning = meanings[Int64(code)] else {
                throw ResultFileError(.corrupt, "\(dataset) has the code \(code), which has no known name")
            }
            return meaning
        }
    }
}
